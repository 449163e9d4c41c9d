using Portal.App.Ordering;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <summary>Drafts and blueprints: order forms that are kept.</summary>
internal static class SavedOrderApi
{
    public static void Map(RouteGroupBuilder api)
    {
        var saved = api.MapGroup("/tenants/{tenant:guid}/saved-orders").WithTags("Orders");
        saved.MapGet("/", async (Guid tenant, ListSavedOrders.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant)), http.Actor(), ct)).Answer(rows => rows.Select(SavedOrderJson.Of)))
            .WithName("ListSavedOrders").WithSummary("A tenant's drafts and blueprints, and the blueprints that the provider offers.").Produces<IEnumerable<SavedOrderJson>>().ProducesProblem(403).ProducesProblem(404);
        saved.MapGet("/{saved:guid}", async (Guid tenant, Guid saved, GetSavedOrder.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new SavedOrderId(saved)), http.Actor(), ct)).Answer(SavedOrderDetailsJson.Of))
            .WithName("GetSavedOrder").WithSummary("A draft or blueprint with its form, as PlaceOrder takes it.").Produces<SavedOrderDetailsJson>().ProducesProblem(403).ProducesProblem(404);
        saved.MapPost("/", async (Guid tenant, SavedOrderBody body, SaveOrder.Handler handler, OrderApi.Catalogue catalogue, HttpContext http, CancellationToken ct) =>
                await SaveAsync(tenant, null, body, handler, catalogue, http, ct))
            .WithName("SaveOrder").WithSummary("Keeps an order form as a draft or a blueprint.").Produces<SavedJson>(201).ProducesProblem(403).ProducesProblem(409).ProducesProblem(422);
        saved.MapPut("/{saved:guid}", async (Guid tenant, Guid saved, SavedOrderBody body, SaveOrder.Handler handler, OrderApi.Catalogue catalogue, HttpContext http, CancellationToken ct) =>
                await SaveAsync(tenant, new SavedOrderId(saved), body, handler, catalogue, http, ct))
            .WithName("ReplaceSavedOrder").WithSummary("Takes a draft's or a blueprint's place; its kind stays.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        saved.MapDelete("/{saved:guid}", async (Guid tenant, Guid saved, RemoveSavedOrder.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new SavedOrderId(saved)), http.Actor(), ct)).Answer())
            .WithName("RemoveSavedOrder").WithSummary("Removes a draft or a blueprint. The provider's: for those who keep its templates.").Produces(204).ProducesProblem(403).ProducesProblem(404);
        saved.MapPost("/{saved:guid}/offer", async (Guid tenant, Guid saved, OfferBlueprint.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new SavedOrderId(saved)), http.Actor(), ct)).Answer(id => new SavedJson(id.Value)))
            .WithName("OfferBlueprint").WithSummary("Offers a copy of a blueprint to all tenants. For those who keep the provider's templates.").Produces<SavedJson>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<IResult> SaveAsync(Guid tenant, SavedOrderId? replaced, SavedOrderBody body, SaveOrder.Handler handler, OrderApi.Catalogue catalogue, HttpContext http, CancellationToken ct)
    {
        if (!(await catalogue.FormAsync(new TenantId(tenant), new OrderBody(body.Lines, body.Note), http.Actor(), ct)).TryGet(out var form, out var refusal))
        {
            return Problems.From(refusal);
        }

        var kept = await handler.HandleAsync(new(new TenantId(tenant), replaced, body.Kind, body.Name, body.Description ?? "", form), http.Actor(), ct);
        return !kept.TryGet(out var id, out refusal) ? Problems.From(refusal)
            : replaced is null ? Results.Created($"/api/v1/tenants/{tenant}/saved-orders/{id}", new SavedJson(id.Value))
            : Results.NoContent();
    }
}

/// <param name="Kind">A draft is gone once it is ordered in the browser; a blueprint stays, and keeps no SSH keys.</param>
/// <param name="Lines">As PlaceOrder takes them.</param>
internal sealed record SavedOrderBody(SavedKind Kind, string Name, IReadOnlyList<OrderLineBody?> Lines, string? Description = null, string? Note = null);

internal sealed record SavedJson(Guid Id);

/// <param name="OfProvider">It is offered to all tenants.</param>
/// <param name="What">Its lines in words.</param>
internal sealed record SavedOrderJson(Guid Id, string Kind, bool OfProvider, string Name, string Description, IReadOnlyList<string> What, long Vms, string SavedBy, DateTimeOffset SavedAt)
{
    public static SavedOrderJson Of(SavedOrderRow r) => new(r.Id.Value, r.Kind.ToString(), r.OfProvider, r.Name, r.Description, r.What, r.Vms, r.SavedBy, r.SavedAt);
}

internal sealed record SavedOrderDetailsJson(SavedOrderJson Saved, OrderBody Form)
{
    public static SavedOrderDetailsJson Of(GetSavedOrder.Details d) => new(
        SavedOrderJson.Of(d.Row),
        new OrderBody([.. d.Form.Lines.Select(l => new OrderLineBody(l.Template.ToString(), l.Plan.ToString(), l.Name, l.Count, l.SshKeys, l.UserData, l.Size is { } size ? SizeJson.Of(size) : null, l.LeaseEndsAt))], d.Form.Note));
}
