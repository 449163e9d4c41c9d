using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.Kernel;

namespace Portal.App.Pricing;

/// <summary>A plan's price as its history shows it.</summary>
/// <param name="Buyer">Whose own it is; null for the list's, as is its name.</param>
/// <param name="Tariff">Null where a tenant's own price ends, and the list's holds again.</param>
/// <param name="Until">When the next one begins; null where none is there yet, and of what was withdrawn.</param>
public sealed record PriceRow(Guid Id, TenantId? Buyer, string? BuyerName, Currency Currency, Tariff? Tariff, DateTimeOffset ValidFrom, DateTimeOffset? Until, DatedState State);

/// <summary>A plan with all its prices: what holds, what will, what did.</summary>
public static class GetPrices
{
    public sealed record Request(PlanId Plan);

    /// <param name="Buyers">The tenants whose own prices may be set or seen here.</param>
    /// <param name="Currencies">Those in which anything is sold or paid.</param>
    public sealed record Prices(PlanRow Plan, IReadOnlyList<PriceRow> Rows, IReadOnlyList<Buyer> Buyers, IReadOnlyList<Currency> Currencies);

    public sealed record Buyer(TenantId Id, string Name, Currency Currency);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Prices>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeCatalogue) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var plan = await db.Plans.AsNoTracking().SingleOrDefaultAsync(p => p.Id == request.Plan, ct);
            if (plan is null)
            {
                return new NotFound("plan");
            }

            var now = await db.NowAsync(ct);
            // What a tenant has agreed on is seen by those who see what it pays.
            var tenants = (await db.Tenants.AsNoTracking().OrderBy(t => t.Name).ToListAsync(ct)).Where(t => access.Allows(actor, Permission.SeeCost, t.Id)).ToDictionary(t => t.Id);
            var list = await db.PlanPrices.AsNoTracking().Where(p => p.PlanId == plan.Id).ToListAsync(ct);
            var own = (await db.TenantPrices.AsNoTracking().Where(p => p.PlanId == plan.Id).ToListAsync(ct)).Where(p => tenants.ContainsKey(p.TenantId));
            var rows = list.GroupBy(p => p.Currency).SelectMany(g => Rows(g, now, _ => null, _ => null))
                .Concat(own.GroupBy(p => (p.TenantId, p.Currency)).SelectMany(g => Rows(g, now, p => p.TenantId, p => tenants[p.TenantId].Name)))
                .OrderByDescending(r => r.ValidFrom).ToList();
            var tariff = list.Where(p => p.Currency == Currency.Eur).InForce(now)?.ToTariff();
            return new Prices(
                new PlanRow(plan.Id, plan.Name, plan.Size, plan.Largest, plan.Offered, tariff, plan.PausedBecause, plan.Stock, (await db.ReadStockAsync([plan.Id], ct)).TryGetValue(plan.Id, out var left) ? left : null),
                rows,
                [.. tenants.Values.Select(t => new Buyer(t.Id, t.Name, t.Currency))],
                [.. tenants.Values.Select(t => t.Currency).Concat(await db.PlanPrices.Select(p => p.Currency).Distinct().ToListAsync(ct)).Append(Currency.Eur).Distinct().OrderBy(c => c.Code, StringComparer.Ordinal)]);
        }

        private static IEnumerable<PriceRow> Rows<T>(IEnumerable<T> prices, DateTimeOffset now, Func<T, TenantId?> buyer, Func<T, string?> name)
            where T : DatedPrice
        {
            var all = prices.OrderBy(p => p.ValidFrom).ToList();
            var stand = all.Where(p => p.WithdrawnAt is null).ToList();
            var holds = stand.InForce(now);
            return all.Select(p => new PriceRow(
                p.Id,
                buyer(p),
                name(p),
                p.Currency,
                p is TenantPrice { Ends: true } ? null : p.ToTariff(),
                p.ValidFrom,
                p.WithdrawnAt is null ? stand.FirstOrDefault(next => next.ValidFrom > p.ValidFrom)?.ValidFrom : null,
                p.WithdrawnAt is not null ? DatedState.Withdrawn : p.ValidFrom > now ? DatedState.Scheduled : p == holds ? DatedState.Now : DatedState.Past));
        }
    }
}

