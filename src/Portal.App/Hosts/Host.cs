using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Catalogue;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Hosts;

/// <summary>Whether the portal places VMs on a host: an operator's wish, not what was seen.</summary>
public enum HostMode
{
    /// <summary>New VMs may come.</summary>
    InUse,

    /// <summary>What is there stays; nothing new comes.</summary>
    Draining,

    /// <summary>Somebody works on the machine: nothing new comes, and what is asked of its VMs waits until it is in use again.</summary>
    Maintenance,

    /// <summary>It will never come back: what was on it is lost. The row stays for history.</summary>
    WrittenOff,
}

/// <summary>A machine that runs domains.</summary>
public sealed class Host
{
    private static readonly TimeSpan s_between = TimeSpan.FromDays(1);

    private Host()
    {
    }

    public Host(string name, HostKind kind, string instance, string poolPath)
    {
        Id = HostId.New();
        Name = name;
        Kind = kind;
        Instance = instance;
        PoolPath = poolPath;
        Keep(new HostReserve(ByteSize.FromMiB(512), ByteSize.Zero, 0, 8));
    }

    /// <summary>A Xen host, reached over SSH.</summary>
    public Host(string name, string instance, XenAccess access, HostReserve reserve)
    {
        Id = HostId.New();
        Name = name;
        Kind = HostKind.Xen;
        Instance = instance;
        ReachBy(access);
        Keep(reserve);
    }

    public HostId Id { get; private set; }

    public string Name { get; private set; } = "";

    public HostKind Kind { get; private set; }

    /// <summary>The portal's own mark on this host, in the names of all that it makes there.</summary>
    public string Instance { get; private set; } = "";

    public string PoolPath { get; private set; } = "";

    /// <summary>Where its sshd is; null for the portal's own machine. So are the next six.</summary>
    public string? Address { get; private set; }

    public int? Port { get; private set; }

    /// <summary>The key that its sshd was pinned with, as OpenSSH writes it in one line.</summary>
    public string? HostKey { get; private set; }

    /// <summary>Null also where disks are files.</summary>
    public string? VolumeGroup { get; private set; }

    /// <summary>In which disks are files; null where they are volumes of <see cref="VolumeGroup"/>.</summary>
    public string? Directory { get; private set; }

    /// <summary>Null also where disks take their blocks from the group itself.</summary>
    public string? ThinPool { get; private set; }

    /// <summary>Whether the portal makes the thin pool larger by itself.</summary>
    public bool ExtendsPool { get; private set; }

    /// <summary>Its own block devices that may be given to guests, each by its path.</summary>
    public IReadOnlyList<string> Devices => GivenDevices.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The same, one on each line.</summary>
    public string GivenDevices { get; private set; } = "";

    public string? Bridge { get; private set; }

    /// <summary>Null also where swap volumes lie with the other disks.</summary>
    public string? SwapGroup { get; private set; }

    /// <summary>How guests run on a Xen host that are started with a kernel of their template; of no meaning for others.</summary>
    public KernelGuests KernelGuests { get; private set; }

    /// <summary>The print of another key than the pinned one, which it shows now: nothing is said to it. Null where it shows the pinned one.</summary>
    public string? ForeignKey { get; private set; }

    public HostMode Mode { get; private set; }

    /// <summary>Kept for the host itself, never sold. So are the next two.</summary>
    public ByteSize ReservedMemory { get; private set; }

    public ByteSize ReservedDisk { get; private set; }

    public int ReservedCpus { get; private set; }

    /// <summary>How many vCPUs may share one processor.</summary>
    public int VcpusPerCpu { get; private set; }

    /// <summary>How many operations may be under way on it at a time, whoever works on them.</summary>
    public int MaxOperations { get; private set; } = 4;

    public string Hypervisor { get; private set; } = "";

    public bool HardwareVirtualisation { get; private set; }

    /// <summary>How guests can run on it, as it was seen last.</summary>
    public GuestKinds Guests { get; private set; }

