using Portal.App.Access;
using Portal.App.Operations;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Operations;

/// <summary>All live operations, for operators; looked at anew every few seconds, since no single topic covers all tenants.</summary>
public partial class LiveOperationsPage(ListLiveOperations.Handler operations, TimeProvider clock) : PortalPage
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(3);

    private Result<IReadOnlyList<OperationRow>>? _operations;

    protected override async Task OnInitializedAsync()
    {
        _operations = await ReadAsync("operations", LoadAsync);
        if (RendererInfo.IsInteractive)
        {
            Keep(LookOnAndOnAsync);
        }
    }

    protected override async Task LookAgainAsync() => _operations = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<OperationRow>>> LoadAsync(Actor actor, CancellationToken ct) => operations.HandleAsync(new ListLiveOperations.Request(), actor, ct);

    private async Task LookOnAndOnAsync(CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(s_period, clock, ct);
            await InvokeAsync(async () =>
            {
                await LookAgainAsync();
                StateHasChanged();
            });
        }
    }
}
