using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Pricing;

/// <summary>The tax on what a tenant pays, from an instant on, until the next one that begins. As with prices, a new one is a new row.</summary>
public sealed class TaxRate
{
    private TaxRate()
    {
    }

    public TaxRate(TenantId tenant, decimal percent, DateTimeOffset validFrom)
    {
        Id = Guid.CreateVersion7();
        TenantId = tenant;
        Percent = percent;
        ValidFrom = validFrom;
    }

    public Guid Id { get; private set; }

    public TenantId TenantId { get; private set; }

    /// <summary>19 for 19 %; 0 where there is none to pay.</summary>
    public decimal Percent { get; private set; }

    public DateTimeOffset ValidFrom { get; private set; }

    /// <summary>When it was taken back, before it began; null otherwise.</summary>
    public DateTimeOffset? WithdrawnAt { get; private set; }
}

/// <summary>An amount with the tax on it. Rounded here and nowhere before, each once, half to even; the gross is the sum of the two as they are shown.</summary>
/// <param name="Percent">Null where no rate was ever set, or where several hold for parts of it.</param>
/// <param name="Tax">Null where no rate was ever set.</param>
public sealed record Taxed(Money Net, decimal? Percent, Money? Tax)
{
    public Money Gross => Tax is { } tax ? Net + tax : Net;

    /// <param name="net">Not rounded.</param>
    public static Taxed Of(Money net, decimal? percent) => Of(net.Currency, [(percent, net.Amount)]);

    /// <summary>The sum of parts, each with the rate that holds for it.</summary>
    public static Taxed Of(Currency currency, IReadOnlyCollection<(decimal? Percent, decimal Net)> parts)
    {
        var rates = parts.Where(p => p.Net != 0 || parts.Count == 1).Select(p => p.Percent).Distinct().ToList();
        Money? tax = parts.Any(p => p.Percent is not null) ? new Money(parts.Sum(p => p.Net * (p.Percent ?? 0) / 100m), currency).ToInvoicePrecision() : null;
        return new Taxed(new Money(parts.Sum(p => p.Net), currency).ToInvoicePrecision(), rates is [var only] ? only : null, tax);
    }
}

/// <summary>A tenant's tax rates over time.</summary>
public sealed class TaxTimes
{
    private readonly List<(DateTimeOffset From, decimal Percent)> _rates;

    internal TaxTimes(IEnumerable<TaxRate> rates) =>
        _rates = [.. rates.Where(r => r.WithdrawnAt is null).OrderBy(r => r.ValidFrom).Select(r => (r.ValidFrom.ToUniversalTime(), r.Percent))];

    /// <summary>The rate at an instant; null before the first.</summary>
    public decimal? At(DateTimeOffset at) => _rates.Where(r => r.From <= at).Select(r => (decimal?)r.Percent).LastOrDefault();

    /// <summary>A span in the parts that have one rate each.</summary>
    public IEnumerable<(decimal? Percent, UtcSpan Span)> PartsOf(UtcSpan span)
    {
        var from = span.From;
        foreach (var edge in _rates.Select(r => r.From).Where(f => f > span.From && f < span.To).Append(span.To))
        {
            yield return (At(from), new UtcSpan(from, edge));
            from = edge;
        }
    }
}

/// <summary>Finds tax rates.</summary>
public static class TaxReading
{
    public static async Task<TaxTimes> ReadTaxAsync(this PortalDb db, TenantId tenant, CancellationToken ct) =>
        new(await db.TaxRates.AsNoTracking().Where(r => r.TenantId == tenant).ToListAsync(ct));
}

internal sealed class TaxRateConfiguration : IEntityTypeConfiguration<TaxRate>
{
    public void Configure(EntityTypeBuilder<TaxRate> builder)
    {
        // That rows stay as they are is a trigger's, in the migration.
        builder.ToTable("tax_rates", table => table.HasCheckConstraint("ck_tax_rates_percent", "percent BETWEEN 0 AND 100"));
        builder.HasIndex(r => new { r.TenantId, r.ValidFrom }).IsUnique().HasFilter("withdrawn_at IS NULL");
        builder.HasOne<Tenant>().WithMany().HasForeignKey(r => r.TenantId).OnDelete(DeleteBehavior.Restrict);
    }
}
