using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.AspNetCore.Components.Web;

namespace Portal.Web.Components;

/// <summary>The document that every page stands in; chooses static rendering for the sign-in pages and a circuit for the rest.</summary>
public partial class Root : ComponentBase
{
    private IComponentRenderMode? _mode;
    private string? _look;
    private string? _zone;

    [CascadingParameter]
    private HttpContext Http { get; set; } = default!;

    protected override void OnInitialized()
    {
        _mode = Http.AcceptsInteractiveRouting() ? RenderMode.InteractiveServer : null;
        // Set by js/theme.js; repeated here so that enhanced navigation, which merges the root's attributes, does not take the theme away.
        var look = Http.Request.Cookies["portal-look"];
        _look = look is "dark" or "light" ? look : null;
        _zone = ViewerZone.Known(Http.Request.Cookies["portal-zone"]);
    }
}
