using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Audit;

/// <summary>A tenant's audit chain.</summary>
public partial class TenantAuditPage(ListAudit.Handler lists) : TenantPage
{
    private Result<ListAudit.Page>? _page;

    [SupplyParameterFromQuery]
    private long? Before { get; set; }

    protected override async Task OnParametersSetAsync() => _page = await ReadHereAsync("audit", LoadAsync);

    protected override async Task LookAgainAsync() => _page = await AskHereAsync(LoadAsync);

    private Task<Result<ListAudit.Page>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) => lists.HandleAsync(new ListAudit.Request(tenant, Before), actor, ct);
}
