using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Vms;

/// <summary>One VM: what it is, what is under way, and what may be done. Its tabs are addresses.</summary>
public partial class VmPage(GetVm.Handler vms, PowerVm.Handler power, ChangeVm.Handler changes, DeleteVm.Handler deletion, RetryBuild.Handler builds, SetBootOrder.Handler bootOrders, IDialogService dialogs) : TenantPage
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
        if (wish == VmWish.SysRq)
        {
            if (await dialogs.AskForSysRqAsync(vm.Name) is { } key)
            {
                await ChangeAsync(new DomainChange.PressSysRq(key));
            }
        }
        else if (await IsMeantAsync(wish, vm, read.Value.Saved))
        {
            await ActAsync((tenant, actor, ct) => wish switch
            {
                VmWish.Delete => deletion.HandleAsync(new DeleteVm.Request(tenant, vm.Id, vm.Name), actor, ct),
                VmWish.BuildAgain => builds.HandleAsync(new RetryBuild.Request(tenant, vm.Id), actor, ct),
                VmWish.Pause => changes.HandleAsync(new ChangeVm.Request(tenant, vm.Id, new DomainChange.Pause()), actor, ct),
                VmWish.Resume => changes.HandleAsync(new ChangeVm.Request(tenant, vm.Id, new DomainChange.Resume()), actor, ct),
                VmWish.Save => changes.HandleAsync(new ChangeVm.Request(tenant, vm.Id, new DomainChange.Save()), actor, ct),
                _ => power.HandleAsync(new PowerVm.Request(tenant, vm.Id, ActionOf(wish)), actor, ct),
            });
        }
    }

    private Task ChangeAsync(DomainChange change) => _vm is { Succeeded: true } read
        ? ActAsync((tenant, actor, ct) => changes.HandleAsync(new ChangeVm.Request(tenant, read.Value.Row.Id, change), actor, ct))
        : Task.CompletedTask;

    private async Task SetBootOrderAsync(int? order)
    {
        if (_vm is { Succeeded: true } read)
        {
            _refusal = (await AskHereAsync((tenant, actor, ct) => bootOrders.HandleAsync(new SetBootOrder.Request(tenant, read.Value.Row.Id, order), actor, ct))).Refusal;
            await LookAgainAsync();
        }
    }

    private async Task ActAsync(Func<TenantId, Actor, CancellationToken, Task<Result<OperationId>>> act)
    {
        _busy = true;
        StateHasChanged();
        _refusal = (await AskHereAsync(act)).Refusal;
        _busy = false;
        await LookAgainAsync();
    }

    private Task<bool> IsMeantAsync(VmWish wish, VmRow vm, bool saved) => wish switch
    {
        VmWish.PowerOff when saved => dialogs.AskAsync($"Give up the saved memory of {vm.Name}?", "What the guest had not written to its disk is lost: its next start is a boot, as after a power failure.", "Give it up", dangerous: true),
        VmWish.Pause => dialogs.AskAsync($"Pause {vm.Name}?", $"It stands still until it is resumed, and connections to it may break. It keeps its memory and processors, so it still costs as running: {vm.Price.PerMonth} a month.", $"Pause {vm.Name}"),
        VmWish.Save => dialogs.AskAsync($"Save {vm.Name} to disk?", $"Its memory is written to its host's disk and it goes off; when it is started, it goes on where it was. Connections to it break. Saved costs as off: {vm.Price.PerMonthStopped} a month, for its disk and address.", $"Save {vm.Name}"),
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
