using System.Globalization;
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

    // Text: an address may say anything, and a number that is none would fail the page.
    [SupplyParameterFromQuery]
    private string? Before { get; set; }

    private long? Until => long.TryParse(Before, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;

    protected override async Task OnParametersSetAsync() => _page = await ReadHereAsync("audit", LoadAsync);

    protected override async Task LookAgainAsync() => _page = await AskHereAsync(LoadAsync);

    private Task<Result<ListAudit.Page>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) => lists.HandleAsync(new ListAudit.Request(tenant, Until), actor, ct);
}
