using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Audit;

/// <summary>The platform's own audit chain.</summary>
public partial class PlatformAuditPage(ListAudit.Handler lists) : PortalPage
{
    private Result<ListAudit.Page>? _page;

    [SupplyParameterFromQuery]
    private long? Before { get; set; }

    protected override async Task OnParametersSetAsync() => _page = await ReadAsync("audit", LoadAsync);

    protected override async Task LookAgainAsync() => _page = await AskAsync(LoadAsync);

    private Task<Result<ListAudit.Page>> LoadAsync(Actor actor, CancellationToken ct) => lists.HandleAsync(new ListAudit.Request(null, Before), actor, ct);
}
