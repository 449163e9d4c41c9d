using Microsoft.EntityFrameworkCore;
using Portal.App.Vms;

namespace Portal.App.Metering;

/// <summary>Opens and closes usage inside the transaction that records a transition.</summary>
public static class UsageMeter
{
    /// <summary>
    /// Makes what is counted agree with what a VM is now: allocated while it exists on a host, running while it was seen running. Starts at
    /// <paramref name="at"/>, or where the previous interval ended if that is later (two clocks cannot collide). The first running is charged for. Safe to repeat.
    /// </summary>
    public static async Task SettleUsageAsync(this PortalDb db, Vm vm, bool allocated, bool running, DateTimeOffset at, CancellationToken ct)
    {
        await SettleAsync(db, vm, Meter.VmAllocated, allocated, at, ct);
        await SettleAsync(db, vm, Meter.VmRunning, running, at, ct);
        // What has never run was not set up: a build that failed costs nothing, and one that is tried again costs once.
        if (running && vm.Setup > 0 && !await db.SetupCharges.AnyAsync(c => c.VmId == vm.Id, ct))
        {
            db.Add(new SetupCharge(vm, at));
        }
    }

    private static async Task SettleAsync(PortalDb db, Vm vm, Meter meter, bool counts, DateTimeOffset at, CancellationToken ct)
    {
        var last = await db.UsageIntervals.Where(u => u.VmId == vm.Id && u.Meter == meter).OrderByDescending(u => u.From).FirstOrDefaultAsync(ct);
        var open = last is { To: null } ? last : null;
        if (counts && open is null)
        {
            var from = last?.To > at ? last.To.Value : at;
            db.Add(UsageInterval.Open(vm, meter, from));
        }
        else if (!counts && open is not null)
        {
            open.Close(at);
        }
    }
}
