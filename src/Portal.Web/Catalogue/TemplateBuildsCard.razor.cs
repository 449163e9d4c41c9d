using MudBlazor;
using Portal.App;
using Portal.App.Access;
using Portal.App.Templates;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Catalogue;

/// <summary>Builds of templates: asked for here, followed live.</summary>
public partial class TemplateBuildsCard(ListTemplateBuilds.Handler lists, BuildTemplate.Handler building, ListReleases.Handler releases) : PortalPage
{
    private Result<IReadOnlyList<TemplateBuildRow>>? _builds;
    private IReadOnlyList<ReleaseRow> _releases = [];
    private Refusal? _refusal;
    private bool _busy;

    protected override async Task OnInitializedAsync()
    {
        Follow(Topic.Templates);
        _builds = await ReadAsync("builds", LoadAsync);
        if (RendererInfo.IsInteractive)
        {
            // The network is asked, which may take its time: the page does not wait for it.
            Keep(_ => InvokeAsync(AskReleasesAsync));
        }
    }

    protected override async Task LookAgainAsync() => _builds = await AskAsync(LoadAsync);

    private static StatusLook LookOf(TemplateBuildState state) => state switch
    {
        TemplateBuildState.Waiting => StatusLook.Working("Waiting"),
        TemplateBuildState.Building => StatusLook.Working("Building"),
        TemplateBuildState.Testing => StatusLook.Working("Testing"),
        TemplateBuildState.Done => new StatusLook("On offer", Icons.Material.Outlined.CheckCircle, Tone.Success),
        TemplateBuildState.Failed => new StatusLook("Failed", Icons.Material.Outlined.ErrorOutline, Tone.Error),
    };

    private Task<Result<IReadOnlyList<TemplateBuildRow>>> LoadAsync(Actor actor, CancellationToken ct) => lists.HandleAsync(new ListTemplateBuilds.Request(), actor, ct);

    private async Task AskReleasesAsync()
    {
        var read = await AskAsync<IReadOnlyList<ReleaseRow>>((actor, ct) => releases.HandleAsync(new ListReleases.Request(), actor, ct));
        _releases = read.Succeeded ? read.Value : [];
        StateHasChanged();
    }

    private async Task BuildAsync(DebianRelease release)
    {
        _busy = true;
        _refusal = (await AskAsync<TemplateBuildId>((actor, ct) => building.HandleAsync(new BuildTemplate.Request(release.Codename), actor, ct))).Refusal;
        _busy = false;
        await LookAgainAsync();
    }
}
