using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Vms;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Vms;

/// <summary>One VM: what it is, what is under way, and what may be done. Its tabs are addresses.</summary>
public partial class VmPage(GetVm.Handler vms, PowerVm.Handler power, DeleteVm.Handler deletion, RetryBuild.Handler builds, IDialogService dialogs) : TenantPage
{
    private Result<GetVm.Details>? _vm;
    private Refusal? _refusal;
    private string _tab = "";
    private bool _busy;

    [Parameter]
    public string Vm { get; set; } = "";

    [Parameter]
    public string? Tab { get; set; }

    protected override async Task OnParametersSetAsync()
    {
        _tab = Tab ?? "";
        if (!Id.TryParse<VmId>(Vm, out var id))
        {
            _vm = Result<GetVm.Details>.Of(new NotFound("VM"));
            return;
        }

        if (_vm is { Succeeded: true } there && there.Value.Row.Id == id)
        {
            return;
        }

        _refusal = null;
        Follow(Topic.Of(id));
        _vm = await ReadHereAsync("vm", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _vm = await AskHereAsync(LoadAsync);

    private Task<Result<GetVm.Details>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) =>
        Id.TryParse<VmId>(Vm, out var id)
            ? vms.HandleAsync(new GetVm.Request(tenant, id), actor, ct)
            : Task.FromResult(Result<GetVm.Details>.Of(new NotFound("VM")));

    private IEnumerable<(string Tab, string Word)> Tabs()
    {
        yield return ("", "Overview");
        if (_vm is not { Value.Stage: VmStage.Deleted })
        {
            yield return ("console", "Console");
        }

        if (MayHere(Permission.SeeCost))
        {
            yield return ("cost", "Cost");
        }

        yield return ("activity", "Activity");
    }

    private string TabHref(string tab) => tab.Length == 0 ? $"{Base}/vms/{Vm}" : $"{Base}/vms/{Vm}/{tab}";

    private async Task AskForAsync(VmWish wish)
    {
        if (_busy || _vm is not { Succeeded: true } read)
        {
            return;
        }

        var vm = read.Value.Row;
        if (!await IsMeantAsync(wish, vm))
        {
            return;
        }

        _busy = true;
        StateHasChanged();
        var asked = await AskHereAsync<OperationId>((tenant, actor, ct) => wish switch
        {
            VmWish.Delete => deletion.HandleAsync(new DeleteVm.Request(tenant, vm.Id, vm.Name), actor, ct),
            VmWish.BuildAgain => builds.HandleAsync(new RetryBuild.Request(tenant, vm.Id), actor, ct),
            _ => power.HandleAsync(new PowerVm.Request(tenant, vm.Id, ActionOf(wish)), actor, ct),
        });
        _refusal = asked.Refusal;
        _busy = false;
        await LookAgainAsync();
    }

    private Task<bool> IsMeantAsync(VmWish wish, VmRow vm) => wish switch
    {
        VmWish.Delete => dialogs.AskToDeleteAsync(vm.Name, $"Its disk is wiped and its address {vm.Ip} given back: what is on it is lost for good. It stops costing when it is gone."),
        VmWish.PowerOff => dialogs.AskAsync($"Force off {vm.Name}?", $"Like pulling the plug: what the guest has not written is lost. Off still costs {vm.Price.PerMonthStopped} a month, for its disk and address.", $"Force off {vm.Name}", dangerous: true),
        VmWish.ShutDown => dialogs.AskAsync($"Shut down {vm.Name}?", $"The guest is asked to shut down in order. Off still costs {vm.Price.PerMonthStopped} a month, for its disk and address.", $"Shut down {vm.Name}"),
        VmWish.Reboot => dialogs.AskAsync($"Reboot {vm.Name}?", "The guest is asked to shut down in order and then started again.", $"Reboot {vm.Name}"),
        _ => Task.FromResult(true),
    };

    private static PowerVm.Action ActionOf(VmWish wish) => wish switch
    {
        VmWish.Start => PowerVm.Action.Start,
        VmWish.ShutDown => PowerVm.Action.ShutDown,
        VmWish.PowerOff => PowerVm.Action.PowerOff,
        VmWish.Reboot => PowerVm.Action.Reboot,
        _ => throw new ArgumentOutOfRangeException(nameof(wish)),
    };
}
