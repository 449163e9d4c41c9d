using Portal.App.Audit;
using Portal.App.Billing;
using Portal.App.Pricing;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <summary>Tenants: members, keys, usage.</summary>
internal static class TenantApi
{
    public static void Map(RouteGroupBuilder api)
    {
        var tenants = api.MapGroup("/tenants").WithTags("Tenants");
        tenants.MapGet("/", async (ListTenants.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(), http.Actor(), ct)).Answer(rows => rows.Select(TenantJson.Of)))
            .WithName("ListTenants").WithSummary("The tenants that you may see.").Produces<IEnumerable<TenantJson>>();
        tenants.MapPost("/", async (NewTenantBody body, CreateTenant.Handler handler, HttpContext http, CancellationToken ct) =>
            {
                if (!body.Limits.IsValid)
                {
                    return Problems.From(new App.Access.Invalid("limits", "A limit is 0 or more; leave it out for no limit."));
                }

                var result = await handler.HandleAsync(new(body.Slug, body.Name, body.Currency, body.Limits.ToLimits()), http.Actor(), ct);
                return result.TryGet(out var id, out var refusal) ? Results.Created($"/api/v1/tenants/{id}", new CreatedJson(id.Value)) : Problems.From(refusal);
            })
            .WithName("CreateTenant").WithSummary("Makes a tenant. For administrators.").Produces<CreatedJson>(201).ProducesProblem(409).ProducesProblem(422);
        tenants.MapPut("/{tenant:guid}", async (Guid tenant, ChangeTenantBody body, ChangeTenant.Handler handler, HttpContext http, CancellationToken ct) =>
                body.Limits.IsValid
                    ? (await handler.HandleAsync(new(new TenantId(tenant), body.Name, body.Limits.ToLimits()), http.Actor(), ct)).Answer()
                    : Problems.From(new App.Access.Invalid("limits", "A limit is 0 or more; leave it out for no limit.")))
            .WithName("ChangeTenant").WithSummary("Changes name and limits. For administrators.").Produces(204).ProducesProblem(404).ProducesProblem(422);
        tenants.MapGet("/{tenant:guid}/overview", async (Guid tenant, App.Billing.GetOverview.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant)), http.Actor(), ct)).Answer(OverviewJson.Of))
            .WithName("GetOverview").WithSummary("Whether all is well, what is under way, what is left of the quota, what this month costs.").Produces<OverviewJson>().ProducesProblem(404);
        tenants.MapGet("/{tenant:guid}/ssh-keys", async (Guid tenant, ListSshKeys.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant)), http.Actor(), ct)).Answer(rows => rows.Select(SshKeyJson.Of)))
            .WithName("ListSshKeys").WithSummary("The tenant's stored public keys.").Produces<IEnumerable<SshKeyJson>>();
        tenants.MapPost("/{tenant:guid}/ssh-keys", async (Guid tenant, SshKeyBody body, AddSshKey.Handler handler, HttpContext http, CancellationToken ct) =>
            {
                var result = await handler.HandleAsync(new(new TenantId(tenant), body.Name ?? "", body.Line), http.Actor(), ct);
                return result.TryGet(out var id, out var refusal) ? Results.Created($"/api/v1/tenants/{tenant}/ssh-keys", new CreatedJson(id.Value)) : Problems.From(refusal);
            })
            .WithName("AddSshKey").WithSummary("Stores a public key.").Produces<CreatedJson>(201).ProducesProblem(409).ProducesProblem(422);
        tenants.MapDelete("/{tenant:guid}/ssh-keys/{key:guid}", async (Guid tenant, Guid key, RemoveSshKey.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new SshKeyId(key)), http.Actor(), ct)).Answer())
            .WithName("RemoveSshKey").WithSummary("Forgets a stored key; VMs that have it keep it.").Produces(204).ProducesProblem(404);
        tenants.MapGet("/{tenant:guid}/usage", async (Guid tenant, string? month, MonthUsage.Handler handler, HttpContext http, CancellationToken ct) =>
            {
                DateTimeOffset? at = null;
                if (month is not null)
                {
                    if (!DateTimeOffset.TryParseExact(month, "yyyy-MM", System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var parsed))
                    {
                        return Problems.From(new App.Access.Invalid("month", "A month is written 2026-11."));
                    }

                    at = parsed;
                }

                return (await handler.HandleAsync(new(new TenantId(tenant), at), http.Actor(), ct)).Answer(UsageJson.Of);
            })
            .WithName("GetUsage").WithSummary("A month's usage: exact seconds, rates, unrounded amounts.").Produces<UsageJson>().ProducesProblem(403).ProducesProblem(422);
        tenants.MapGet("/{tenant:guid}/quota", async (Guid tenant, GetQuota.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant)), http.Actor(), ct)).Answer(QuotaDetailsJson.Of))
            .WithName("GetQuota").WithSummary("What is used, held by waiting orders and allowed, the biggest VMs, and what a month comes to.").Produces<QuotaDetailsJson>().ProducesProblem(404);
        tenants.MapPut("/{tenant:guid}/spending", async (Guid tenant, SpendingBody body, SetSpending.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), body.Limit, body.Rule), http.Actor(), ct)).Answer())
            .WithName("SetSpending").WithSummary("Says what a month may come to, and what happens beyond it. For administrators.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(422);
        tenants.MapGet("/{tenant:guid}/tax", async (Guid tenant, ListTaxRates.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant)), http.Actor(), ct)).Answer(taxes => taxes.SelectMany(t => t.Rates).Select(TaxRateJson.Of)))
            .WithName("ListTaxRates").WithSummary("The tax on what the tenant pays, the newest first: in force, scheduled, past and withdrawn.").Produces<IEnumerable<TaxRateJson>>().ProducesProblem(403).ProducesProblem(404);
        tenants.MapPut("/{tenant:guid}/tax", async (Guid tenant, TaxRateBody body, SetTaxRate.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), body.Percent, body.From), http.Actor(), ct)).Answer())
            .WithName("SetTaxRate").WithSummary("Sets the tax from now on or from an instant to come. For billers.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        tenants.MapPost("/{tenant:guid}/tax/{rate:guid}/withdraw", async (Guid tenant, Guid rate, WithdrawTaxRate.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), rate), http.Actor(), ct)).Answer())
            .WithName("WithdrawTaxRate").WithSummary("Takes back a rate that has not begun. For billers.").Produces(204).ProducesProblem(403).ProducesProblem(404);
        tenants.MapGet("/{tenant:guid}/audit", async (Guid tenant, long? before, ListAudit.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), before), http.Actor(), ct)).Answer(p => p))
            .WithName("ListTenantAudit").WithSummary("Who did what when, the newest first; says whether the chain of hashes is intact.").Produces<ListAudit.Page>().ProducesProblem(403);
    }
}
