using Portal.App.Access;
using Portal.App.Billing;
using Portal.App.Control;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Tenants;

/// <summary>A tenant's first page: whether all is well, what it costs, what is left, what is under way.</summary>
public partial class OverviewPage(GetOverview.Handler overviews) : TenantPage
{
    private Result<GetOverview.Overview>? _overview;

    protected override bool FollowsTenant => true;

    protected override async Task OnParametersSetAsync()
    {
        _overview = await ReadHereAsync("overview", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _overview = await AskHereAsync(LoadAsync);

    private Task<Result<GetOverview.Overview>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) => overviews.HandleAsync(new GetOverview.Request(tenant), actor, ct);

    private static string Answer(GetOverview.Overview now)
    {
        var running = now.Counts.GetValueOrDefault(ShownStatus.Running);
        return now.Vms == 0 ? "Nothing runs, nothing costs."
            : now.Troubles.Count > 0 ? $"{Said.Count(now.Troubles.Count, "VM needs", "VMs need")} you; {running} of {now.Vms} running."
            : $"All is well: {running} of {Said.Count(now.Vms, "VM")} running.";
    }
}
