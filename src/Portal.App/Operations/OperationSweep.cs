using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.Kernel;

namespace Portal.App.Operations;

/// <summary>
/// Rings for live operations that nobody works on: the owner died or let go of it, the ring was lost, or the rest is over. On every replica; ringing
/// twice is harmless.
/// </summary>
public sealed class OperationSweep(PortalDbs dbs, Doorbell doorbell, OperationRunner runner, ProcessLease lease, TimeProvider clock, ILogger<OperationSweep> logger)
    : Recurring(TimeSpan.FromSeconds(2), clock, logger)
{
    protected override async Task PassAsync(CancellationToken ct)
    {
        await lease.FirstAsync(ct);
        await SweepAsync(ct);
    }

    /// <summary>One pass. A waiting operation is rung for again only after a while, so that a long queue is not filled with the same rings.</summary>
    public async Task<IReadOnlyList<OperationId>> SweepAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        // A process that has no lease owns nothing under the id it had.
        var me = lease.Current?.Value ?? Guid.Empty;
        var atWork = runner.AtWork.Select(o => o.Value).ToArray();
        var ids = await db.Database.SqlQuery<Guid>(
            $"""
            UPDATE operations o SET rung_at = clock_timestamp()
            WHERE o.finished_at IS NULL AND o.not_before <= clock_timestamp() AND o.created_at < clock_timestamp() - interval '1 second'
              AND (o.rung_at IS NULL OR o.rung_at < o.not_before OR o.rung_at < clock_timestamp() - (CASE WHEN o.owner IS NULL THEN interval '30 seconds' ELSE interval '4 seconds' END))
              AND (o.owner IS NULL OR (o.owner = {me} AND o.id <> ALL ({atWork})) OR NOT EXISTS (
                    SELECT 1 FROM processes p JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = {ProcessLease.LockSpace}::oid AND l.objid = p.lock_key::oid
                      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.granted
                    WHERE p.id = o.owner))
            RETURNING o.id AS "Value"
            """).ToListAsync(ct);
        foreach (var id in ids)
        {
            doorbell.Ring(new OperationId(id));
        }

        if (ids.Count > 0)
        {
            logger.Swept(ids.Count);
        }

        return [.. ids.Select(id => new OperationId(id))];
    }
}
