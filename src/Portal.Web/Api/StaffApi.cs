using Portal.App.Audit;
using Portal.App.Control;
using Portal.App.Fleet;
using Portal.App.Hosts;
using Portal.App.Ordering;
using Portal.App.Setup;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <summary>For the provider's own people.</summary>
internal static class StaffApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/hosts", async (ListHosts.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(), http.Actor(), ct)).Answer(rows => rows.Select(HostJson.Of)))
            .WithTags("Hosts").WithName("ListHosts").WithSummary("All hosts, their room and their troubles. For operators.").Produces<IEnumerable<HostJson>>().ProducesProblem(403);
        api.MapPost("/hosts", async (NewHostBody body, AddHost.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(body.Host, body.HostKey ?? ""), http.Actor(), ct)).TryGet(out var id, out var refusal) ? Results.Created($"/api/v1/hosts/{id}", new CreatedJson(id.Value)) : Problems.From(refusal))
            .WithTags("Hosts").WithName("AddHost").WithSummary("Adds a Xen host, whose key was looked at and compared before. For operators.").Produces<CreatedJson>(201).ProducesProblem(403).ProducesProblem(409).ProducesProblem(422);
        api.MapPost("/capacity", async (CapacityBody body, PlanCapacity.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(body.ToRequest(), http.Actor(), ct)).Answer(CapacityJson.Of))
            .WithTags("Hosts").WithName("PlanCapacity").WithSummary("What host a list of servers needs, and how often the present hosts hold it. Changes nothing. For operators.").Produces<CapacityJson>().ProducesProblem(403).ProducesProblem(422);
        api.MapPost("/hosts/look", async (LookAtHostBody body, LookAtHost.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(body.Address ?? "", body.Port ?? 22), http.Actor(), ct)).Answer(key => key))
            .WithTags("Hosts").WithName("LookAtHost").WithSummary("The key that the sshd at an address shows, without signing in. For operators.").Produces<LookAtHost.ShownKey>().ProducesProblem(403).ProducesProblem(422).ProducesProblem(503);
        api.MapGet("/hosts/{host:guid}", async (Guid host, GetHost.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host)), http.Actor(), ct)).Answer(HostDetailsJson.Of))
            .WithTags("Hosts").WithName("GetHost").WithSummary("One host, how it is reached, and the script for its root. For operators.").Produces<HostDetailsJson>().ProducesProblem(403).ProducesProblem(404);
        api.MapPut("/hosts/{host:guid}", async (Guid host, HostForm form, ChangeHost.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host), form), http.Actor(), ct)).Answer())
            .WithTags("Hosts").WithName("ChangeHost").WithSummary("Changes where a Xen host is, what the portal uses there and what is not sold. For operators.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        api.MapPut("/hosts/{host:guid}/key", async (Guid host, HostKeyBody body, PinHostKey.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host), body.Fingerprint ?? ""), http.Actor(), ct)).Answer())
            .WithTags("Hosts").WithName("PinHostKey").WithSummary("Pins the key that a host shows now, whose fingerprint was read on its own console. For operators.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
        api.MapGet("/hosts/{host:guid}/checks", async (Guid host, SurveyHost.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host)), http.Actor(), ct)).Answer(checks => checks))
            .WithTags("Hosts").WithName("SurveyHost").WithSummary("All that a host needs to work, looked at now, each with its remedy. For operators.").Produces<IEnumerable<HostCheck>>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
        api.MapGet("/hosts/{host:guid}/papers", async (Guid host, string? name, ReadHostPaper.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host), name), http.Actor(), ct)).Answer(paper => paper))
            .WithTags("Hosts").WithName("ReadHostPaper").WithSummary("What a host says in its own words: the hypervisor's messages, its memory. For operators.").Produces<ReadHostPaper.Paper>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
        api.MapGet("/hosts/{host:guid}/inventory", async (Guid host, ReadInventory.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host)), http.Actor(), ct)).Answer(InventoryJson.Of))
            .WithTags("Hosts").WithName("ReadInventory").WithSummary("What is on a host now, and which VM is behind it; what has no VM is a leftover. For operators.").Produces<InventoryJson>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
        api.MapGet("/hosts/{host:guid}/domains/{domain}/log", async (Guid host, string domain, DomainLog? log, ReadDomainLog.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host), domain, log ?? DomainLog.Hypervisor), http.Actor(), ct)).Answer(read => read))
            .WithTags("Hosts").WithName("ReadDomainLog").WithSummary("The end of what a host wrote down about a domain: its hypervisor's log, or its console, which its owner sees in the audit. For operators.").Produces<ReadDomainLog.Read>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
        api.MapGet("/hosts/{host:guid}/foreign", async (Guid host, FindForeign.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host)), http.Actor(), ct)).Answer(rows => rows.Select(ForeignSightingJson.Of)))
            .WithTags("Hosts").WithName("FindForeign").WithSummary("The domains on a host that no portal made, running or only described by a file: what was understood of each, and what was not. For operators.").Produces<IEnumerable<ForeignSightingJson>>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
        api.MapPost("/hosts/{host:guid}/foreign/read", async (Guid host, ForeignConfigBody body, ReadForeignConfig.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host), body.Config ?? ""), http.Actor(), ct)).Answer(ForeignDomainJson.Of))
            .WithTags("Hosts").WithName("ReadForeignConfig").WithSummary("Reads a configuration of xl or xm as a host would, and keeps nothing of it. For operators.").Produces<ForeignDomainJson>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422).ProducesProblem(503);
        api.MapPost("/hosts/{host:guid}/foreign/{domain}/adopt", async (Guid host, string domain, AdoptBody body, AdoptDomain.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host), domain, new TenantId(body.Tenant), new PlanId(body.Plan), body.Name, body.Address, body.MayShutDown), http.Actor(), ct)).TryGet(out var asked, out var refusal)
                    ? Results.Accepted($"/api/v1/operations/{asked.Operation}", new AdoptedJson(asked.Vm.Value, asked.Operation.Value))
                    : Problems.From(refusal))
            .WithTags("Hosts").WithName("AdoptDomain").WithSummary("Makes a domain that no portal made into a VM of a tenant, where the host's administrator has allowed it. For operators.").Produces<AdoptedJson>(202).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422).ProducesProblem(503);
        api.MapPut("/hosts/{host:guid}/mode", async (Guid host, HostModeBody body, ChangeHostMode.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host), body.Mode), http.Actor(), ct)).Answer())
            .WithTags("Hosts").WithName("ChangeHostMode").WithSummary("Lets new VMs come to a host, or not. For operators.").Produces(204).ProducesProblem(403).ProducesProblem(404);
        api.MapPost("/hosts/{host:guid}/write-off", async (Guid host, WriteOffBody body, WriteOffHost.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host), body.ConfirmName ?? ""), http.Actor(), ct)).Answer(lost => new WrittenOffJson(lost)))
            .WithTags("Hosts").WithName("WriteOffHost").WithSummary("Gives up a host that will not come back: its VMs are lost and cost nothing from its last sight on. For operators; refused while the host answers.").Produces<WrittenOffJson>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        api.MapGet("/setup", async (GetChecklist.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(), http.Actor(), ct)).Answer(rows => rows))
            .WithTags("Setup").WithName("GetChecklist").WithSummary("What has to be there before anything can be sold. For administrators.").Produces<IEnumerable<SetupRow>>().ProducesProblem(403);
        api.MapPut("/setup/{step}", async (SetupStep step, SetupStepBody body, SkipSetupStep.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(step, body.Skip), http.Actor(), ct)).Answer())
            .WithTags("Setup").WithName("SkipSetupStep").WithSummary("Leaves a step of the set-up out, or takes it up again. For administrators.").Produces(204).ProducesProblem(403);
        api.MapGet("/operations", async (App.Operations.ListLiveOperations.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(), http.Actor(), ct)).Answer(rows => rows.Select(OperationJson.Of)))
            .WithTags("Operations").WithName("ListLiveOperations").WithSummary("What is under way on all hosts, the oldest first. For operators.").Produces<IEnumerable<OperationJson>>().ProducesProblem(403);
        api.MapGet("/audit", async (long? before, ListAudit.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(null, before), http.Actor(), ct)).Answer(p => p))
            .WithTags("Audit").WithName("ListPlatformAudit").WithSummary("The platform's own audit, the newest first. For administrators.").Produces<ListAudit.Page>().ProducesProblem(403);
    }
}
