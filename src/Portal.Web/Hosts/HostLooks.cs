using MudBlazor;
using Portal.App.Hosts;
using Portal.Engine;
using Portal.Web.Components.Shared;

namespace Portal.Web.Hosts;

/// <summary>How hosts and what belongs to them look.</summary>
public static class HostLooks
{
    public static StatusLook Of(HostRow host) => host switch
    {
        { Mode: HostMode.Maintenance } => new("Maintenance", Icons.Material.Outlined.Build, Tone.Waiting),
        { SeenAt: null, Problem: null } => StatusLook.Working("Waiting for its first answer"),
        { SeenAt: null } => new("Not connected yet", Icons.Material.Outlined.LinkOff, Tone.Warning),
        { Problem: not null } => new("In trouble", Icons.Material.Outlined.ErrorOutline, Tone.Error),
        { Warning: not null } => new("Nearly full", Icons.Material.Outlined.WarningAmber, Tone.Warning),
        { Mode: HostMode.Draining } => new("Draining", Icons.Material.Outlined.PauseCircle, Tone.Waiting),
        _ => new("Online", Icons.Material.Outlined.CheckCircle, Tone.Success),
    };

    public static StatusLook Of(PoolImageState state) => state switch
    {
        PoolImageState.Building => StatusLook.Working("Building"),
        PoolImageState.Ready => new("Ready", Icons.Material.Outlined.CheckCircle, Tone.Success),
        PoolImageState.Failed => new("Failed, is tried again", Icons.Material.Outlined.ErrorOutline, Tone.Error),
    };

    public static StatusLook Of(CheckLevel level) => level switch
    {
        CheckLevel.Good => new("Good", Icons.Material.Outlined.CheckCircle, Tone.Success),
        CheckLevel.Warning => new("Look at it", Icons.Material.Outlined.WarningAmber, Tone.Warning),
        CheckLevel.Bad => new("Stops it", Icons.Material.Outlined.ErrorOutline, Tone.Error),
    };
}
