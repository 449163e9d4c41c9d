using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Metering;

/// <summary>What a VM costs once: written by the transaction that records its first running, and never again.</summary>
public sealed class SetupCharge
{
    private SetupCharge()
    {
    }

    internal SetupCharge(Vm vm, DateTimeOffset at)
    {
        Id = UsageId.New();
        TenantId = vm.TenantId;
        ProjectId = vm.ProjectId;
        VmId = vm.Id;
        VmName = vm.Name;
        PlanName = vm.PlanName;
        At = at;
        Amount = vm.Setup;
        Currency = vm.Currency;
    }

    public UsageId Id { get; private set; }

    public TenantId TenantId { get; private set; }

    public ProjectId ProjectId { get; private set; }

    public VmId VmId { get; private set; }

    public string VmName { get; private set; } = "";

    public string PlanName { get; private set; } = "";

    public DateTimeOffset At { get; private set; }

    public decimal Amount { get; private set; }

    public Currency Currency { get; private set; }
}

internal sealed class SetupChargeConfiguration : IEntityTypeConfiguration<SetupCharge>
{
    public void Configure(EntityTypeBuilder<SetupCharge> builder)
    {
        // That rows stay as they are is a trigger's, in the migration.
        builder.ToTable("setup_charges", table => table.HasCheckConstraint("ck_setup_charges_amount", "amount > 0"));
        builder.Property(c => c.VmName).HasMaxLength(VmName.MaxLength);
        builder.Property(c => c.PlanName).HasMaxLength(60);
        builder.HasIndex(c => c.VmId).IsUnique();
        builder.HasIndex(c => new { c.TenantId, c.At });
        builder.HasOne<Vm>().WithMany().HasForeignKey(c => c.VmId).OnDelete(DeleteBehavior.Restrict);
    }
}
