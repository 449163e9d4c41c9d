using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Quotas;

/// <summary>Quota that a waiting order line holds until it is decided or expires.</summary>
public sealed class QuotaReservation
{
    private QuotaReservation()
    {
    }

    public QuotaReservation(TenantId tenant, OrderLineId line, QuotaAmount amount, DateTimeOffset expiresAt)
    {
        TenantId = tenant;
        OrderLineId = line;
        Vms = amount.Vms;
        Vcpus = amount.Vcpus;
        Memory = amount.Memory;
        Disk = amount.Disk;
        ExpiresAt = expiresAt;
    }

    public OrderLineId OrderLineId { get; private set; }

    public TenantId TenantId { get; private set; }

    public int Vms { get; private set; }

    public int Vcpus { get; private set; }

    public ByteSize Memory { get; private set; }

    public ByteSize Disk { get; private set; }

    public DateTimeOffset ExpiresAt { get; private set; }
}

/// <summary>An amount of what quotas bound.</summary>
public readonly record struct QuotaAmount(int Vms, int Vcpus, ByteSize Memory, ByteSize Disk)
{
    /// <summary>Each VM has one.</summary>
    public int Addresses => Vms;

    public static QuotaAmount operator +(QuotaAmount left, QuotaAmount right) =>
        new(left.Vms + right.Vms, left.Vcpus + right.Vcpus, left.Memory + right.Memory, left.Disk + right.Disk);

    public static QuotaAmount operator *(QuotaAmount amount, int count) =>
        new(amount.Vms * count, amount.Vcpus * count, amount.Memory * count, amount.Disk * count);
}

internal sealed class QuotaReservationConfiguration : IEntityTypeConfiguration<QuotaReservation>
{
    public void Configure(EntityTypeBuilder<QuotaReservation> builder)
    {
        builder.ToTable("quota_reservations");
        builder.HasKey(r => r.OrderLineId);
        builder.HasIndex(r => r.TenantId);
        builder.HasOne<Tenant>().WithMany().HasForeignKey(r => r.TenantId).OnDelete(DeleteBehavior.Restrict);
    }
}
