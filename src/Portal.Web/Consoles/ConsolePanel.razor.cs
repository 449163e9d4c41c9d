using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using MudBlazor;
using Portal.App.Consoles;
using Portal.App.Control;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Consoles;

/// <summary>
/// A VM's serial console. The bytes go over a WebSocket of their own between browser and portal; the circuit only gives the ticket and says how
/// the line stands. What was on the screen stays when the line breaks.
/// </summary>
public partial class ConsolePanel(OpenConsole.Handler consoles, IJSRuntime js, TimeProvider clock) : PortalPage
{
    private static readonly (string Key, string Word)[] s_keys =
        [("escape", "Esc"), ("tab", "Tab"), ("interrupt", "Ctrl C"), ("up", "\u2191"), ("down", "\u2193"), ("left", "\u2190"), ("right", "\u2192"), ("enter", "Enter")];

    private static readonly int[] s_pauses = [1, 2, 4, 8, 15];

    private ElementReference _screen;
    private IJSObjectReference? _module;
    private IJSObjectReference? _console;
    private DotNetObjectReference<ConsolePanel>? _self;
    private LineState _line;
    private StatusLook _look = StatusLook.Working("Connecting");
    private string _words = "";
    private string? _paste;
    private Refusal? _refusal;
    private bool _screenReader;
    private bool _opening;
    private int _tries;

    private enum LineState
    {
        Idle,
        Connecting,
        Connected,
        Away,
    }

    [Parameter, EditorRequired]
    public TenantId Tenant { get; set; }

    [Parameter, EditorRequired]
    public GetVm.Details Vm { get; set; } = default!;

    /// <summary>The person wants the VM started.</summary>
    [Parameter]
    public EventCallback Start { get; set; }

    private string NotThere => Vm.Can.Start ? $"{Vm.Row.Name} is off" : "The console is not open to you now";

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (Vm.Can.Console && !_opening)
        {
            _opening = true;
            _self ??= DotNetObjectReference.Create(this);
            _module ??= await js.InvokeAsync<IJSObjectReference>("import", Gone, "./js/console.js");
            _console ??= await _module.InvokeAsync<IJSObjectReference>("open", Gone, _screen, _self, new
            {
                label = $"Serial console of {Vm.Row.Name}",
                leaveTo = "main",
                screenReader = _screenReader,
                paths = new { css = Assets["lib/xterm/xterm.css"], xterm = Assets["lib/xterm/xterm.js"], fit = Assets["lib/xterm/addon-fit.js"] },
            });
            await ConnectAsync();
        }
        else if (!Vm.Can.Console && _opening && _line is LineState.Away or LineState.Idle)
        {
            // Off: the next start connects anew.
            (_opening, _line, _tries) = (false, LineState.Idle, 0);
        }
    }

    /// <summary>The WebSocket is open.</summary>
    [JSInvokable]
    public void Connected()
    {
        _tries = 0;
        Say(LineState.Connected, new StatusLook("Connected", Icons.Material.Outlined.Cable, Tone.Success), "read and write");
    }

    /// <summary>The WebSocket is closed, for the portal's reason; empty where the line just broke. A guest that reboots comes back, so it is tried again.</summary>
    [JSInvokable]
    public void Disconnected(string reason)
    {
        Say(LineState.Away, new StatusLook("Not connected", Icons.Material.Outlined.LinkOff, Tone.Warning), reason);
        if (Vm.Can.Console && _tries < s_pauses.Length)
        {
            var pause = s_pauses[_tries++];
            Say(LineState.Away, _look, $"{reason} Next try in {pause} s.".TrimStart());
            Keep(async ct =>
            {
                await Task.Delay(TimeSpan.FromSeconds(pause), clock, ct);
                await InvokeAsync(async () =>
                {
                    if (_line == LineState.Away && Vm.Can.Console)
                    {
                        await ConnectAsync();
                    }
                });
            });
        }
    }

    /// <summary>Several lines are about to be pasted.</summary>
    [JSInvokable]
    public void AskPaste(string text)
    {
        _paste = text;
        StateHasChanged();
    }

    protected override async ValueTask DisposeCoreAsync()
    {
        try
        {
            if (_console is not null)
            {
                await _console.InvokeVoidAsync("dispose");
                await _console.DisposeAsync();
            }

            if (_module is not null)
            {
                await _module.DisposeAsync();
            }
        }
        catch (JSDisconnectedException)
        {
            // The tab is gone, and the WebSocket with it.
        }

        _self?.Dispose();
        await base.DisposeCoreAsync();
    }

    private async Task ConnectAsync()
    {
        if (_line == LineState.Connecting)
        {
            return;
        }

        Say(LineState.Connecting, StatusLook.Working("Connecting"), "");
        var origin = new Uri(Navigation.BaseUri).GetLeftPart(UriPartial.Authority);
        var opened = await AskAsync<OpenConsole.Opened>((actor, ct) => consoles.HandleAsync(new OpenConsole.Request(Tenant, Vm.Row.Id, origin), actor, ct));
        if (opened.TryGet(out var ticket, out _refusal) && _console is not null)
        {
            await _console.InvokeVoidAsync("connect", Gone, ticket.Ticket);
        }
        else
        {
            Say(LineState.Away, new StatusLook("Not connected", Icons.Material.Outlined.LinkOff, Tone.Warning), "");
        }
    }

    private void Say(LineState line, StatusLook look, string words)
    {
        (_line, _look, _words) = (line, look, words);
        StateHasChanged();
    }

    private async Task PasteAsync()
    {
        var text = _paste;
        _paste = null;
        await CallAsync("type", text);
    }

    private Task KeyAsync(string key) => CallAsync("key", key);

    private Task FullScreenAsync() => CallAsync("fullScreen");

    private Task ScreenReaderAsync(bool on)
    {
        _screenReader = on;
        return CallAsync("screenReader", on);
    }

    private async Task CallAsync(string function, params object?[] arguments)
    {
        if (_console is not null)
        {
            await _console.InvokeVoidAsync(function, Gone, arguments);
        }
    }
}
