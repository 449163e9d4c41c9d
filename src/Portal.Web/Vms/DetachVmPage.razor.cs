using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App;
using Portal.App.Access;
using Portal.App.Control;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Vms;

/// <summary>Is a VM's disk to become one of its own? Says what it is a clone of, what is done, what room that takes and how long the VM is off.</summary>
public partial class DetachVmPage(GetVmClone.Handler clones, DetachVm.Handler detaching, IDialogService dialogs) : PortalPage
{
    private Result<GetVmClone.Row>? _row;
    private Refusal? _refusal;
    private bool _busy;

    [Parameter]
    public string Tenant { get; set; } = "";

    [Parameter]
    public string Vm { get; set; } = "";

    public static string HrefOf(TenantId tenant, VmId vm) => $"/ops/tenants/{tenant}/vms/{vm}/detach";

    protected override async Task OnInitializedAsync()
    {
        Follow(Topic.Hosts);
        _row = await ReadAsync("row", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _row = await AskAsync(LoadAsync);

    private static string Sentence(GetVmClone.Row row) => row.Cloned switch
    {
        null => $"Its root disk on {row.Host} stands alone: there is nothing to detach.",
        { Replaced: true } => $"Its root disk on {row.Host} is its own; what is left of the clone that it was takes room.",
        _ => $"Its root disk on {row.Host} is a snapshot of its template's volume, which cannot be removed while the VM lives; and it cannot grow.",
    };

    private Task<Result<GetVmClone.Row>> LoadAsync(Actor actor, CancellationToken ct) =>
        Id.TryParse<TenantId>(Tenant, out var tenant) && Id.TryParse<VmId>(Vm, out var vm)
            ? clones.HandleAsync(new GetVmClone.Request(tenant, vm), actor, ct)
            : Task.FromResult(Result<GetVmClone.Row>.Of(new NotFound("VM")));

    private async Task DetachAsync(GetVmClone.Row row)
    {
        if (_busy || !Id.TryParse<TenantId>(Tenant, out var tenant) || !Id.TryParse<VmId>(Vm, out var vm))
        {
            return;
        }

        _busy = true;
        // Only where somebody is going to notice.
        if (!row.Runs || await dialogs.AskAsync($"Detach {row.Vm}?", $"{row.Vm} is shut down when the copy is there, and is off for about {Said.Took(row.AtMost)}.", $"Detach {row.Vm}", dangerous: false))
        {
            var asked = await AskAsync((actor, ct) => detaching.HandleAsync(new DetachVm.Request(tenant, vm), actor, ct));
            _refusal = asked.Refusal;
            if (asked.TryGet(out var operation, out _))
            {
                Navigation.NavigateTo($"/operations/{operation}");
            }
        }

        _busy = false;
    }
}
