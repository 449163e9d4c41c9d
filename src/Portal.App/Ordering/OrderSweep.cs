using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.App.Quotas;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Expires orders that nobody decided on, and asks policies again whose yes was lost or found no room.</summary>
public sealed class OrderSweep(PortalDbs dbs, DecideOrder.ByPolicy policy, TimeProvider clock, ILogger<OrderSweep> logger)
    : Recurring(TimeSpan.FromSeconds(20), clock, logger)
{
    private const int Policies = 100;

    private int _asked;

    protected override Task PassAsync(CancellationToken ct) => SweepAsync(ct);

    /// <summary>One pass. Safe to repeat, and on every replica.</summary>
    public async Task SweepAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var now = await db.NowAsync(ct);
        // While a question is open the clock stands still, for a while.
        var paused = now - Order.MaxPause;
        var expired = await db.Orders.Where(o => o.ClosedAt == null && (o.QuestionAt == null ? o.ExpiresAt <= now : o.ExpiresAt <= paused)).Select(o => new { o.Id, o.TenantId }).ToListAsync(ct);
        await EachAsync(expired, o => ExpireAsync(o.Id, o.TenantId, ct), ct);

        var waiting = await (from order in db.Orders
                             where order.ClosedAt == null && order.Number > _asked && !db.ApprovalSteps.Any(s => s.OrderId == order.Id && s.DecidedAt == null)
                             orderby order.Number
                             select new { order.Id, order.Number }).Take(Policies).ToListAsync(ct);
        // The next pass goes on where this one ended: what finds no room must not keep those behind it from being asked.
        _asked = waiting.Count < Policies ? 0 : waiting[^1].Number;
        await EachAsync(waiting, o => policy.DecideAsync(o.Id, ct), ct);
    }

    private async Task ExpireAsync(OrderId id, TenantId tenant, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.LockTenantAsync(tenant, ct);
        var order = await db.Orders.Include(o => o.Lines).SingleAsync(o => o.Id == id, ct);
        if (order.ClosedAt is null)
        {
            await db.CloseAsync(order, LineState.Expired, Actor.Portal, "order.expired", ct);
            await transaction.CommitAsync(ct);
        }
    }
}
