using Portal.Engine.Shell;

namespace Portal.Engine.Remote;

/// <summary>A command on a host that goes on: it takes input, tells its output as it comes, and is stopped when disposed.</summary>
internal sealed class HostStream(Task<HostAnswer> ended, Func<ReadOnlyMemory<byte>, CancellationToken, Task> write, Func<Task> stop) : IAsyncDisposable
{
    /// <summary>How it ended; a fault where the link broke.</summary>
    public Task<HostAnswer> Ended => ended;

    /// <summary>Waits while the command does not take it.</summary>
    public Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken ct) => write(data, ct);

    public async ValueTask DisposeAsync() => await stop().ConfigureAwait(false);
}
