using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.Web.Ordering;

/// <summary>What can be ordered, the keys at hand, and what the form was opened from.</summary>
/// <param name="Saved">Null where it was opened empty, or from what is gone.</param>
public sealed record OrderOffer(IReadOnlyList<TemplateRow> Templates, IReadOnlyList<PlanRow> Plans, IReadOnlyList<SshKeyRow> Keys, GetSavedOrder.Details? Saved = null);

/// <summary>Reads what an order form needs, from the handlers of four subjects.</summary>
public sealed class OrderOffers(ListTemplates.Handler templates, ListPlans.Handler plans, ListSshKeys.Handler keys, GetSavedOrder.Handler saved)
{
    /// <param name="from">The draft or blueprint that the form is opened from; null for an empty one.</param>
    public async Task<Result<OrderOffer>> ReadAsync(TenantId tenant, Currency currency, SavedOrderId? from, Actor actor, CancellationToken ct)
    {
        var read = await templates.HandleAsync(new ListTemplates.Request(OfferedOnly: true, tenant), actor, ct);
        var sold = await plans.HandleAsync(new ListPlans.Request(currency, OfferedOnly: true, tenant), actor, ct);
        var stored = await keys.HandleAsync(new ListSshKeys.Request(tenant), actor, ct);
        var kept = from is { } id ? await saved.HandleAsync(new GetSavedOrder.Request(tenant, id), actor, ct) : (Result<GetSavedOrder.Details>?)null;
        return (read.Refusal ?? sold.Refusal ?? stored.Refusal) is { } refusal
            ? Result<OrderOffer>.Of(refusal)
            : new OrderOffer(read.Value, [.. sold.Value.Where(p => p.Price is not null)], stored.Value, kept is { Succeeded: true } there ? there.Value : null);
    }
}
