using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <summary>Orders and decisions.</summary>
internal static class OrderApi
{
    private const string KeyHeader = "Idempotency-Key";

    public static void Map(RouteGroupBuilder api)
    {
        var orders = api.MapGroup("/tenants/{tenant:guid}/orders").WithTags("Orders");
        orders.MapPost("/preview", async (Guid tenant, OrderBody body, PreviewOrder.Handler handler, Catalogue catalogue, HttpContext http, CancellationToken ct) =>
                (await catalogue.FormAsync(new TenantId(tenant), body, http.Actor(), ct)).TryGet(out var form, out var refusal)
                    ? (await handler.HandleAsync(new(new TenantId(tenant), form), http.Actor(), ct)).Answer(PreviewJson.Of)
                    : Problems.From(refusal))
            .WithName("PreviewOrder").WithSummary("What an order would cost, take and do. Changes nothing.").Produces<PreviewJson>().ProducesProblem(422);
        orders.MapPost("/", async (Guid tenant, OrderBody body, PlaceOrder.Handler handler, Catalogue catalogue, HttpContext http, CancellationToken ct) =>
            {
                if (!(await catalogue.FormAsync(new TenantId(tenant), body, http.Actor(), ct)).TryGet(out var form, out var refusal))
                {
                    return Problems.From(refusal);
                }

                var result = await handler.HandleAsync(new(new TenantId(tenant), form, KeyOf(http)), http.Actor(), ct);
                return result.TryGet(out var placed, out refusal)
                    ? Results.Created($"/api/v1/orders/{placed.Order}", new PlacedJson(placed.Order.Value, placed.Number, placed.Repeated))
                    : Problems.From(refusal);
            })
            .WithName("PlaceOrder").WithSummary("Places an order. The same Idempotency-Key with the same body gives the same order.").Produces<PlacedJson>(201).ProducesProblem(409).ProducesProblem(422);
        orders.MapGet("/", async (Guid tenant, Guid? after, ListOrders.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), after is { } a ? new OrderId(a) : null), http.Actor(), ct)).Answer(rows => rows.Select(OrderJson.Of)))
            .WithName("ListOrders").WithSummary("A tenant's orders, the newest first, 50 a page; continue with `after`.").Produces<IEnumerable<OrderJson>>().ProducesProblem(404);
        orders.MapPost("/{order:guid}/cancel", async (Guid tenant, Guid order, CancelOrder.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new OrderId(order)), http.Actor(), ct)).Answer())
            .WithName("CancelOrder").WithSummary("Takes back an order that still waits.").Produces(204).ProducesProblem(404).ProducesProblem(409);

        api.MapPost("/tenants/{tenant:guid}/vms/{vm:guid}/lease-extensions", async (Guid tenant, Guid vm, ExtensionBody body, ExtendLease.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm), body.Until, body.Note ?? "", KeyOf(http)), http.Actor(), ct)).TryGet(out var placed, out var refusal)
                    ? Results.Created($"/api/v1/orders/{placed.Order}", new PlacedJson(placed.Order.Value, placed.Number, placed.Repeated))
                    : Problems.From(refusal))
            .WithTags("Orders").WithName("ExtendLease").WithSummary("Asks for more time for a VM: an order, decided like every other.").Produces<PlacedJson>(201).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);

        api.MapGet("/orders/{order:guid}", async (Guid order, GetOrder.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new OrderId(order)), http.Actor(), ct)).Answer(OrderDetailsJson.Of))
            .WithTags("Orders").WithName("GetOrder").WithSummary("An order with its VMs, whom it asks, and what was said.").Produces<OrderDetailsJson>().ProducesProblem(404);
        api.MapGet("/approvals", async (ApprovalList? list, ListApprovals.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(list ?? ApprovalList.Mine), http.Actor(), ct)).Answer(rows => rows.Select(OrderJson.Of)))
            .WithTags("Approvals").WithName("ListApprovals").WithSummary("The orders on which you can vote now; for the provider's people also all that wait (`list=Waiting`), or the last hundred that were decided (`list=Decided`).").Produces<IEnumerable<OrderJson>>().ProducesProblem(403);
        api.MapGet("/orders/{order:guid}/decision", async (Guid order, GetDecision.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new OrderId(order)), http.Actor(), ct)).Answer(DecisionJson.Of))
            .WithTags("Orders").WithName("GetDecision").WithSummary("What whoever decides needs to know for a yes or a no.").Produces<DecisionJson>().ProducesProblem(403).ProducesProblem(404);
        api.MapPost("/orders/{order:guid}/comments", async (Guid order, CommentBody body, CommentOnOrder.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new OrderId(order), body.Text, body.Question), http.Actor(), ct)).Answer())
            .WithTags("Orders").WithName("CommentOnOrder").WithSummary("Writes a comment on an order. A question stops its clock; the next word of the asked side is the answer.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(422);
        api.MapPost("/orders/{order:guid}/decision", async (Guid order, DecisionBody body, DecideOrder.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new OrderId(order), body.Verdict, body.Reason ?? "", body.InPlaceOf is { } step ? new ApprovalStepId(step) : null, body.Stage), http.Actor(), ct)).Answer())
            .WithTags("Approvals").WithName("DecideOrder").WithSummary("Approves or denies. For those whom one of its open steps names; never one's own order where the step wants four eyes.").Produces(204).ProducesProblem(403).ProducesProblem(409).ProducesProblem(422);
    }

    private static string KeyOf(HttpContext http) => http.Request.Headers[KeyHeader].ToString() is { Length: > 0 } given ? given : Guid.CreateVersion7().ToString();

    /// <summary>Finds what a body names: programs keep ids, people type names.</summary>
    internal sealed class Catalogue(ListTemplates.Handler templates, ListPlans.Handler plans)
    {
        public async Task<Result<OrderForm>> FormAsync(TenantId tenant, OrderBody body, Actor actor, CancellationToken ct)
        {
            if (!(await templates.HandleAsync(new(OfferedOnly: true, tenant), actor, ct)).TryGet(out var offered, out var hidden))
            {
                return Result<OrderForm>.Of(hidden);
            }

            var sizes = (await plans.HandleAsync(new(Currency.Eur, OfferedOnly: true), actor, ct)).Value;
            var lines = new List<LineForm>();
            foreach (var line in body.Lines)
            {
                var within = OrderForm.NameOf(lines.Count);
                // A list may hold a null, whatever its type says.
                if (line is null)
                {
                    return new Invalid("template", "A line has a template, a plan and a name.") { Within = within };
                }

                if (offered.FirstOrDefault(t => t.Slug == line.Template || t.Id.ToString() == line.Template) is not { } template)
                {
                    return new Invalid("template", "There is no such template on offer. GET /api/v1/templates lists them.") { Within = within };
                }

                if (sizes.FirstOrDefault(p => string.Equals(p.Name, line.Plan, StringComparison.OrdinalIgnoreCase) || p.Id.ToString() == line.Plan) is not { } plan)
                {
                    return new Invalid("plan", "There is no such plan on offer. GET /api/v1/plans lists them.") { Within = within };
                }

                lines.Add(new LineForm(template.Id, plan.Id, line.Name, line.Count, line.SshKeys ?? [], line.UserData, line.Size?.ToSize(), line.LeaseEndsAt));
            }

            return new OrderForm(lines, body.Note ?? "");
        }
    }
}
