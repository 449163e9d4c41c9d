using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Engine.Libvirt;
using Portal.Engine.Shell;
using Portal.Engine.Simulated;

namespace Portal.Engine;

/// <summary>One engine per host connection, made at first use and disposed with the container.</summary>
internal sealed class VmEngines(TimeProvider clock, ILoggerFactory? loggers = null) : IVmEngines, IAsyncDisposable
{
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
        HostKind.LocalLibvirt => new LibvirtEngine(host, new LocalShell(clock, (loggers ?? NullLoggerFactory.Instance).CreateLogger<LocalShell>()), clock),
        HostKind.Simulated => new SimulatedEngine(host, clock),
        _ => throw new ArgumentOutOfRangeException(nameof(host), host.Kind, "No driver speaks to this kind of host."),
    };
}
