using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.App.Catalogue;

/// <summary>Of a plan there may be so many VMs and no more.</summary>
public sealed record OutOfStock(string Plan, long Left, long Asked)
    : Refusal("catalogue.out_of_stock", Left <= 0 ? $"Nothing is left of plan {Plan}. Choose another plan, or ask the provider when there is more." : $"Of plan {Plan} there {(Left == 1 ? "is" : "are")} {Left} left, {Asked} asked. Lower the count, or choose another plan.");

/// <summary>How many VMs of a plan there may be at once. What is taken is counted, over VMs and waiting order lines of all tenants, whenever it is asked for.</summary>
public static class PlanStock
{
    // Space of advisory locks: (StockLocks, hash of the plan). Second to the tenant's alone.
    private const int StockLocks = 7005;

    /// <summary>What is left of the plans that have a stock.</summary>
    public static async Task<IReadOnlyDictionary<PlanId, long>> ReadStockAsync(this PortalDb db, IReadOnlyCollection<PlanId> plans, CancellationToken ct) =>
        (await ReadAsync(db, plans, ct)).Where(s => s.Stock is not null).ToDictionary(s => new PlanId(s.Id), s => s.Stock!.Value - s.Taken);

    /// <summary>The first plan of which less is left than is asked for; null where all is there. To hold against a race call <see cref="TakeStockAsync"/>.</summary>
    public static async Task<Refusal?> CheckStockAsync(this PortalDb db, IReadOnlyDictionary<PlanId, int> asked, CancellationToken ct) =>
        Check(await ReadAsync(db, [.. asked.Keys], ct), asked);

    /// <summary>
    /// The same under the plans' locks, so that what is asked for is still there when this transaction commits. A plan without a stock keeps nobody waiting: its orders share
    /// the lock, which whoever gives it a stock takes alone.
    /// </summary>
    public static async Task<Refusal?> TakeStockAsync(this PortalDb db, IReadOnlyDictionary<PlanId, int> asked, CancellationToken ct)
    {
        var before = await ReadAsync(db, [.. asked.Keys], ct);
        // By the hash, not by the id: two plans with one hash have one lock.
        foreach (var plans in before.GroupBy(s => s.Hash).OrderBy(g => g.Key))
        {
            await LockAsync(db, plans.Key, alone: plans.Any(p => p.Stock is not null), ct);
        }

        var now = await ReadAsync(db, [.. asked.Keys], ct);
        return now.Any(s => s.Stock is not null && before.All(b => b.Id != s.Id || b.Stock is null)) ? new ChangedMeanwhile("plan") : Check(now, asked);
    }

    /// <summary>Waits for all orders of a plan that are under way, and keeps others back until this transaction ends.</summary>
    internal static async Task LockStockAsync(this PortalDb db, PlanId plan, CancellationToken ct) =>
        await LockAsync(db, await db.Database.SqlQuery<int>($"SELECT hashtext({plan.Value}::text) AS \"Value\"").SingleAsync(ct), alone: true, ct);

    private static OutOfStock? Check(IEnumerable<Row> stocks, IReadOnlyDictionary<PlanId, int> asked) =>
        stocks.Where(s => s.Stock - s.Taken < asked[new PlanId(s.Id)]).Select(s => new OutOfStock(s.Name, s.Stock!.Value - s.Taken, asked[new PlanId(s.Id)])).FirstOrDefault();

    private static async Task LockAsync(PortalDb db, int hash, bool alone, CancellationToken ct) => await (alone
        ? db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({StockLocks}, {hash})", ct)
        : db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock_shared({StockLocks}, {hash})", ct));

    // plan_taken() counts as the system: a tenant sees no others' rows, and is told no more than a number.
    private static async Task<List<Row>> ReadAsync(PortalDb db, IReadOnlyCollection<PlanId> plans, CancellationToken ct)
    {
        var ids = plans.Select(p => p.Value).ToArray();
        return await db.Database.SqlQuery<Row>(
            $"SELECT id, name, hashtext(id::text) AS hash, stock, CASE WHEN stock IS NULL THEN 0 ELSE plan_taken(id) END AS taken FROM plans WHERE id = ANY({ids}) ORDER BY name").ToListAsync(ct);
    }

    private sealed record Row(Guid Id, string Name, int Hash, int? Stock, long Taken);
}
