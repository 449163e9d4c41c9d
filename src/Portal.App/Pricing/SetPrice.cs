using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Pricing;

/// <summary>Something else begins at that very instant.</summary>
public sealed record FromTaken(string What)
    : Refusal("pricing.from_taken", $"Another {What} begins at that instant. Withdraw it first, or choose another instant.")
{
    public override string? Field => "from";
}

/// <summary>A tenant's own price is in the tenant's currency.</summary>
public sealed record OtherCurrency(string Tenant, Currency Currency)
    : Refusal("pricing.other_currency", $"{Tenant} pays in {Currency}. Set its price in that.")
{
    public override string? Field => "currency";
}

/// <summary>Sets a plan's price from now on, or from an instant to come. The past is fixed; VMs that exist keep the price that they were ordered at.</summary>
public static class SetPrice
{
    /// <param name="Tariff">What is more than the smallest size costs nothing where the plan has one size: there is none.</param>
    /// <param name="Buyer">The tenant whose own price it is; null for the list's.</param>
    /// <param name="From">Null for now.</param>
    public sealed record Request(PlanId Plan, Tariff Tariff, TenantId? Buyer = null, DateTimeOffset? From = null);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        private const decimal Max = 1_000_000m;
        private const decimal MaxMore = 10_000m;

        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (Check(request.Tariff) is { } malformed)
            {
                return Result<Done>.Of(malformed);
            }

            if (access.Check(actor, Permission.ManagePlans) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            if (!(await PriceSetting.FindAsync(db, request.Plan, request.Buyer, request.Tariff.Smallest.Currency, request.From, ct)).TryGet(out var found, out var no))
            {
                return Result<Done>.Of(no);
            }

            var (asked, currency) = (request.Tariff, request.Tariff.Smallest.Currency);
            var before = found.Tenant is { } buyer ? await db.FindTariffAsync(buyer.Id, found.Plan.Id, currency, found.From, ct) : await db.FindListTariffAsync(found.Plan.Id, currency, found.From, ct);
            // A form that is saved with the price that it showed sets none.
            if (before == asked && request is { From: null, Buyer: null })
            {
                return default(Done);
            }

            db.Add(found.Tenant is { } tenant ? new TenantPrice(tenant.Id, found.Plan.Id, asked, found.From) : new PlanPrice(found.Plan.Id, asked, found.From));
            db.Add(AuditEntry.OfPlatform(actor, "price.set", found.Plan.Id.Value, found.Plan.Name, $"{found.Scope}{InWords(before)} -> {InWords(asked)}, in {currency}"));
            return await PriceSetting.SaveAsync(db, "price", ct);
        }

        internal static Refusal? Check(Tariff asked)
        {
            (string Field, decimal Rate)[] rates =
            [
                ("running", asked.Smallest.RunningPerHour),
                ("allocated", asked.Smallest.AllocatedPerHour),
                ("perVcpu", asked.RunningPerVcpu),
                ("perMemoryGiB", asked.RunningPerMemoryGiB),
                ("perDiskGiB", asked.AllocatedPerDiskGiB),
            ];
            var (setup, coins) = (asked.Smallest.Setup, asked.Smallest.Currency.MinorUnits);
            return Shape.Check(
            [
                .. rates.Select(r => (r.Rate is >= 0 and <= Max, r.Field, "A rate is 0 to 1 000 000 an hour.")),
                // Times the largest plan there can be it has to fit into what a rate may be.
                .. rates.Skip(2).Select(r => (r.Rate <= MaxMore, r.Field, "A rate for what is more is at most 10 000 an hour.")),
                .. rates.Select(r => (decimal.Round(r.Rate, 10) == r.Rate, r.Field, "A rate has at most ten decimals.")),
                (setup is >= 0 and <= Max, "setup", "A setup fee is 0 to 1 000 000."),
                (decimal.Round(setup, coins) == setup, "setup", coins == 0 ? $"{asked.Smallest.Currency} has no decimals." : $"{asked.Smallest.Currency} has {coins} decimals."),
            ]);
        }

        private static string InWords(Tariff? tariff) => tariff is null ? "none"
            : string.Create(CultureInfo.InvariantCulture, $"{tariff.Smallest.RunningPerHour:0.##########} + {tariff.Smallest.AllocatedPerHour:0.##########} an hour, more: {tariff.RunningPerVcpu:0.##########} a vCPU, {tariff.RunningPerMemoryGiB:0.##########} a GiB of memory, {tariff.AllocatedPerDiskGiB:0.##########} a GiB of disk, and {tariff.Smallest.Setup:0.##########} once");
    }
}