    public int Cpus { get; private set; }

    public ByteSize Memory { get; private set; }

    /// <summary>When it last answered; null before the first time.</summary>
    public DateTimeOffset? SeenAt { get; private set; }

    /// <summary>Why it does not answer or cannot work, with the remedy; null when all is well.</summary>
    public string? Problem { get; private set; }

    /// <summary>Another after each boot of the machine; empty before it was seen first.</summary>
    public string BootId { get; private set; } = "";

    /// <summary>When that boot was seen first.</summary>
    public DateTimeOffset? BootSeenAt { get; private set; }

    /// <summary>That its storage is nearly full, with the remedy; null while it is not.</summary>
    public string? Warning { get; private set; }

    /// <summary>When that was last said to those who look after hosts.</summary>
    public DateTimeOffset? WarnedAt { get; private set; }

    public ByteSize SellableMemory => Memory > ReservedMemory ? new ByteSize(Memory.Bytes - ReservedMemory.Bytes) : ByteSize.Zero;

    public int SellableVcpus => Math.Max(0, Cpus - ReservedCpus) * VcpusPerCpu;

    public HostConnection Connection => new(Id, Kind, Instance, PoolPath) { Xen = Xen };

    /// <summary>Whether guests of an image can run here. Those of libvirt are behind an address translation: a server cannot tell them apart.</summary>
    public bool Starts(TemplateImage image) => image.Nfs is not null ? Kind != HostKind.LocalLibvirt : image.Boot == ImageBoot.Kernel || Guests.HasFlag(GuestKinds.Hvm);

    /// <summary>Where it is, for people.</summary>
    public string Place => Kind == HostKind.Xen ? $"{Address}, port {Port}" : "the portal's own machine";

    /// <summary>How a Xen host is reached; null for the others.</summary>
    public XenAccess? Xen =>
        Kind != HostKind.Xen ? null
        : SshPublicKey.TryParse(HostKey, out var key) ? new XenAccess(Address!, Port!.Value, key, VolumeGroup, ThinPool, Bridge!) { Directory = Directory, SwapGroup = SwapGroup, ExtendsPool = ExtendsPool, Guests = KernelGuests }
        : throw new InvalidOperationException($"Host {Id} has no key that can be read.");

    public void Saw(HostReport report, DateTimeOffset at)
    {
        Hypervisor = report.Hypervisor;
        HardwareVirtualisation = report.HardwareVirtualisation;
        Guests = report.Guests;
        Cpus = report.Cpus;
        Memory = report.Memory;
        SeenAt = at;
        ForeignKey = null;
        var blocking = report.Findings.Where(f => f.Blocks).Select(f => $"{f.Message} {f.Remedy}").ToList();
        Problem = blocking.Count == 0 ? null : Cut(string.Join(" ", blocking));
    }

    /// <summary>Which boot of its machine answered a question that was asked then. An answer from before the last boot was seen says nothing.</summary>
    /// <returns>Whether it is another than the last. The first is not: nothing is known of what ran before.</returns>
    public bool SawBoot(string boot, DateTimeOffset asked, DateTimeOffset at)
    {
        if (boot.Length == 0 || boot == BootId || BootSeenAt > asked)
        {
            return false;
        }

        var another = BootId.Length > 0;
        (BootId, BootSeenAt) = (boot, at);
        return another;
    }

    /// <summary>Notes whether its storage is nearly full.</summary>
    /// <returns>Whether that has to be said now: once a day while it is so.</returns>
    public bool SawFilling(IReadOnlyList<HostFinding> findings, DateTimeOffset at)
    {
        var full = findings.Where(f => f.Code == "pool.full").Select(f => $"{f.Message} {f.Remedy}").ToList();
        Warning = full.Count == 0 ? null : Cut(string.Join(" ", full));
        if (Warning is null || at - WarnedAt < s_between)
        {
            return false;
        }

        WarnedAt = at;
        return true;
    }

    public void DidNotAnswer(string problem) => Problem = Cut(problem);

