using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Fleet;
using Portal.Engine;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Hosts;

/// <summary>All that a host needs to be one, looked at now.</summary>
public partial class HostChecks(SurveyHost.Handler survey) : PortalPage
{
    private Result<IReadOnlyList<HostCheck>>? _checks;
    private bool _busy;

    [Parameter, EditorRequired]
    public HostId Host { get; set; }

    protected override async Task OnInitializedAsync() => _checks = await ReadAsync("checks", LoadAsync);

    protected override async Task LookAgainAsync() => _checks = await AskAsync(LoadAsync);

    private async Task AgainAsync()
    {
        _busy = true;
        StateHasChanged();
        await LookAgainAsync();
        _busy = false;
    }

    private Task<Result<IReadOnlyList<HostCheck>>> LoadAsync(Actor actor, CancellationToken ct) => survey.HandleAsync(new SurveyHost.Request(Host), actor, ct);

    private static string Answer(IReadOnlyList<HostCheck> checks)
    {
        var (bad, warnings) = (checks.Count(c => c.Level == CheckLevel.Bad), checks.Count(c => c.Level == CheckLevel.Warning));
        return (bad, warnings) switch
        {
            (0, 0) => "All is good",
            (0, _) => $"{Said.Count(warnings, "thing")} to look at",
            _ => $"{Said.Count(bad, "thing stops", "things stop")} new VMs here",
        };
    }
}
