using Portal.App.Ordering;
using Portal.App.Policies;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <summary>Approval policies: the platform's, the provider's for one tenant, and a tenant's own.</summary>
internal static class PolicyApi
{
    public static void Map(RouteGroupBuilder api)
    {
        var platform = api.MapGroup("/policies").WithTags("Policies");
        platform.MapGet("/", async (ListPolicies.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(), http.Actor(), ct)).Answer(rows => rows.Select(PolicyRowJson.Of)))
            .WithName("ListPolicies").WithSummary("Which provider's policy answers for which tenant. For the provider's people.").Produces<IEnumerable<PolicyRowJson>>().ProducesProblem(403);
        platform.MapGet("/platform", (GetPolicy.Handler handler, HttpContext http, CancellationToken ct) => GetAsync(handler, null, PolicySide.Provider, http, ct))
            .WithName("GetPlatformPolicy").WithSummary("The provider's policy for every tenant without one of its own: what it says now, and every version before.").Produces<PolicyJson>().ProducesProblem(403);
        platform.MapPut("/platform", (PolicyUpdateBody body, SavePolicy.Handler handler, HttpContext http, CancellationToken ct) => SaveAsync(handler, null, PolicySide.Provider, body, http, ct))
            .WithName("SavePlatformPolicy").WithSummary("Writes its next version. Orders that wait keep the one that they came under. For administrators.").Produces<SavedPolicyJson>().ProducesProblem(403).ProducesProblem(409).ProducesProblem(422);
        platform.MapPost("/platform/try", (PolicyBody body, TryPolicy.Handler handler, HttpContext http, CancellationToken ct) => TryAsync(handler, null, PolicySide.Provider, body, http, ct))
            .WithName("TryPlatformPolicy").WithSummary("What it would have said to the newest 200 orders of those tenants. Changes nothing.").Produces<TrialJson>().ProducesProblem(403).ProducesProblem(422);

        MapSide(api, PolicySide.Tenant, "A tenant's own policy: may we spend this. What it says now, and every version before.", "For its owners.");
        MapSide(api, PolicySide.Provider, "The provider's policy for one tenant: can we hold this. What it says now, and every version before.", "For administrators.");
    }

    private static void MapSide(RouteGroupBuilder api, PolicySide side, string what, string whose)
    {
        var policy = api.MapGroup($"/tenants/{{tenant:guid}}/policies/{side.ToString().ToLowerInvariant()}").WithTags("Policies");
        policy.MapGet("/", (Guid tenant, GetPolicy.Handler handler, HttpContext http, CancellationToken ct) => GetAsync(handler, new TenantId(tenant), side, http, ct))
            .WithName($"Get{side}Policy").WithSummary(what).Produces<PolicyJson>().ProducesProblem(403).ProducesProblem(404);
        policy.MapPut("/", (Guid tenant, PolicyUpdateBody body, SavePolicy.Handler handler, HttpContext http, CancellationToken ct) => SaveAsync(handler, new TenantId(tenant), side, body, http, ct))
            .WithName($"Save{side}Policy").WithSummary($"Writes its next version. Orders that wait keep the one that they came under. {whose}").Produces<SavedPolicyJson>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        policy.MapDelete("/", async (Guid tenant, int baseVersion, string? note, SavePolicy.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), side, null, note ?? "", baseVersion), http.Actor(), ct)).Answer(version => new SavedPolicyJson(version)))
            .WithName($"Withdraw{side}Policy").WithSummary($"Takes it back, with a version that says so. {whose}").Produces<SavedPolicyJson>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(409);
        policy.MapPost("/try", (Guid tenant, PolicyBody body, TryPolicy.Handler handler, HttpContext http, CancellationToken ct) => TryAsync(handler, new TenantId(tenant), side, body, http, ct))
            .WithName($"Try{side}Policy").WithSummary($"What it would have said to the tenant's newest 200 orders. Changes nothing. {whose}").Produces<TrialJson>().ProducesProblem(403).ProducesProblem(422);
    }

    private static async Task<IResult> GetAsync(GetPolicy.Handler handler, TenantId? tenant, PolicySide side, HttpContext http, CancellationToken ct) =>
        (await handler.HandleAsync(new(tenant, side), http.Actor(), ct)).Answer(PolicyJson.Of);

    private static async Task<IResult> SaveAsync(SavePolicy.Handler handler, TenantId? tenant, PolicySide side, PolicyUpdateBody body, HttpContext http, CancellationToken ct) =>
        (await handler.HandleAsync(new(tenant, side, body.Policy, body.Note ?? "", body.BaseVersion), http.Actor(), ct)).Answer(version => new SavedPolicyJson(version));

    private static async Task<IResult> TryAsync(TryPolicy.Handler handler, TenantId? tenant, PolicySide side, PolicyBody body, HttpContext http, CancellationToken ct) =>
        (await handler.HandleAsync(new(tenant, side, body), http.Actor(), ct)).Answer(TrialJson.Of);
}