/// <summary>Ends a tenant's own price of a plan: from then on the list's holds for it too.</summary>
public static class EndTenantPrice
{
    /// <param name="From">Null for now.</param>
    public sealed record Request(PlanId Plan, TenantId Buyer, DateTimeOffset? From = null);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManagePlans) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            if (!(await PriceSetting.FindAsync(db, request.Plan, request.Buyer, null, request.From, ct)).TryGet(out var found, out var no))
            {
                return Result<Done>.Of(no);
            }

            var tenant = found.Tenant!;
            if (await db.TenantPrices.Where(p => p.TenantId == tenant.Id && p.PlanId == found.Plan.Id && p.Currency == tenant.Currency).FindInForceAsync(found.From, ct) is not { Ends: false })
            {
                return new NotFound("price of this tenant's own");
            }

            db.Add(TenantPrice.End(tenant.Id, found.Plan.Id, tenant.Currency, found.From));
            db.Add(AuditEntry.OfPlatform(actor, "price.ended", found.Plan.Id.Value, found.Plan.Name, $"{found.Scope}the list's holds"));
            return await PriceSetting.SaveAsync(db, "price", ct);
        }
    }
}

/// <summary>Takes back a price that has not begun yet. It stays in the plan's history as withdrawn.</summary>
public static class WithdrawPrice
{
    public sealed record Request(PlanId Plan, Guid Price);

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
            var plan = await db.Plans.AsNoTracking().SingleOrDefaultAsync(p => p.Id == request.Plan, ct);
            var now = await db.NowAsync(ct);
            // One statement, so that what begins at this moment, or was withdrawn by somebody else, is left as it is.
            var withdrawn = await db.PlanPrices.Where(p => p.Id == request.Price && p.PlanId == request.Plan && p.WithdrawnAt == null && p.ValidFrom > now).ExecuteUpdateAsync(s => s.SetProperty(p => p.WithdrawnAt, now), ct)
                + await db.TenantPrices.Where(p => p.Id == request.Price && p.PlanId == request.Plan && p.WithdrawnAt == null && p.ValidFrom > now).ExecuteUpdateAsync(s => s.SetProperty(p => p.WithdrawnAt, now), ct);
            if (plan is null || withdrawn == 0)
            {
                return new NotFound("price that has yet to begin");
            }

            db.Add(AuditEntry.OfPlatform(actor, "price.withdrawn", plan.Id.Value, plan.Name, $"before it began: {request.Price}"));
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
            return default(Done);
        }
    }
}

/// <summary>What setting and ending prices have in common.</summary>
internal static class PriceSetting
{
    /// <param name="From">When it begins.</param>
    public sealed record Found(Plan Plan, Tenant? Tenant, DateTimeOffset From, bool Later)
    {
        /// <summary>Whose price and from when, for the audit; empty for the list's from now on.</summary>
        public string Scope => (Tenant is null ? "" : $"for {Tenant.Name}, ") + (Later ? $"from {From.UtcDateTime:u}, " : "");
    }

    public static async Task<Result<Found>> FindAsync(PortalDb db, PlanId id, TenantId? buyer, Currency? currency, DateTimeOffset? from, CancellationToken ct)
    {
        var plan = await db.Plans.AsNoTracking().SingleOrDefaultAsync(p => p.Id == id, ct);
        if (plan is null)
        {
            return new NotFound("plan");
        }

        var tenant = buyer is null ? null : await db.Tenants.AsNoTracking().SingleOrDefaultAsync(t => t.Id == buyer, ct);
        if (buyer is not null && tenant is null)
        {
            return new NotFound("tenant");
        }

        if (tenant is not null && currency is { } asked && tenant.Currency != asked)
        {
            return new OtherCurrency(tenant.Name, tenant.Currency);
        }

        return (await FromAsync(db, from, ct)).TryGet(out var at, out var refusal) ? new Found(plan, tenant, at, from is not null) : Result<Found>.Of(refusal);
    }

    /// <summary>The instant from which something holds: never in the past.</summary>
    public static async Task<Result<DateTimeOffset>> FromAsync(PortalDb db, DateTimeOffset? from, CancellationToken ct)
    {
        var now = await db.NowAsync(ct);
        return from is { } at && (at < now || at > now.AddYears(10)) ? new Invalid("from", "The past is fixed: choose an instant between now and ten years ahead.") : (from ?? now).ToUniversalTime();
    }

    public static async Task<Result<Done>> SaveAsync(PortalDb db, string what, CancellationToken ct)
    {
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return new FromTaken(what);
        }

        return default(Done);
    }
}
