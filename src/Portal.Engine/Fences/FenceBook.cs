using System.Globalization;
using System.Text;
using Portal.Engine.Pools;
using Portal.Kernel;

namespace Portal.Engine.Fences;

/// <summary>
/// Remembers the highest epoch seen for each VM in a file on the host, and lets one act on a VM at a time, across processes. A fence outlives
/// its VM: the worker that it keeps out may come late.
/// </summary>
internal sealed class FenceBook(string directory, TimeProvider clock)
{
    // Longer than any command on one VM may take, so only what hangs for good is met.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    /// <summary>Waits for the VM's lock and enters the epoch, durably, before anything is done under it.</summary>
    /// <returns>The hold to dispose when done, or <see cref="FencedOff"/>.</returns>
    /// <exception cref="HostFaultException">The fence's file cannot be read or written, or who acts on the VM does not end.</exception>
    public async Task<Result<FenceHold>> EnterAsync(Fence fence, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fence.Epoch, nameof(fence));
        var path = Path.Combine(directory, fence.Vm.Value.ToString("N"));
        var file = await TakeAsync(path, clock, ct).ConfigureAwait(false);
        try
        {
            var highest = Read(file, path);
            if (fence.Epoch < highest)
            {
                file.Dispose();
                return new FencedOff(fence.Epoch, highest);
            }

            if (fence.Epoch > highest)
            {
                Write(file, fence.Epoch);
            }

            // A worker that was killed leaves its last command running, without the lock above; commands hold this one themselves.
            var busy = path + ".busy";
            if (File.Exists(busy))
            {
                (await TakeAsync(busy, clock, ct).ConfigureAwait(false)).Dispose();
            }

            return new FenceHold(file, busy);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static async Task<FileStream> TakeAsync(string path, TimeProvider clock, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(s_patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            return await FileLock.TakeAsync(path, clock, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new HostFaultException($"A command of an earlier worker still acts on this VM and does not end; it holds {path}. See who it is with: fuser -v {path}");
        }
    }

    private static long Read(FileStream file, string path)
    {
        var bytes = new byte[20];
        var length = RandomAccess.Read(file.SafeFileHandle, bytes, 0);
        if (length == 0)
        {
            return -1;
        }

        return long.TryParse(Encoding.ASCII.GetString(bytes, 0, length), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            ? epoch
            : throw new HostFaultException($"The fence {path} does not hold a number. Nothing is done to its VM until it does.");
    }

    private static void Write(FileStream file, long epoch)
    {
        // Always 19 digits, in one write: there is no moment at which a shorter number stands in the file.
        RandomAccess.Write(file.SafeFileHandle, Encoding.ASCII.GetBytes(epoch.ToString("D19", CultureInfo.InvariantCulture)), 0);
        file.Flush(flushToDisk: true);
    }
}
