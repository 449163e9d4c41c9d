using Microsoft.AspNetCore.Components;
using Portal.App;
using Portal.App.Access;
using Portal.App.Fleet;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Hosts;

/// <summary>One host: whether it can be trusted with VMs, what is on it, what it says, and how it was made one. Its tabs are addresses.</summary>
public partial class HostPage(GetHost.Handler hosts) : PortalPage
{
    private Result<GetHost.Details>? _host;
    private Refusal? _refusal;
    private string _tab = "";

    [Parameter]
    public string Host { get; set; } = "";

    [Parameter]
    public string? Tab { get; set; }

    /// <summary>The domain whose logs are to be read among the messages; null for the host's own.</summary>
    [SupplyParameterFromQuery]
    public string? Domain { get; set; }

    /// <summary>The domain among those that are not the portal's that is to be looked at closely.</summary>
    [SupplyParameterFromQuery]
    public string? Named { get; set; }

    protected override async Task OnParametersSetAsync()
    {
        _tab = Tab ?? "";
        if (!Id.TryParse<HostId>(Host, out var id))
        {
            _host = Result<GetHost.Details>.Of(new NotFound("host"));
            return;
        }

        if (_host is { Succeeded: true } there && there.Value.Row.Id == id)
        {
            return;
        }

        _refusal = null;
        Follow(Topic.Hosts);
        _host = await ReadAsync("host", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _host = await AskAsync(LoadAsync);

    private Task<Result<GetHost.Details>> LoadAsync(Actor actor, CancellationToken ct) =>
        Id.TryParse<HostId>(Host, out var id)
            ? hosts.HandleAsync(new GetHost.Request(id), actor, ct)
            : Task.FromResult(Result<GetHost.Details>.Of(new NotFound("host")));

    private async Task DoneAsync(Refusal? refusal)
    {
        _refusal = refusal;
        await LookAgainAsync();
    }

    private IEnumerable<(string Tab, string Word)> Tabs(GetHost.Details host)
    {
        yield return ("", "Overview");
        yield return ("checks", "Checks");
        yield return ("inventory", "Inventory");
        if (host.SeesForeign)
        {
            yield return ("foreign", "Other domains");
        }

        yield return ("messages", "Messages");
        if (host.Remote is not null)
        {
            yield return ("installation", "Installation");
            if (May(Permission.ManageHosts))
            {
                yield return ("settings", "Settings");
            }
        }
    }

    private string TabHref(string tab) => tab.Length == 0 ? $"/ops/hosts/{Host}" : $"/ops/hosts/{Host}/{tab}";
}
