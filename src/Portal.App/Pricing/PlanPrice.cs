using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Catalogue;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Pricing;

/// <summary>
/// What a plan costs from an instant on, until the next one that begins. Never changed or removed: a new price is a new row, so that two of them cannot
/// overlap. One that has not begun may be withdrawn, and stays as that.
/// </summary>
public abstract class DatedPrice
{
    private protected DatedPrice()
    {
    }

    private protected DatedPrice(PlanId plan, Tariff tariff, DateTimeOffset validFrom)
    {
        Id = Guid.CreateVersion7();
        PlanId = plan;
        Currency = tariff.Smallest.Currency;
        RunningPerHour = tariff.Smallest.RunningPerHour;
        AllocatedPerHour = tariff.Smallest.AllocatedPerHour;
        RunningPerVcpu = tariff.RunningPerVcpu;
        RunningPerMemoryGiB = tariff.RunningPerMemoryGiB;
        AllocatedPerDiskGiB = tariff.AllocatedPerDiskGiB;
        Setup = tariff.Smallest.Setup;
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

    /// <summary>Once, when a VM first runs.</summary>
    public decimal Setup { get; private set; }

    public DateTimeOffset ValidFrom { get; private set; }

    /// <summary>When it was taken back, before it began; null otherwise.</summary>
    public DateTimeOffset? WithdrawnAt { get; private set; }

    public Tariff ToTariff() => new(new Price(Currency, RunningPerHour, AllocatedPerHour, Setup), RunningPerVcpu, RunningPerMemoryGiB, AllocatedPerDiskGiB);
}

/// <summary>What a plan costs everybody who has no price of its own.</summary>
public sealed class PlanPrice : DatedPrice
{
    private PlanPrice()
    {
    }

    public PlanPrice(PlanId plan, Tariff tariff, DateTimeOffset validFrom)
        : base(plan, tariff, validFrom)
    {
    }
}

/// <summary>What a plan costs one tenant, whatever it costs the others.</summary>
public sealed class TenantPrice : DatedPrice
{
    private TenantPrice()
    {
    }

    public TenantPrice(TenantId tenant, PlanId plan, Tariff tariff, DateTimeOffset validFrom)
        : base(plan, tariff, validFrom) => TenantId = tenant;

    public TenantId TenantId { get; private set; }

    /// <summary>From here on the list's price holds again; this row has none.</summary>
    public bool Ends { get; private set; }

    public static TenantPrice End(TenantId tenant, PlanId plan, Currency currency, DateTimeOffset from) => new(tenant, plan, new Tariff(new Price(currency, 0, 0)), from) { Ends = true };
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

/// <summary>What something costs per hour, in its two parts, and once. Ten decimals, never rounded.</summary>
/// <param name="RunningPerHour">While it runs, on top of the other part.</param>
/// <param name="AllocatedPerHour">While it exists.</param>
/// <param name="Setup">Once, when it first runs.</param>
public sealed record Price(Currency Currency, decimal RunningPerHour, decimal AllocatedPerHour, decimal Setup = 0)
{
    /// <summary>A month as prices are quoted: 365 x 24 / 12 hours. Billing counts the seconds that were.</summary>
    public const int HoursPerMonth = 730;

    public Money PerHour => new(RunningPerHour + AllocatedPerHour, Currency);

    public Money PerMonth => PerHour * HoursPerMonth;

    public Money Once => new(Setup, Currency);

    public Money PerMonthStopped => new(AllocatedPerHour * HoursPerMonth, Currency);

    /// <exception cref="InvalidOperationException">The currencies differ: a bug.</exception>
    public static Price operator +(Price one, Price other) => one.Currency == other.Currency
        ? new Price(one.Currency, one.RunningPerHour + other.RunningPerHour, one.AllocatedPerHour + other.AllocatedPerHour, one.Setup + other.Setup)
        : throw new InvalidOperationException($"{one.Currency} and {other.Currency} make no sum.");

