using Microsoft.AspNetCore.Components;

namespace Portal.Web.Components.Shared;

/// <summary>An instant as people say it ("4 min ago"), ticking; hover and focus give the local time and UTC.</summary>
public partial class AgoText(Ticks ticks) : ComponentBase, IDisposable
{
    private IDisposable? _listening;
    private string _text = "";
    private string _full = "";

    [Parameter, EditorRequired]
    public DateTimeOffset At { get; set; }

    [Parameter]
    public string? Class { get; set; }

    [CascadingParameter]
    private ViewerZone? Zone { get; set; }

    protected override void OnParametersSet()
    {
        var zone = Zone ?? ViewerZone.Utc;
        _text = Said.Ago(At, ticks.Now, zone);
        _full = Said.Full(At, zone);
        if (RendererInfo.IsInteractive)
        {
            _listening ??= ticks.Listen(Tick);
        }
    }

    public void Dispose()
    {
        _listening?.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Tick()
    {
        var text = Said.Ago(At, ticks.Now, Zone ?? ViewerZone.Utc);
        if (text != _text)
        {
            _ = InvokeAsync(() =>
            {
                _text = text;
                StateHasChanged();
            });
        }
    }
}
