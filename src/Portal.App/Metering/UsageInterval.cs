using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Metering;

/// <summary>What is counted.</summary>
public enum Meter
{
    /// <summary>The time that a VM runs.</summary>
    VmRunning,

    /// <summary>The time that a VM exists: its disk and address are its owner's.</summary>
    VmAllocated,
}

/// <summary>
/// One stretch of consumption, half-open <c>[from, to)</c>, at one rate. Intervals of a VM and meter never overlap: the database has an exclusion
/// constraint. Opened and closed by the transaction that records the transition.
/// </summary>
public sealed class UsageInterval
{
    private UsageInterval()
    {
    }

    private UsageInterval(Vm vm, Meter meter, DateTimeOffset from)
    {
        Id = UsageId.New();
        TenantId = vm.TenantId;
        ProjectId = vm.ProjectId;
        VmId = vm.Id;
        VmName = vm.Name;
        PlanName = vm.PlanName;
        Meter = meter;
        From = from;
        RatePerHour = meter switch
        {
            Meter.VmRunning => vm.RunningPerHour,
            Meter.VmAllocated => vm.AllocatedPerHour,
        };
        Currency = vm.Currency;
    }

    public UsageId Id { get; private set; }

    public TenantId TenantId { get; private set; }

    public ProjectId ProjectId { get; private set; }

    public VmId VmId { get; private set; }

    public string VmName { get; private set; } = "";

    public string PlanName { get; private set; } = "";

    public Meter Meter { get; private set; }

    public DateTimeOffset From { get; private set; }

    /// <summary>Null while it goes on.</summary>
    public DateTimeOffset? To { get; private set; }

    public decimal RatePerHour { get; private set; }

    public Currency Currency { get; private set; }

    internal static UsageInterval Open(Vm vm, Meter meter, DateTimeOffset from) => new(vm, meter, from);

    internal void Close(DateTimeOffset to) => To = to < From ? From : to;
}

internal sealed class UsageIntervalConfiguration : IEntityTypeConfiguration<UsageInterval>
{
    public void Configure(EntityTypeBuilder<UsageInterval> builder)
    {
        // The exclusion constraint over (vm_id, meter, tstzrange("from", "to")) stands in the migration: EF has no word for it.
        builder.ToTable("usage_intervals", table => table.HasCheckConstraint("ck_usage_intervals_order", "\"to\" IS NULL OR \"to\" >= \"from\""));
        builder.Property(u => u.VmName).HasMaxLength(VmName.MaxLength);
        builder.Property(u => u.PlanName).HasMaxLength(60);
        builder.HasIndex(u => new { u.VmId, u.Meter }).IsUnique().HasFilter("\"to\" IS NULL");
        builder.HasIndex(u => new { u.TenantId, u.From });
        builder.HasOne<Vm>().WithMany().HasForeignKey(u => u.VmId).OnDelete(DeleteBehavior.Restrict);
    }
}
