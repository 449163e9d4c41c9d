using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Metering;
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

    /// <param name="AsOf">Up to when it was counted.</param>
    /// <param name="Total">The sum of the unrounded lines, rounded once.</param>
    public sealed record Usage(DateTimeOffset From, DateTimeOffset To, DateTimeOffset AsOf, Currency Currency, IReadOnlyList<Line> Lines, Money Total);

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

            var lines = intervals
                .Select(u => (Interval: u, Span: new UtcSpan(u.From.ToUniversalTime(), (u.To ?? (now > u.From ? now : u.From)).ToUniversalTime()).Overlap(month)))
                .Where(u => u.Span is not null)
                .GroupBy(u => (u.Interval.VmId, u.Interval.VmName, u.Interval.PlanName, u.Interval.Meter, u.Interval.RatePerHour))
                .Select(g =>
                {
                    var seconds = g.Sum(u => Seconds(u.Span!.Value.Length));
                    return new Line(g.Key.VmId, g.Key.VmName, g.Key.PlanName, g.Key.Meter, seconds, g.Key.RatePerHour, Amount(seconds, g.Key.RatePerHour),
                        [.. g.Select(u => new Stretch(u.Span!.Value.From, u.Span.Value.To, u.Interval.To is null))]);
                })
                .OrderBy(l => l.VmName, StringComparer.Ordinal).ThenBy(l => l.Meter).ToList();
            var total = new Money(lines.Sum(l => l.Amount), tenant.Currency).ToInvoicePrecision();
            return new Usage(month.From, month.To, now < month.To ? now : month.To, tenant.Currency, lines, total);
        }
    }

    /// <summary>What some seconds cost at an hourly rate: multiplied before it is divided, so that whole hours come out whole.</summary>
    public static decimal Amount(decimal seconds, decimal ratePerHour) => seconds * ratePerHour / 3600m;

    // Ticks are 100 ns, PostgreSQL keeps microseconds: exact in decimal.
    private static decimal Seconds(TimeSpan length) => length.Ticks / (decimal)TimeSpan.TicksPerSecond;
}
