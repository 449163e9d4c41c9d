using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Control;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Vms;

/// <summary>A tenant's VMs, a page at a time by a key that never moves; search and page stand in the address.</summary>
public partial class VmsPage(ListVms.Handler vms) : TenantPage
{
    private Result<ListVms.Page>? _page;
    private string? _typed;

    [SupplyParameterFromQuery]
    private string? Q { get; set; }

    [SupplyParameterFromQuery]
    private string? After { get; set; }

    [SupplyParameterFromQuery]
    private string? Before { get; set; }

    protected override bool FollowsTenant => true;

    protected override async Task OnParametersSetAsync()
    {
        _typed = Q;
        _page = await ReadHereAsync("vms", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _page = await AskHereAsync(LoadAsync);

    private Task<Result<ListVms.Page>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) =>
        vms.HandleAsync(new ListVms.Request(tenant, Q, Key(After), Key(Before)), actor, ct);

    // Typing replaces the history's entry; the page goes back to the first.
    private void SearchAsync(string? text)
    {
        _typed = text;
        if (!string.Equals(text ?? "", Q ?? "", StringComparison.Ordinal))
        {
            Navigation.NavigateTo(UrlState.With($"{Base}/vms", ("q", text)), replace: true);
        }
    }

    private string PageOf(VmId? after, VmId? before) => UrlState.With($"{Base}/vms", ("q", Q), ("after", after?.ToString()), ("before", before?.ToString()));

    private static VmId? Key(string? text) => Id.TryParse<VmId>(text, out var id) ? id : null;
}
