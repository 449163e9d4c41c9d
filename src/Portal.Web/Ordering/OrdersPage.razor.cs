using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Ordering;

/// <summary>A tenant's orders, the newest first.</summary>
public partial class OrdersPage(ListOrders.Handler lists) : TenantPage
{
    private Result<IReadOnlyList<OrderRow>>? _orders;

    [SupplyParameterFromQuery]
    private string? After { get; set; }

    protected override bool FollowsTenant => true;

    protected override async Task OnParametersSetAsync()
    {
        _orders = await ReadHereAsync("orders", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _orders = await AskHereAsync(LoadAsync);

    private Task<Result<IReadOnlyList<OrderRow>>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) =>
        lists.HandleAsync(new ListOrders.Request(tenant, Id.TryParse<OrderId>(After, out var after) ? after : null), actor, ct);
}
