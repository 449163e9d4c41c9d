using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Audit;

/// <summary>What was changed of a template or a plan, the newest first.</summary>
public partial class ChangeHistory(ListHistory.Handler reading) : PortalPage
{
    private Result<IReadOnlyList<AuditRow>>? _rows;
    private int _seen;

    [Parameter, EditorRequired]
    public Guid Of { get; set; }

    /// <summary>Grows when something was changed: it is read again.</summary>
    [Parameter]
    public int Version { get; set; }

    protected override async Task OnParametersSetAsync()
    {
        if (_rows is null)
        {
            _rows = await ReadAsync($"history-{Of}", LoadAsync);
            _seen = Version;
        }
        else if (_seen != Version)
        {
            _seen = Version;
            await LookAgainAsync();
        }
    }

    protected override async Task LookAgainAsync() => _rows = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<AuditRow>>> LoadAsync(Actor actor, CancellationToken ct) => reading.HandleAsync(new ListHistory.Request(Of), actor, ct);
}
