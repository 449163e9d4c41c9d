using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.App.Policies;

/// <summary>A version of a policy as its history shows it.</summary>
/// <param name="Body">Null where this version took the policy back.</param>
public sealed record PolicyVersionRow(int Version, string SavedBy, DateTimeOffset SavedAt, string Note, PolicyBody? Body);

/// <summary>One policy: what it says now, what it said before, and who may be named in it.</summary>
public static class GetPolicy
{
    /// <param name="Tenant">Null for the platform's own.</param>
    public sealed record Request(TenantId? Tenant, PolicySide Side);

    /// <param name="InForce">What answers now: this policy or, where it has none of its own, the platform's; null where nobody is asked.</param>
    /// <param name="Version">The newest version of this policy itself; 0 where there is none.</param>
    /// <param name="History">The newest first.</param>
    /// <param name="People">Who may be named.</param>
    /// <param name="Templates">Short names of the templates there are.</param>
    /// <param name="Currency">The tenant's; the usual one for the platform.</param>
    public sealed record Details(
        TenantId? Tenant,
        string? TenantName,
        PolicySide Side,
        PolicyInForce? InForce,
        int Version,
        IReadOnlyList<PolicyVersionRow> History,
        IReadOnlyList<Voter> People,
        IReadOnlyList<string> Templates,
        Currency Currency,
        bool CanEdit)
    {
        /// <summary>Whether what answers is this policy itself.</summary>
        public bool IsOwn => InForce is { Version: > 0 } && InForce.Owner == (Tenant ?? default);
    }

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Details>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (PolicyAccess.CheckSee(access, actor, request.Tenant, request.Side) is { } refusal)
            {
                return Result<Details>.Of(refusal);
            }

            await using var db = dbs.ForSystem();
            var scope = request.Tenant ?? default;
            var tenant = request.Tenant is null ? null : await db.Tenants.AsNoTracking().SingleOrDefaultAsync(t => t.Id == scope, ct);
            if (request.Tenant is not null && tenant is null)
            {
                return new NotFound("tenant");
            }

            var versions = await db.ApprovalPolicies.AsNoTracking().Where(p => p.TenantId == scope && p.Side == request.Side).OrderByDescending(p => p.Version).ToListAsync(ct);
            var canEdit = PolicyAccess.CheckEdit(access, actor, request.Tenant, request.Side) is null;
            return new Details(
                request.Tenant,
                tenant?.Name,
                request.Side,
                await db.ReadPolicyAsync(scope, request.Side, ct),
                versions.FirstOrDefault()?.Version ?? 0,
                [.. versions.Select(p => new PolicyVersionRow(p.Version, p.SavedBy, p.SavedAt, p.Note, p.Body()))],
                canEdit ? await db.ReadVotersAsync(request.Tenant, request.Side, ct) : [],
                await db.Templates.OrderBy(t => t.Slug).Select(t => t.Slug).ToListAsync(ct),
                tenant?.Currency ?? Currency.Eur,
                canEdit);
        }
    }
}

/// <summary>Which provider's policy answers for each tenant, and the platform's own first.</summary>
public static class ListPolicies
{
    public sealed record Request;

    /// <param name="Tenant">Null for the platform's own.</param>
    /// <param name="Words">What it says.</param>
    public sealed record Row(TenantId? Tenant, string Name, string? Slug, PolicyInForce InForce, IReadOnlyList<string> Words)
    {
        /// <summary>Whether the tenant has one of its own.</summary>
        public bool IsOwn => Tenant is not null && !InForce.IsPlatforms;
    }

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<Row>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeOrders) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var platforms = (await db.ReadPolicyAsync(default, PolicySide.Provider, ct))!;
            var newest = await db.ApprovalPolicies.AsNoTracking().Where(p => p.Side == PolicySide.Provider).GroupBy(p => p.TenantId).Select(g => g.OrderByDescending(p => p.Version).First()).ToListAsync(ct);
            var own = newest.Where(p => p.Written is not null).ToDictionary(p => p.TenantId, p => new PolicyInForce(p.Side, p.TenantId, p.Id, p.Version, p.Body()!));
            var tenants = await db.Tenants.AsNoTracking().OrderBy(t => t.Name).Select(t => new { t.Id, t.Name, t.Slug }).ToListAsync(ct);
            return Result<IReadOnlyList<Row>>.Of(
                [Of(null, "Every other tenant", null, platforms), .. tenants.Select(t => Of(t.Id, t.Name, t.Slug, own.GetValueOrDefault(t.Id, platforms)))]);
        }

        private static Row Of(TenantId? tenant, string name, string? slug, PolicyInForce policy) => new(tenant, name, slug, policy, PolicyWords.Of(policy.Body));
    }
}
