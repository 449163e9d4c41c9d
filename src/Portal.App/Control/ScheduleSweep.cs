using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Operations;
using Portal.App.Quotas;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>
/// Starts and shuts down what has a schedule, at its turns alone: what somebody does in between stays until the next. A turn that came while no portal ran, or
/// while something else was under way, is taken late; of several that came meanwhile, the last.
/// </summary>
public sealed class ScheduleSweep(PortalDbs dbs, Doorbell doorbell, TimeProvider clock, ILogger<ScheduleSweep> logger)
    : Recurring(TimeSpan.FromSeconds(20), clock, logger)
{
    protected override Task PassAsync(CancellationToken ct) => SweepAsync(ct);

    /// <summary>One pass. Safe to repeat, and on several replicas.</summary>
    public async Task SweepAsync(CancellationToken ct)
    {
        List<(VmId Vm, TenantId Tenant)> due;
        await using (var db = dbs.ForSystem())
        {
            var now = await db.NowAsync(ct);
            var schedules = await (from schedule in db.VmSchedules.AsNoTracking()
                                   join vm in db.Vms on schedule.VmId equals vm.Id
                                   where vm.Stage == VmStage.Ready
                                   select schedule).ToListAsync(ct);
            due = [.. schedules.Where(s => s.Week.LastTurn(s.FollowedUntil, now) is not null).Select(s => (s.VmId, s.TenantId))];
        }

        await EachAsync(due, d => TakeTurnAsync(d.Vm, d.Tenant, ct), ct);
    }

    private async Task TakeTurnAsync(VmId id, TenantId tenant, CancellationToken ct)
    {
        Operation? operation;
        await using (var db = dbs.ForSystem())
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.LockTenantAsync(tenant, ct);
            var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {id.Value} FOR UPDATE").ToListAsync(ct)).Single();
            var now = await db.NowAsync(ct);
            if (vm.Stage != VmStage.Ready || await db.VmSchedules.SingleOrDefaultAsync(s => s.VmId == id, ct) is not { } schedule || schedule.Week.LastTurn(schedule.FollowedUntil, now) is not { } turn
                || await db.FindLiveOperationAsync(id, ct) is not null)
            {
                return;
            }

            schedule.Followed(turn.At);
            if (turn.What == ScheduledTurn.Start && !vm.CountsAsRunning && await VmDesk.CheckGrowthAsync(db, vm, ct) is { } no)
            {
                operation = null;
                db.Add(AuditEntry.Of(Actor.Portal, vm.TenantId, "vm.schedule_kept_back", vm.Id.Value, vm.Name, no.Message));
            }
            else
            {
                operation = Ask(db, vm, turn.What, now);
            }

            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Of(vm.Id), ct);
            await db.AnnounceAsync(Topic.Of(vm.TenantId), ct);
            await transaction.CommitAsync(ct);
        }

        if (operation is not null)
        {
            doorbell.Ring(operation.Id);
        }
    }

    // One that is paused or whose memory is saved is so because somebody wanted it: its shutdown is theirs, and its start goes on from where it was.
    private static Operation? Ask(PortalDb db, Vm vm, ScheduledTurn turn, DateTimeOffset now)
    {
        switch (turn)
        {
            case ScheduledTurn.Start when vm.Seen is DomainState.Off or DomainState.Absent or DomainState.Crashed && !vm.LeaseIsOver(now):
                vm.Want(WantedState.Running);
                return db.Ask(vm, OperationKind.Start, Actor.Portal, now, "its schedule");
            case ScheduledTurn.ShutDown when vm.Seen == DomainState.Running:
                vm.Want(WantedState.Stopped);
                return db.Ask(vm, OperationKind.ShutDown, Actor.Portal, now, "its schedule");
            default:
                return null;
        }
    }
}
