using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.App.Vms;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Ordering;

/// <summary>One order: where it is, who is next, what became of its VMs. Live.</summary>
public partial class OrderPage(GetOrder.Handler orders, CancelOrder.Handler cancellation, IDialogService dialogs) : TenantPage
{
    private Result<GetOrder.Details>? _order;
    private Refusal? _refusal;
    private bool _busy;

    [Parameter]
    public string Order { get; set; } = "";

    // Its VMs tell their progress under the tenant's topic.
    protected override bool FollowsTenant => true;

    protected override async Task OnParametersSetAsync()
    {
        if (!Id.TryParse<OrderId>(Order, out var id))
        {
            _order = Result<GetOrder.Details>.Of(new NotFound("order"));
            return;
        }

        FollowToo(Topic.Of(id));
        _order = await ReadHereAsync("order", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _order = await AskHereAsync(LoadAsync);

    private async Task<Result<GetOrder.Details>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct)
    {
        var read = Id.TryParse<OrderId>(Order, out var id) ? await orders.HandleAsync(new GetOrder.Request(id), actor, ct) : Result<GetOrder.Details>.Of(new NotFound("order"));
        return read.Succeeded && read.Value.Row.Tenant != tenant ? Result<GetOrder.Details>.Of(new NotFound("order")) : read;
    }

    private static bool ChangesOnly(GetOrder.Details order) => order.Lines.All(l => l.Changes is not null);

    private static string Sentence(GetOrder.Details order) => order.Row.State switch
    {
        OrderState.Waiting when ChangesOnly(order) => order.Row.WaitsFor is { } step ? $"It waits for {step}. Until then nothing changes." : "It is approved, and waits for what stands below.",
        OrderState.Done when ChangesOnly(order) => "It was approved, and holds since then.",
        OrderState.Denied or OrderState.Cancelled or OrderState.Expired when ChangesOnly(order) => $"{(order.Row.State == OrderState.Denied ? "It was denied; the reason is below." : order.Row.State == OrderState.Cancelled ? "It was cancelled before anybody decided." : "Nobody decided in time.")} Nothing has changed.",
        OrderState.Waiting => order.Row.WaitsFor is { } step ? $"It waits for {step}. Nothing is built and nothing costs yet." : "It is approved, and waits for what stands below. Nothing costs yet.",
        OrderState.Building => $"{order.Vms.Count(v => v.Stage == VmStage.Ready)} of {Said.Count(order.Vms.Count, "VM")} built.",
        OrderState.Done => order.Vms.All(v => v.Stage == VmStage.Deleted) ? "Built, and deleted since." : "All of it is built.",
        OrderState.Failed => "Not all of it could be built. The VM's page says why, and builds it again.",
        OrderState.Denied => "It was denied; the reason is below. Nothing was built.",
        OrderState.Cancelled => "It was cancelled before anybody decided. Nothing was built.",
        OrderState.Expired => "Nobody decided in time. Nothing was built; you can order again.",
    };

    // The same form, filled in; the key is new, so it is another order.
    private string Again(GetOrder.Details order) =>
        OrderAddress.Of($"{Base}/orders/new", null, [.. order.Lines.Select(l => new LineInAddress(l.Slug, l.Plan, l.Pattern, l.Names.Count, OrderAddress.Size(l.Vcpus, l.Memory.CeilingMiB, l.Disk.CeilingGiB), l.LeaseEndsAt is { } end ? Lease.LastDayOf(end) : null))], "", order.Note);

    private async Task CancelAsync()
    {
        if (_order is not { Succeeded: true } read || !await dialogs.AskAsync($"Cancel order {read.Value.Row.Number}?", "Its share of the quota is free again. You can order again at any time.", "Cancel the order"))
        {
            return;
        }

        _busy = true;
        StateHasChanged();
        var done = await AskHereAsync<Done>((tenant, actor, ct) => cancellation.HandleAsync(new CancelOrder.Request(tenant, read.Value.Row.Id), actor, ct));
        _refusal = done.Refusal;
        _busy = false;
        await LookAgainAsync();
    }
}
