using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Fleet;
using Portal.Engine;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Hosts;

/// <summary>What runs on a host, or could, that no portal made: seen, read and told, and changed only where an operator adopts it.</summary>
public partial class HostForeign(FindForeign.Handler finding, ReadForeignConfig.Handler reading) : PortalPage
{
    private Result<IReadOnlyList<FindForeign.Row>>? _sightings;
    private ForeignDomain? _read;
    private Refusal? _refusal;
    private string? _config;
    private string? _configProblem;
    private bool _busy;

    [Parameter, EditorRequired]
    public HostId Host { get; set; }

    /// <summary>The one to look at closely: its name, or where it has none its file; null for all.</summary>
    [Parameter]
    public string? Named { get; set; }

    private string Back => $"/ops/hosts/{Host}/foreign";

    protected override async Task OnInitializedAsync() => _sightings = await ReadAsync("foreign", LoadAsync);

    protected override async Task LookAgainAsync() => _sightings = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<FindForeign.Row>>> LoadAsync(Actor actor, CancellationToken ct) => finding.HandleAsync(new FindForeign.Request(Host), actor, ct);

    private async Task ReadAsync()
    {
        _busy = true;
        var read = await AskAsync((actor, ct) => reading.HandleAsync(new ReadForeignConfig.Request(Host, _config ?? ""), actor, ct));
        _busy = false;
        _configProblem = read.Refusal is { Field: "config" } config ? config.Message : null;
        _refusal = read.Refusal is { Field: null } other ? other : null;
        _read = read.TryGet(out var domain, out _) ? domain : null;
    }

    private static string KeyOf(ForeignSighting sighting) => sighting.Name ?? sighting.Readings[0].Source;

    private static FindForeign.Row? Find(IReadOnlyList<FindForeign.Row> rows, string named) => rows.FirstOrDefault(r => KeyOf(r.Sighting) == named);

    private static int Doubts(ForeignSighting sighting) => sighting.Readings.Sum(r => r.Domain.Warnings.Count + r.Domain.NotUnderstood.Count);

    private string HrefOf(ForeignSighting sighting) => $"{Back}?named={Uri.EscapeDataString(KeyOf(sighting))}";
}
