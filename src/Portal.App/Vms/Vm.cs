using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Hosts;
using Portal.App.Tenants;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Vms;

/// <summary>Where a VM is in its life.</summary>
public enum VmStage
{
    /// <summary>Being made for the first time, or again after a failure.</summary>
    Building,

    /// <summary>It exists on its host, running or not.</summary>
    Ready,

    /// <summary>Its build failed and was undone; nothing of it is on the host. It can be built again or deleted.</summary>
    Failed,

    Deleting,

    /// <summary>Gone for good. The row stays for history.</summary>
    Deleted,
}

/// <summary>What its owner wants of a VM.</summary>
public enum WantedState
{
    Running,
    Stopped,
}

/// <summary>A virtual machine that a project owns. Exists from the last yes on, never before.</summary>
public sealed class Vm
{
    /// <summary>The place of a VM of which nobody has said another.</summary>
    public const int UsualBootOrder = 100;

    public const int MaxBootOrder = 999;

    private static readonly Dictionary<VmStage, VmStage[]> s_next = new()
    {
        // Deleted where it was to be adopted and was not: nothing of it is left to try again with.
        [VmStage.Building] = [VmStage.Ready, VmStage.Failed, VmStage.Deleted],
        [VmStage.Ready] = [VmStage.Deleting],
        [VmStage.Failed] = [VmStage.Building, VmStage.Deleting],
        // Back only where the deletion was called off before it began.
        [VmStage.Deleting] = [VmStage.Deleted, VmStage.Ready, VmStage.Failed],
        [VmStage.Deleted] = [],
    };

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Converters = { new JsonStringEnumConverter() } };

    private Vm()
    {
    }

    public VmId Id { get; private set; }

    public TenantId TenantId { get; private set; }

    public ProjectId ProjectId { get; private set; }

    /// <summary>Unique among what is not deleted in its project.</summary>
    public string Name { get; private set; } = "";

    /// <summary>The empty id where it was adopted: nobody ordered it.</summary>
    public OrderLineId OrderLineId { get; private set; }

    public PlanId PlanId { get; private set; }

    /// <summary>The plan's name when it was ordered.</summary>
    public string PlanName { get; private set; } = "";

    /// <summary>Null where it was adopted.</summary>
    public TemplateVersionId? TemplateVersionId { get; private set; }

    /// <summary>The template's name and version when it was ordered; of what was adopted, what it was.</summary>
    public string TemplateName { get; private set; } = "";

    /// <summary>What it was before it was adopted, as JSON; empty where it was ordered.</summary>
    public string AdoptedText { get; private set; } = "";

    /// <summary>What it was before it was adopted; null where it was ordered.</summary>
    public AdoptedDomain? Adopted => AdoptedText.Length == 0 ? null : JsonSerializer.Deserialize<AdoptedDomain>(AdoptedText, s_json);

    public HostId HostId { get; private set; }

    public PoolId PoolId { get; private set; }

    public int Vcpus { get; private set; }

    public ByteSize Memory { get; private set; }

    public ByteSize Disk { get; private set; }

    public MacAddress Mac { get; private set; }

    public NetworkId NetworkId { get; private set; }

    public Ipv4Address Ip { get; private set; }

    /// <summary>OpenSSH public keys, one a line.</summary>
    public string SshKeyLines { get; private set; } = "";

    /// <summary>As <see cref="UserDataSeal"/> writes it; null where there is none, and once it is deleted.</summary>
    public string? SealedUserData { get; private set; }

    public VmStage Stage { get; private set; }

    public WantedState Wanted { get; private set; }

    /// <summary>What the host last said.</summary>
    public DomainState Seen { get; private set; }

    /// <summary>When the host last said it; null before the first time.</summary>
    public DateTimeOffset? SeenAt { get; private set; }

    /// <summary>Since when the host has said so; null before the first time.</summary>
    public DateTimeOffset? SeenSince { get; private set; }

    /// <summary>It is off, and its memory is kept on its host's disk: its next start goes on from there.</summary>
    public bool Saved { get; private set; }

    /// <summary>Whether it takes, or is about to take, processors and memory. Where a tenant's limits count running VMs only, this is running; the same in SQL stands in <c>QuotaGuard</c>.</summary>
    public bool CountsAsRunning => Wanted == WantedState.Running || Seen is not (DomainState.Off or DomainState.Absent or DomainState.Crashed);

    /// <summary>Its place among those that are started after a boot of their host, the lowest first; null where it is not started then.</summary>
    public int? BootOrder { get; private set; }

    /// <summary>Its host has booted, and it is still to be started because of that.</summary>
    public bool StartDue { get; private set; }

    /// <summary>Grows with each rebuild, so that the name of a dying domain is never in the way.</summary>
    public int Generation { get; private set; }

    /// <summary>Why it is <see cref="VmStage.Failed"/>, in words.</summary>
    public string? Problem { get; private set; }

    public string CreatedBy { get; private set; } = "";

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset? DeletedAt { get; private set; }

    /// <summary>When its lease ends, see <see cref="Lease"/>; null where it may stay.</summary>
    public DateTimeOffset? LeaseEndsAt { get; private set; }

    /// <summary>How many days before that end its owners were told last; null before the first time.</summary>
    public int? LeaseTold { get; private set; }

    /// <summary>What it costs, frozen with the order that made it.</summary>
    public Currency Currency { get; private set; }

    public decimal RunningPerHour { get; private set; }

    public decimal AllocatedPerHour { get; private set; }

    /// <summary>Once, when it first runs; nothing where it was adopted.</summary>
    public decimal Setup { get; private set; }

    public IReadOnlyList<SshPublicKey> SshKeys =>
        [.. SshKeyLines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => SshPublicKey.TryParse(l, out var key) ? key : throw new InvalidOperationException($"VM {Id} holds a line that is no key."))];

    public static Vm Ordered(VmOrdered ordered) => new()
    {
        Id = ordered.Id,
        TenantId = ordered.Tenant,
        ProjectId = ordered.Project,
        Name = ordered.Name.Text,
        OrderLineId = ordered.Line,
        PlanId = ordered.Plan,
        PlanName = ordered.PlanName,
        TemplateVersionId = ordered.TemplateVersion,
        TemplateName = ordered.TemplateName,
        HostId = ordered.Host,
        PoolId = ordered.Pool,
        Vcpus = ordered.Vcpus,
        Memory = ordered.Memory,
        Disk = ordered.Disk,
        Mac = ordered.Mac,
        NetworkId = ordered.Network,
        Ip = ordered.Ip,
        SshKeyLines = ordered.SshKeyLines,
        SealedUserData = ordered.SealedUserData,
        Stage = VmStage.Building,
        Wanted = WantedState.Running,
        Seen = DomainState.Absent,
        Generation = 1,
        BootOrder = UsualBootOrder,
        CreatedBy = ordered.CreatedBy,
        CreatedAt = ordered.At,
        LeaseEndsAt = ordered.LeaseEndsAt,
        Currency = ordered.Currency,
        RunningPerHour = ordered.RunningPerHour,
        AllocatedPerHour = ordered.AllocatedPerHour,
        Setup = ordered.Setup,
    };

    /// <summary>A VM that is a domain which somebody made by hand, once its adoption has succeeded.</summary>
    /// <param name="runs">Whether it runs, and so shall run again.</param>
    public static Vm Adopting(VmOrdered ordered, AdoptedDomain adopted, bool runs)
    {
        var vm = Ordered(ordered);
        vm.AdoptedText = JsonSerializer.Serialize(adopted, s_json);
        vm.Wanted = runs ? WantedState.Running : WantedState.Stopped;
        return vm;
    }

    /// <summary>Moves on in its life; to stay where it is is a success without effect.</summary>
    /// <exception cref="InvalidOperationException">That way is not in the table: a bug.</exception>
    public void MoveTo(VmStage stage, string? problem = null)
    {
        if (stage != Stage && !s_next[Stage].Contains(stage))
        {
            throw new InvalidOperationException($"VM {Id} cannot go from {Stage} to {stage}.");
        }

        if (stage == VmStage.Building && Stage == VmStage.Failed)
        {
            Generation++;
        }

        Stage = stage;
        Problem = problem is { Length: > 1000 } ? problem[..1000] : problem;
    }

    public static bool CanMove(VmStage from, VmStage to) => s_next[from].Contains(to);

    public void Want(WantedState wanted)
    {
        Wanted = wanted;
        StartDue &= wanted == WantedState.Running;
    }

    /// <summary>Whether and when it is started after a boot of its host.</summary>
    public void StartAfterBoot(int? order) => BootOrder = order is null or (>= 0 and <= MaxBootOrder) ? order : throw new ArgumentOutOfRangeException(nameof(order));

    /// <summary>Its host has booted under it.</summary>
    public void HostBooted() => StartDue = Stage == VmStage.Ready && Wanted == WantedState.Running && BootOrder is not null;

    /// <summary>Its lease ends then; null where it may stay. Its owners are told anew.</summary>
    public void LeaseUntil(DateTimeOffset? end) => (LeaseEndsAt, LeaseTold) = (end, null);

    /// <summary>Its owners were told of the end of its lease.</summary>
    public void ToldOfLease(int daysBefore) => LeaseTold = daysBefore;

    public bool LeaseIsOver(DateTimeOffset now) => LeaseEndsAt <= now;

    /// <summary>It was tried: whether it runs now is another matter.</summary>
    public void StartTried() => StartDue = false;

    /// <summary>What was asked for was called off before it began: it is wanted as it was seen last.</summary>
    public void WantAsSeen() => Want(Seen is DomainState.Off or DomainState.Absent or DomainState.Crashed ? WantedState.Stopped : WantedState.Running);

    public void Saw(DomainState seen, DateTimeOffset at)
    {
        if (seen != Seen || SeenSince is null)
        {
            SeenSince = at;
        }

        Seen = seen;
        SeenAt = at;
        StartDue &= seen is DomainState.Off or DomainState.Absent or DomainState.Crashed;
        // Whatever runs has taken its memory back.
        Saved = Saved && seen is DomainState.Off or DomainState.Absent;
    }

    /// <summary>Its owner had its memory saved, so that it is off on purpose.</summary>
    /// <exception cref="InvalidOperationException">It was not seen off: a bug.</exception>
    public void WasSaved()
    {
        if (Seen is not (DomainState.Off or DomainState.Absent))
        {
            throw new InvalidOperationException($"VM {Id} was seen {Seen}, so its memory is not on a disk.");
        }

        Saved = true;
        Want(WantedState.Stopped);
    }

    /// <summary>Its saved memory is gone, if it had any.</summary>
    public void GaveUpSaved() => Saved = false;

    /// <summary>Its disks are on another host, where its domain is defined and does not run yet.</summary>
    /// <exception cref="InvalidOperationException">It was not seen off: a bug.</exception>
    public void MovedTo(HostId host, PoolId pool, int generation)
    {
        if (Seen is not (DomainState.Off or DomainState.Absent) || generation <= Generation)
        {
            throw new InvalidOperationException($"VM {Id} was seen {Seen} in generation {Generation}, and cannot be on another host as {generation}.");
        }

        (HostId, PoolId, Generation) = (host, pool, generation);
    }

    public void Deleted(DateTimeOffset at)
    {
        MoveTo(VmStage.Deleted);
        Saved = false;
        StartDue = false;
        SealedUserData = null;
        DeletedAt = at;
    }

    /// <summary>Its adoption failed or was cancelled, and was taken back: it was never the portal's.</summary>
    public void NotAdopted(DateTimeOffset at, string? problem)
    {
        MoveTo(VmStage.Deleted, problem);
        Wanted = WantedState.Stopped;
        DeletedAt = at;
    }

    /// <summary>Gone from whatever stage, because its host is.</summary>
    public void LostWithHost(DateTimeOffset at)
    {
        Stage = VmStage.Deleted;
        DeletedAt = at;
        Wanted = WantedState.Stopped;
        Seen = DomainState.Absent;
        Saved = false;
        StartDue = false;
        SealedUserData = null;
        Problem = "It was lost with its host, and its disk with it.";
    }

    public DomainName DomainOn(Host host) => new(host.Instance, Id, Generation);
}

