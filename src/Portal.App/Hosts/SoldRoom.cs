using Microsoft.EntityFrameworkCore;
using Portal.Kernel;

namespace Portal.App.Hosts;

/// <summary>What of a host is taken by VMs, or kept for one that is on its way to it.</summary>
internal sealed record SoldRoom(Guid Host, int Vms, int Vcpus, long Memory, long Disk)
{
    public static SoldRoom Nothing { get; } = new(default, 0, 0, 0, 0);
}

/// <summary>Reads what is sold.</summary>
internal static class SoldRooms
{
    /// <summary>
    /// By host; those of which nothing is sold are not in it. What moves counts on both hosts: where it goes to until it is there, and where its disks still
    /// are after that; what is detached has a second disk meanwhile. One statement, because a VM changes from one to the other in one transaction.
    /// </summary>
    public static async Task<IReadOnlyDictionary<HostId, SoldRoom>> ReadSoldAsync(this PortalDb db, CancellationToken ct) =>
        await db.Database.SqlQuery<SoldRoom>(
            $"""
            SELECT host, sum(vms)::int AS vms, sum(vcpus)::int AS vcpus, sum(memory)::bigint AS memory, sum(disk)::bigint AS disk FROM (
                SELECT host_id AS host, 1 AS vms, vcpus, memory, disk FROM vms WHERE deleted_at IS NULL
                UNION ALL
                SELECT m.left_on_id, 0, CASE WHEN comes THEN v.vcpus ELSE 0 END, CASE WHEN comes THEN v.memory ELSE 0 END, v.disk
                FROM vm_moves m JOIN vms v ON v.id = m.vm_id JOIN operations o ON o.id = m.operation_id,
                     LATERAL (SELECT o.finished_at IS NULL AND m.left_on_id = m.to_host_id AS comes) c
                WHERE m.left_on_id IS NOT NULL
                UNION ALL
                SELECT v.host_id, 0, 0, 0, v.disk FROM operations o JOIN vms v ON v.id = o.vm_id WHERE o.kind = 'Detach' AND o.finished_at IS NULL) taken
            GROUP BY host
            """).ToDictionaryAsync(s => new HostId(s.Host), ct);
}
