using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Kernel;

namespace Portal.App.Vms;

/// <summary>A VM's schedule, and how far it was followed.</summary>
public sealed class VmSchedule
{
    // As DayOfWeek counts them.
    private const int DaysInWeek = 7;

    private VmSchedule()
    {
    }

    public VmSchedule(Vm vm, WeekSchedule week, DateTimeOffset at)
    {
        VmId = vm.Id;
        TenantId = vm.TenantId;
        Change(week, at);
    }

    public VmId VmId { get; private set; }

    public TenantId TenantId { get; private set; }

    /// <summary>A bit for each day on which it is started, Sunday's the lowest.</summary>
    public int Days { get; private set; }

    public TimeOnly Start { get; private set; }

    public TimeOnly Stop { get; private set; }

    public string Zone { get; private set; } = "";

    /// <summary>The turns until then were taken, or had no meaning any more.</summary>
    public DateTimeOffset FollowedUntil { get; private set; }

    public WeekSchedule Week => new(Enumerable.Range(0, DaysInWeek).Where(d => (Days & 1 << d) != 0).Select(d => (DayOfWeek)d).ToHashSet(), Start, Stop, Zone);

    /// <summary>Holds from the next turn on.</summary>
    public void Change(WeekSchedule week, DateTimeOffset at)
    {
        Days = week.Days.Aggregate(0, (bits, day) => bits | 1 << (int)day);
        (Start, Stop, Zone) = (week.Start, week.Stop, week.Zone);
        FollowedUntil = at;
    }

    public void Followed(DateTimeOffset until) => FollowedUntil = until;
}

internal sealed class VmScheduleConfiguration : IEntityTypeConfiguration<VmSchedule>
{
    public void Configure(EntityTypeBuilder<VmSchedule> builder)
    {
        builder.ToTable("vm_schedules", table =>
        {
            table.HasCheckConstraint("ck_vm_schedules_days", "days BETWEEN 1 AND 127");
            table.HasCheckConstraint("ck_vm_schedules_times", "start <> stop");
        });
        builder.HasKey(s => s.VmId);
        builder.Ignore(s => s.Week);
        builder.Property(s => s.Zone).HasMaxLength(64);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(s => s.TenantId);
        builder.HasOne<Vm>().WithOne().HasForeignKey<VmSchedule>(s => s.VmId).OnDelete(DeleteBehavior.Restrict);
    }
}
