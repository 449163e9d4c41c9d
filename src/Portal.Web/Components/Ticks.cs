namespace Portal.Web.Components;

/// <summary>One timer per circuit, once a second, for everything that shows an age. Runs only while someone listens.</summary>
public sealed class Ticks(TimeProvider clock) : IDisposable
{
    private readonly Lock _gate = new();
    private ITimer? _timer;
    private Action? _listeners;

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Calls back once a second, on a thread of the pool, until the answer is disposed of.</summary>
    public IDisposable Listen(Action tick)
    {
        lock (_gate)
        {
            _listeners += tick;
            _timer ??= clock.CreateTimer(_ => _listeners?.Invoke(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        }

        return new Listening(this, tick);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _timer?.Dispose();
            _timer = null;
            _listeners = null;
        }
    }

    private void Leave(Action tick)
    {
        lock (_gate)
        {
            _listeners -= tick;
            if (_listeners is null)
            {
                _timer?.Dispose();
                _timer = null;
            }
        }
    }

    private sealed class Listening(Ticks ticks, Action tick) : IDisposable
    {
        public void Dispose() => ticks.Leave(tick);
    }
}
