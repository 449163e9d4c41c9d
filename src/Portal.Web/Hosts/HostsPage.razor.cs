using Portal.App;
using Portal.App.Access;
using Portal.App.Hosts;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Hosts;

/// <summary>The hosts, the ones in trouble first: what is wrong and how to mend it, and where there is room.</summary>
public partial class HostsPage(ListHosts.Handler lists) : PortalPage
{
    private Result<IReadOnlyList<HostRow>>? _hosts;

    protected override async Task OnInitializedAsync()
    {
        Follow(Topic.Hosts);
        _hosts = await ReadAsync("hosts", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _hosts = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<HostRow>>> LoadAsync(Actor actor, CancellationToken ct) => lists.HandleAsync(new ListHosts.Request(), actor, ct);

    private string Answer()
    {
        if (_hosts is not { Succeeded: true } read || read.Value.Count == 0)
        {
            return "";
        }

        var trouble = read.Value.Count(h => h.Problem is not null);
        return trouble == 0 ? $"{Said.Count(read.Value.Count, "host")}, all well." : $"{trouble} of {Said.Count(read.Value.Count, "host")} in trouble.";
    }
}
