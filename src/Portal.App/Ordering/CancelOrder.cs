using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Quotas;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Takes back an order that still waits; its quota is free again.</summary>
public static class CancelOrder
{
    public sealed record Request(TenantId Tenant, OrderId Order);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Safe to repeat: an order that was cancelled stays so.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.OrderVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.LockTenantAsync(request.Tenant, ct);
            var order = await db.Orders.Include(o => o.Lines).SingleOrDefaultAsync(o => o.Id == request.Order && o.TenantId == request.Tenant, ct);
            if (order is null)
            {
                return new NotFound("order");
            }

            if (order.ClosedAt is not null)
            {
                return order.Lines[0].State == LineState.Cancelled ? default(Done) : new DecidedAlready("This order is decided already. Delete its VMs if you do not want them.");
            }

            await db.CloseAsync(order, LineState.Cancelled, actor, "order.cancelled", ct);
            await transaction.CommitAsync(ct);
            return default(Done);
        }
    }

    internal static async Task CloseAsync(this PortalDb db, Order order, LineState state, Actor actor, string verb, CancellationToken ct)
    {
        order.Close(state, await db.NowAsync(ct));
        var lines = order.Lines.Select(l => l.Id).ToList();
        await db.QuotaReservations.Where(r => lines.Contains(r.OrderLineId)).ExecuteDeleteAsync(ct);
        db.Add(AuditEntry.Of(actor, order.TenantId, verb, order.Id.Value, $"Order {order.Number}"));
        await db.SaveChangesAsync(ct);
        await db.AnnounceAsync(Topic.Approvals, ct);
        await db.AnnounceAsync(Topic.Of(order.TenantId), ct);
        await db.AnnounceAsync(Topic.Of(order.Id), ct);
    }
}
