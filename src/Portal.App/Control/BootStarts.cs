using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>
/// Starts what was to run when its host went down and has come back, in the order that its owners gave: those of one place together, those of the next when
/// all of them were tried. What is due stands with the VMs, so that a portal that dies meanwhile is followed by another. See decision 0018.
/// </summary>
public sealed class BootStarts(PortalDbs dbs, Doorbell doorbell)
{
    /// <summary>Asks for the starts that are next on this host, if any is due. Safe to repeat.</summary>
    public async Task NextAsync(HostId host, CancellationToken ct)
    {
        List<VmId> next;
        await using (var db = dbs.ForSystem())
        {
            // One whose start was begun and rests has been tried: it goes on by itself, and holds nobody up. One that moves or is detached takes as long as its disks do, and is started by that.
            var due = await db.Vms.AsNoTracking()
                .Where(v => v.HostId == host && v.StartDue && !db.Operations.Any(o => o.VmId == v.Id && o.FinishedAt == null && ((o.StartedAt != null && o.Owner == null) || o.Kind == OperationKind.Move || o.Kind == OperationKind.Detach)))
                .Select(v => new { v.Id, v.BootOrder }).ToListAsync(ct);
            next = [.. due.Where(v => v.BootOrder == due.Min(d => d.BootOrder)).Select(v => v.Id).OrderBy(id => id)];
        }

        foreach (var id in next)
        {
            await StartAsync(id, ct);
        }
    }

    private async Task StartAsync(VmId id, CancellationToken ct)
    {
        Operation operation;
        await using (var db = dbs.ForSystem())
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {id.Value} FOR UPDATE").ToListAsync(ct)).Single();
            // What is under way on it ends first; a start among it is what was due.
            if (!vm.StartDue || await db.FindLiveOperationAsync(id, ct) is not null)
            {
                return;
            }

            if (vm.Stage != VmStage.Ready || vm.BootOrder is null)
            {
                vm.StartTried();
                await db.SaveChangesAsync(ct);
                await transaction.CommitAsync(ct);
                return;
            }

            operation = db.Ask(vm, OperationKind.Start, Actor.Portal, await db.NowAsync(ct));
            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Of(vm.Id), ct);
            await db.AnnounceAsync(Topic.Of(vm.TenantId), ct);
            await transaction.CommitAsync(ct);
        }

        doorbell.Ring(operation.Id);
    }
}

/// <summary>Says whether a VM is started after a boot of its host, and in which order.</summary>
public static class SetBootOrder
{
    /// <param name="Order">Its place, the lowest first; null where it is not to be started.</param>
    public sealed record Request(TenantId Tenant, VmId Vm, int? Order);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Safe to repeat.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (Shape.Check((request.Order is null or (>= 0 and <= Vm.MaxBootOrder), "order", $"A place is 0 to {Vm.MaxBootOrder}; the lowest starts first.")) is { } wrong)
            {
                return wrong;
            }

            if (access.Check(actor, Permission.ControlVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {request.Vm.Value} AND tenant_id = {request.Tenant.Value} FOR UPDATE").ToListAsync(ct)).SingleOrDefault();
            if (vm is null || vm.Stage == VmStage.Deleted)
            {
                return new NotFound("VM");
            }

            if (vm.BootOrder != request.Order)
            {
                vm.StartAfterBoot(request.Order);
                db.Add(AuditEntry.Of(actor, vm.TenantId, "vm.boot_order", vm.Id.Value, vm.Name, request.Order is { } order ? $"{order}" : "not started"));
                await db.SaveChangesAsync(ct);
                await db.AnnounceAsync(Topic.Of(vm.Id), ct);
                await transaction.CommitAsync(ct);
            }

            return default(Done);
        }
    }
}
