namespace Portal.Engine.Pools;

/// <summary>A lock between processes: a file that one holds open. It ends with the process that has it, however that ends.</summary>
internal static class FileLock
{
    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits until the lock is free and takes it; dispose what it returns to let go.</summary>
    /// <exception cref="HostFaultException">The file cannot be made or opened.</exception>
    public static async Task<FileStream> TakeAsync(string path, TimeProvider clock, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            if (TryTake(path) is { } taken)
            {
                return taken;
            }

            await Task.Delay(s_retry, clock, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the lock, or gives null where another has it.</summary>
    /// <exception cref="HostFaultException">The file cannot be made or opened.</exception>
    public static FileStream? TryTake(string path)
    {
        try
        {
            // FileShare.None is flock(2) with LOCK_EX on Linux, also where one process opens the file twice.
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (IOException held) when (held.GetType() == typeof(IOException) && File.Exists(path))
        {
            return null;
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            throw new HostFaultException($"{path} cannot be opened: {broken.Message}", broken);
        }
    }
}
