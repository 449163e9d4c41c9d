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
    private readonly string _run = Path.Combine("/var/tmp", $"portal-test-libvirtd-{An.Instance()}");
    private readonly string _pool = An.Pool();
    private readonly string _instance = An.Instance();
    private readonly Lazy<Task> _ready;
    private LibvirtEngine? _engine;

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
                foreach (var (name, _) in await _engine.ListDomainsAsync(CancellationToken.None))
                {
                    await _engine.EnsureUndefinedAsync(new Fence(name.Vm, long.MaxValue), name, CancellationToken.None);
                }

                await _engine.DisposeAsync();
            }

            await RunHereAsync("stop");
        }

        Directory.Delete(_pool, recursive: true);
        if (Directory.Exists(_run))
        {
            Directory.Delete(_run, recursive: true);
        }
    }

    private async Task PrepareAsync()
    {
        var started = await RunHereAsync("start");
        Assert.True(started.Succeeded, $"These tests need libvirtd and QEMU as root: {started.Output}{started.Error}");
        _engine = Another();

        var watch = Stopwatch.StartNew();
        var template = await _engine.EnsureTemplateAsync(TemplateImage.TinyLinux, CancellationToken.None);
        Assert.True(template.Succeeded, template.Refusal?.Message);
        var probe = await _engine.ProbeAsync(CancellationToken.None);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Live host: {probe.Hypervisor}; template ready after {watch.Elapsed.TotalSeconds:0.0} s"));
        Assert.DoesNotContain(probe.Findings, finding => finding.Blocks);
    }

    /// <summary>Stops libvirtd, does something, and starts it again; only where this run had started it.</summary>
    public async Task WithoutLibvirtdAsync(Func<Task> act)
    {
        Assert.SkipUnless(File.Exists(Path.Combine(_run, "libvirtd.pid")), "libvirtd was running before the tests; it is not theirs to stop.");
        await RunHereAsync("stop");
        try
        {
            await act();
        }
        finally
        {
            var started = await RunHereAsync("start");
            Assert.True(started.Succeeded, started.Error);
        }
    }

    private Task<HostAnswer> RunHereAsync(string verb) =>
        Shell.RunAsync(new HostCommand("sh", [Path.Combine(AppContext.BaseDirectory, "libvirtd-here"), verb, _run], TimeSpan.FromSeconds(60)), CancellationToken.None);
}
