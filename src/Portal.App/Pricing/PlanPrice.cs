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

    public PlanPrice(PlanId plan, Currency currency, decimal runningPerHour, decimal allocatedPerHour, DateTimeOffset validFrom)
    {
        Id = Guid.CreateVersion7();
        PlanId = plan;
        Currency = currency;
        RunningPerHour = runningPerHour;
        AllocatedPerHour = allocatedPerHour;
        ValidFrom = validFrom;
    }

    public Guid Id { get; private set; }

    public PlanId PlanId { get; private set; }

    public Currency Currency { get; private set; }

    /// <summary>For each hour that the VM runs, on top of <see cref="AllocatedPerHour"/>.</summary>
    public decimal RunningPerHour { get; private set; }

    /// <summary>For each hour that the VM exists, running or not: its disk and its address.</summary>
    public decimal AllocatedPerHour { get; private set; }

    public DateTimeOffset ValidFrom { get; private set; }

    public Price ToPrice() => new(Currency, RunningPerHour, AllocatedPerHour);
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

    public static Price operator *(Price price, int count) =>
        price with { RunningPerHour = price.RunningPerHour * count, AllocatedPerHour = price.AllocatedPerHour * count };
}

/// <summary>Finds the price in force.</summary>
public static class PriceList
{
    /// <summary>The price of a plan at an instant; null where it is not sold in that currency.</summary>
    public static async Task<Price?> FindPriceAsync(this PortalDb db, PlanId plan, Currency currency, DateTimeOffset at, CancellationToken ct) =>
        (await db.PlanPrices.AsNoTracking()
            .Where(p => p.PlanId == plan && p.Currency == currency && p.ValidFrom <= at)
            .OrderByDescending(p => p.ValidFrom)
            .FirstOrDefaultAsync(ct))?.ToPrice();
}

/// <summary>The plan has no price in the tenant's currency.</summary>
public sealed record NoPrice(string Plan, Currency Currency)
    : Refusal("pricing.no_price", $"Plan {Plan} has no price in {Currency} yet. The provider's billing office can add one.");

internal sealed class PlanPriceConfiguration : IEntityTypeConfiguration<PlanPrice>
{
    public void Configure(EntityTypeBuilder<PlanPrice> builder)
    {
        builder.ToTable("plan_prices", table => table.HasCheckConstraint("ck_plan_prices_not_negative", "running_per_hour >= 0 AND allocated_per_hour >= 0"));
        builder.HasIndex(p => new { p.PlanId, p.Currency, p.ValidFrom }).IsUnique();
        builder.HasOne<Plan>().WithMany().HasForeignKey(p => p.PlanId).OnDelete(DeleteBehavior.Restrict);
    }
}
