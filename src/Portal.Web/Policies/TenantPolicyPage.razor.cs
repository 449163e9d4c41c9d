using Portal.App.Access;
using Portal.App.Policies;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Policies;

/// <summary>A policy for one tenant's orders: the tenant's own under its address, the provider's among the administrators' pages.</summary>
public partial class TenantPolicyPage(GetPolicy.Handler policies) : TenantPage
{
    private Result<GetPolicy.Details>? _policy;

    private PolicySide Side => Navigation.ToBaseRelativePath(Navigation.Uri).StartsWith("admin/", StringComparison.Ordinal) ? PolicySide.Provider : PolicySide.Tenant;

    protected override async Task OnParametersSetAsync() => _policy = await ReadHereAsync("policy", LoadAsync);

    protected override async Task LookAgainAsync() => _policy = await AskHereAsync(LoadAsync);

    private Task<Result<GetPolicy.Details>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) => policies.HandleAsync(new GetPolicy.Request(tenant, Side), actor, ct);
}
