using Microsoft.AspNetCore.Components;

namespace Portal.Web.Components.Layout;

/// <summary>The shell around every page of someone who is signed in: top bar, rail (a drawer below 960 px), main.</summary>
public partial class MainLayout(NavigationManager navigation) : LayoutComponentBase
{
    private PageBoundary? _boundary;
    private bool _open = true;
    private string _here = "";

    protected override void OnParametersSet()
    {
        // With <base href="/"> a bare "#main" would lead to the start page.
        _here = "/" + navigation.ToBaseRelativePath(navigation.Uri).Split('#')[0];
        // A page that failed must not keep the next one from being shown.
        _boundary?.Recover();
    }
}
