using Portal.Kernel;

namespace Portal.Engine.Pools;

/// <summary>Something on a host that holds a disk, as it was listed where it lies: a logical volume, or a file.</summary>
/// <param name="Place">The volume group or the directory.</param>
/// <param name="Size">As large as whoever has it sees it.</param>
/// <param name="Tags">What was noted of it; without <see cref="Own"/> it is somebody else's.</param>
internal abstract record StoredVolume(string Place, string Name, ByteSize Size, IReadOnlyList<string> Tags)
{
    /// <summary>On everything that the portal makes.</summary>
    public const string Own = "portal";

    /// <summary>On a volume with all that should be in it.</summary>
    public const string Whole = "portal.whole";

    public bool IsOwn => Tags.Contains(Own);

    public bool IsWhole => Tags.Contains(Whole);

    /// <summary>What it takes of its place now.</summary>
    public abstract ByteSize Taken { get; }

    /// <summary>Whether a guest, or somebody on the host, has it open.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>What it takes its blocks from, where it shares them with others; null where it has blocks of its own.</summary>
    public virtual string? Pool => null;

    /// <summary>What it cannot be without; null where it stands alone.</summary>
    public virtual string? Origin => null;

    /// <summary>For people.</summary>
    public string Where => $"{Place}/{Name}";
}
