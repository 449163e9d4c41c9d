using Microsoft.AspNetCore.Http.Features;
using Portal.App.Catalogue;
using Portal.App.Pricing;
using Portal.App.Templates;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <summary>What can be ordered, and for how much.</summary>
internal static class CatalogueApi
{
    private const string Bytes = "application/octet-stream";

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/templates", async (bool? all, Guid? tenant, ListTemplates.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(OfferedOnly: all != true, BuyerOf(tenant)), http.Actor(), ct)).Answer(rows => rows.Select(TemplateJson.Of)))
            .WithTags("Catalogue").WithName("ListTemplates").WithSummary("The templates on offer; with `tenant` those that are there for it; for the provider's people with `all` also the others.").Produces<IEnumerable<TemplateJson>>().ProducesProblem(404).ProducesProblem(403);
        api.MapPut("/templates/{template:guid}", async (Guid template, TemplateBody body, ChangeTemplate.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(body.ToRequest(new TemplateId(template)), http.Actor(), ct)).Answer())
            .WithTags("Catalogue").WithName("ChangeTemplate").WithSummary("Changes how a template is presented, what it needs, and who can order it. For operators.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(422);
        api.MapGet("/templates/{of:guid}/history", HistoryAsync)
            .WithTags("Catalogue").WithName("ListTemplateHistory").WithSummary("What was changed of a template, the newest first. For the provider's people.").Produces<IEnumerable<ChangeJson>>().ProducesProblem(403);
        api.MapGet("/plans/{of:guid}/history", HistoryAsync)
            .WithTags("Catalogue").WithName("ListPlanHistory").WithSummary("What was changed of a plan, the newest first; of prices for those who keep them. For the provider's people.").Produces<IEnumerable<ChangeJson>>().ProducesProblem(403);
        api.MapPost("/templates/builds", async (TemplateBuildBody body, BuildTemplate.Handler handler, HttpContext http, CancellationToken ct) =>
            {
                var result = await handler.HandleAsync(new(body.Release), http.Actor(), ct);
                return result.TryGet(out var id, out var refusal) ? Results.Created("/api/v1/templates/builds", new CreatedJson(id.Value)) : Problems.From(refusal);
            })
            .WithTags("Catalogue").WithName("BuildTemplate").WithSummary("Builds a new version of a Debian, tests it on a host, and offers it when the test has passed. For operators.").Produces<CreatedJson>(201).ProducesProblem(403).ProducesProblem(409).ProducesProblem(422);
        api.MapGet("/templates/releases", async (ListReleases.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(), http.Actor(), ct)).Answer(rows => rows.Select(ReleaseJson.Of)))
            .WithTags("Catalogue").WithName("ListReleases").WithSummary("The releases of Debian that can be built, and whether the portal's machine can fetch each. For operators.").Produces<IEnumerable<ReleaseJson>>().ProducesProblem(403);
        api.MapGet("/templates/builds", async (ListTemplateBuilds.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(), http.Actor(), ct)).Answer(rows => rows.Select(TemplateBuildJson.Of)))
            .WithTags("Catalogue").WithName("ListTemplateBuilds").WithSummary("The last builds of templates, with the end of what each said. For operators.").Produces<IEnumerable<TemplateBuildJson>>().ProducesProblem(403);
        api.MapPost("/templates/uploads", async (Stream image, UploadImage.Handler handler, HttpContext http, CancellationToken ct) =>
            {
                // No form of another site can send this type.
                if (http.Request.ContentType != Bytes)
                {
                    return Results.Problem($"Send the image itself, as {Bytes}.", statusCode: StatusCodes.Status415UnsupportedMediaType);
                }

                // Images are larger than what is allowed elsewhere; the workshop has limits of its own.
                if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } most)
                {
                    most.MaxRequestBodySize = null;
                }

                var result = await handler.HandleAsync(new(image), http.Actor(), ct);
                return result.TryGet(out var here, out var refusal) ? Results.Created("/api/v1/templates/imports", new UploadedJson(here.Id, here.Size.Bytes)) : Problems.From(refusal);
            })
            .WithTags("Catalogue").WithName("UploadImage").WithSummary("Takes an image as the request's body, for an import to name. It is kept for a day. For operators.").Produces<UploadedJson>(201).ProducesProblem(403).ProducesProblem(409).ProducesProblem(415);
        api.MapPost("/templates/imports", async (TemplateImportBody body, ImportTemplate.Handler handler, HttpContext http, CancellationToken ct) =>
            {
                var request = new ImportTemplate.Request(
                    body.Slug, body.Name, body.Description ?? "", body.SignIn, body.MinMemoryMiB, body.MinDiskGiB, body.Format, body.Packing, body.Boot, body.Address, body.Upload, body.Sha256);
                var result = await handler.HandleAsync(request, http.Actor(), ct);
                return result.TryGet(out var id, out var refusal) ? Results.Created("/api/v1/templates/builds", new CreatedJson(id.Value)) : Problems.From(refusal);
            })
            .WithTags("Catalogue").WithName("ImportTemplate").WithSummary("Makes a template of an image that was uploaded, or that is fetched from a public address; tests it on a host, and offers it when the test has passed. For operators.").Produces<CreatedJson>(201).ProducesProblem(403).ProducesProblem(409).ProducesProblem(422);
        api.MapPost("/templates/nfs", async (NfsTemplateBody body, AddNfsTemplate.Handler handler, HttpContext http, CancellationToken ct) =>
            {
                var request = new AddNfsTemplate.Request(body.Slug, body.Name, body.Description ?? "", body.SignIn, body.MinMemoryMiB, body.Nfs.Server, body.Nfs.Path, body.Nfs.Writable);
                var result = await handler.HandleAsync(request, http.Actor(), ct);
                return result.TryGet(out var id, out var refusal) ? Results.Created("/api/v1/templates", new CreatedJson(id.Value)) : Problems.From(refusal);
            })
            .WithTags("Catalogue").WithName("AddNfsTemplate").WithSummary("Adds a template whose VMs have their root on an NFS server, or a new version of one. For operators.").Produces<CreatedJson>(201).ProducesProblem(403).ProducesProblem(409).ProducesProblem(422);
        api.MapGet("/plans", async (string? currency, Guid? tenant, ListPlans.Handler handler, HttpContext http, CancellationToken ct) =>
                CurrencyOf(currency) is { } known
                    ? (await handler.HandleAsync(new(known, OfferedOnly: true, BuyerOf(tenant)), http.Actor(), ct)).Answer(rows => rows.Select(PlanJson.Of))
                    : Problems.From(new App.Access.Invalid("currency", "A currency is three capital letters, such as EUR.")))
            .WithTags("Catalogue").WithName("ListPlans").WithSummary("The plans on offer, with their prices in a currency (EUR unless said): the list's, or with `tenant` those that this tenant pays.").Produces<IEnumerable<PlanJson>>().ProducesProblem(404).ProducesProblem(422);
        api.MapPost("/plans", async (PlanBody body, SavePlan.Handler handler, HttpContext http, CancellationToken ct) =>
            {
                var result = await handler.HandleAsync(body.ToRequest(null), http.Actor(), ct);
                return result.TryGet(out var id, out var refusal) ? Results.Created("/api/v1/plans", new CreatedJson(id.Value)) : Problems.From(refusal);
            })
            .WithTags("Catalogue").WithName("CreatePlan").WithSummary("Makes a plan. For billers.").Produces<CreatedJson>(201).ProducesProblem(422);
        api.MapPut("/plans/{plan:guid}", async (Guid plan, PlanBody body, SavePlan.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(body.ToRequest(new PlanId(plan)), http.Actor(), ct)).Answer(id => new CreatedJson(id.Value)))
            .WithTags("Catalogue").WithName("ChangePlan").WithSummary("Changes a plan; VMs that exist keep their size. For billers.").Produces<CreatedJson>().ProducesProblem(404).ProducesProblem(422);
        api.MapPut("/plans/{plan:guid}/price", async (Guid plan, PriceBody body, SetPrice.Handler handler, HttpContext http, CancellationToken ct) =>
                CurrencyOf(body.Currency) is { } known
                    ? (await handler.HandleAsync(new(new PlanId(plan), body.ToTariff(known), BuyerOf(body.Tenant), body.From), http.Actor(), ct)).Answer()
                    : Problems.From(new App.Access.Invalid("currency", "A currency is three capital letters, such as EUR.")))
            .WithTags("Catalogue").WithName("SetPrice").WithSummary("Sets a plan's price from now on or from an instant to come, for all or for one tenant. For billers.").Produces(204).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        api.MapGet("/currencies", async (ListCurrencies.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(), http.Actor(), ct)).Answer(currencies => currencies.Select(c => new CurrencyJson(c.Code, c.MinorUnits))))
            .WithTags("Catalogue").WithName("ListCurrencies").WithSummary("The currencies in which anything is sold or paid. For the provider's people.").Produces<IEnumerable<CurrencyJson>>().ProducesProblem(403);
        api.MapGet("/plans/{plan:guid}/prices", async (Guid plan, GetPrices.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new PlanId(plan)), http.Actor(), ct)).Answer(p => p.Rows.Select(PriceRowJson.Of)))
            .WithTags("Catalogue").WithName("ListPrices").WithSummary("All prices of a plan, the newest first: in force, scheduled, past and withdrawn. For the provider's people; tenants' own for those who see their costs.").Produces<IEnumerable<PriceRowJson>>().ProducesProblem(403).ProducesProblem(404);
        api.MapPost("/plans/{plan:guid}/prices/preview", async (Guid plan, PriceBody body, PreviewPrice.Handler handler, HttpContext http, CancellationToken ct) =>
                CurrencyOf(body.Currency) is { } known
                    ? (await handler.HandleAsync(new(new PlanId(plan), body.ToTariff(known), BuyerOf(body.Tenant)), http.Actor(), ct)).Answer(effects => effects.Select(PriceEffectJson.Of))
                    : Problems.From(new App.Access.Invalid("currency", "A currency is three capital letters, such as EUR.")))
            .WithTags("Catalogue").WithName("PreviewPrice").WithSummary("What a price would mean to those who have VMs of the plan. Changes nothing. For billers.").Produces<IEnumerable<PriceEffectJson>>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(422);
        api.MapPost("/plans/{plan:guid}/prices/end", async (Guid plan, EndPriceBody body, EndTenantPrice.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new PlanId(plan), new TenantId(body.Tenant), body.From), http.Actor(), ct)).Answer())
            .WithTags("Catalogue").WithName("EndTenantPrice").WithSummary("Ends a tenant's own price: from then on the list's holds for it too. For billers.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        api.MapPost("/plans/{plan:guid}/prices/{price:guid}/withdraw", async (Guid plan, Guid price, WithdrawPrice.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new PlanId(plan), price), http.Actor(), ct)).Answer())
            .WithTags("Catalogue").WithName("WithdrawPrice").WithSummary("Takes back a price that has not begun; it stays in the history as withdrawn. For billers.").Produces(204).ProducesProblem(403).ProducesProblem(404);
    }

    private static async Task<IResult> HistoryAsync(Guid of, App.Audit.ListHistory.Handler handler, HttpContext http, CancellationToken ct) =>
        (await handler.HandleAsync(new(of), http.Actor(), ct)).Answer(rows => rows.Select(r => new ChangeJson(r.At, r.Actor, r.Verb, r.Details)));

    private static TenantId? BuyerOf(Guid? tenant) => tenant is { } id ? new TenantId(id) : null;

    private static Currency? CurrencyOf(string? code) =>
        code is null ? Currency.Eur : code.Length == 3 && code.All(char.IsAsciiLetterUpper) ? new Currency(code) : null;
}
