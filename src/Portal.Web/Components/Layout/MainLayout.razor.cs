using Microsoft.AspNetCore.Components;

namespace Portal.Web.Components.Layout;

/// <summary>The shell around every page of someone who is signed in: top bar, rail (a drawer below 960 px), main.</summary>
public partial class MainLayout : LayoutComponentBase
{
    private PageBoundary? _boundary;
    private bool _open = true;

    // A page that failed must not keep the next one from being shown.
    protected override void OnParametersSet() => _boundary?.Recover();
}
