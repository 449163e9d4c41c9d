using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Metering;
using Portal.App.Pricing;
using Portal.Kernel;

namespace Portal.App.Billing;

/// <summary>What a tenant's VMs used in a month, and what that costs so far.</summary>
public static class MonthUsage
{
    /// <param name="Month">Any instant in it, UTC; null for the running one.</param>
    public sealed record Request(TenantId Tenant, DateTimeOffset? Month = null);

    /// <summary>One stretch, cut to the month.</summary>
    /// <param name="Open">Whether it goes on.</param>
    public sealed record Stretch(DateTimeOffset From, DateTimeOffset To, bool Open);

    /// <summary>One VM, one meter, one rate.</summary>
    /// <param name="Seconds">Exact, to the microsecond.</param>
    /// <param name="Amount">Seconds / 3600 x rate, computed as (seconds x rate) / 3600 and not rounded.</param>
    public sealed record Line(VmId Vm, string VmName, string PlanName, Meter Meter, decimal Seconds, decimal RatePerHour, decimal Amount, IReadOnlyList<Stretch> Stretches)
    {
        public decimal Hours => Seconds / 3600m;
    }

    /// <summary>What a VM cost once, when it first ran.</summary>
    public sealed record SetupLine(VmId Vm, string VmName, string PlanName, DateTimeOffset At, decimal Amount);

    /// <param name="AsOf">Up to when it was counted.</param>
    /// <param name="Sum">The sum of the unrounded lines, with the tax of the time that each part was used at.</param>
    /// <param name="Forecast">The same at the month's end, if everything went on as it is now.</param>
    public sealed record Usage(DateTimeOffset From, DateTimeOffset To, DateTimeOffset AsOf, Currency Currency, IReadOnlyList<Line> Lines, IReadOnlyList<SetupLine> Setups, Taxed Sum, Taxed Forecast)
    {
        /// <summary>The sum of the unrounded lines, rounded once; without tax.</summary>
        public Money Total => Sum.Net;
    }

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Usage>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeCost, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var now = (await db.NowAsync(ct)).ToUniversalTime();
            var month = UtcSpan.MonthOf((request.Month ?? now).ToUniversalTime());
            var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == request.Tenant, ct);
            var intervals = await db.UsageIntervals.AsNoTracking()
                .Where(u => u.TenantId == request.Tenant && u.From < month.To && (u.To == null || u.To > month.From))
                .OrderBy(u => u.From).ToListAsync(ct);

            var setups = (await db.SetupCharges.AsNoTracking().Where(c => c.TenantId == request.Tenant && c.At >= month.From && c.At < month.To).ToListAsync(ct))
                .Select(c => new SetupLine(c.VmId, c.VmName, c.PlanName, c.At.ToUniversalTime(), c.Amount)).OrderBy(c => c.VmName, StringComparer.Ordinal).ToList();
            var tax = await db.ReadTaxAsync(request.Tenant, ct);
            var used = intervals
                .Select(u => (Interval: u, Span: new UtcSpan(u.From.ToUniversalTime(), (u.To ?? (now > u.From ? now : u.From)).ToUniversalTime()).Overlap(month)))
                .Where(u => u.Span is not null).ToList();
            var lines = used
                .GroupBy(u => (u.Interval.VmId, u.Interval.VmName, u.Interval.PlanName, u.Interval.Meter, u.Interval.RatePerHour))
                .Select(g =>
                {
                    var seconds = g.Sum(u => Seconds(u.Span!.Value.Length));
                    return new Line(g.Key.VmId, g.Key.VmName, g.Key.PlanName, g.Key.Meter, seconds, g.Key.RatePerHour, Amount(seconds, g.Key.RatePerHour),
                        [.. g.Select(u => new Stretch(u.Span!.Value.From, u.Span.Value.To, u.Interval.To is null))]);
                })
                .OrderBy(l => l.VmName, StringComparer.Ordinal).ThenBy(l => l.Meter).ToList();
            var asOf = now < month.To ? now : month.To;
            var sofar = used.SelectMany(u => Parts(tax, u.Span!.Value, u.Interval.RatePerHour)).Concat(setups.Select(s => (tax.At(s.At), s.Amount))).ToList();
            var net = lines.Sum(l => l.Amount) + setups.Sum(s => s.Amount);
            UtcSpan? left = asOf < month.To ? new UtcSpan(asOf, month.To) : null;
            var goesOn = used.Where(u => u.Interval.To is null).Sum(u => u.Interval.RatePerHour);
            return new Usage(
                month.From, month.To, asOf, tenant.Currency, lines, setups,
                Sum(sofar, net), Sum([.. sofar, .. left is { } span ? Parts(tax, span, goesOn) : []], net + (left is { } ahead ? Amount(Seconds(ahead.Length), goesOn) : 0)));

            // Where nothing was used there is still a rate to name. What is divided as a whole is the sum, to its last decimal.
            Taxed Sum(IReadOnlyCollection<(decimal? Percent, decimal Net)> parts, decimal whole) =>
                Taxed.Of(tenant.Currency, parts.Count > 0 ? parts : [(tax.At(asOf), 0m)]) with { Net = new Money(whole, tenant.Currency).ToInvoicePrecision() };
        }

        // By the rates that were in force: usage is cut where one of them begins.
        private static IEnumerable<(decimal? Percent, decimal Net)> Parts(TaxTimes tax, UtcSpan span, decimal ratePerHour) =>
            tax.PartsOf(span).Select(p => (p.Percent, Amount(Seconds(p.Span.Length), ratePerHour)));
    }

    /// <summary>What some seconds cost at an hourly rate: multiplied before it is divided, so that whole hours come out whole.</summary>
    public static decimal Amount(decimal seconds, decimal ratePerHour) => seconds * ratePerHour / 3600m;

    // Ticks are 100 ns, PostgreSQL keeps microseconds: exact in decimal.
    private static decimal Seconds(TimeSpan length) => length.Ticks / (decimal)TimeSpan.TicksPerSecond;
}
