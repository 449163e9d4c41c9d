using Microsoft.EntityFrameworkCore;
using Portal.App.Pricing;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Quotas;

/// <summary>
/// What a tenant pays a month if all goes on as it is now, what its waiting orders would add, and the most that it wants to. Without tax and without what is paid once;
/// summed over rows, never counted along.
/// </summary>
/// <param name="Limit">Null where there is none.</param>
public sealed record SpendingState(Money Now, Money InOrders, Money? Limit, SpendingRule Rule)
{
    public Money Total => Now + InOrders;

    /// <summary>Whether <paramref name="more"/> a month would go beyond the limit.</summary>
    public bool IsBeyond(Money more) => Limit is { } limit && more.Amount > 0 && Total.Amount + more.Amount > limit.Amount;

    /// <summary>What stands against an order of so much a month.</summary>
    public Refusal? CheckOrder(Money more) => Rule != SpendingRule.Warn && IsBeyond(more) ? Exceeded(more) : null;

    /// <summary>What stands against anything else that makes a month dearer: a start, an adoption.</summary>
    public Refusal? CheckGrowth(Money more) => Rule == SpendingRule.BlockGrowth && IsBeyond(more) ? Exceeded(more) : null;

    /// <summary>What is to be said of an order that goes beyond the limit and is not kept from it; null where nothing is.</summary>
    public string? Warning(Money more) => Rule == SpendingRule.Warn && IsBeyond(more) ? $"This goes beyond the spending limit of {Limit} a month: {Total} as things are, {more} more." : null;

    private SpendingExceeded Exceeded(Money more) => new(Limit!.Value, Total, more);
}

/// <summary>The tenant's month would get dearer than it may.</summary>
public sealed record SpendingExceeded(Money Limit, Money Total, Money More)
    : Refusal("quota.spending", $"Spending limit of {Limit} a month: {Total} as things are, waiting orders included, {More} more asked. Order less, delete or stop something, or ask for a higher limit.");

/// <summary>Reads what a tenant's month comes to. To hold against a race the caller has locked the tenant first.</summary>
public static class SpendingReading
{
    public static async Task<SpendingState> ReadSpendingAsync(this PortalDb db, Tenant tenant, CancellationToken ct)
    {
        var currency = tenant.Currency.Code;
        var now = await db.Database.SqlQuery<decimal>(
            $"""
            SELECT coalesce(sum(allocated_per_hour + CASE WHEN wanted = 'Stopped' AND seen IN ('Off', 'Absent', 'Crashed') THEN 0 ELSE running_per_hour END), 0) AS "Value"
            FROM vms WHERE tenant_id = {tenant.Id.Value} AND deleted_at IS NULL AND currency = {currency}
            """).SingleAsync(ct);
        var held = await db.Database.SqlQuery<decimal>(
            $"""
            SELECT coalesce(sum((l.allocated_per_hour + l.running_per_hour) * cardinality(l.names)), 0) AS "Value"
            FROM order_lines l WHERE l.tenant_id = {tenant.Id.Value} AND l.state = 'Waiting' AND l.changes_vm_id IS NULL AND l.currency = {currency}
            """).SingleAsync(ct);
        return new SpendingState(new Money(now * Price.HoursPerMonth, tenant.Currency), new Money(held * Price.HoursPerMonth, tenant.Currency), tenant.Spending, tenant.SpendingRule);
    }
}
