using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App.Control;
using Portal.App.Ordering;
using Portal.App.Vms;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Vms;

/// <summary>Until when a VM may stay. An earlier end holds at once, more time is ordered.</summary>
public partial class VmLease(SetLease.Handler setting, ExtendLease.Handler extending, IDialogService dialogs) : PortalPage
{
    private DateOnly? _day;
    private DateTimeOffset? _shown;
    private bool _endless;
    private string? _note;
    private string _key = NewKey();
    private Refusal? _refusal;
    private bool _busy;

    [Parameter, EditorRequired]
    public TenantId Tenant { get; set; }

    /// <summary>The start of the addresses of its tenant's pages.</summary>
    [Parameter, EditorRequired]
    public string Base { get; set; } = "";

    [Parameter, EditorRequired]
    public GetVm.Details Vm { get; set; } = default!;

    // Whoever orders may also set; of those who only control, what they may not is refused in words.
    private bool MayChange => Vm.Can.SetBootOrder;

    private DateTimeOffset? Wanted => _endless || _day is null ? null : Lease.EndOf(_day.Value);

    private bool IsMore => Vm.LeaseEndsAt is { } end && (_endless || Wanted > end);

    private bool IsNews => IsMore || (Wanted is not null && Wanted != Vm.LeaseEndsAt);

    protected override void OnParametersSet()
    {
        // At first, and where somebody set another end meanwhile.
        if (Vm.LeaseEndsAt != _shown)
        {
            _shown = Vm.LeaseEndsAt;
            _day = Vm.LeaseEndsAt is { } end ? Lease.LastDayOf(end) : null;
            _endless = false;
        }
    }

    private string? ErrorOf(params string[] fields) => _refusal?.Field is { } field && fields.Contains(field) ? _refusal.Message : null;

    private async Task SaveAsync()
    {
        if (_busy || !IsNews)
        {
            return;
        }

        if (IsMore)
        {
            _busy = true;
            var placed = await AskAsync((actor, ct) => extending.HandleAsync(new ExtendLease.Request(Tenant, Vm.Row.Id, Wanted, _note ?? "", _key), actor, ct));
            _busy = false;
            _refusal = placed.Refusal;
            if (placed.TryGet(out var order, out _))
            {
                Navigation.NavigateTo($"{Base}/orders/{order.Order}");
            }
            else if (_refusal is KeyReused)
            {
                _key = NewKey();
            }

            return;
        }

        var last = Said.Day(_day!.Value);
        if (await dialogs.AskAsync($"End {Vm.Row.Name} on {last}?", $"After that day it is shut down, and on {Said.Day(Lease.DeletionDayOf(Wanted!.Value))} deleted with what is on its disk. More time can be asked for until then.", $"End it on {last}", dangerous: true))
        {
            _busy = true;
            StateHasChanged();
            _refusal = (await AskAsync((actor, ct) => setting.HandleAsync(new SetLease.Request(Tenant, Vm.Row.Id, Wanted!.Value), actor, ct))).Refusal;
            _busy = false;
        }
    }

    private static string NewKey() => Guid.CreateVersion7().ToString("N");
}
