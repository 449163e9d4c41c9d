using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.App.Quotas;
using Portal.Kernel;

namespace Portal.App.Billing;

/// <summary>How much a tenant has left: what its VMs use, what waits in orders, which VMs are the biggest, and what a month comes to.</summary>
public static class GetQuota
{
    /// <summary>At most so many VMs and orders are named.</summary>
    public const int Most = 10;

    public sealed record Request(TenantId Tenant);

    /// <param name="Counts">Whether it counts for vCPU and memory.</param>
    public sealed record Big(VmId Vm, string Name, int Vcpus, ByteSize Memory, ByteSize Disk, bool Counts);

    /// <summary>An order that waits, with what it holds.</summary>
    public sealed record Holding(OrderId Order, int Number, string What, QuotaAmount Amount, DateTimeOffset Until);

    /// <param name="Spending">Null for those who may not see costs.</param>
    public sealed record Quota(QuotaState State, IReadOnlyList<Big> Biggest, IReadOnlyList<Holding> Holdings, SpendingState? Spending);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Quota>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeTenant, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == request.Tenant, ct);
            var big = await db.Vms.AsNoTracking().Where(v => v.TenantId == request.Tenant && v.DeletedAt == null)
                .OrderByDescending(v => v.Memory).ThenByDescending(v => v.Disk).ThenBy(v => v.Name).Take(Most).ToListAsync(ct);
            var waiting = await db.Orders.AsNoTracking().Include(o => o.Lines).Where(o => o.TenantId == request.Tenant && o.Lines.Any(l => l.State == LineState.Waiting && l.ChangesVmId == null)).OrderBy(o => o.Number).Take(Most).ToListAsync(ct);
            return new Quota(
                await db.ReadQuotaAsync(tenant, ct),
                [.. big.Select(v => new Big(v.Id, v.Name, v.Vcpus, v.Memory, v.Disk, !tenant.RunningOnly || v.CountsAsRunning))],
                [
                    .. waiting.Select(o => new Holding(
                        o.Id, o.Number, string.Join("; ", o.Lines.Select(l => l.What)), o.Lines.Select(l => new QuotaAmount(1, l.Vcpus, l.Memory, l.Disk) * l.Names.Length).Aggregate((a, b) => a + b), o.ExpiresAt)),
                ],
                access.Allows(actor, Permission.SeeCost, request.Tenant) ? await db.ReadSpendingAsync(tenant, ct) : null);
        }
    }
}
