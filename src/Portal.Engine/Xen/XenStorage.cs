using Portal.Engine.Lvm;

namespace Portal.Engine.Xen;

/// <summary>Where a Xen host keeps what the portal makes on it.</summary>
internal sealed record XenStorage
{
    /// <param name="group">The volume group.</param>
    /// <param name="pool">The thin pool in it; null where volumes take their blocks from the group itself.</param>
    /// <param name="bridge">The bridge that guests are connected to.</param>
    /// <param name="swapGroup">Another volume group, for swap volumes; null where they are made with the others.</param>
    /// <exception cref="ArgumentException">One of them is no name of its kind: they go into configurations and commands as they are.</exception>
    public XenStorage(string group, string? pool, string bridge, string? swapGroup = null)
        : this(bridge, swapGroup)
    {
        Group = LvmName.IsValid(group) ? group : throw new ArgumentException($"LVM has no volume group of the name '{group}'.", nameof(group));
        Pool = pool is null || LvmName.IsValid(pool) ? pool : throw new ArgumentException($"LVM has no volume of the name '{pool}'.", nameof(pool));
        SwapGroup = swapGroup != group ? swapGroup : throw new ArgumentException($"'{swapGroup}' is no other volume group.", nameof(swapGroup));
    }

    private XenStorage(string bridge, string? swapGroup)
    {
        Bridge = HostNames.IsBridge(bridge) ? bridge : throw new ArgumentException($"There is no bridge of the name '{bridge}'.", nameof(bridge));
        SwapGroup = swapGroup is null || LvmName.IsValid(swapGroup) ? swapGroup : throw new ArgumentException($"LVM has no volume group of the name '{swapGroup}'.", nameof(swapGroup));
    }

    /// <summary>Null where disks are files.</summary>
    public string? Group { get; }

    public string? SwapGroup { get; }

    public string? Pool { get; }

    /// <summary>In which disks are files; null where they are volumes of LVM.</summary>
    public string? Directory { get; private init; }

    public string Bridge { get; }

    /// <summary>The group or the directory.</summary>
    public string Place => Group ?? Directory!;

    /// <param name="directory">An absolute path.</param>
    /// <exception cref="ArgumentException">One of them is no name of its kind.</exception>
    public static XenStorage InDirectory(string directory, string bridge, string? swapGroup = null) => new(bridge, swapGroup)
    {
        Directory = HostNames.IsDirectory(directory) ? directory : throw new ArgumentException($"No disks are kept in '{directory}'.", nameof(directory)),
    };

    /// <summary>A disk as xl-disk-configuration(5) writes it. Of a file its format is said, because its content is its guest's: nobody may look for one in it.</summary>
    /// <param name="path">Of a block device, or of a file with all the disk's blocks.</param>
    public static string Disk(string path, string guestDevice, bool readOnly) =>
        path.StartsWith("/dev/", StringComparison.Ordinal)
            ? $"phy:{path},{guestDevice},{(readOnly ? 'r' : 'w')}"
            : $"format=raw,vdev={guestDevice},access={(readOnly ? 'r' : 'w')},script=block,target={path}";

    /// <summary>One of its own volumes, likewise.</summary>
    public string DiskOf(string volume, string guestDevice, bool readOnly) => Disk(PathOf(volume), guestDevice, readOnly);

    /// <summary>One of its own volumes in the CD-ROM drive of a whole PC, which QEMU serves.</summary>
    public string DriveOf(string volume) => $"format=raw,vdev=hdc,access=r,devtype=cdrom,target={PathOf(volume)}";

    /// <summary>Where a volume is on the host.</summary>
    public string PathOf(string volume) => Directory is { } directory ? $"{directory}/{volume}.raw" : $"/dev/{Group}/{volume}";
}
