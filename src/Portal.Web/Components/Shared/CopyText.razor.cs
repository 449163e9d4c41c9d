using Microsoft.AspNetCore.Components;

namespace Portal.Web.Components.Shared;

/// <summary>Text that one takes elsewhere: an address, an id, a command. Where the clipboard is forbidden, the text is selected instead.</summary>
public partial class CopyText(Browser browser) : LiveComponent
{
    private ElementReference _text;
    private bool _copied;

    [Parameter, EditorRequired]
    public string Text { get; set; } = "";

    /// <summary>What it is, for the button's name: "address".</summary>
    [Parameter]
    public string What { get; set; } = "text";

    private async Task CopyAsync()
    {
        _copied = await browser.CopyAsync(Text, Gone);
        if (!_copied)
        {
            await browser.SelectAsync(_text, Gone);
        }
    }
}