    /// <summary>It shows another key than the pinned one.</summary>
    public void ShowedForeignKey(string print) => ForeignKey = print;

    /// <summary>Where it is from now on, and what the portal uses there.</summary>
    public void ReachBy(XenAccess access)
    {
        ForeignKey = (Address, Port, HostKey) == (access.Address, access.Port, access.Key.Line) ? ForeignKey : null;
        (Address, Port, HostKey) = (access.Address, access.Port, access.Key.Line);
        (VolumeGroup, Directory, ThinPool, Bridge, SwapGroup, ExtendsPool, KernelGuests) = (access.Group, access.Directory, access.Pool, access.Bridge, access.SwapGroup, access.ExtendsPool, access.Guests);
    }

    /// <summary>What is not sold from now on.</summary>
    public void Keep(HostReserve reserve) => (ReservedMemory, ReservedDisk, ReservedCpus, VcpusPerCpu) = (reserve.Memory, reserve.Disk, reserve.Cpus, reserve.VcpusPerCpu);

    public void GiveAway(IEnumerable<string> devices) => GivenDevices = string.Join('\n', devices);

    public void Allow(int operations) => MaxOperations = operations;

    /// <exception cref="InvalidOperationException">It was written off, which is for good.</exception>
    public void ChangeMode(HostMode mode) => Mode = Mode == HostMode.WrittenOff ? throw new InvalidOperationException($"Host {Id} was written off.") : mode;

    /// <summary>For good: nothing is asked of it or placed on it any more.</summary>
    public void WriteOff() => Mode = HostMode.WrittenOff;

    /// <summary>A data directory that was moved takes its host's pool along.</summary>
    public void MoveTo(string poolPath) => PoolPath = poolPath;

    private static string Cut(string text) => text.Length <= 1000 ? text : text[..1000];
}

/// <summary>What a host keeps for itself, and how many vCPUs share one of its other processors.</summary>
public sealed record HostReserve(ByteSize Memory, ByteSize Disk, int Cpus, int VcpusPerCpu);

/// <summary>Storage on a host.</summary>
public sealed class Pool
{
    private Pool()
    {
    }

    public Pool(HostId host, string name)
    {
        Id = PoolId.New();
        HostId = host;
        Name = name;
    }

    public PoolId Id { get; private set; }

    public HostId HostId { get; private set; }

    public string Name { get; private set; } = "";

    public void Rename(string name) => Name = name;

    public ByteSize Size { get; private set; }

    public ByteSize Free { get; private set; }

    /// <summary>What the portal's own volumes take now; a volume that fills slowly takes less than its size.</summary>
    public ByteSize Taken { get; private set; }

    public void Saw(ByteSize size, ByteSize free, ByteSize taken)
    {
        Size = size;
        Free = free;
        Taken = taken;
    }
}

/// <summary>How far a template's image is in a pool.</summary>
public enum PoolImageState
{
    Building,
    Ready,
    Failed,
}

/// <summary>A template version's image in a pool.</summary>
public sealed class PoolImage
{
    private PoolImage()
    {
    }

    public PoolImage(PoolId pool, TemplateVersionId version)
    {
        PoolId = pool;
        TemplateVersionId = version;
    }

    public PoolId PoolId { get; private set; }

    public TemplateVersionId TemplateVersionId { get; private set; }

    public PoolImageState State { get; private set; }

    public string? Problem { get; private set; }

    public DateTimeOffset? ReadyAt { get; private set; }

    /// <summary>Tried again; why it failed before stays, until this ends otherwise.</summary>
    public void Building() => State = PoolImageState.Building;

    public void Built(DateTimeOffset at)
    {
        ReadyAt = State == PoolImageState.Ready ? ReadyAt : at;
        State = PoolImageState.Ready;
        Problem = null;
    }

    public void Failed(string problem)
    {
        State = PoolImageState.Failed;
        Problem = problem.Length <= 1000 ? problem : problem[..1000];
    }
}

