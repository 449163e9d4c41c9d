using Microsoft.AspNetCore.Components;
using Portal.App.Policies;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Tenants;

/// <summary>Which of the provider's policies answers for a tenant's orders, with the way to it.</summary>
public partial class TenantPolicy(ListPolicies.Handler policies) : PortalPage
{
    private ListPolicies.Row? _policy;

    [Parameter, EditorRequired]
    public TenantId Tenant { get; set; }

    protected override async Task OnParametersSetAsync()
    {
        var read = await AskAsync<IReadOnlyList<ListPolicies.Row>>((actor, ct) => policies.HandleAsync(new ListPolicies.Request(), actor, ct));
        _policy = read.TryGet(out var rows, out _) ? rows.FirstOrDefault(r => r.Tenant == Tenant) : null;
    }
}
