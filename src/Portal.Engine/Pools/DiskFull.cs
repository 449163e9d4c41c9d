using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Pools;

/// <summary>Knows "no space left" in its several clothes.</summary>
internal static class DiskFull
{
    /// <summary>ENOSPC, as .NET passes it on in an exception's HResult.</summary>
    public const int Code = 28;

    public static bool Is(Exception exception) => exception is IOException { HResult: Code };

    /// <summary>The C library's words for ENOSPC, and those of apt, which looks before it fetches.</summary>
    public static bool Said(HostAnswer answer) =>
        !answer.Succeeded && (answer.Error.Contains("No space left on device", StringComparison.Ordinal) || answer.Error.Contains("enough free space", StringComparison.Ordinal));

    public static PoolFull Refusal(PoolLayout pool, ByteSize asked) => new(asked, Free(pool));

    /// <summary>Whether more than what is to stay free is left.</summary>
    public static bool HasRoom(PoolLayout pool) => Free(pool) > Floor(pool);

    public static ByteSize Free(PoolLayout pool) => new(new DriveInfo(pool.Root).AvailableFreeSpace);

    /// <summary>What is left free for the logs, fences and growth of the disks that are there: 1 GiB, or 5 % of a smaller file system.</summary>
    public static ByteSize Floor(PoolLayout pool) => FloorOf(new ByteSize(new DriveInfo(pool.Root).TotalSize));

    /// <summary>The same of a file system of that size.</summary>
    public static ByteSize FloorOf(ByteSize fileSystem) => new(Math.Min(1L << 30, fileSystem.Bytes / 20));
}