/// <summary>The currencies in which anything is sold or paid.</summary>
public static class ListCurrencies
{
    public sealed record Request;

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<Currency>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeCatalogue) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var paid = await db.Tenants.Select(t => t.Currency).Distinct().ToListAsync(ct);
            var sold = await db.PlanPrices.Select(p => p.Currency).Distinct().ToListAsync(ct);
            return Result<IReadOnlyList<Currency>>.Of([.. paid.Concat(sold).Append(Currency.Eur).Distinct().OrderBy(c => c.Code, StringComparer.Ordinal)]);
        }
    }
}

/// <summary>Says what a price that is not set yet would mean to those who have VMs of the plan. Changes nothing.</summary>
public static class PreviewPrice
{
    /// <param name="Buyer">The tenant whose own price it would be; null for the list's.</param>
    public sealed record Request(PlanId Plan, Tariff Tariff, TenantId? Buyer = null);

    /// <summary>What a tenant's VMs of the plan cost a month while they run, and what the same would cost if they were ordered at that price.</summary>
    /// <param name="OwnPrice">The list's price does not reach it: it has one of its own now.</param>
    public sealed record Effect(TenantId Tenant, string Name, int Vms, Money Now, Money Then, bool OwnPrice)
    {
        public Money More => new(Then.Amount - Now.Amount, Now.Currency);
    }

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<Effect>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (SetPrice.Handler.Check(request.Tariff) is { } malformed)
            {
                return Result<IReadOnlyList<Effect>>.Of(malformed);
            }

            if (access.Check(actor, Permission.ManagePlans) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var plan = await db.Plans.AsNoTracking().SingleOrDefaultAsync(p => p.Id == request.Plan, ct);
            if (plan is null)
            {
                return new NotFound("plan");
            }

            var now = await db.NowAsync(ct);
            var currency = request.Tariff.Smallest.Currency;
            var vms = await db.Vms.AsNoTracking().Where(v => v.PlanId == plan.Id && v.DeletedAt == null && v.Currency == currency && (request.Buyer == null || v.TenantId == request.Buyer))
                .Select(v => new { v.TenantId, v.Vcpus, v.Memory, v.Disk, v.RunningPerHour, v.AllocatedPerHour }).ToListAsync(ct);
            var names = await db.Tenants.AsNoTracking().ToDictionaryAsync(t => t.Id, t => t.Name, ct);
            var own = (await db.TenantPrices.AsNoTracking().Where(p => p.PlanId == plan.Id && p.Currency == currency).ToListAsync(ct)).ToLookup(p => p.TenantId);
            return Result<IReadOnlyList<Effect>>.Of(
            [
                .. vms.GroupBy(v => v.TenantId).Select(g => new Effect(
                    g.Key,
                    names[g.Key],
                    g.Count(),
                    new Money(g.Sum(v => v.RunningPerHour + v.AllocatedPerHour) * Price.HoursPerMonth, currency),
                    // What is on a server has no disk and pays for none; no size is below the plan's smallest.
                    new Money(g.Sum(v => request.Tariff.Of(plan.Size, new VmSize(Math.Max(v.Vcpus, plan.Vcpus), Larger(v.Memory, plan.Memory), Larger(v.Disk, plan.Disk))).PerHour.Amount) * Price.HoursPerMonth, currency),
                    request.Buyer is null && own[g.Key].InForce(now) is { Ends: false })).OrderBy(e => e.Name, StringComparer.Ordinal),
            ]);
        }

        private static ByteSize Larger(ByteSize one, ByteSize other) => one > other ? one : other;
    }
}
