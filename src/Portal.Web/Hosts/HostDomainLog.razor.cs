using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Control;
using Portal.Engine;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Hosts;

/// <summary>What a host wrote down about one domain: its hypervisor's words, and what its guest printed.</summary>
public partial class HostDomainLog(ReadDomainLog.Handler logs) : PortalPage
{
    private static readonly Dictionary<DomainLog, string> s_words = new() { [DomainLog.Hypervisor] = "Hypervisor's log", [DomainLog.Console] = "Console" };

    private Result<ReadDomainLog.Read>? _read;
    private DomainLog _log = DomainLog.Hypervisor;

    [Parameter, EditorRequired]
    public HostId Host { get; set; }

    /// <summary>Its name on the host.</summary>
    [Parameter, EditorRequired]
    public string Domain { get; set; } = "";

    /// <summary>Where one came from.</summary>
    [Parameter, EditorRequired]
    public string Back { get; set; } = "";

    protected override async Task OnInitializedAsync() => _read = await ReadAsync("log", LoadAsync);

    protected override async Task LookAgainAsync() => _read = await AskAsync(LoadAsync);

    private Task ReadAsync(DomainLog log)
    {
        _log = log;
        return LookAgainAsync();
    }

    private Task<Result<ReadDomainLog.Read>> LoadAsync(Actor actor, CancellationToken ct) => logs.HandleAsync(new ReadDomainLog.Request(Host, Domain, _log), actor, ct);
}
