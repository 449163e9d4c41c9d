using Portal.Kernel;

namespace Portal.Engine;

/// <summary>What sort of host it is, and so which driver speaks to it.</summary>
public enum HostKind
{
    /// <summary>QEMU or KVM through libvirt on the portal's own machine, disks as qcow2 files in a directory.</summary>
    LocalLibvirt,

    /// <summary>No machine at all: domains that exist in a file, with latency and faults on request.</summary>
    Simulated,

    /// <summary>Xen through xl on another machine, reached over SSH; disks as volumes of LVM, or as files.</summary>
    Xen,
}

/// <summary>How to reach a host and its pool.</summary>
/// <param name="Instance">The portal's own mark on the host, eight hexadecimal digits.</param>
/// <param name="PoolPath">An absolute directory; the pool's files, fences and console logs live in it. Empty for a Xen host, whose disks are its own.</param>
public sealed record HostConnection(HostId Id, HostKind Kind, string Instance, string PoolPath)
{
    /// <summary>How a Xen host is reached; null for the others.</summary>
    public XenAccess? Xen { get; init; }
}

/// <summary>What the disks of a Xen host are made of.</summary>
public enum StorageKind
{
    /// <summary>Thin volumes: blocks come from a pool as they are written, snapshots cost nothing.</summary>
    ThinPool,

    /// <summary>Thick volumes: all blocks are there from the start. A disk of its template's size is a classic snapshot of it, any other a copy; VMs have no snapshots of their own.</summary>
    VolumeGroup,

    /// <summary>Files in a directory, on whatever file system: they take what is written to them; VMs have no snapshots of their own.</summary>
    Directory,
}

/// <summary>How a Xen host runs guests whose kernel it starts. Those that start from their own disk are whole PCs (HVM) always.</summary>
public enum KernelGuests
{
    /// <summary>Paravirtualised: on any processor.</summary>
    Pv,

    /// <summary>In the processor's own virtualisation, with Xen's devices alone. Not on every host, see <see cref="GuestKinds"/>.</summary>
    Pvh,
}

/// <summary>How a Xen host is reached, and what the portal may use there.</summary>
/// <param name="Key">The host's key, pinned when it was added: any other is refused before the portal says who it is.</param>
/// <param name="Group">The volume group; null where disks are files.</param>
/// <param name="Pool">The thin pool in it; null where disks take their blocks from the group itself.</param>
/// <param name="Bridge">The bridge that guests are connected to.</param>
public sealed record XenAccess(string Address, int Port, SshPublicKey Key, string? Group, string? Pool, string Bridge)
{
    /// <summary>The directory in which disks are files; null where they are volumes of <see cref="Group"/>.</summary>
    public string? Directory { get; init; }

    /// <summary>The volume group in which swap volumes are made; null where they are made with the other disks.</summary>
    public string? SwapGroup { get; init; }

    /// <summary>Whether the portal makes a nearly full thin pool larger by itself, out of what is left in its group.</summary>
    public bool ExtendsPool { get; init; }

    /// <summary>How guests run there that are started with a kernel of their template.</summary>
    public KernelGuests Guests { get; init; }

    /// <summary>All volume groups that the portal uses there.</summary>
    public IReadOnlyList<string> Groups => [.. new[] { Group, SwapGroup }.OfType<string>()];

    public StorageKind StorageKind => Directory is not null ? StorageKind.Directory : Pool is null ? StorageKind.VolumeGroup : StorageKind.ThinPool;

    /// <summary>What its disks lie in, for people: <c>vg0/thin</c>, <c>vg0</c>, or <c>/srv/portal</c>.</summary>
    public string Storage => Directory ?? (Pool is null ? Group! : $"{Group}/{Pool}");
}

/// <summary>Gives the private key with which the portal signs in on hosts, in PEM: kept encrypted by whoever answers, held in memory only while it is used.</summary>
public delegate Task<string> PortalKeySource(CancellationToken ct);

/// <summary>Gives the engine of a host: one per host and process, made at first use and kept.</summary>
public interface IVmEngines
{
    IVmEngine For(HostConnection host);
}
