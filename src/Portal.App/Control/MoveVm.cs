using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>Takes a VM to another host: it is shut down, its disks are copied through the portal and compared, and it is started there. For those who look after hosts.</summary>
public static class MoveVm
{
    /// <param name="MayForceOff">Whether its power is taken away where its guest does not shut down; else it stays as it is.</param>
    public sealed record Request(TenantId Tenant, VmId Vm, HostId To, bool MayForceOff);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines, Doorbell doorbell)
    {
        /// <summary>Gives the operation that does it, and keeps room for it on the other host from then on. Not safe to repeat: the second time the VM is busy.</summary>
        public async Task<Result<OperationId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            if (await MoveDesk.ObstacleAsync(dbs, engines, request.Tenant, request.Vm, ct) is { } obstacle)
            {
                return Result<OperationId>.Of(obstacle);
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
                    return new VmBusy(live.Words);
                }

                if (MoveDesk.NotNow(vm) is { } not)
                {
                    return Result<OperationId>.Of(not);
                }

                var target = (await MoveDesk.TargetsAsync(db, engines, vm, rooms, ct)).SingleOrDefault(t => t.Host.Id == request.To);
                if (target is null)
                {
                    return new NotFound("host");
                }

                if (target.WhyNot is { } why)
                {
                    return new CannotMove(vm.Name, why);
                }

                operation = await AskAsync(db, vm, target, request, actor, ct);
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

        private static async Task<Operation> AskAsync(PortalDb db, Vm vm, MoveDesk.Target target, Request request, Actor actor, CancellationToken ct)
        {
            var operation = db.Ask(vm, OperationKind.Move, actor, await db.NowAsync(ct));
            // No name is given twice, on whichever host: something of an earlier move may still lie there.
            var last = await db.VmMoves.Where(m => m.VmId == vm.Id).MaxAsync(m => (int?)m.ToGeneration, ct) ?? 0;
            db.Add(new VmMove(operation.Id, vm, target.Host.Id, target.Pool, Math.Max(vm.Generation, last) + 1, vm.Seen == DomainState.Running, request.MayForceOff));
            var from = await db.Hosts.AsNoTracking().SingleAsync(h => h.Id == vm.HostId, ct);
            db.Add(AuditEntry.OfPlatform(actor, "host.vm_move_asked", from.Id.Value, from.Name, $"{vm.Name}, to {target.Host.Name}{(request.MayForceOff ? ", may be forced off" : "")}"));
            return operation;
        }
    }
}

/// <summary>Where a VM could be moved to, and what stands against the others.</summary>
public static class ListMoveTargets
{
    public sealed record Request(TenantId Tenant, VmId Vm);

    /// <param name="Vcpus">What the host has left to sell, like the next two.</param>
    /// <param name="WhyNot">Null where it can be moved there.</param>
    public sealed record Row(HostId Host, string Name, int Vcpus, ByteSize Memory, ByteSize Disk, string? WhyNot);

    /// <param name="From">The host on which it is.</param>
    /// <param name="Obstacle">Why it can be moved nowhere at this moment, with what to do; null where it can.</param>
    /// <param name="Runs">Whether it is shut down for it.</param>
    /// <param name="AtMost">Roughly how long the copy takes where its disks are full: so long is it off.</param>
    public sealed record Choices(string Vm, HostId FromId, string From, string? Obstacle, bool Runs, int Vcpus, ByteSize Memory, ByteSize Disk, TimeSpan AtMost, IReadOnlyList<Row> Targets);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines)
    {
        // Through the portal, packed and compared at both ends: what a gigabit between them lets through.
        private const double BytesPerSecond = 40 << 20;

        /// <summary>Changes nothing. Those to which it can be moved come first, the one with the most memory first of all.</summary>
        public async Task<Result<Choices>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            var obstacle = await MoveDesk.ObstacleAsync(dbs, engines, request.Tenant, request.Vm, ct);
            if (obstacle is NotFound)
            {
                return Result<Choices>.Of(obstacle);
            }

            await using var db = dbs.ForSystem();
            var vm = await db.Vms.AsNoTracking().SingleAsync(v => v.Id == request.Vm, ct);
            var from = await db.Hosts.AsNoTracking().SingleAsync(h => h.Id == vm.HostId, ct);
            var live = await db.FindLiveOperationAsync(vm.Id, ct);
            var targets = await MoveDesk.TargetsAsync(db, engines, vm, await db.ReadHostRoomsAsync(null, vm.TenantId, lockHosts: false, ct), ct);
            return new Choices(
                vm.Name,
                from.Id,
                from.Name,
                (live is null ? MoveDesk.NotNow(vm) ?? obstacle : new VmBusy(live.Words))?.Message,
                vm.Seen == DomainState.Running,
                vm.Vcpus,
                vm.Memory,
                vm.Disk,
                TimeSpan.FromSeconds(Math.Ceiling(vm.Disk.Bytes / BytesPerSecond)),
                [.. targets.OrderBy(t => t.WhyNot is not null).ThenByDescending(t => t.Memory.Bytes).ThenBy(t => t.Host.Name).Select(t => new Row(t.Host.Id, t.Host.Name, t.Vcpus, t.Memory, t.Disk, t.WhyNot))]);
        }
    }
}

