using Portal.App.Consoles;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.Kernel;
using Portal.Web.Consoles;

namespace Portal.Web.Api;

/// <summary>VMs, their operations and consoles.</summary>
internal static class VmApi
{
    public static void Map(RouteGroupBuilder api)
    {
        var vms = api.MapGroup("/tenants/{tenant:guid}/vms").WithTags("VMs");
        vms.MapGet("/", async (Guid tenant, string? q, Guid? after, ListVms.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), q, after is { } a ? new VmId(a) : null), http.Actor(), ct))
                    .Answer(page => new VmPageJson([.. page.Rows.Select(VmJson.Of)], page.Older ? page.Rows[^1].Id.Value : null)))
            .WithName("ListVms").WithSummary("A tenant's VMs, the newest first, 50 a page; `q` is part of a name or an address.").Produces<VmPageJson>().ProducesProblem(404);
        vms.MapGet("/{vm:guid}", async (Guid tenant, Guid vm, GetVm.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm)), http.Actor(), ct)).Answer(VmDetailsJson.Of))
            .WithName("GetVm").WithSummary("A VM: what is wanted, what was seen, what is under way.").Produces<VmDetailsJson>().ProducesProblem(404);
        Power(vms, "start", PowerVm.Action.Start, "StartVm", "Starts it.");
        Power(vms, "shut-down", PowerVm.Action.ShutDown, "ShutDownVm", "Asks the guest to shut down, and waits.");
        Power(vms, "power-off", PowerVm.Action.PowerOff, "PowerOffVm", "Takes the power away; the disk stays.");
        Power(vms, "reboot", PowerVm.Action.Reboot, "RebootVm", "Asks the guest to shut down, and starts it again.");
        vms.MapPost("/{vm:guid}/changes", async (Guid tenant, Guid vm, ChangeBody body, ChangeVm.Handler handler, HttpContext http, CancellationToken ct) =>
                body.ToChange().TryGet(out var change, out var refusal)
                    ? Accepted(await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm), change), http.Actor(), ct))
                    : Problems.From(refusal))
            .WithName("ChangeVm").WithSummary("Pauses, resumes or saves it, presses SysRq, or has it use less while it runs; operators also pin it and set its share. What its host does not offer is a 409.")
            .Produces<AcceptedJson>(202).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        vms.MapPut("/{vm:guid}/boot-order", async (Guid tenant, Guid vm, BootOrderBody body, SetBootOrder.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm), body.Order), http.Actor(), ct)).Answer())
            .WithName("SetBootOrder").WithSummary("Whether it is started after a boot of its host, where it was to run: its place, the lowest first, 0 to 999; null for not at all.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(422);
        vms.MapPut("/{vm:guid}/lease", async (Guid tenant, Guid vm, LeaseBody body, SetLease.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm), body.EndsAt), http.Actor(), ct)).Answer())
            .WithName("SetLease").WithSummary("Gives it an end, or an earlier one: then it is shut down, and seven days later deleted. A later end is ordered.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(422);
        vms.MapPut("/{vm:guid}/schedule", async (Guid tenant, Guid vm, ScheduleBody body, SetSchedule.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm), body.ToWeek()), http.Actor(), ct)).Answer())
            .WithName("SetSchedule").WithSummary("When it is started and shut down, week by week; holds from the next turn on.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(422);
        vms.MapDelete("/{vm:guid}/schedule", async (Guid tenant, Guid vm, SetSchedule.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm), null), http.Actor(), ct)).Answer())
            .WithName("RemoveSchedule").WithSummary("Leaves it alone.").Produces(204).ProducesProblem(403).ProducesProblem(404);
        api.MapGet("/tenants/{tenant:guid}/leases", async (Guid tenant, ListLeases.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant)), http.Actor(), ct)).Answer(rows => rows.Select(LeaseJson.Of)))
            .WithTags("VMs").WithName("ListLeases").WithSummary("A tenant's VMs whose lease ends, what ends first first.").Produces<IEnumerable<LeaseJson>>().ProducesProblem(404);
        vms.MapPost("/{vm:guid}/build", async (Guid tenant, Guid vm, RetryBuild.Handler handler, HttpContext http, CancellationToken ct) =>
                Accepted(await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm)), http.Actor(), ct)))
            .WithName("RetryBuild").WithSummary("Builds a VM again whose build failed.").Produces<AcceptedJson>(202).ProducesProblem(404).ProducesProblem(409);
        vms.MapGet("/{vm:guid}/move-targets", async (Guid tenant, Guid vm, ListMoveTargets.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm)), http.Actor(), ct)).Answer(MoveTargetsJson.Of))
            .WithName("ListMoveTargets").WithSummary("To which hosts it could be moved, and what stands against the others. For operators.").Produces<MoveTargetsJson>().ProducesProblem(403).ProducesProblem(404);
        vms.MapPost("/{vm:guid}/move", async (Guid tenant, Guid vm, MoveBody body, MoveVm.Handler handler, HttpContext http, CancellationToken ct) =>
                Accepted(await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm), new HostId(body.Host), body.MayForceOff), http.Actor(), ct)))
            .WithName("MoveVm").WithSummary("Takes it to another host: shut down, its disks copied and compared, started there if it ran. For operators.")
            .Produces<AcceptedJson>(202).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
        vms.MapGet("/{vm:guid}/clone", async (Guid tenant, Guid vm, GetVmClone.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm)), http.Actor(), ct)).Answer(VmCloneJson.Of))
            .WithName("GetVmClone").WithSummary("Whether its root disk is a clone that cannot be without its template's, and what stands against detaching it. For operators.").Produces<VmCloneJson>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
        vms.MapPost("/{vm:guid}/detach", async (Guid tenant, Guid vm, DetachVm.Handler handler, HttpContext http, CancellationToken ct) =>
                Accepted(await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm)), http.Actor(), ct)))
            .WithName("DetachVm").WithSummary("Makes its root disk, a clone of its template's, one of its own: copied beside the running guest, exchanged while it is shut down, started again if it ran. For operators.")
            .Produces<AcceptedJson>(202).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
        vms.MapDelete("/{vm:guid}", async (Guid tenant, Guid vm, string? confirmName, DeleteVm.Handler handler, HttpContext http, CancellationToken ct) =>
                Accepted(await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm), confirmName ?? ""), http.Actor(), ct)))
            .WithName("DeleteVm").WithSummary("Deletes a VM and its disk for good; `confirmName` is its name.").Produces<AcceptedJson>(202).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        vms.MapPost("/{vm:guid}/console", async (Guid tenant, Guid vm, OpenConsole.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm), $"{http.Request.Scheme}://{http.Request.Host}"), http.Actor(), ct))
                    .Answer(o => new ConsoleJson("/console", [ConsoleEndpoint.Protocol, $"ticket.{o.Ticket}"], o.ExpiresAt)))
            .WithName("OpenConsole").WithSummary("A one-time ticket for the serial console's WebSocket, good for 30 s.").Produces<ConsoleJson>().ProducesProblem(404).ProducesProblem(409);
        api.MapGet("/tenants/{tenant:guid}/operations", async (Guid tenant, Guid? vm, bool? live, ListOperations.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), vm is { } v ? new VmId(v) : null, live ?? false), http.Actor(), ct)).Answer(rows => rows.Select(OperationJson.Of)))
            .WithTags("Operations").WithName("ListOperations").WithSummary("A tenant's last 100 operations, the newest first.").Produces<IEnumerable<OperationJson>>().ProducesProblem(404);
        api.MapGet("/operations/{operation:guid}", async (Guid operation, GetOperation.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new OperationId(operation)), http.Actor(), ct)).Answer(OperationJson.Of))
            .WithTags("Operations").WithName("GetOperation").WithSummary("An operation with its steps.").Produces<OperationJson>().ProducesProblem(404);
        api.MapPost("/tenants/{tenant:guid}/operations/{operation:guid}/cancel", async (Guid tenant, Guid operation, CancelOperation.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new OperationId(operation)), http.Actor(), ct)).Answer())
            .WithTags("Operations").WithName("CancelOperation").WithSummary("Asks to cancel: a build, a move that has not arrived, and a detaching before the disks are exchanged, are undone; anything else is called off before it begins.").Produces(204).ProducesProblem(404).ProducesProblem(409);
    }

    private static void Power(RouteGroupBuilder vms, string path, PowerVm.Action action, string name, string summary) =>
        vms.MapPost($"/{{vm:guid}}/{path}", async (Guid tenant, Guid vm, PowerVm.Handler handler, HttpContext http, CancellationToken ct) =>
                Accepted(await handler.HandleAsync(new(new TenantId(tenant), new VmId(vm), action), http.Actor(), ct)))
            .WithName(name).WithSummary(summary).Produces<AcceptedJson>(202).ProducesProblem(404).ProducesProblem(409);

    private static IResult Accepted(Result<OperationId> result) => result.TryGet(out var operation, out var refusal)
        ? Results.Accepted($"/api/v1/operations/{operation}", new AcceptedJson(operation.Value))
        : Problems.From(refusal);
}
