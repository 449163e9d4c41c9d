using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Fleet;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Hosts;

/// <summary>What the host says in its own words.</summary>
public partial class HostPapers(ReadHostPaper.Handler papers) : PortalPage
{
    private Result<ReadHostPaper.Paper>? _paper;
    private string? _name;

    [Parameter, EditorRequired]
    public HostId Host { get; set; }

    protected override async Task OnInitializedAsync() => _paper = await ReadAsync("paper", LoadAsync);

    protected override async Task LookAgainAsync() => _paper = await AskAsync(LoadAsync);

    private Task ReadAsync(string name)
    {
        _name = name;
        return LookAgainAsync();
    }

    private Task<Result<ReadHostPaper.Paper>> LoadAsync(Actor actor, CancellationToken ct) => papers.HandleAsync(new ReadHostPaper.Request(Host, _name), actor, ct);
}
