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

    /// <summary>It will never come back: what was on it is lost. The row stays for history.</summary>
    WrittenOff,
}

/// <summary>A machine that runs domains.</summary>
public sealed class Host
{
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
        ReservedMemory = ByteSize.FromMiB(512);
        VcpusPerCpu = 8;
    }

    public HostId Id { get; private set; }

    public string Name { get; private set; } = "";

    public HostKind Kind { get; private set; }

    /// <summary>The portal's own mark on this host, in the names of all that it makes there.</summary>
    public string Instance { get; private set; } = "";

    public string PoolPath { get; private set; } = "";

    public HostMode Mode { get; private set; }

    /// <summary>Kept for the host itself, never sold.</summary>
    public ByteSize ReservedMemory { get; private set; }

    /// <summary>How many vCPUs may share one processor.</summary>
    public int VcpusPerCpu { get; private set; }

    public string Hypervisor { get; private set; } = "";

    public bool HardwareVirtualisation { get; private set; }

    public int Cpus { get; private set; }

    public ByteSize Memory { get; private set; }

    /// <summary>When it last answered; null before the first time.</summary>
    public DateTimeOffset? SeenAt { get; private set; }

    /// <summary>Why it does not answer or cannot work, with the remedy; null when all is well.</summary>
    public string? Problem { get; private set; }

    public ByteSize SellableMemory => Memory > ReservedMemory ? new ByteSize(Memory.Bytes - ReservedMemory.Bytes) : ByteSize.Zero;

    public int SellableVcpus => Cpus * VcpusPerCpu;

    public HostConnection Connection => new(Id, Kind, Instance, PoolPath);

    public void Saw(HostReport report, DateTimeOffset at)
    {
        Hypervisor = report.Hypervisor;
        HardwareVirtualisation = report.HardwareVirtualisation;
        Cpus = report.Cpus;
        Memory = report.Memory;
        SeenAt = at;
        var blocking = report.Findings.Where(f => f.Blocks).Select(f => $"{f.Message} {f.Remedy}").ToList();
        Problem = blocking.Count == 0 ? null : Cut(string.Join(" ", blocking));
    }

    public void DidNotAnswer(string problem) => Problem = Cut(problem);

    /// <exception cref="InvalidOperationException">It was written off, which is for good.</exception>
    public void ChangeMode(HostMode mode) => Mode = Mode == HostMode.WrittenOff ? throw new InvalidOperationException($"Host {Id} was written off.") : mode;

    /// <summary>For good: nothing is asked of it or placed on it any more.</summary>
    public void WriteOff() => Mode = HostMode.WrittenOff;

    /// <summary>A data directory that was moved takes its host's pool along.</summary>
    public void MoveTo(string poolPath) => PoolPath = poolPath;

    private static string Cut(string text) => text.Length <= 1000 ? text : text[..1000];
}

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
        builder.ToTable("hosts");
        builder.Ignore(h => h.SellableMemory).Ignore(h => h.SellableVcpus).Ignore(h => h.Connection);
        builder.Property(h => h.Name).HasMaxLength(100);
        builder.Property(h => h.Instance).HasMaxLength(8);
        builder.Property(h => h.PoolPath).HasMaxLength(500);
        builder.Property(h => h.Hypervisor).HasMaxLength(300);
        builder.Property(h => h.Problem).HasMaxLength(1000);
        builder.Property<uint>("xmin").IsRowVersion();
        // A machine that comes back after it was written off is registered anew under its name.
        builder.HasIndex(h => h.Name).IsUnique().HasFilter("mode <> 'WrittenOff'");
        builder.HasIndex(h => h.Instance).IsUnique();
    }
}

internal sealed class PoolConfiguration : IEntityTypeConfiguration<Pool>
{
    public void Configure(EntityTypeBuilder<Pool> builder)
    {
        builder.ToTable("pools");
        builder.Property(p => p.Name).HasMaxLength(100);
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
