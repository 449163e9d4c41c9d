using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace Portal.Engine.Consoles;

/// <summary>
/// One guest's console in this process: the log is the only source of output, so every viewer has the same bytes in the same order and none is
/// lost while nobody looks; the line takes the input.
/// </summary>
internal sealed class ConsoleHub(string logPath, IGuestLine line, Pulse pulse)
{
    /// <summary>What a newcomer gets of the past.</summary>
    private const int Kept = 256 << 10;

    private const int Chunk = 64 << 10;

    public Task Gone => line.Gone;

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken ct) => line.WriteAsync(data, ct);

    /// <summary>The log's tail, then what is added, until the domain is gone and all of it was read.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var log = Open();
        try
        {
            var at = Math.Max(0, RandomAccess.GetLength(log) - Kept);
            while (true)
            {
                ct.ThrowIfCancellationRequested();
                // In this order: what is written, and the end, between the read and the wait wake the wait.
                var next = pulse.Next;
                var gone = line.Gone.IsCompleted;
                var buffer = new byte[Chunk];
                // Not ReadAsync: for a file it is this read on another thread, and the hop is what an echo would wait for. What was just written
                // is in the page cache.
                var length = RandomAccess.Read(log, buffer, at);
                if (length > 0)
                {
                    at += length;
                    yield return buffer.AsMemory(0, length);
                }
                else if (gone)
                {
                    yield break;
                }
                else if (WasTurnedOver(at))
                {
                    log.Dispose();
                    log = Open();
                    at = 0;
                }
                else
                {
                    await Task.WhenAny(next, line.Gone).WaitAsync(ct).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            log.Dispose();
        }
    }

    // virtlogd, where it keeps the logs, renames one that has 2 MiB and begins another.
    private bool WasTurnedOver(long at) => new FileInfo(logPath) is { Exists: true } file && file.Length < at;

    private SafeFileHandle Open()
    {
        try
        {
            return File.OpenHandle(logPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new HostFaultException($"The console's log {logPath} cannot be read: {unreadable.Message}", unreadable);
        }
    }
}
