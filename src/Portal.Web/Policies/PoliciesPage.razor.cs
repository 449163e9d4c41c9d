using Portal.App.Access;
using Portal.App.Policies;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Policies;

/// <summary>The provider's policies: the platform's, and those for one tenant each.</summary>
public partial class PoliciesPage(ListPolicies.Handler lists) : PortalPage
{
    private Result<IReadOnlyList<ListPolicies.Row>>? _policies;

    protected override async Task OnInitializedAsync() => _policies = await ReadAsync("policies", LoadAsync);

    protected override async Task LookAgainAsync() => _policies = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<ListPolicies.Row>>> LoadAsync(Actor actor, CancellationToken ct) => lists.HandleAsync(new ListPolicies.Request(), actor, ct);
}
