using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Outbox;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>Tells owners of leases that end, shuts down what has come to its end, and deletes it after the grace period. See <see cref="Lease"/>.</summary>
public sealed class LeaseSweep(PortalDbs dbs, Doorbell doorbell, TimeProvider clock, ILogger<LeaseSweep> logger)
    : Recurring(TimeSpan.FromMinutes(1), clock, logger)
{
    /// <summary>What failed is not asked for again before this has passed: whoever looks has the time to see why.</summary>
    public TimeSpan Pause { get; set; } = TimeSpan.FromMinutes(10);

    protected override Task PassAsync(CancellationToken ct) => SweepAsync(ct);

    /// <summary>One pass. Safe to repeat, and on several replicas.</summary>
    public async Task SweepAsync(CancellationToken ct)
    {
        DateTimeOffset now;
        List<Ending> ending;
        await using (var db = dbs.ForSystem())
        {
            now = await db.NowAsync(ct);
            var horizon = now + TimeSpan.FromDays(15);
            ending = await db.Vms.Where(v => v.DeletedAt == null && v.LeaseEndsAt != null && v.LeaseEndsAt <= horizon)
                .Select(v => new Ending(v.Id, v.TenantId, v.LeaseEndsAt!.Value, v.LeaseTold)).ToListAsync(ct);
        }

        await EachAsync(ending.Where(v => IsToBeTold(v.End, v.Told, now)).GroupBy(v => v.Tenant), g => TellAsync(g.Key, [.. g.Select(v => v.Vm)], ct), ct);
        await EachAsync(ending.Where(v => v.End <= now), v => EndAsync(v.Vm, ct), ct);
    }

    private static bool IsToBeTold(DateTimeOffset end, int? told, DateTimeOffset now) => Lease.DueBefore(end, now) is { } due && (told is null || due < told);

    // One mail with all of a tenant's, to its owners and to those of its members who ordered some of them.
    private async Task TellAsync(TenantId tenant, List<VmId> ids, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var now = await db.NowAsync(ct);
        var wanted = ids.Select(id => id.Value).ToArray();
        var vms = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = ANY({wanted}) AND deleted_at IS NULL ORDER BY id FOR UPDATE").ToListAsync(ct))
            .Where(v => v.LeaseEndsAt is { } end && IsToBeTold(end, v.LeaseTold, now)).OrderBy(v => v.LeaseEndsAt).ThenBy(v => v.Name, StringComparer.Ordinal).ToList();
        if (vms.Count == 0)
        {
            return;
        }

        foreach (var vm in vms)
        {
            vm.ToldOfLease(Lease.DueBefore(vm.LeaseEndsAt!.Value, now)!.Value);
        }

        var lines = vms.Select(v => v.OrderLineId).ToList();
        var requesters = await db.Orders.Where(o => o.Lines.Any(l => lines.Contains(l.Id))).Select(o => o.RequestedById).Distinct().ToListAsync(ct);
        var recipients = await db.Memberships.Where(m => m.TenantId == tenant && (m.Role == TenantRole.Owner || (m.Role == TenantRole.Member && requesters.Contains(m.UserId)))).Select(m => m.Email).ToListAsync(ct);
        var subject = vms is [var only] ? Subject(only, now) : $"The leases of {vms.Count} VMs end";
        var text = $"""
            {string.Join('\n', vms.Select(v => Sentence(v, now)))}

            A VM whose lease has ended is shut down and cannot be started. {Lease.Grace.Days} days later it is deleted, and its disk with it. More time is asked for on its page.
            """;
        db.AddRange(recipients.Select(to => new OutboxMessage(tenant, to, subject, text)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    private static string Subject(Vm vm, DateTimeOffset now) => vm.LeaseIsOver(now) ? $"The lease of {vm.Name} has ended" : $"The lease of {vm.Name} ends on {Day(vm.LeaseEndsAt!.Value)}";

    private static string Sentence(Vm vm, DateTimeOffset now) => vm.LeaseEndsAt is { } end && !vm.LeaseIsOver(now)
        ? $"{vm.Name}: its last day is {Day(end)} (UTC)."
        : $"{vm.Name}: its lease has ended. It is deleted on {Lease.DeletedAt(vm.LeaseEndsAt!.Value).UtcDateTime:d MMMM yyyy}.";

    private static string Day(DateTimeOffset end) => $"{Lease.LastDayOf(end):d MMMM yyyy}";

    private async Task EndAsync(VmId id, CancellationToken ct)
    {
        Operation? operation = null;
        await using (var db = dbs.ForSystem())
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {id.Value} FOR UPDATE").ToListAsync(ct)).Single();
            var now = await db.NowAsync(ct);
            if (vm.DeletedAt is not null || vm.LeaseEndsAt is not { } end || now < end || await db.FindLiveOperationAsync(id, ct) is not null)
            {
                return;
            }

            var last = await db.Operations.AsNoTracking().Where(o => o.VmId == id).OrderByDescending(o => o.CreatedAt).FirstOrDefaultAsync(ct);
            if (last is { State: OperationState.Failed } && last.CreatedAt >= end && last.FinishedAt > now - Pause)
            {
                return;
            }

            var why = $"its lease ended on {Day(end)}";
            // What more time is asked for is not deleted under those who decide: that wait has an end of its own.
            if (now >= Lease.DeletedAt(end) && !await db.OrderLines.AnyAsync(l => l.ChangesVmId == id && l.State == LineState.Waiting, ct))
            {
                if (vm.Stage != VmStage.Deleting && !Vm.CanMove(vm.Stage, VmStage.Deleting))
                {
                    return;
                }

                vm.MoveTo(VmStage.Deleting);
                vm.Want(WantedState.Stopped);
                operation = db.Ask(vm, OperationKind.Delete, Actor.Portal, now, why);
            }
            else if (vm.Stage == VmStage.Ready && vm.Seen is DomainState.Running or DomainState.Paused or DomainState.Crashed)
            {
                // A guest that did not go when it was asked to, or cannot be asked, loses its power.
                var asks = vm.Seen == DomainState.Running && last is not { Kind: OperationKind.ShutDown, State: OperationState.Failed };
                vm.Want(WantedState.Stopped);
                operation = db.Ask(vm, asks ? OperationKind.ShutDown : OperationKind.PowerOff, Actor.Portal, now, why);
            }
            else if (vm.Stage == VmStage.Ready && vm.Wanted == WantedState.Running)
            {
                vm.Want(WantedState.Stopped);
                db.Add(AuditEntry.Of(Actor.Portal, vm.TenantId, "vm.lease_ended", vm.Id.Value, vm.Name, why));
            }
            else
            {
                return;
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

    private sealed record Ending(VmId Vm, TenantId Tenant, DateTimeOffset End, int? Told);
}
