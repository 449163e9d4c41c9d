using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>Makes a root disk that is a clone of its template's one of its own: most of it is copied beside the running guest, which is off only for the rest. For those who look after hosts.</summary>
public static class DetachVm
{
    public sealed record Request(TenantId Tenant, VmId Vm);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines, Doorbell doorbell)
    {
        /// <summary>Gives the operation that does it, and keeps room for a second disk on its host until that has ended. Asking for it once more while it is under way gives that operation.</summary>
        public async Task<Result<OperationId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            if (!(await VmDesk.LookAtDisksAsync(dbs, engines, request.Tenant, request.Vm, DomainAbility.Detach, OperationKind.Detach, ct)).TryGet(out var seen, out var unseen))
            {
                return Result<OperationId>.Of(unseen);
            }

            Operation operation;
            try
            {
                await using var db = dbs.ForSystem();
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                // All hosts first: what is kept here is kept against every other placement.
                var rooms = await db.ReadHostRoomsAsync(null, request.Tenant, lockHosts: true, ct);
                var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {request.Vm.Value} AND tenant_id = {request.Tenant.Value} FOR UPDATE").ToListAsync(ct)).SingleOrDefault();
                if (vm is null || vm.Stage == VmStage.Deleted)
                {
                    return new NotFound("VM");
                }

                if (await db.FindLiveOperationAsync(vm.Id, ct) is { } live)
                {
                    return live.Does(OperationKind.Detach) && !live.CancelRequested ? live.Id : new VmBusy(live.Words);
                }

                if (DetachDesk.NotNow(vm, seen.Disks?.Cloned, rooms) is { } not)
                {
                    return Result<OperationId>.Of(not);
                }

                operation = db.Ask(vm, OperationKind.Detach, actor, await db.NowAsync(ct));
                db.Add(AuditEntry.OfPlatform(actor, "host.vm_detach_asked", seen.Host.Id.Value, seen.Host.Name, $"{vm.Name}, from {seen.Disks?.Cloned?.Of}"));
                await db.SaveChangesAsync(ct);
                await db.AnnounceAsync(Topic.Of(vm.Id), ct);
                await db.AnnounceAsync(Topic.Of(vm.TenantId), ct);
                await db.AnnounceAsync(Topic.Hosts, ct);
                await transaction.CommitAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return new ChangedMeanwhile("VM");
            }

            doorbell.Ring(operation.Id);
            return operation.Id;
        }
    }
}

/// <summary>Whether a VM's root disk stands alone, and what detaching it would do.</summary>
public static class GetVmClone
{
    public sealed record Request(TenantId Tenant, VmId Vm);

    /// <param name="Cloned">What its root disk is a clone of; null where it stands alone.</param>
    /// <param name="Obstacle">Why it cannot be detached at this moment, with what to do; null where it can.</param>
    /// <param name="Runs">Whether it is shut down for it.</param>
    /// <param name="AtMost">Roughly how long it is off.</param>
    /// <param name="StartsAgain">Whether it is started at the end: its owner wants it to run.</param>
    public sealed record Row(string Vm, HostId HostId, string Host, CloneRow? Cloned, string? Obstacle, bool Runs, TimeSpan AtMost, bool StartsAgain);

    /// <param name="Of">The template's volume.</param>
    /// <param name="Size">Also what a disk of its own takes.</param>
    /// <param name="Filled">How much of the clone's store what its guest wrote takes, in percent; null where its host does not say.</param>
    /// <param name="Replaced">Whether a disk of its own has taken its place, and it is only to be removed.</param>
    public sealed record CloneRow(string Of, ByteSize Size, decimal? Filled, bool Replaced);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines)
    {
        // The disk and its copy are read once each, on a disk of the slower kind.
        private const double BytesPerSecond = 50 << 20;

        /// <summary>Changes nothing.</summary>
        public async Task<Result<Row>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            if (!(await VmDesk.LookAtDisksAsync(dbs, engines, request.Tenant, request.Vm, DomainAbility.Detach, OperationKind.Detach, ct)).TryGet(out var seen, out var unseen))
            {
                return Result<Row>.Of(unseen);
            }

            var cloned = seen.Disks?.Cloned;
            await using var db = dbs.ForSystem();
            var live = await db.FindLiveOperationAsync(seen.Vm.Id, ct);
            var obstacle = live is not null ? new VmBusy(live.Words) : DetachDesk.NotNow(seen.Vm, cloned, await db.ReadHostRoomsAsync(null, request.Tenant, lockHosts: false, ct));
            return new Row(
                seen.Vm.Name, seen.Host.Id, seen.Host.Name, cloned is { } clone ? new CloneRow(clone.Of, clone.Size, clone.Filled, clone.Replaced) : null, obstacle?.Message, seen.Vm.Seen == DomainState.Running && cloned is { Replaced: false },
                TimeSpan.FromSeconds(Math.Ceiling((cloned?.Size ?? ByteSize.Zero).Bytes / BytesPerSecond)),
                seen.Vm.Wanted == WantedState.Running && cloned is { Replaced: false });
        }
    }
}

/// <summary>What has to be so before a VM is detached.</summary>
internal static class DetachDesk
{
    /// <summary>Why this VM is not detached now; null where nothing stands against it.</summary>
    /// <param name="rooms">What hosts that are in use and work still have.</param>
    public static Refusal? NotNow(Vm vm, DiskClone? cloned, IReadOnlyList<HostRoom> rooms) => VmDesk.NotReady(vm) is { } not ? not
        : vm.Adopted is not null ? new CannotDetach(vm.Name, "It was adopted, and its disks are not clones of a template of the portal's.")
        : cloned is not { } clone ? new CannotDetach(vm.Name, "Its root disk stands alone.")
        // All that is left to do is to remove the clone, beside whatever the VM does.
        : clone.Replaced ? null
        : VmDesk.NotSettled(vm) is { } unsettled ? unsettled
        : rooms.FirstOrDefault(r => r.Host.Id == vm.HostId) is { } room && room.Disk < clone.Size
            ? new CannotDetach(vm.Name, $"That takes {clone.Size} more on {room.Host.Name} while it lasts, which has {room.Disk} of disk left to sell. Free some, or make its storage larger.")
        : null;
}