/// <summary>What a new VM is made of.</summary>
public sealed record VmOrdered
{
    public required VmId Id { get; init; }

    public required TenantId Tenant { get; init; }

    public required ProjectId Project { get; init; }

    public required VmName Name { get; init; }

    public required OrderLineId Line { get; init; }

    public required PlanId Plan { get; init; }

    public required string PlanName { get; init; }

    /// <summary>Null where it is adopted.</summary>
    public required TemplateVersionId? TemplateVersion { get; init; }

    public required string TemplateName { get; init; }

    public required HostId Host { get; init; }

    public required PoolId Pool { get; init; }

    public required int Vcpus { get; init; }

    public required ByteSize Memory { get; init; }

    public required ByteSize Disk { get; init; }

    public required MacAddress Mac { get; init; }

    public required NetworkId Network { get; init; }

    public required Ipv4Address Ip { get; init; }

    public required string SshKeyLines { get; init; }

    public string? SealedUserData { get; init; }

    public required string CreatedBy { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Null where it may stay.</summary>
    public DateTimeOffset? LeaseEndsAt { get; init; }

    public required Currency Currency { get; init; }

    public required decimal RunningPerHour { get; init; }

    public required decimal AllocatedPerHour { get; init; }

    public decimal Setup { get; init; }
}

/// <summary>How far a volume is.</summary>
public enum VolumeState
{
    /// <summary>Written down before the host is touched, so that nothing on a host is ever unknown.</summary>
    Intended,
    Present,

