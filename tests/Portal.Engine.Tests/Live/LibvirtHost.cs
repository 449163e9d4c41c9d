using System.Diagnostics;
using System.Globalization;
using Portal.Engine.Libvirt;
using Portal.Engine.Shell;
using Portal.Engine.Tests.Live;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: AssemblyFixture(typeof(LibvirtHost))]

namespace Portal.Engine.Tests.Live;

/// <summary>
/// A real host: libvirtd (started where none answers, and then stopped at the end), a pool of its own with the template in it, and an instance
/// mark of its own. On a machine where this cannot be, every live test fails and says why.
/// </summary>
public sealed class LibvirtHost : IAsyncLifetime
{
    /// <summary>Where the script `portal` keeps the libvirtd that it starts; who uses that one holds a shared lock on the directory.</summary>
    private const string Run = "/run/portal";

    private readonly string _pool = An.Pool();
    private readonly string _instance = An.Instance();
    private readonly Lazy<Task> _ready;
    private LibvirtEngine? _engine;
    private CancellationTokenSource _letGo = new();
    private Task _hold = Task.CompletedTask;

    public LibvirtHost() => _ready = new Lazy<Task>(PrepareAsync);

    public string PoolPath => _pool;

    public string Instance => _instance;

    internal static IHostShell Shell { get; } = new LocalShell(TimeProvider.System, NullLogger<LocalShell>.Instance);

    /// <summary>The engine of the host, when the host is ready: made at the first live test, so that the others wait for nothing.</summary>
    public async Task<IVmEngine> EngineAsync()
    {
        await _ready.Value;
        return _engine!;
    }

    /// <summary>Another engine on the same host, as another portal would have it.</summary>
    internal LibvirtEngine Another() => new(new HostConnection(Kernel.HostId.New(), HostKind.LocalLibvirt, _instance, _pool), Shell, TimeProvider.System);

    /// <summary>Waits until the host reports a state.</summary>
    public async Task StateAsync(IVmEngine engine, DomainName name, DomainState wanted, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while ((await engine.LookAsync(name, deadline.Token)).State != wanted)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, deadline.Token);
        }
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_ready.IsValueCreated)
        {
            if (_engine is not null)
            {
                // What a failed test left running.
                foreach (var (name, _, _, _) in await _engine.ListDomainsAsync(CancellationToken.None))
                {
                    await _engine.EnsureUndefinedAsync(new Fence(name.Vm, long.MaxValue), name, CancellationToken.None);
                }

                await _engine.DisposeAsync();
            }

            await TryStopAsync();
        }

        _letGo.Dispose();
        Directory.Delete(_pool, recursive: true);
    }

    /// <summary>Stops libvirtd, does something, and starts it again; only where the portal had started it and nobody else uses it.</summary>
    public async Task WithoutLibvirtdAsync(Func<Task> act)
    {
        var ours = File.Exists(Path.Combine(Run, "libvirtd.pid"));
        if (!ours || !await TryStopAsync())
        {
            await HoldAsync();
            Assert.Skip("libvirtd is not for these tests alone: the machine's service manager or another portal uses it.");
        }

        try
        {
            await act();
        }
        finally
        {
            await StartAsync();
        }
    }

    private async Task PrepareAsync()
    {
        await StartAsync();
        _engine = Another();

        var watch = Stopwatch.StartNew();
        var template = await _engine.EnsureTemplateAsync(TemplateImage.TinyLinux, CancellationToken.None);
        Assert.True(template.Succeeded, template.Refusal?.Message);
        var probe = await _engine.ProbeAsync(CancellationToken.None);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Live host: {probe.Hypervisor}; template ready after {watch.Elapsed.TotalSeconds:0.0} s"));
        Assert.DoesNotContain(probe.Findings, finding => finding.Blocks);
    }

    private async Task StartAsync()
    {
        await HoldAsync();
        var started = await Shell.RunAsync(new HostCommand("sh", [Here, "start", Run], TimeSpan.FromSeconds(60)), CancellationToken.None);
        Assert.True(started.Succeeded, $"These tests need libvirtd and QEMU as root: {started.Output}{started.Error}");
    }

    /// <summary>Takes the shared lock, by a process that holds it until this one lets go or ends.</summary>
    private async Task HoldAsync()
    {
        Directory.CreateDirectory(Run);
        var held = Path.Combine(_pool, ".holds-libvirtd");
        File.Delete(held);
        _letGo.Dispose();
        _letGo = new CancellationTokenSource();
        _hold = Shell.RunAsync(
            new HostCommand("flock", ["--shared", Run, "sh", "-c", $"touch {held}; while kill -0 {Environment.ProcessId} 2>/dev/null; do sleep 1; done"], TimeSpan.FromHours(1)),
            _letGo.Token);
        while (!File.Exists(held) && !_hold.IsCompleted)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>Lets go, and stops libvirtd where nobody else holds it.</summary>
    private async Task<bool> TryStopAsync()
    {
        await _letGo.CancelAsync();
        await _hold.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        // The holder's last sleep has the lock, too, and may outlive it for a second.
        var stopped = await Shell.RunAsync(
            new HostCommand("flock", ["--wait", "3", "--exclusive", Run, "sh", Here, "stop", Run], TimeSpan.FromSeconds(60)), CancellationToken.None);
        return stopped.Succeeded;
    }

    private static string Here => Path.Combine(AppContext.BaseDirectory, "libvirtd-here");
}