/// <summary>What has to be so before a VM is moved.</summary>
internal static class MoveDesk
{
    public sealed record Target(Host Host, PoolId Pool, int Vcpus, ByteSize Memory, ByteSize Disk, string? WhyNot);

    /// <summary>Why this VM is moved nowhere now, by what the books say; null where nothing stands against it.</summary>
    public static Refusal? NotNow(Vm vm) => VmDesk.NotReady(vm) is { } not ? not
        : vm.Adopted is not null ? new CannotMove(vm.Name, "It was adopted, with disks and a kernel of the host's own.")
        : VmDesk.NotSettled(vm);

    /// <summary>What its host says stands against it; null where nothing does.</summary>
    public static async Task<Refusal?> ObstacleAsync(PortalDbs dbs, IVmEngines engines, TenantId tenant, VmId id, CancellationToken ct) =>
        !(await VmDesk.LookAtDisksAsync(dbs, engines, tenant, id, DomainAbility.Move, OperationKind.Move, ct)).TryGet(out var seen, out var refusal) ? refusal
        : seen.Disks is { Obstacles: [var obstacle, ..] } ? new CannotMove(seen.Vm.Name, obstacle)
        : null;

    /// <summary>All other hosts that are not written off, each with what stands against it.</summary>
    /// <param name="rooms">What hosts that are in use and work still have.</param>
    public static async Task<IReadOnlyList<Target>> TargetsAsync(PortalDb db, IVmEngines engines, Vm vm, IReadOnlyList<HostRoom> rooms, CancellationToken ct)
    {
        var hosts = await db.Hosts.AsNoTracking().Where(h => h.Mode != HostMode.WrittenOff).ToListAsync(ct);
        var here = hosts.Single(h => h.Id == vm.HostId);
        var network = await db.Networks.AsNoTracking().SingleAsync(n => n.Id == vm.NetworkId, ct);
        var networks = (await db.Networks.AsNoTracking().ToListAsync(ct)).ToLookup(n => n.HostId);
        var macs = (await db.Vms.AsNoTracking().Where(v => v.DeletedAt == null && v.Id != vm.Id).Select(v => new { v.HostId, v.Mac }).ToListAsync(ct)).Where(v => (uint)v.Mac.Value == (uint)vm.Mac.Value).Select(v => v.HostId).ToHashSet();
        var version = await db.TemplateVersions.AsNoTracking().SingleOrDefaultAsync(v => v.Id == vm.TemplateVersionId, ct);
        return [.. from host in hosts
                   where host.Id != here.Id
                   let room = rooms.FirstOrDefault(r => r.Host.Id == host.Id)
                   select new Target(host, room?.Pool ?? default, room?.Vcpus ?? 0, room?.Memory ?? ByteSize.Zero, room?.Disk ?? ByteSize.Zero, WhyNot(host, room))];

        string? WhyNot(Host host, HostRoom? room) =>
            host.Kind != here.Kind ? "It runs another hypervisor, which starts other images."
            : !engines.For(host.Connection).Abilities.Contains(DomainAbility.Move) ? "It does not take disks that are copied to it."
            : version is not null && !host.Starts(version.Image) ? "It does not start guests from their own disk, as this VM does. Its checks say what it lacks."
            : room is null ? host.Problem is null && host.Mode != HostMode.InUse ? "It takes nothing new: it is being drained or in maintenance." : "It does not answer or cannot work."
            : !networks[host.Id].Any(n => n.IsOneWith(network)) ? $"Its guests are not on the network {network.Cidr} with the gateway {network.Gateway}, and this VM keeps its address."
            : macs.Contains(host.Id) ? $"A VM there has a MAC address with the same end as {vm.Mac}."
            : room.Vcpus < vm.Vcpus ? $"It has {room.Vcpus} vCPU left to sell, and {vm.Vcpus} are needed."
            : room.Memory < vm.Memory ? $"It has {room.Memory} of memory left to sell, and {vm.Memory} are needed."
            : room.Disk < vm.Disk ? $"It has {room.Disk} of disk left to sell, and {vm.Disk} are needed."
            : null;
    }
}