    /// <summary>Its blocks are unreadable for whoever comes next, and it is gone from the pool.</summary>
    Removed,

    /// <summary>Its host will never come back; whether its blocks still are somewhere nobody knows.</summary>
    Lost,
}

/// <summary>One disk.</summary>
public sealed class Volume
{
    private Volume()
    {
    }

    public Volume(TenantId tenant, VmId vm, PoolId pool, ByteSize size)
    {
        Id = VolumeId.New();
        TenantId = tenant;
        VmId = vm;
        PoolId = pool;
        Size = size;
    }

    public VolumeId Id { get; private set; }

    public TenantId TenantId { get; private set; }

    public VmId VmId { get; private set; }

    public PoolId PoolId { get; private set; }

    public ByteSize Size { get; private set; }

    public VolumeState State { get; private set; }

    public DateTimeOffset? RemovedAt { get; private set; }

    public void Present() => State = VolumeState.Present;

    public void MoveTo(PoolId pool) => PoolId = pool;

    /// <summary>Back to an intention: a build that failed was undone.</summary>
    public void Intended() => State = VolumeState.Intended;

    public void Removed(DateTimeOffset at) => End(VolumeState.Removed, at);

    public void Lost(DateTimeOffset at) => End(VolumeState.Lost, at);

    private void End(VolumeState state, DateTimeOffset at)
    {
        State = state;
        RemovedAt = at;
    }
}

internal sealed class VmConfiguration : IEntityTypeConfiguration<Vm>
{
    public void Configure(EntityTypeBuilder<Vm> builder)
    {
        builder.ToTable("vms", table =>
        {
            table.HasCheckConstraint("ck_vms_deleted", "(stage = 'Deleted') = (deleted_at IS NOT NULL)");
            table.HasCheckConstraint("ck_vms_boot_order", "boot_order BETWEEN 0 AND 999");
            table.HasCheckConstraint("ck_vms_start_due", "NOT start_due OR (wanted = 'Running' AND stage <> 'Deleted')");
            table.HasCheckConstraint("ck_vms_adopted", "(adopted = '') = (template_version_id IS NOT NULL)");
            table.HasCheckConstraint("ck_vms_lease_told", "lease_told IS NULL OR lease_ends_at IS NOT NULL");
            table.HasCheckConstraint("ck_vms_saved", "NOT saved OR (seen IN ('Off', 'Absent') AND stage <> 'Deleted')");
        });
        builder.Ignore(v => v.SshKeys);
        builder.Ignore(v => v.CountsAsRunning);
        builder.Ignore(v => v.Adopted);
        builder.Property(v => v.AdoptedText).HasColumnName("adopted").HasMaxLength(8000);
        builder.Property(v => v.Name).HasMaxLength(VmName.MaxLength);
        builder.Property(v => v.PlanName).HasMaxLength(Plan.MaxName);
        builder.Property(v => v.TemplateName).HasMaxLength(Template.MaxName + 31);
        builder.Property(v => v.SshKeyLines).HasMaxLength(20 * (SshPublicKey.MaxLength + 1));
        builder.Property(v => v.SealedUserData).HasMaxLength(UserDataSeal.MaxLength);
        builder.Property(v => v.Problem).HasMaxLength(1000);
        builder.Property(v => v.CreatedBy).HasMaxLength(PortalUser.MaxDisplayName);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(v => new { v.ProjectId, v.Name }).IsUnique().HasFilter("deleted_at IS NULL");
        // Of those that are gone, one may be adopted again whose first adoption failed.
        builder.HasIndex(v => v.Mac).IsUnique().HasFilter("deleted_at IS NULL");
        builder.HasIndex(v => new { v.TenantId, v.Id });
        builder.HasIndex(v => v.HostId).HasFilter("deleted_at IS NULL");
        builder.HasIndex(v => v.LeaseEndsAt).HasFilter("deleted_at IS NULL AND lease_ends_at IS NOT NULL");
        builder.HasOne<Tenant>().WithMany().HasForeignKey(v => v.TenantId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Project>().WithMany().HasForeignKey(v => v.ProjectId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Plan>().WithMany().HasForeignKey(v => v.PlanId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<TemplateVersion>().WithMany().HasForeignKey(v => v.TemplateVersionId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Host>().WithMany().HasForeignKey(v => v.HostId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Pool>().WithMany().HasForeignKey(v => v.PoolId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class VolumeConfiguration : IEntityTypeConfiguration<Volume>
{
    public void Configure(EntityTypeBuilder<Volume> builder)
    {
        builder.ToTable("volumes", table => table.HasCheckConstraint("ck_volumes_removed", "(state IN ('Removed', 'Lost')) = (removed_at IS NOT NULL)"));
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(v => v.VmId);
        builder.HasOne<Vm>().WithMany().HasForeignKey(v => v.VmId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Pool>().WithMany().HasForeignKey(v => v.PoolId).OnDelete(DeleteBehavior.Restrict);
    }
}
