using Portal.App.Access;
using Portal.App.Policies;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Policies;

/// <summary>The provider's policy for every tenant without one of its own.</summary>
public partial class PlatformPolicyPage(GetPolicy.Handler policies) : PortalPage
{
    private Result<GetPolicy.Details>? _policy;

    protected override async Task OnInitializedAsync() => _policy = await ReadAsync("policy", LoadAsync);

    protected override async Task LookAgainAsync() => _policy = await AskAsync(LoadAsync);

    private Task<Result<GetPolicy.Details>> LoadAsync(Actor actor, CancellationToken ct) => policies.HandleAsync(new GetPolicy.Request(null, PolicySide.Provider), actor, ct);
}