internal sealed class HostConfiguration : IEntityTypeConfiguration<Host>
{
    public void Configure(EntityTypeBuilder<Host> builder)
    {
        builder.ToTable("hosts", table =>
        {
            table.HasCheckConstraint("ck_hosts_access", "(kind = 'Xen') = (num_nulls(address, port, host_key, bridge) = 0) AND num_nulls(address, port, host_key, bridge) IN (0, 4) AND num_nonnulls(volume_group, directory) = (CASE WHEN kind = 'Xen' THEN 1 ELSE 0 END) AND (thin_pool IS NULL OR volume_group IS NOT NULL)");
            table.HasCheckConstraint("ck_hosts_swap", "swap_group IS NULL OR (kind = 'Xen' AND swap_group IS DISTINCT FROM volume_group)");
            table.HasCheckConstraint("ck_hosts_reserve", "reserved_memory >= 0 AND reserved_disk >= 0 AND reserved_cpus >= 0 AND vcpus_per_cpu BETWEEN 1 AND 64 AND max_operations BETWEEN 1 AND 100");
        });
        builder.Ignore(h => h.SellableMemory).Ignore(h => h.SellableVcpus).Ignore(h => h.Connection).Ignore(h => h.Xen).Ignore(h => h.Place).Ignore(h => h.Devices);
        builder.Property(h => h.Address).HasMaxLength(253);
        builder.Property(h => h.HostKey).HasMaxLength(SshPublicKey.MaxLength);
        builder.Property(h => h.VolumeGroup).HasMaxLength(127);
        builder.Property(h => h.Directory).HasMaxLength(100);
        builder.Property(h => h.ThinPool).HasMaxLength(100);
        builder.Property(h => h.GivenDevices).HasMaxLength(4000);
        builder.Property(h => h.SwapGroup).HasMaxLength(127);
        builder.Property(h => h.Bridge).HasMaxLength(15);
        builder.Property(h => h.ForeignKey).HasMaxLength(100);
        builder.Property(h => h.Name).HasMaxLength(100);
        builder.Property(h => h.Instance).HasMaxLength(8);
        builder.Property(h => h.PoolPath).HasMaxLength(500);
        builder.Property(h => h.BootId).HasMaxLength(36);
        builder.Property(h => h.Hypervisor).HasMaxLength(300);
        builder.Property(h => h.Problem).HasMaxLength(1000);
        builder.Property(h => h.Warning).HasMaxLength(1000);
        builder.Property<uint>("xmin").IsRowVersion();
        // A machine that comes back after it was written off is registered anew under its name.
        builder.HasIndex(h => h.Name).IsUnique().HasFilter("mode <> 'WrittenOff'");
        builder.HasIndex(h => h.Instance).IsUnique();
        // One machine twice would be sold twice.
        builder.HasIndex(h => new { h.Address, h.Port }).IsUnique().HasFilter("address IS NOT NULL AND mode <> 'WrittenOff'");
    }
}

internal sealed class PoolConfiguration : IEntityTypeConfiguration<Pool>
{
    public void Configure(EntityTypeBuilder<Pool> builder)
    {
        builder.ToTable("pools");
        builder.Property(p => p.Name).HasMaxLength(127);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(p => new { p.HostId, p.Name }).IsUnique();
        builder.HasOne<Host>().WithMany().HasForeignKey(p => p.HostId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class PoolImageConfiguration : IEntityTypeConfiguration<PoolImage>
{
    public void Configure(EntityTypeBuilder<PoolImage> builder)
    {
        builder.ToTable("pool_images");
        builder.HasKey(i => new { i.PoolId, i.TemplateVersionId });
        builder.Property(i => i.Problem).HasMaxLength(1000);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasOne<Pool>().WithMany().HasForeignKey(i => i.PoolId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<TemplateVersion>().WithMany().HasForeignKey(i => i.TemplateVersionId).OnDelete(DeleteBehavior.Restrict);
    }
}
