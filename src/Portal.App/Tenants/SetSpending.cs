using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Kernel;

namespace Portal.App.Tenants;

/// <summary>Says what a tenant's month may come to, and what happens where it would come to more. What runs already stays.</summary>
public static class SetSpending
{
    /// <param name="Limit">A month, without tax, in the tenant's currency; null for none.</param>
    public sealed record Request(TenantId Tenant, decimal? Limit, SpendingRule Rule);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (request.Limit is < 0 or > 1_000_000_000)
            {
                return new Invalid("limit", "A spending limit is 0 to 1 000 000 000 a month; empty for none.");
            }

            if (access.Check(actor, Permission.ManageTenants) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var tenant = await db.Tenants.SingleOrDefaultAsync(t => t.Id == request.Tenant, ct);
            if (tenant is null)
            {
                return new NotFound("tenant");
            }

            if (request.Limit is { } limit && decimal.Round(limit, tenant.Currency.MinorUnits) != limit)
            {
                return new Invalid("limit", tenant.Currency.MinorUnits == 0 ? $"{tenant.Currency} has no decimals." : $"{tenant.Currency} has {tenant.Currency.MinorUnits} decimals.");
            }

            var before = InWords(tenant);
            tenant.LimitSpending(request.Limit, request.Rule);
            db.Add(AuditEntry.Of(actor, tenant.Id, "tenant.spending_limited", tenant.Id.Value, tenant.Name, $"{before} -> {InWords(tenant)}"));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateConcurrencyException)
            {
                return new ChangedMeanwhile("tenant");
            }

            return default(Done);
        }

        private static string InWords(Tenant tenant) => tenant.Spending is { } limit ? $"{limit} a month, {tenant.SpendingRule}" : "no limit";
    }
}
