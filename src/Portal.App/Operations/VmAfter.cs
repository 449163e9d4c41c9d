using Portal.App.Metering;
using Portal.App.Networks;
using Portal.App.Vms;
using Portal.Engine;
using Microsoft.EntityFrameworkCore;

namespace Portal.App.Operations;

/// <summary>What the end of an operation means for its VM: stage, what was seen, volume, address, usage. Part of the caller's transaction.</summary>
internal static class VmAfter
{
    public static async Task ApplyAsync(PortalDb db, Vm vm, Operation operation, DomainState seen, DateTimeOffset now, CancellationToken ct)
    {
        vm.Saw(seen, now);
        var succeeded = operation.State == OperationState.Succeeded;
        switch (operation.Kind)
        {
            case OperationKind.Build or OperationKind.Adopt when succeeded:
                vm.MoveTo(VmStage.Ready);
                await EachVolumeAsync(db, vm, v => v.Present(), ct);
                break;
            case OperationKind.Build:
                vm.MoveTo(VmStage.Failed, operation.Problem);
                await EachVolumeAsync(db, vm, v => v.Intended(), ct);
                break;
            case OperationKind.Adopt:
                // The domain is its host's as before, and its disk was never the tenant's.
                vm.NotAdopted(now, operation.Problem);
                await db.ReleaseAddressAsync(vm.Id, now, ct);
                db.RemoveRange(await db.Volumes.Where(v => v.VmId == vm.Id).ToListAsync(ct));
                break;
            case OperationKind.Delete when succeeded:
                vm.Deleted(now);
                await db.ReleaseAddressAsync(vm.Id, now, ct);
                await EachVolumeAsync(db, vm, v => v.Removed(now), ct);
                break;
            case OperationKind.Change when succeeded && operation.Change is DomainChange.Save && seen is DomainState.Off or DomainState.Absent:
                vm.WasSaved();
                break;
            // Either way nothing is left to go on from, also where the guest has gone off again by now.
            case OperationKind.Start or OperationKind.PowerOff when succeeded:
                vm.GaveUpSaved();
                break;
            default:
                break;
        }

        // Whatever came of it, those behind it are not kept waiting. What had succeeded before its host went down says nothing of the time after it.
        // What came to nothing for a host's sake has not tried to start anything: who was due before it still is.
        if (operation.Kind != OperationKind.Change && (succeeded || !operation.IsForHosts) && !(succeeded && await db.Hosts.AnyAsync(h => h.Id == vm.HostId && h.BootSeenAt > operation.CreatedAt, ct)))
        {
            vm.StartTried();
        }

        // A guest in any state but these takes processor and memory, whatever its owner wanted.
        var running = seen is not (DomainState.Off or DomainState.Absent or DomainState.Crashed);
        // A deletion that was asked for ends what is counted when it is done, not when it is asked for: until then the disk is the tenant's.
        var allocated = vm.Stage is VmStage.Ready or VmStage.Deleting;
        await db.SettleUsageAsync(vm, allocated, allocated && running, now, ct);
    }

    private static async Task EachVolumeAsync(PortalDb db, Vm vm, Action<Volume> change, CancellationToken ct)
    {
        foreach (var volume in await db.Volumes.Where(v => v.VmId == vm.Id && v.State != VolumeState.Removed).ToListAsync(ct))
        {
            change(volume);
        }
    }
}
