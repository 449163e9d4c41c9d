using System.Collections.Concurrent;
using Portal.Engine.Simulated;

namespace Portal.Engine;

/// <summary>One engine per host connection, made at first use and disposed with the container.</summary>
internal sealed class VmEngines(TimeProvider clock) : IVmEngines, IAsyncDisposable
{
    private readonly ConcurrentDictionary<HostConnection, Lazy<IVmEngine>> _engines = new();

    public IVmEngine For(HostConnection host) =>
        _engines.GetOrAdd(host, static (key, clock) => new Lazy<IVmEngine>(() => Make(key, clock)), clock).Value;

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

    private static SimulatedEngine Make(HostConnection host, TimeProvider clock) => host.Kind switch
    {
        HostKind.Simulated => new SimulatedEngine(host, clock),
        _ => throw new ArgumentOutOfRangeException(nameof(host), host.Kind, "No driver speaks to this kind of host."),
    };
}
