using Portal.App.Audit;
using Portal.App.Control;
using Portal.App.Hosts;
using Portal.App.Setup;
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
        api.MapGet("/hosts/{host:guid}/inventory", async (Guid host, ReadInventory.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new HostId(host)), http.Actor(), ct)).Answer(InventoryJson.Of))
            .WithTags("Hosts").WithName("ReadInventory").WithSummary("What is on a host now, and which VM is behind it; what has no VM is a leftover. For operators.").Produces<InventoryJson>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
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
