using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Hosts;
using Portal.App.Metering;
using Portal.App.Vms;
using Portal.Engine;

namespace Portal.App.Operations;

/// <summary>What a step of a move means for the books: part of the transaction that records it. A move takes long, and its VM neither runs nor is where it was for all of it.</summary>
internal static class MoveAfter
{
    /// <summary>Locks the host to which a move goes, before the operation's own row is; false where it was written off.</summary>
    public static async Task<bool> MayArriveAsync(PortalDb db, Guid operation, CancellationToken ct) =>
        await db.Database.SqlQuery<string>($"SELECT h.mode AS \"Value\" FROM hosts h JOIN vm_moves m ON m.to_host_id = h.id WHERE m.operation_id = {operation} FOR UPDATE OF h").ToListAsync(ct) is [var mode]
        && mode != nameof(HostMode.WrittenOff);

    public static async Task StepAsync(PortalDb db, Operation operation, StepKind step, StepState state, DateTimeOffset now, CancellationToken ct)
    {
        var move = await db.VmMoves.SingleAsync(m => m.OperationId == operation.Id, ct);
        switch ((step, state))
        {
            case (StepKind.PowerOff, StepState.Done):
                await SawAsync(DomainState.Off, running: false);
                break;
            case (StepKind.ChangeHost, StepState.Done):
                await ArriveAsync(db, operation, move, await VmAsync(), ct);
                break;
            case (StepKind.StartThere, StepState.Done) when move.Runs:
                await SawAsync(DomainState.Running, running: true);
                break;
            // The last that is removed, on either host.
            case (StepKind.RemoveLeft, StepState.Done) or (StepKind.MakeDisksThere, StepState.Undone):
                move.Cleared();
                break;
            default:
                break;
        }

        async Task<Vm> VmAsync() => (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {operation.VmId.Value} FOR UPDATE").ToListAsync(ct)).Single();

        async Task SawAsync(DomainState seen, bool running)
        {
            var vm = await VmAsync();
            vm.Saw(seen, now);
            await db.SettleUsageAsync(vm, allocated: true, running, now, ct);
        }
    }

    /// <summary>All was taken back: where no disk was made there, nothing can be left.</summary>
    public static async Task UndoneAsync(PortalDb db, Operation operation, CancellationToken ct)
    {
        if (operation.Steps.Single(s => s.Kind == StepKind.MakeDisksThere).State == StepState.ToDo)
        {
            (await db.VmMoves.SingleAsync(m => m.OperationId == operation.Id, ct)).Cleared();
        }
    }

    private static async Task ArriveAsync(PortalDb db, Operation operation, VmMove move, Vm vm, CancellationToken ct)
    {
        vm.MovedTo(move.ToHostId, move.ToPoolId, move.ToGeneration);
        foreach (var volume in await db.Volumes.Where(v => v.VmId == vm.Id && v.State != VolumeState.Removed).ToListAsync(ct))
        {
            volume.MoveTo(move.ToPoolId);
        }

        move.Arrived();
        var names = await db.Hosts.Where(h => h.Id == move.FromHostId || h.Id == move.ToHostId).ToDictionaryAsync(h => h.Id, h => h.Name, ct);
        db.Add(AuditEntry.Of(Actor.Portal, vm.TenantId, "vm.moved", vm.Id.Value, vm.Name, $"to another host, asked by {operation.RequestedBy}"));
        db.Add(AuditEntry.OfPlatform(Actor.Portal, "host.vm_moved", move.ToHostId.Value, names[move.ToHostId], $"{vm.Name}, from {names[move.FromHostId]}"));
        await db.AnnounceAsync(Topic.Hosts, ct);
    }
}
