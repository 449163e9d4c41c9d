using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Engine.Libvirt;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Engine.Simulated;
using Portal.Engine.Xen;
using Renci.SshNet;

namespace Portal.Engine;

/// <summary>One engine per host connection, made at first use and disposed with the container.</summary>
internal sealed class VmEngines(TimeProvider clock, EngineOptions options, PortalKeySource key, ILoggerFactory? loggers = null) : IVmEngines, IAsyncDisposable
{
    // A host that is reached otherwise from now on (another key, another address) is another connection; the engine of the old one stays for
    // whoever is at work with it, and its connection with it.
    private readonly ConcurrentDictionary<HostConnection, Lazy<IVmEngine>> _engines = new();

    public IVmEngine For(HostConnection host) =>
        _engines.GetOrAdd(host, key => new Lazy<IVmEngine>(() => Make(key))).Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var engine in _engines.Values.Where(engine => engine.IsValueCreated))
        {
            if (engine.Value is IAsyncDisposable disposable)
            {
                await disposable.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private IVmEngine Make(HostConnection host) => host.Kind switch
    {
        HostKind.LocalLibvirt => new LibvirtEngine(host, Here(), clock, options.WorkPath),
        HostKind.Simulated => new SimulatedEngine(host, clock),
        HostKind.Xen => new XenEngine(host, options.WorkPath, new SshShell(ct => ConnectAsync(host, ct), clock), Here(), clock),
        _ => throw new ArgumentOutOfRangeException(nameof(host), host.Kind, "No driver speaks to this kind of host."),
    };

    private LocalShell Here() => new(clock, (loggers ?? NullLoggerFactory.Instance).CreateLogger<LocalShell>());

    private async Task<IHostLink> ConnectAsync(HostConnection host, CancellationToken ct)
    {
        var xen = host.Xen!;
        using var mine = new PrivateKeyFile(new MemoryStream(Encoding.ASCII.GetBytes(await key(ct).ConfigureAwait(false))));
        return await SshLink.ConnectAsync(new SshTarget(xen.Address, xen.Port, HostInstall.User, xen.Key), mine, ct).ConfigureAwait(false);
    }
}
