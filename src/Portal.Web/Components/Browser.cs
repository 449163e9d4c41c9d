using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Portal.Web.Components;

/// <summary>What pages ask of the browser through js/browser.js; each call is quiet where the line is already gone.</summary>
public sealed class Browser(IJSRuntime js) : IAsyncDisposable
{
    private Task<IJSObjectReference>? _module;

    /// <summary>Moves the focus to a page's heading after a navigation; not on the first page of a visit.</summary>
    public Task FocusHeadingAsync(ElementReference heading, CancellationToken ct) => CallAsync("focusHeading", ct, heading);

    /// <summary>Moves the focus to the first field that is marked wrong.</summary>
    public Task FocusFirstErrorAsync(ElementReference container, CancellationToken ct) => CallAsync("focusFirstError", ct, container);

    /// <summary>Copies to the clipboard.</summary>
    /// <returns>False where the browser forbids it.</returns>
    public async Task<bool> CopyAsync(string text, CancellationToken ct) => await (await ModuleAsync()).InvokeAsync<bool>("copy", ct, text);

    public Task SelectAsync(ElementReference element, CancellationToken ct) => CallAsync("select", ct, element);

    /// <summary>What the person chose: <c>system</c>, <c>light</c> or <c>dark</c>.</summary>
    public async Task<string> ThemeChoiceAsync(CancellationToken ct) => await (await ModuleAsync()).InvokeAsync<string>("themeChoice", ct);

    public Task ChooseThemeAsync(string choice, CancellationToken ct) => CallAsync("chooseTheme", ct, choice);

    public async ValueTask DisposeAsync()
    {
        if (_module is { IsCompletedSuccessfully: true })
        {
            try
            {
                await (await _module).DisposeAsync();
            }
            catch (JSDisconnectedException)
            {
                // The tab was closed: the browser has disposed of it already.
            }
        }
    }

    private async Task CallAsync(string function, CancellationToken ct, params object?[] arguments)
    {
        try
        {
            await (await ModuleAsync()).InvokeVoidAsync(function, ct, arguments);
        }
        catch (JSDisconnectedException)
        {
            // Nothing to focus in a tab that is gone.
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The component went first.
        }
    }

    private Task<IJSObjectReference> ModuleAsync() => _module ??= js.InvokeAsync<IJSObjectReference>("import", "./js/browser.js").AsTask();
}