    public static Price operator *(Price price, int count) =>
        price with { RunningPerHour = price.RunningPerHour * count, AllocatedPerHour = price.AllocatedPerHour * count, Setup = price.Setup * count };
}

/// <summary>Finds the price in force.</summary>
public static class PriceList
{
    /// <summary>What a plan costs a tenant at an instant: its own price where it has one then, else the list's. Null where neither is in that currency.</summary>
    public static async Task<Tariff?> FindTariffAsync(this PortalDb db, TenantId tenant, PlanId plan, Currency currency, DateTimeOffset at, CancellationToken ct) =>
        await db.TenantPrices.Where(p => p.TenantId == tenant && p.PlanId == plan && p.Currency == currency).FindInForceAsync(at, ct) is { Ends: false } own
            ? own.ToTariff()
            : await db.FindListTariffAsync(plan, currency, at, ct);

    /// <summary>What a plan costs by the list at an instant; null where it is not sold in that currency.</summary>
    public static async Task<Tariff?> FindListTariffAsync(this PortalDb db, PlanId plan, Currency currency, DateTimeOffset at, CancellationToken ct) =>
        (await db.PlanPrices.Where(p => p.PlanId == plan && p.Currency == currency).FindInForceAsync(at, ct))?.ToTariff();

    internal static Task<T?> FindInForceAsync<T>(this IQueryable<T> prices, DateTimeOffset at, CancellationToken ct)
        where T : DatedPrice =>
        prices.AsNoTracking().Where(p => p.WithdrawnAt == null && p.ValidFrom <= at).OrderByDescending(p => p.ValidFrom).FirstOrDefaultAsync(ct);

    /// <summary>The same among rows that were read.</summary>
    internal static T? InForce<T>(this IEnumerable<T> prices, DateTimeOffset at)
        where T : DatedPrice =>
        prices.Where(p => p.WithdrawnAt is null && p.ValidFrom <= at).MaxBy(p => p.ValidFrom);
}

/// <summary>The plan has no price in the tenant's currency.</summary>
public sealed record NoPrice(string Plan, Currency Currency)
    : Refusal("pricing.no_price", $"Plan {Plan} has no price in {Currency} yet. The provider's billing office can add one.");

internal sealed class PlanPriceConfiguration : IEntityTypeConfiguration<PlanPrice>
{
    public void Configure(EntityTypeBuilder<PlanPrice> builder)
    {
        builder.ToTable("plan_prices", table => table.HasCheckConstraint("ck_plan_prices_not_negative", NotNegative));
        Columns(builder);
        builder.HasIndex(p => new { p.PlanId, p.Currency, p.ValidFrom }).IsUnique().HasFilter("withdrawn_at IS NULL");
        builder.HasOne<Plan>().WithMany().HasForeignKey(p => p.PlanId).OnDelete(DeleteBehavior.Restrict);
    }

    // That rows stay as they are is a trigger's, in the migration.
    internal const string NotNegative = "least(running_per_hour, allocated_per_hour, running_per_vcpu, running_per_memory_gib, allocated_per_disk_gib, setup) >= 0";

    internal static void Columns<T>(EntityTypeBuilder<T> builder)
        where T : DatedPrice
    {
        builder.Property(p => p.RunningPerMemoryGiB).HasColumnName("running_per_memory_gib");
        builder.Property(p => p.AllocatedPerDiskGiB).HasColumnName("allocated_per_disk_gib");
    }
}

internal sealed class TenantPriceConfiguration : IEntityTypeConfiguration<TenantPrice>
{
    public void Configure(EntityTypeBuilder<TenantPrice> builder)
    {
        builder.ToTable("tenant_prices", table =>
        {
            table.HasCheckConstraint("ck_tenant_prices_not_negative", PlanPriceConfiguration.NotNegative);
            table.HasCheckConstraint("ck_tenant_prices_ends", "NOT ends OR greatest(running_per_hour, allocated_per_hour, running_per_vcpu, running_per_memory_gib, allocated_per_disk_gib, setup) = 0");
        });
        PlanPriceConfiguration.Columns(builder);
        builder.HasIndex(p => new { p.TenantId, p.PlanId, p.Currency, p.ValidFrom }).IsUnique().HasFilter("withdrawn_at IS NULL");
        builder.HasOne<Tenant>().WithMany().HasForeignKey(p => p.TenantId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Plan>().WithMany().HasForeignKey(p => p.PlanId).OnDelete(DeleteBehavior.Restrict);
    }
}
