using Portal.App;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Ordering;

/// <summary>What a person can decide on, the oldest first; for the provider's people also all that waits, and what was decided. Live.</summary>
public partial class ApprovalsPage(ListApprovals.Handler approvals) : PortalPage
{
    private Result<IReadOnlyList<OrderRow>>? _orders;

    private ApprovalList List => Navigation.ToBaseRelativePath(Navigation.Uri).Split('?', '#')[0] switch
    {
        "approvals/all" => ApprovalList.Waiting,
        "approvals/decided" => ApprovalList.Decided,
        _ => ApprovalList.Mine,
    };

    private string Title => List == ApprovalList.Decided ? "Decided orders" : "Orders to decide";

    protected override async Task OnParametersSetAsync()
    {
        Follow(Topic.Approvals);
        _orders = await ReadAsync("orders", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _orders = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<OrderRow>>> LoadAsync(Actor actor, CancellationToken ct) => approvals.HandleAsync(new ListApprovals.Request(List), actor, ct);

    private string? Current(ApprovalList list) => list == List ? "page" : null;

    private string Answer(IReadOnlyList<OrderRow> orders) => List switch
    {
        ApprovalList.Mine when orders.Count > 0 => $"{Said.Count(orders.Count, "order waits", "orders wait")} for your word.",
        ApprovalList.Waiting when orders.Count > 0 => $"{Said.Count(orders.Count, "order waits", "orders wait")} for somebody.",
        ApprovalList.Decided => "The last hundred, the newest first.",
        _ => "",
    };
}
