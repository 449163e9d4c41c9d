using Portal.App.Ordering;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <param name="OwnMemoryMiB">What a new host keeps for itself.</param>
internal sealed record CapacityBody(IReadOnlyList<ServerKindBody?> Servers, long OwnMemoryMiB = 512, long OwnDiskGiB = 5)
{
    // What is out of range becomes a kind that the handler refuses by its name.
    public PlanCapacity.Request ToRequest() => new([.. Servers.Select(s => s?.ToKind() ?? new ServerKind("", 0, 0, ByteSize.Zero, ByteSize.Zero))], CapacityJson.MiB(OwnMemoryMiB), CapacityJson.GiB(OwnDiskGiB));
}

internal sealed record ServerKindBody(string Name, int Count, long MemoryMiB, long DiskGiB, int Vcpus = 1)
{
    public ServerKind ToKind() => new(Name, Count, Vcpus, CapacityJson.MiB(MemoryMiB), CapacityJson.GiB(DiskGiB));
}

/// <param name="Sets">How many such lists the present hosts hold; counted up to 1000.</param>
/// <param name="SetsWithOneLess">The same where any one host may fail and its VMs find room on the others; null where they would not.</param>
internal sealed record CapacityJson(int Servers, int Vcpus, long MemoryMiB, long DiskGiB, long HostMemoryMiB, long HostDiskGiB, int Hosts, int Sets, string Scarce, int? SetsWithOneLess, string? Worst)
{
    public static CapacityJson Of(PlanCapacity.Plan p) => new(
        p.Servers, p.Vcpus, p.Memory.CeilingMiB, p.Disk.CeilingGiB, p.HostMemory.CeilingMiB, p.HostDisk.CeilingGiB, p.Hosts, p.Sets, p.Scarce.ToString(), p.SetsWithOneLess, p.Worst);

    /// <summary>Out of range is none, or more than any host may have: both are refused.</summary>
    public static ByteSize MiB(long mebibytes) => ByteSize.FromMiB(Math.Clamp(mebibytes, 0, 1L << 40));

    public static ByteSize GiB(long gibibytes) => ByteSize.FromGiB(Math.Clamp(gibibytes, 0, 1L << 30));
}
