using Microsoft.AspNetCore.Components;
using Portal.App.Fleet;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Hosts;

/// <summary>Both keys, and the one way out: to type what the host's own console says. There is no button to ignore it.</summary>
public partial class HostKeyAlarm(PinHostKey.Handler pinning) : PortalPage
{
    private string? _typed;
    private Refusal? _problem;
    private bool _busy;

    [Parameter, EditorRequired]
    public GetHost.Details Host { get; set; } = default!;

    [Parameter, EditorRequired]
    public string Foreign { get; set; } = "";

    [Parameter]
    public bool MayPin { get; set; }

    [Parameter]
    public EventCallback Pinned { get; set; }

    private async Task PinAsync()
    {
        _busy = true;
        var pinned = await AskAsync<Done>((actor, ct) => pinning.HandleAsync(new PinHostKey.Request(Host.Row.Id, _typed ?? ""), actor, ct));
        _busy = false;
        _problem = pinned.Refusal;
        if (pinned.Succeeded)
        {
            await Pinned.InvokeAsync();
        }
    }
}
