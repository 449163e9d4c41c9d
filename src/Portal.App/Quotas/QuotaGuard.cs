using Microsoft.EntityFrameworkCore;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Quotas;

/// <summary>What a tenant's VMs use, what its waiting orders hold, and its limits. Summed over rows, never counted along.</summary>
public sealed record QuotaState(QuotaAmount Used, QuotaAmount InOrders, TenantLimits Limits)
{
    public QuotaAmount Total => Used + InOrders;

    /// <summary>What there is more of than is allowed now, in words: limits may be lowered below what is used.</summary>
    public IReadOnlyList<string> Beyond =>
    [
        .. new (string Words, bool Fits)[]
        {
            ("VMs", Limits.Vms.Allows(Total.Vms)),
            ("addresses", Limits.Addresses.Allows(Total.Addresses)),
            ("vCPU", Limits.Vcpus.Allows(Total.Vcpus)),
            ("memory", Limits.MemoryMiB.Allows(Total.Memory.CeilingMiB)),
            ("disk", Limits.DiskGiB.Allows(Total.Disk.CeilingGiB)),
            ("VMs in waiting orders", Limits.WaitingVms.Allows(InOrders.Vms)),
        }.Where(l => !l.Fits).Select(l => l.Words),
    ];

    /// <summary>The same for an order, which waits with all that it asks for until somebody decides.</summary>
    public Refusal? CheckOrder(QuotaAmount asked) => Check(asked) ?? (Limits.WaitingVms.Allows(InOrders.Vms + asked.Vms) ? null : new TooManyWaiting(Limits.WaitingVms, InOrders.Vms, asked.Vms));

    /// <summary>The first limit that <paramref name="asked"/> would pass; only what it adds to is checked.</summary>
    public Refusal? Check(QuotaAmount asked)
    {
        var total = Total + asked;
        if (asked.Vms > 0 && !Limits.Vms.Allows(total.Vms))
        {
            return new QuotaExceeded("quota.vms", "VMs", Limits.Vms, Total.Vms, asked.Vms);
        }

        if (asked.Addresses > 0 && !Limits.Addresses.Allows(total.Addresses))
        {
            return new QuotaExceeded("quota.addresses", "addresses", Limits.Addresses, Total.Addresses, asked.Addresses);
        }

        if (asked.Vcpus > 0 && !Limits.Vcpus.Allows(total.Vcpus))
        {
            return new QuotaExceeded("quota.vcpus", "vCPUs", Limits.Vcpus, Total.Vcpus, asked.Vcpus);
        }

        if (asked.Memory > ByteSize.Zero && !Limits.MemoryMiB.Allows(total.Memory.CeilingMiB))
        {
            return new QuotaExceeded("quota.memory", "MiB of memory", Limits.MemoryMiB, Total.Memory.CeilingMiB, asked.Memory.CeilingMiB);
        }

        if (asked.Disk > ByteSize.Zero && !Limits.DiskGiB.Allows(total.Disk.CeilingGiB))
        {
            return new QuotaExceeded("quota.disk", "GiB of disk", Limits.DiskGiB, Total.Disk.CeilingGiB, asked.Disk.CeilingGiB);
        }

        return null;
    }
}

/// <summary>Reads a tenant's quota. To hold against a race the caller has locked the tenant first.</summary>
public static class QuotaGuard
{
    // Space of advisory locks: (QuotaLocks, hash of the tenant). Two tenants with one hash only wait for each other.
    private const int QuotaLocks = 7002;

    /// <summary>Makes this transaction the only one that orders or decides for the tenant: first of all locks, as its own statement.</summary>
    public static Task LockTenantAsync(this PortalDb db, TenantId tenant, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({QuotaLocks}, hashtext({tenant.ToString()}))", ct);

    public static async Task<QuotaState> ReadQuotaAsync(this PortalDb db, Tenant tenant, CancellationToken ct)
    {
        var used = await db.Database.SqlQuery<Sum>(
            $"""
            SELECT count(*)::int AS vms, coalesce(sum(vcpus) FILTER (WHERE counts), 0)::int AS vcpus, coalesce(sum(memory) FILTER (WHERE counts), 0)::bigint AS memory, coalesce(sum(disk), 0)::bigint AS disk
            FROM (SELECT *, NOT ({tenant.RunningOnly} AND wanted = 'Stopped' AND seen IN ('Off', 'Absent', 'Crashed')) AS counts FROM vms) v WHERE tenant_id = {tenant.Id.Value} AND deleted_at IS NULL
            """).SingleAsync(ct);
        var held = await db.Database.SqlQuery<Sum>(
            $"""
            SELECT coalesce(sum(vms), 0)::int AS vms, coalesce(sum(vcpus), 0)::int AS vcpus, coalesce(sum(memory), 0)::bigint AS memory, coalesce(sum(disk), 0)::bigint AS disk
            FROM quota_reservations WHERE tenant_id = {tenant.Id.Value}
            """).SingleAsync(ct);
        return new QuotaState(used.ToAmount(), held.ToAmount(), tenant.Limits);
    }

    private sealed record Sum(int Vms, int Vcpus, long Memory, long Disk)
    {
        public QuotaAmount ToAmount() => new(Vms, Vcpus, new ByteSize(Memory), new ByteSize(Disk));
    }
}

/// <summary>What a tenant may have waiting in orders is bounded, so that nobody holds what nobody decides on.</summary>
public sealed record TooManyWaiting(Limit Limit, long Waiting, long Asked)
    : Refusal("quota.waiting", $"At most {Limit} VMs may wait in orders at once: {Waiting} wait, {Asked} asked. Wait for a decision, or cancel an order.");

/// <summary>The tenant's quota has no room for this.</summary>
public sealed record QuotaExceeded(string Dimension, string Unit, Limit Limit, long Used, long Asked)
    : Refusal(Dimension, $"Quota of {Limit} {Unit}: {Used} used or in waiting orders, {Asked} asked. Lower the count, take a smaller plan, or ask the provider for more.");
