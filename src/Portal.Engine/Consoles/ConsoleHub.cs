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
    public const int Kept = 256 << 10;

    private const int Chunk = 64 << 10;

    private const int Block = 4 << 10;

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
                    if (buffer.AsMemory(HoleIn(buffer.AsSpan(0, length))..length) is { IsEmpty: false } said)
                    {
                        yield return said;
                    }
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

    // What was given back to the disk reads as zeros, whole blocks of them and very many: nobody printed those. A few that a guest prints are its own.
    private static int HoleIn(ReadOnlySpan<byte> read)
    {
        var zeros = read.IndexOfAnyExcept((byte)0) is >= 0 and var first ? first : read.Length;
        return zeros - (zeros % Block);
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
