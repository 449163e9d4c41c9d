using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Billing;
using Portal.App.Control;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Vms;

/// <summary>What one VM has cost this month, with its rates.</summary>
public partial class VmCost(MonthUsage.Handler usage) : PortalPage
{
    private Result<MonthUsage.Usage>? _usage;

    [Parameter, EditorRequired]
    public TenantId Tenant { get; set; }

    [Parameter, EditorRequired]
    public VmRow Vm { get; set; } = default!;

    [Parameter, EditorRequired]
    public string Base { get; set; } = "";

    protected override async Task OnInitializedAsync() => _usage = await ReadAsync("usage", LoadAsync);

    protected override async Task LookAgainAsync() => _usage = await AskAsync(LoadAsync);

    private Task<Result<MonthUsage.Usage>> LoadAsync(Actor actor, CancellationToken ct) => usage.HandleAsync(new MonthUsage.Request(Tenant), actor, ct);
}
