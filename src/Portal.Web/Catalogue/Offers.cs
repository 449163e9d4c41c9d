using MudBlazor;
using Portal.Web.Components.Shared;

namespace Portal.Web.Catalogue;

/// <summary>How it looks whether something can be ordered.</summary>
internal static class Offers
{
    public static StatusLook Yes { get; } = new("Offered", Icons.Material.Outlined.CheckCircle, Tone.Success);

    public static StatusLook Paused { get; } = new("Paused", Icons.Material.Outlined.PauseCircle, Tone.Warning);

    public static StatusLook Deprecated { get; } = new("Deprecated", Icons.Material.Outlined.EventBusy, Tone.Neutral);

    public static StatusLook No { get; } = new("Not offered", Icons.Material.Outlined.VisibilityOff, Tone.Neutral);
}
