using Microsoft.AspNetCore.Components;
using Portal.App;
using Portal.App.Access;
using Portal.App.Operations;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Vms;

/// <summary>Everything that was ever done to a VM.</summary>
public partial class VmActivity(ListOperations.Handler operations) : PortalPage
{
    private Result<IReadOnlyList<OperationRow>>? _operations;

    [Parameter, EditorRequired]
    public TenantId Tenant { get; set; }

    [Parameter, EditorRequired]
    public VmId Vm { get; set; }

    protected override async Task OnInitializedAsync()
    {
        Follow(Topic.Of(Vm));
        _operations = await ReadAsync("operations", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _operations = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<OperationRow>>> LoadAsync(Actor actor, CancellationToken ct) =>
        operations.HandleAsync(new ListOperations.Request(Tenant, Vm), actor, ct);
}
