using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Pricing;

/// <summary>When something dated holds.</summary>
public enum DatedState
{
    Now,
    Scheduled,
    Past,

    /// <summary>Taken back before it began.</summary>
    Withdrawn,
}

/// <summary>A tax rate as lists show it.</summary>
public sealed record TaxRateRow(Guid Id, decimal Percent, DateTimeOffset ValidFrom, DatedState State);

/// <summary>A tenant's tax rates, the newest first.</summary>
/// <param name="Now">Null where none was ever set.</param>
public sealed record TenantTax(TenantId Tenant, string Slug, string Name, decimal? Now, IReadOnlyList<TaxRateRow> Rates);

/// <summary>The tax rates of the tenants whose costs a person may see.</summary>
public static class ListTaxRates
{
    /// <param name="Tenant">Null for all.</param>
    public sealed record Request(TenantId? Tenant = null);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<TenantTax>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var refusal = request.Tenant is { } one ? access.Check(actor, Permission.SeeCost, one) : access.Check(actor, Permission.SeeCatalogue);
            if (refusal is not null)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var now = await db.NowAsync(ct);
            var tenants = await db.Tenants.AsNoTracking().Where(t => request.Tenant == null || t.Id == request.Tenant).OrderBy(t => t.Name).ToListAsync(ct);
            var rates = (await db.TaxRates.AsNoTracking().Where(r => request.Tenant == null || r.TenantId == request.Tenant).ToListAsync(ct)).ToLookup(r => r.TenantId);
            return Result<IReadOnlyList<TenantTax>>.Of([.. tenants.Where(t => access.Allows(actor, Permission.SeeCost, t.Id)).Select(t => Of(t, [.. rates[t.Id].OrderByDescending(r => r.ValidFrom)], now))]);
        }

        private static TenantTax Of(Tenant tenant, IReadOnlyList<TaxRate> rates, DateTimeOffset now)
        {
            var holds = rates.FirstOrDefault(r => r.WithdrawnAt is null && r.ValidFrom <= now);
            return new TenantTax(tenant.Id, tenant.Slug, tenant.Name, holds?.Percent,
            [
                .. rates.Select(r => new TaxRateRow(r.Id, r.Percent, r.ValidFrom, r.WithdrawnAt is not null ? DatedState.Withdrawn : r.ValidFrom > now ? DatedState.Scheduled : r == holds ? DatedState.Now : DatedState.Past)),
            ]);
        }
    }
}

/// <summary>Sets the tax on what a tenant pays, from now on or from an instant to come. Orders keep the rate that they were placed at; usage is taxed by when it was.</summary>
public static class SetTaxRate
{
    /// <param name="From">Null for now.</param>
    public sealed record Request(TenantId Tenant, decimal Percent, DateTimeOffset? From = null);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (request.Percent is < 0 or > 100 || decimal.Round(request.Percent, 4) != request.Percent)
            {
                return new Invalid("percent", "A tax rate is 0 to 100 percent, with at most four decimals.");
            }

            if (access.Check(actor, Permission.ManagePlans) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var tenant = await db.Tenants.AsNoTracking().SingleOrDefaultAsync(t => t.Id == request.Tenant, ct);
            if (tenant is null)
            {
                return new NotFound("tenant");
            }

            if (!(await PriceSetting.FromAsync(db, request.From, ct)).TryGet(out var from, out var past))
            {
                return Result<Done>.Of(past);
            }

            db.Add(new TaxRate(tenant.Id, request.Percent, from));
            db.Add(AuditEntry.Of(actor, tenant.Id, "tax.set", tenant.Id.Value, tenant.Name, $"{request.Percent} %{(request.From is null ? "" : $" from {from.UtcDateTime:u}")}"));
            return await PriceSetting.SaveAsync(db, "tax rate", ct);
        }
    }
}

/// <summary>Takes back a tax rate that has not begun yet.</summary>
public static class WithdrawTaxRate
{
    public sealed record Request(TenantId Tenant, Guid Rate);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManagePlans) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var tenant = await db.Tenants.AsNoTracking().SingleOrDefaultAsync(t => t.Id == request.Tenant, ct);
            var now = await db.NowAsync(ct);
            if (tenant is null || await db.TaxRates.Where(r => r.Id == request.Rate && r.TenantId == request.Tenant && r.WithdrawnAt == null && r.ValidFrom > now).ExecuteUpdateAsync(s => s.SetProperty(r => r.WithdrawnAt, now), ct) == 0)
            {
                return new NotFound("tax rate that has yet to begin");
            }

            db.Add(AuditEntry.Of(actor, tenant.Id, "tax.withdrawn", tenant.Id.Value, tenant.Name, "before it began"));
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
            return default(Done);
        }
    }
}
