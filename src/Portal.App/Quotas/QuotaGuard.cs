using Microsoft.EntityFrameworkCore;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Quotas;

/// <summary>What a tenant's VMs use, what its waiting orders hold, and its limits. Summed over rows, never counted along.</summary>
public sealed record QuotaState(QuotaAmount Used, QuotaAmount InOrders, TenantLimits Limits)
{
    public QuotaAmount Total => Used + InOrders;

    /// <summary>The first limit that <paramref name="asked"/> would pass; only what it adds to is checked.</summary>
    public Refusal? Check(QuotaAmount asked)
    {
        var total = Total + asked;
        if (asked.Vms > 0 && !Limits.Vms.Allows(total.Vms))
        {
            return new QuotaExceeded("quota.vms", "VMs", Limits.Vms, Total.Vms, asked.Vms);
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
            SELECT count(*)::int AS vms, coalesce(sum(vcpus), 0)::int AS vcpus, coalesce(sum(memory), 0)::bigint AS memory, coalesce(sum(disk), 0)::bigint AS disk
            FROM vms WHERE tenant_id = {tenant.Id.Value} AND deleted_at IS NULL
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

/// <summary>The tenant's quota has no room for this.</summary>
public sealed record QuotaExceeded(string Dimension, string Unit, Limit Limit, long Used, long Asked)
    : Refusal(Dimension, $"Quota of {Limit} {Unit}: {Used} used or in waiting orders, {Asked} asked. Lower the count, take a smaller plan, or ask the provider for more.");
