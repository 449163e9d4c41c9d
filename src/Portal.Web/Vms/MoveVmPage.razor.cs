using Microsoft.AspNetCore.Components;
using Portal.App;
using Portal.App.Access;
using Portal.App.Control;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Vms;

/// <summary>To which host is a VM to be moved? Says what is done, how long it is off, and what stands against the hosts that cannot take it.</summary>
public partial class MoveVmPage(ListMoveTargets.Handler targets, MoveVm.Handler moving) : PortalPage
{
    private Result<ListMoveTargets.Choices>? _choices;
    private Refusal? _refusal;
    private string? _to;
    private bool _mayForceOff;
    private bool _busy;

    [Parameter]
    public string Tenant { get; set; } = "";

    [Parameter]
    public string Vm { get; set; } = "";

    public static string HrefOf(TenantId tenant, VmId vm) => $"/ops/tenants/{tenant}/vms/{vm}/move";

    protected override async Task OnInitializedAsync()
    {
        Follow(Topic.Hosts);
        _choices = await ReadAsync("choices", LoadAsync);
        Choose();
    }

    protected override async Task LookAgainAsync()
    {
        _choices = await AskAsync(LoadAsync);
        Choose();
    }

    private static IReadOnlyList<ListMoveTargets.Row> Fitting(ListMoveTargets.Choices choices) => [.. choices.Targets.Where(t => t.WhyNot is null)];

    // What was chosen stays chosen while it fits.
    private void Choose()
    {
        if (_choices is { Succeeded: true, Value: var choices } && Fitting(choices) is { Count: > 0 } fitting && !fitting.Any(t => t.Host.ToString() == _to))
        {
            _to = fitting[0].Host.ToString();
        }
    }

    private Task<Result<ListMoveTargets.Choices>> LoadAsync(Actor actor, CancellationToken ct) =>
        Id.TryParse<TenantId>(Tenant, out var tenant) && Id.TryParse<VmId>(Vm, out var vm)
            ? targets.HandleAsync(new ListMoveTargets.Request(tenant, vm), actor, ct)
            : Task.FromResult(Result<ListMoveTargets.Choices>.Of(new NotFound("VM")));

    private async Task MoveAsync()
    {
        if (_busy || !Id.TryParse<TenantId>(Tenant, out var tenant) || !Id.TryParse<VmId>(Vm, out var vm) || !Id.TryParse<HostId>(_to, out var to))
        {
            return;
        }

        _busy = true;
        var asked = await AskAsync((actor, ct) => moving.HandleAsync(new MoveVm.Request(tenant, vm, to, _mayForceOff), actor, ct));
        _busy = false;
        _refusal = asked.Refusal;
        if (asked.TryGet(out var operation, out _))
        {
            Navigation.NavigateTo($"/operations/{operation}");
        }
    }
}
