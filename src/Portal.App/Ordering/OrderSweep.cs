using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Portal.App.Access;
using Portal.App.Quotas;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Expires orders that nobody decided on, and asks policies again whose yes was lost or found no room.</summary>
public sealed partial class OrderSweep(PortalDbs dbs, DecideOrder.ByPolicy policy, TimeProvider clock, ILogger<OrderSweep> logger) : BackgroundService
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(20);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(s_period, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception e) when (e is NpgsqlException or DbUpdateException or InvalidOperationException or TimeoutException)
            {
                SweepFailed(logger, e.Message);
            }
        }
    }

    /// <summary>One pass. Safe to repeat, and on every replica.</summary>
    public async Task SweepAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var now = await db.NowAsync(ct);
        foreach (var order in await db.Orders.Where(o => o.ClosedAt == null && o.ExpiresAt <= now).Select(o => new { o.Id, o.TenantId }).ToListAsync(ct))
        {
            await ExpireAsync(order.Id, order.TenantId, ct);
        }

        var waiting = await (from step in db.ApprovalSteps
                             join order in db.Orders on step.OrderId equals order.Id
                             where step.Mode == ApprovalMode.Automatic && step.DecidedAt == null && order.ClosedAt == null
                             orderby order.Number
                             select order.Id).Take(100).ToListAsync(ct);
        foreach (var order in waiting)
        {
            await policy.DecideAsync(order, ct);
        }
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

    [LoggerMessage(EventId = 4001, Level = LogLevel.Warning, Message = "The sweep over orders failed and is tried again: {Problem}")]
    private static partial void SweepFailed(ILogger logger, string problem);
}
