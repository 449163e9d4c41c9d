using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App.Control;
using Portal.App.Hosts;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Hosts;

/// <summary>What an operator may do with a host: take it in and out of use, let it go, or give it up.</summary>
public partial class HostActions(ChangeHostMode.Handler modes, WriteOffHost.Handler writeOffs, IDialogService dialogs, TimeProvider clock) : PortalPage
{
    private static readonly (HostMode Mode, string Word)[] s_modes = [(HostMode.InUse, "Use again"), (HostMode.Draining, "Drain"), (HostMode.Maintenance, "Maintenance")];

    private bool _busy;

    [Parameter, EditorRequired]
    public HostRow Host { get; set; } = default!;

    /// <summary>It was done, or refused.</summary>
    [Parameter]
    public EventCallback<Refusal?> Done { get; set; }

    /// <summary>It is a host no more.</summary>
    [Parameter]
    public EventCallback Left { get; set; }

    // The handler decides by the database's clock; this only spares the others a button that would refuse.
    private bool IsSilent => Host.Problem is not null && (Host.SeenAt is null || clock.GetUtcNow() - Host.SeenAt > Shown.Silence);

    private bool MayGo => Host.Vms == 0 ? Host.Kind == Engine.HostKind.Xen || IsSilent : IsSilent;

    private string LeaveWord => Host.Vms == 0 ? "Remove" : "Write off";

    private async Task ChangeModeAsync(HostMode mode)
    {
        var vms = Said.Count(Host.Vms, "VM");
        var asked = mode switch
        {
            HostMode.Draining => await dialogs.AskAsync($"Drain {Host.Name}?", $"Nothing new is placed on it. Its {vms} stay and run on, and can be used as before.", $"Drain {Host.Name}"),
            HostMode.Maintenance => await dialogs.AskAsync($"Maintenance of {Host.Name}?", $"Nothing new is placed on it, and what is asked of its {vms} waits until it is in use again. What runs on it runs on: to switch the machine off, shut its VMs down first.", $"Begin maintenance of {Host.Name}"),
            _ => true,
        };
        if (asked)
        {
            await DoAsync<Done>((actor, ct) => modes.HandleAsync(new ChangeHostMode.Request(Host.Id, mode), actor, ct));
        }
    }

    private async Task LeaveAsync()
    {
        var text = Host.Vms == 0
            ? "It has no VMs. The portal does not ask it any more; what lies on it (templates, the portal's account and script) stays there; the first lines of that script say how to take it away."
            : $"For a machine that will never come back. Its {Said.Count(Host.Vms, "VM")} and their disks are given up for good, what is under way on them ends, and they cost nothing from the moment it was seen last. Their owners get a mail. Make sure that it is off: a machine that comes back runs its VMs on, and nobody knows of them.";
        if (await dialogs.AskByNameAsync($"{LeaveWord} {Host.Name}?", text, $"{LeaveWord} {Host.Name}", Host.Name)
            && await DoAsync<int>((actor, ct) => writeOffs.HandleAsync(new WriteOffHost.Request(Host.Id, Host.Name), actor, ct)))
        {
            await Left.InvokeAsync();
        }
    }

    private async Task<bool> DoAsync<T>(Func<App.Access.Actor, CancellationToken, Task<Result<T>>> ask)
    {
        _busy = true;
        StateHasChanged();
        var result = await AskAsync(ask);
        _busy = false;
        await Done.InvokeAsync(result.Refusal);
        return result.Succeeded;
    }
}
