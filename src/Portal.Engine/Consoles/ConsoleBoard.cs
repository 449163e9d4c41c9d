using Portal.Engine.Pools;

namespace Portal.Engine.Consoles;

/// <summary>The consoles that are open in this process: one hub per guest for as long as somebody looks.</summary>
internal sealed class ConsoleBoard : IAsyncDisposable
{
    private readonly PoolLayout _pool;
    private readonly Func<DomainName, Pulse, IGuestLine> _lineOf;
    private readonly Dictionary<DomainName, Entry> _open = [];
    private readonly Lock _gate = new();
    private readonly ITimer _beat;
    private FileSystemWatcher? _watcher;

    /// <param name="lineOf">Makes the line of a guest; what it is given is beaten when there is something to look at.</param>
    public ConsoleBoard(PoolLayout pool, Func<DomainName, Pulse, IGuestLine> lineOf, TimeProvider clock)
    {
        _pool = pool;
        _lineOf = lineOf;
        // The net below the watcher, whose events the kernel may drop, and the only source where it gives none (inotify's limits).
        _beat = clock.CreateTimer(_ => BeatAll(), null, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(100));
    }

    /// <summary>Attaches one more viewer.</summary>
    public IGuestConsole Open(DomainName name)
    {
        lock (_gate)
        {
            _watcher ??= Watch();
            if (!_open.TryGetValue(name, out var entry) || entry.Hub.Gone.IsCompleted)
            {
                var pulse = new Pulse();
                var line = _lineOf(name, pulse);
                entry = new Entry(new ConsoleHub(_pool.ConsoleLog(name), line, pulse), line, pulse);
                _open[name] = entry;
            }

            entry.Viewers++;
            return new Viewer(this, name, entry);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _beat.DisposeAsync().ConfigureAwait(false);
        Entry[] left;
        lock (_gate)
        {
            _watcher?.Dispose();
            left = [.. _open.Values];
            _open.Clear();
        }

        foreach (var entry in left)
        {
            await entry.Line.DisposeAsync().ConfigureAwait(false);
        }
    }

    private FileSystemWatcher? Watch()
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(_pool.Consoles, "*.log") { NotifyFilter = NotifyFilters.Size | NotifyFilters.LastWrite };
            watcher.Changed += (_, change) => Beat(change.Name);
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (IOException)
        {
            watcher?.Dispose();
            return null;
        }
    }

    private void Beat(string? file)
    {
        if (!DomainName.TryParse(Path.GetFileNameWithoutExtension(file), out var name))
        {
            return;
        }

        lock (_gate)
        {
            _open.GetValueOrDefault(name)?.Pulse.Beat();
        }
    }

    private void BeatAll()
    {
        lock (_gate)
        {
            foreach (var entry in _open.Values)
            {
                entry.Pulse.Beat();
            }
        }
    }

    private async ValueTask LeaveAsync(DomainName name, Entry entry)
    {
        lock (_gate)
        {
            if (--entry.Viewers > 0)
            {
                return;
            }

            if (_open.GetValueOrDefault(name) == entry)
            {
                _open.Remove(name);
            }
        }

        await entry.Line.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class Entry(ConsoleHub hub, IGuestLine line, Pulse pulse)
    {
        public ConsoleHub Hub => hub;

        public IGuestLine Line => line;

        public Pulse Pulse => pulse;

        public int Viewers { get; set; }
    }

    private sealed class Viewer(ConsoleBoard board, DomainName name, Entry entry) : IGuestConsole
    {
        private int _left;

        public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(CancellationToken ct) => entry.Hub.ReadAsync(ct);

        public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken ct) => entry.Hub.WriteAsync(data, ct);

        public ValueTask DisposeAsync() =>
            Interlocked.Exchange(ref _left, 1) == 0 ? board.LeaveAsync(name, entry) : ValueTask.CompletedTask;
    }
}
