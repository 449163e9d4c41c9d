using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Catalogue;
using Portal.Kernel;

namespace Portal.App.Pricing;

/// <summary>What a plan costs from a day on. Never changed or removed: a new price is a new row.</summary>
public sealed class PlanPrice
{
    private PlanPrice()
    {
    }

    public PlanPrice(PlanId plan, Tariff tariff, DateTimeOffset validFrom)
    {
        Id = Guid.CreateVersion7();
        PlanId = plan;
        Currency = tariff.Smallest.Currency;
        RunningPerHour = tariff.Smallest.RunningPerHour;
        AllocatedPerHour = tariff.Smallest.AllocatedPerHour;
        RunningPerVcpu = tariff.RunningPerVcpu;
        RunningPerMemoryGiB = tariff.RunningPerMemoryGiB;
        AllocatedPerDiskGiB = tariff.AllocatedPerDiskGiB;
        ValidFrom = validFrom;
    }

    public Guid Id { get; private set; }

    public PlanId PlanId { get; private set; }

    public Currency Currency { get; private set; }

    /// <summary>For each hour that the VM runs, on top of <see cref="AllocatedPerHour"/>.</summary>
    public decimal RunningPerHour { get; private set; }

    /// <summary>For each hour that the VM exists, running or not: its disk and its address.</summary>
    public decimal AllocatedPerHour { get; private set; }

    /// <summary>For each hour that the VM runs, for each vCPU more than the plan's smallest size has.</summary>
    public decimal RunningPerVcpu { get; private set; }

    /// <summary>For each hour that the VM runs, for each GiB of memory more.</summary>
    public decimal RunningPerMemoryGiB { get; private set; }

    /// <summary>For each hour that the VM exists, for each GiB of disk more.</summary>
    public decimal AllocatedPerDiskGiB { get; private set; }

    public DateTimeOffset ValidFrom { get; private set; }

    public Tariff ToTariff() => new(new Price(Currency, RunningPerHour, AllocatedPerHour), RunningPerVcpu, RunningPerMemoryGiB, AllocatedPerDiskGiB);
}

/// <summary>What the sizes of a plan cost: the smallest, and each hour of what is more than that.</summary>
public sealed record Tariff(Price Smallest, decimal RunningPerVcpu = 0, decimal RunningPerMemoryGiB = 0, decimal AllocatedPerDiskGiB = 0)
{
    /// <summary>The price of one VM. Part of a GiB costs its part; the two rates are rounded to their ten decimals, once, and frozen so.</summary>
    /// <param name="smallest">The plan's smallest size.</param>
    public Price Of(VmSize smallest, VmSize size) => Smallest with
    {
        RunningPerHour = decimal.Round(Smallest.RunningPerHour + (RunningPerVcpu * (size.Vcpus - smallest.Vcpus)) + (RunningPerMemoryGiB * InGiB(size.Memory, smallest.Memory)), 10, MidpointRounding.ToEven),
        AllocatedPerHour = decimal.Round(Smallest.AllocatedPerHour + (AllocatedPerDiskGiB * InGiB(size.Disk, smallest.Disk)), 10, MidpointRounding.ToEven),
    };

    private static decimal InGiB(ByteSize size, ByteSize smallest) => (decimal)(size.Bytes - smallest.Bytes) / (1L << 30);
}

/// <summary>What something costs per hour, in its two parts. Ten decimals, never rounded.</summary>
/// <param name="RunningPerHour">While it runs, on top of the other part.</param>
/// <param name="AllocatedPerHour">While it exists.</param>
public sealed record Price(Currency Currency, decimal RunningPerHour, decimal AllocatedPerHour)
{
    /// <summary>A month as prices are quoted: 365 x 24 / 12 hours. Billing counts the seconds that were.</summary>
    public const int HoursPerMonth = 730;

    public Money PerHour => new(RunningPerHour + AllocatedPerHour, Currency);

    public Money PerMonth => PerHour * HoursPerMonth;

    public Money PerMonthStopped => new(AllocatedPerHour * HoursPerMonth, Currency);

    /// <exception cref="InvalidOperationException">The currencies differ: a bug.</exception>
    public static Price operator +(Price one, Price other) => one.Currency == other.Currency
        ? new Price(one.Currency, one.RunningPerHour + other.RunningPerHour, one.AllocatedPerHour + other.AllocatedPerHour)
        : throw new InvalidOperationException($"{one.Currency} and {other.Currency} make no sum.");

    public static Price operator *(Price price, int count) =>
        price with { RunningPerHour = price.RunningPerHour * count, AllocatedPerHour = price.AllocatedPerHour * count };
}

/// <summary>Finds the price in force.</summary>
public static class PriceList
{
    /// <summary>What a plan costs at an instant; null where it is not sold in that currency.</summary>
    public static async Task<Tariff?> FindTariffAsync(this PortalDb db, PlanId plan, Currency currency, DateTimeOffset at, CancellationToken ct) =>
        (await db.PlanPrices.AsNoTracking()
            .Where(p => p.PlanId == plan && p.Currency == currency && p.ValidFrom <= at)
            .OrderByDescending(p => p.ValidFrom)
            .FirstOrDefaultAsync(ct))?.ToTariff();
}

/// <summary>The plan has no price in the tenant's currency.</summary>
public sealed record NoPrice(string Plan, Currency Currency)
    : Refusal("pricing.no_price", $"Plan {Plan} has no price in {Currency} yet. The provider's billing office can add one.");

internal sealed class PlanPriceConfiguration : IEntityTypeConfiguration<PlanPrice>
{
    public void Configure(EntityTypeBuilder<PlanPrice> builder)
    {
        builder.ToTable("plan_prices", table => table.HasCheckConstraint("ck_plan_prices_not_negative", "least(running_per_hour, allocated_per_hour, running_per_vcpu, running_per_memory_gib, allocated_per_disk_gib) >= 0"));
        builder.Property(p => p.RunningPerMemoryGiB).HasColumnName("running_per_memory_gib");
        builder.Property(p => p.AllocatedPerDiskGiB).HasColumnName("allocated_per_disk_gib");
        builder.HasIndex(p => new { p.PlanId, p.Currency, p.ValidFrom }).IsUnique();
        builder.HasOne<Plan>().WithMany().HasForeignKey(p => p.PlanId).OnDelete(DeleteBehavior.Restrict);
    }
}
