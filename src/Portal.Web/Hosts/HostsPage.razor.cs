using MudBlazor;
using Portal.App;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Hosts;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Hosts;

/// <summary>The hosts, the ones in trouble first: what is wrong and how to mend it, and where there is room.</summary>
public partial class HostsPage(ListHosts.Handler lists, ChangeHostMode.Handler modes, WriteOffHost.Handler writeOffs, IDialogService dialogs, TimeProvider clock) : PortalPage
{
    private Result<IReadOnlyList<HostRow>>? _hosts;
    private Refusal? _refusal;
    private bool _busy;

    protected override async Task OnInitializedAsync()
    {
        Follow(Topic.Hosts);
        _hosts = await ReadAsync("hosts", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _hosts = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<HostRow>>> LoadAsync(Actor actor, CancellationToken ct) => lists.HandleAsync(new ListHosts.Request(), actor, ct);

    private string Answer()
    {
        if (_hosts is not { Succeeded: true } read || read.Value.Count == 0)
        {
            return "";
        }

        var trouble = read.Value.Count(h => h.Problem is not null);
        return trouble == 0 ? $"{Said.Count(read.Value.Count, "host")}, all well." : $"{trouble} of {Said.Count(read.Value.Count, "host")} in trouble.";
    }

    private async Task ChangeModeAsync(HostRow host)
    {
        var mode = host.Mode == HostMode.InUse ? HostMode.Draining : HostMode.InUse;
        if (mode == HostMode.Draining && !await dialogs.AskAsync($"Take nothing new on {host.Name}?", $"Its {Said.Count(host.Vms, "VM")} stay and run on; orders are placed on other hosts.", "Take nothing new"))
        {
            return;
        }

        _busy = true;
        StateHasChanged();
        _refusal = (await AskAsync<Done>((actor, ct) => modes.HandleAsync(new ChangeHostMode.Request(host.Id, mode), actor, ct))).Refusal;
        _busy = false;
        await LookAgainAsync();
    }

    // The handler decides by the database's clock; this only spares the others a button that would refuse.
    private bool IsSilent(HostRow host) => host.Problem is not null && (host.SeenAt is null || clock.GetUtcNow() - host.SeenAt > Shown.Silence);

    private async Task WriteOffAsync(HostRow host)
    {
        var text = $"For a machine that will never come back. Its {Said.Count(host.Vms, "VM")} and their disks are given up for good, what is under way on them ends, and they cost nothing from the moment it was seen last. Their owners get a mail. Make sure that it is off: a machine that comes back runs its VMs on, and nobody knows of them.";
        if (!await dialogs.AskByNameAsync($"Write off {host.Name}?", text, $"Write off {host.Name}", host.Name))
        {
            return;
        }

        _busy = true;
        StateHasChanged();
        _refusal = (await AskAsync<int>((actor, ct) => writeOffs.HandleAsync(new WriteOffHost.Request(host.Id, host.Name), actor, ct))).Refusal;
        _busy = false;
        await LookAgainAsync();
    }

    private static StatusLook LookOf(HostRow host) => host switch
    {
        { Problem: not null } => new("In trouble", Icons.Material.Outlined.ErrorOutline, Tone.Error),
        { SeenAt: null } => StatusLook.Working("Waiting for its first answer"),
        { Mode: HostMode.Draining } => new("Takes nothing new", Icons.Material.Outlined.PauseCircle, Tone.Waiting),
        _ => new("In use", Icons.Material.Outlined.CheckCircle, Tone.Success),
    };

    private static StatusLook LookOf(PoolImageState state) => state switch
    {
        PoolImageState.Building => StatusLook.Working("Building"),
        PoolImageState.Ready => new("Ready", Icons.Material.Outlined.CheckCircle, Tone.Success),
        PoolImageState.Failed => new("Failed, is tried again", Icons.Material.Outlined.ErrorOutline, Tone.Error),
    };
}
