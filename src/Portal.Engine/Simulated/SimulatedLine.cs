using System.Text;
using Portal.Engine.Consoles;
using Portal.Engine.Pools;

namespace Portal.Engine.Simulated;

/// <summary>The serial line of a make-believe guest: any process may type on it, the answer goes to the console's log.</summary>
internal sealed class SimulatedLine : IGuestLine
{
    private readonly PoolLayout _pool;
    private readonly SimulatedStore _store;
    private readonly DomainName _name;
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watch;

    public SimulatedLine(PoolLayout pool, SimulatedStore store, DomainName name, Pulse pulse)
    {
        _pool = pool;
        _store = store;
        _name = name;
        _watch = WatchAsync(pulse, _stop.Token);
    }

    public Task Gone => _gone.Task;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        if (_gone.Task.IsCompleted)
        {
            throw new HostFaultException($"The domain {_name} does not run any more.");
        }

        await _store.ChangeAsync(_name, before => before is null ? null : Type(before, Encoding.UTF8.GetString(data.Span)), ct).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watch.ConfigureAwait(false);
        _stop.Dispose();
    }

    private SimulatedDomain Type(SimulatedDomain domain, string typed)
    {
        var (after, printed) = SimulatedGuest.Type(domain, typed);
        SimulatedEngine.Print(_pool, _name, printed);
        return after;
    }

    private async Task WatchAsync(Pulse pulse, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var next = pulse.Next;
            if (_store.Read(_name) is not { State: DomainState.Running })
            {
                break;
            }

            await next.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _gone.TrySetResult();
    }
}
