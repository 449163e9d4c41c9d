using Portal.App;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Ordering;

/// <summary>The approvers' queue, the oldest first, and what was decided. Live.</summary>
public partial class ApprovalsPage(ListApprovals.Handler approvals) : PortalPage
{
    private Result<IReadOnlyList<OrderRow>>? _orders;

    private bool Decided => Navigation.ToBaseRelativePath(Navigation.Uri).StartsWith("approvals/decided", StringComparison.Ordinal);

    protected override async Task OnParametersSetAsync()
    {
        Follow(Topic.Approvals);
        _orders = await ReadAsync("orders", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _orders = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<OrderRow>>> LoadAsync(Actor actor, CancellationToken ct) => approvals.HandleAsync(new ListApprovals.Request(Decided), actor, ct);

    private string Answer()
    {
        if (Decided || _orders is not { Succeeded: true } read || read.Value.Count == 0)
        {
            return Decided ? "The last hundred, the newest first." : "";
        }

        var mine = read.Value.Count(o => o.RequestedById == Me.User);
        return May(Permission.DecideOrders)
            ? $"{Said.Count(read.Value.Count - mine, "order")} for you to decide{(mine > 0 ? $", {mine} of your own for somebody else" : "")}."
            : $"{Said.Count(read.Value.Count, "order")} waiting. You may look; approvers decide.";
    }
}
