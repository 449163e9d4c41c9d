using Microsoft.AspNetCore.Components;

namespace Portal.Web.Components.Shared;

/// <summary>The head of every page: where one is, the one h1 (which is the title too), its status, its actions, and the answer in a sentence.</summary>
public partial class PageHead(Browser browser) : LiveComponent
{
    private ElementReference _heading;
    private object? _focused;

    [Parameter, EditorRequired]
    public string Title { get; set; } = "";

    [Parameter]
    public IReadOnlyList<Crumb> Crumbs { get; set; } = [];

    [Parameter]
    public RenderFragment? Status { get; set; }

    [Parameter]
    public RenderFragment? Actions { get; set; }

    /// <summary>The sentence or the number that the reader came for.</summary>
    [Parameter]
    public RenderFragment? ChildContent { get; set; }

    /// <summary>What the page is about (an id): the heading takes the focus when it changes. Needed because going from one VM to the next keeps the page's type.</summary>
    [Parameter]
    public object? About { get; set; }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        var about = About ?? Title;
        if (!Equals(about, _focused))
        {
            _focused = about;
            await browser.FocusHeadingAsync(_heading, Gone);
        }
    }
}
