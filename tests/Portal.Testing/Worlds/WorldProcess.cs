using System.Collections.Concurrent;
using Hangfire;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using Portal.App;
using Portal.App.Access;
using Portal.App.Operations;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Postgres;

namespace Portal.Testing.Worlds;

/// <summary>
/// A portal process as far as the database and the hosts can tell: its own services, its own links to PostgreSQL, its own lease. Killed, it loses all
/// of them at once, whatever it was at.
/// </summary>
public sealed class WorldProcess : IAsyncDisposable
{
    private static int s_started;
    private readonly TestDatabase _database;
    private readonly string _name = $"process-{Interlocked.Increment(ref s_started)}";
    private readonly ServiceProvider _services;
    private bool _gone;

    internal WorldProcess(TestDatabase database, ConcurrentDictionary<SimulatedVerb, Refusal> refusals, TimeProvider? clock = null)
    {
        _database = database;
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(clock ?? new FastTime());
        services.AddSingleton<IInterceptor>(new MortalDatabase(Fate));
        services.AddSingleton(_ => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { ApplicationName = _name }));
        services.AddSingleton<IBackgroundJobClient>(Jobs);
        services.AddPortalApp(new ConfigurationBuilder().Build());
        services.AddScoped(s => s.GetRequiredService<PortalDbs>().ForSystem());
        services.AddIdentityCore<PortalUser>(identity =>
        {
            // As the web asks for: length, not kinds of characters.
            identity.User.RequireUniqueEmail = true;
            identity.Password.RequireDigit = identity.Password.RequireLowercase = identity.Password.RequireUppercase = identity.Password.RequireNonAlphanumeric = false;
        }).AddEntityFrameworkStores<PortalDb>();
        Watch(services, refusals);
        _services = services.BuildServiceProvider();
    }

    /// <summary>What is to become of it.</summary>
    public Fate Fate { get; } = new();

    public RecordingJobs Jobs { get; } = new();

    public ConsoleCount Consoles { get; } = new();

    public PortalDbs Dbs => Get<PortalDbs>();

    public IServiceProvider Services => _services;

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Works on an operation in this process, until it ends, rests, or the process dies of it.</summary>
    public async Task RunAsync(OperationId operation, CancellationToken ct)
    {
        try
        {
            await Get<OperationRunner>().RunAsync(operation, ct);
        }
        catch (Exception) when (Fate.IsDead)
        {
            // Nobody hears the dead.
        }
    }

    /// <summary>Answers every ring, in order, until none is left.</summary>
    public async Task RunRungAsync(CancellationToken ct)
    {
        while (Jobs.TryAnswer(out var operation))
        {
            await RunAsync(operation, ct);
        }
    }

    /// <summary>As kill -9: its links break, its lease is free, nothing is said.</summary>
    public async Task KillAsync(CancellationToken ct)
    {
        Fate.Kill();
        await _database.CutOffAsync(_name, ct);
        await DisposeAsync();
    }

    /// <summary>Takes the lease's link away and leaves the process alive, as a network does that loses a connection.</summary>
    public async Task LoseLeaseAsync(CancellationToken ct)
    {
        var before = Get<ProcessLease>().Current ?? throw new InvalidOperationException("It has no lease.");
        await _database.ExecuteAsync(
            "SELECT pg_terminate_backend(l.pid, 60000) FROM pg_locks l JOIN processes p ON l.locktype = 'advisory' AND l.classid = $1::int::oid AND l.objid = p.lock_key::oid WHERE p.id = $2",
            ct, ProcessLease.LockSpace, before.Value);
    }

    public async ValueTask DisposeAsync()
    {
        if (_gone)
        {
            return;
        }

        _gone = true;
        await Get<ProcessLease>().StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
        // A link that is closed is let go of by the server a moment later.
        await _database.CutOffAsync(_name, CancellationToken.None);
    }

    internal async Task StartAsync(CancellationToken ct)
    {
        var lease = Get<ProcessLease>();
        await lease.StartAsync(ct);
        await lease.FirstAsync(ct);
        Fate.Reset();
    }

    private void Watch(ServiceCollection services, ConcurrentDictionary<SimulatedVerb, Refusal> refusals)
    {
        var real = services.Single(s => s.ServiceType == typeof(IVmEngines));
        var implementation = real.ImplementationType ?? throw new InvalidOperationException("The engines are registered by their type.");
        services.Remove(real);
        services.AddSingleton(implementation);
        services.AddSingleton<IVmEngines>(s => new WatchedEngines((IVmEngines)s.GetRequiredService(implementation), Fate, refusals, Consoles));
    }
}
