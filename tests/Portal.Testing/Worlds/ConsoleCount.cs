using Portal.Engine;

namespace Portal.Testing.Worlds;

/// <summary>How many consoles a process has open.</summary>
public sealed class ConsoleCount
{
    private int _opened;
    private int _open;

    public int Opened => _opened;

    public int Open => _open;

    internal IGuestConsole Count(IGuestConsole console)
    {
        Interlocked.Increment(ref _opened);
        Interlocked.Increment(ref _open);
        return new Counted(console, this);
    }

    private sealed class Counted(IGuestConsole console, ConsoleCount count) : IGuestConsole
    {
        public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(CancellationToken ct) => console.ReadAsync(ct);

        public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken ct) => console.WriteAsync(data, ct);

        public async ValueTask DisposeAsync()
        {
            Interlocked.Decrement(ref count._open);
            await console.DisposeAsync();
        }
    }
}
