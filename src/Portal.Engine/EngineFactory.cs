using Portal.Kernel;

namespace Portal.Engine;

/// <summary>What sort of host it is, and so which driver speaks to it.</summary>
public enum HostKind
{
    /// <summary>QEMU or KVM through libvirt on the portal's own machine, disks as qcow2 files in a directory.</summary>
    LocalLibvirt,

    /// <summary>No machine at all: domains that exist in a file, with latency and faults on request.</summary>
    Simulated,
}

/// <summary>How to reach a host and its pool.</summary>
/// <param name="Instance">The portal's own mark on the host, eight hexadecimal digits.</param>
/// <param name="PoolPath">An absolute directory; the pool's files, fences and console logs live in it.</param>
public sealed record HostConnection(HostId Id, HostKind Kind, string Instance, string PoolPath);

/// <summary>Gives the engine of a host: one per host and process, made at first use and kept.</summary>
public interface IVmEngines
{
    IVmEngine For(HostConnection host);
}
