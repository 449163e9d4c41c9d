using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.App.Quotas;
using Portal.Kernel;

namespace Portal.App.Billing;

/// <summary>What a tenant sees first: whether all is well, what is under way, what is left, what it costs.</summary>
public static class GetOverview
{
    /// <summary>At most so many things are named that need somebody.</summary>
    public const int MaxTroubles = 10;

    /// <summary>At most so many operations are shown.</summary>
    public const int MaxLive = 20;

    public sealed record Request(TenantId Tenant);

    /// <summary>A VM that needs somebody.</summary>
    public sealed record Trouble(VmId Vm, string Name, ShownStatus Status, string? Why);

    /// <param name="Counts">VMs by status; a status without VMs is left out.</param>
    /// <param name="Troubles">The first that need somebody, the newest first.</param>
    /// <param name="Month">This month so far; null for those who may not see costs, as is the forecast.</param>
    /// <param name="Forecast">The month's end, if everything went on as it is now.</param>
    public sealed record Overview(
        IReadOnlyDictionary<ShownStatus, int> Counts,
        IReadOnlyList<Trouble> Troubles,
        int OrdersWaiting,
        QuotaState Quota,
        IReadOnlyList<OperationRow> Live,
        Taxed? Month,
        Taxed? Forecast)
    {
        public int Vms => Counts.Values.Sum();
    }

    public sealed class Handler(PortalDbs dbs, AccessRules access, MonthUsage.Handler usage)
    {
        private static readonly HashSet<ShownStatus> s_trouble = [ShownStatus.Failed, ShownStatus.Crashed, ShownStatus.Unreachable, ShownStatus.Differs];

        public async Task<Result<Overview>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeTenant, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == request.Tenant, ct);
            var now = await db.NowAsync(ct);
            var vms = await db.Vms.AsNoTracking().Where(v => v.TenantId == request.Tenant && v.DeletedAt == null).OrderByDescending(v => v.Id)
                .Select(v => new { v.Id, v.Name, v.Stage, v.Wanted, v.Seen, v.SeenAt, v.Saved, v.Problem }).ToListAsync(ct);
            var busy = (await db.Operations.AsNoTracking().Where(o => o.TenantId == request.Tenant && o.FinishedAt == null).Select(o => new { o.VmId, o.Kind, o.State }).ToListAsync(ct)).ToDictionary(o => o.VmId);
            var live = await db.Operations.AsNoTracking().Include(o => o.Steps).Where(o => o.TenantId == request.Tenant && o.FinishedAt == null).OrderBy(o => o.CreatedAt).Take(MaxLive).ToListAsync(ct);
            var shown = vms.Select(v => (
                Vm: v,
                // Whether the last operation failed only tells "failed" from "differs": both need somebody, and the VM's page says which.
                Status: Shown.Of(new StatusFacts(v.Stage, v.Wanted, v.Seen, v.SeenAt, v.Saved, busy.GetValueOrDefault(v.Id)?.Kind, busy.GetValueOrDefault(v.Id)?.State, LastFailed: false), now))).ToList();
            var cost = access.Allows(actor, Permission.SeeCost, request.Tenant) ? await usage.HandleAsync(new MonthUsage.Request(request.Tenant), actor, ct) : default(Result<MonthUsage.Usage>?);
            var month = cost is { Succeeded: true } read ? read.Value : null;
            return new Overview(
                shown.GroupBy(s => s.Status).ToDictionary(g => g.Key, g => g.Count()),
                [.. shown.Where(s => s_trouble.Contains(s.Status)).Take(MaxTroubles).Select(s => new Trouble(s.Vm.Id, s.Vm.Name, s.Status, s.Vm.Problem))],
                await db.Orders.CountAsync(o => o.TenantId == request.Tenant && o.Lines.Any(l => l.State == LineState.Waiting), ct),
                await db.ReadQuotaAsync(tenant, ct),
                [.. live.Select(OperationRow.Of)],
                month?.Sum,
                month?.Forecast);
        }
    }
}
