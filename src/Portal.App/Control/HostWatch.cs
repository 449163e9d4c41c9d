using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Metering;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;
using Host = Portal.App.Hosts.Host;

namespace Portal.App.Control;

/// <summary>
/// Looks at every host every few seconds, one listing each, and writes down what was seen: a guest that shut itself down stops being billed as
/// running from the moment it was seen so. Harmless on several replicas: the same sight is written twice.
/// </summary>
public sealed class HostWatch(PortalDbs dbs, IVmEngines engines, TimeProvider clock, ILogger<HostWatch> logger)
    : Recurring(TimeSpan.FromSeconds(4), clock, logger)
{
    protected override Task PassAsync(CancellationToken ct) => LookAsync(ct);

    /// <summary>One look at all hosts, side by side. It lasts as long as that at the slowest.</summary>
    public async Task LookAsync(CancellationToken ct)
    {
        List<Host> hosts;
        DateTimeOffset asked;
        await using (var db = dbs.ForSystem())
        {
            asked = await db.NowAsync(ct);
            hosts = await db.Hosts.AsNoTracking().ToListAsync(ct);
        }

        await Task.WhenAll(hosts.Select(h => LookAtAsync(h, asked, ct)));
    }

    private async Task LookAtAsync(Host host, DateTimeOffset asked, CancellationToken ct)
    {
        HostReport report;
        Dictionary<DomainName, DomainState> domains;
        try
        {
            var engine = engines.For(host.Connection);
            report = await engine.ProbeAsync(ct);
            domains = (await engine.ListDomainsAsync(ct)).ToDictionary(d => d.Name, d => d.State);
        }
        catch (HostFaultException fault)
        {
            await SilentAsync(host.Id, fault.Message, ct);
            return;
        }

        await using var db = dbs.ForSystem();
        var row = await db.Hosts.SingleAsync(h => h.Id == host.Id, ct);
        var pool = await db.Pools.SingleAsync(p => p.HostId == host.Id, ct);
        var now = await db.NowAsync(ct);
        row.Saw(report, now);
        pool.Saw(report.PoolSize, report.PoolFree);
        await SaveAsync(db, ct);
        if (host.Problem != row.Problem)
        {
            await db.AnnounceAsync(Topic.Hosts, ct);
        }

        // Whatever agrees with the books is only stamped, all in one statement; what differs is looked at one by one.
        var vms = await db.Vms.AsNoTracking().Where(v => v.HostId == host.Id && v.DeletedAt == null).ToListAsync(ct);
        var busy = (await db.Operations.Where(o => o.FinishedAt == null).Select(o => o.VmId).ToListAsync(ct)).ToHashSet();
        var quiet = vms.Where(v => !busy.Contains(v.Id) && v.Stage == VmStage.Ready).ToList();
        var same = quiet.Where(v => Seen(v) == v.Seen).Select(v => v.Id).ToList();
        await db.Vms.Where(v => same.Contains(v.Id) && (v.SeenAt == null || v.SeenAt < now)).ExecuteUpdateAsync(s => s.SetProperty(v => v.SeenAt, now), ct);
        foreach (var vm in quiet.Where(v => Seen(v) != v.Seen))
        {
            await ChangedAsync(vm.Id, Seen(vm), asked, ct);
        }

        DomainState Seen(Vm vm) => domains.GetValueOrDefault(vm.DomainOn(host), DomainState.Absent);
    }

    private async Task ChangedAsync(VmId id, DomainState seen, DateTimeOffset asked, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {id.Value} FOR UPDATE").ToListAsync(ct)).Single();
        // What was seen after this look had begun is newer than the look: an operation has ended meanwhile.
        if (vm.Stage != VmStage.Ready || vm.Seen == seen || vm.SeenAt > asked || await db.Operations.AnyAsync(o => o.VmId == id && o.FinishedAt == null, ct))
        {
            return;
        }

        var now = await db.NowAsync(ct);
        var before = vm.Seen;
        vm.Saw(seen, now);
        // A guest that shut itself down did what its owner wanted in it: it is off, not broken.
        if (before == DomainState.Running && seen == DomainState.Off)
        {
            vm.Want(WantedState.Stopped);
        }

        await db.SettleUsageAsync(vm, allocated: true, running: seen is not (DomainState.Off or DomainState.Absent or DomainState.Crashed), now, ct);
        db.Add(AuditEntry.Of(Actor.Portal, vm.TenantId, "vm.seen", vm.Id.Value, vm.Name, $"{before} -> {seen}".ToLowerInvariant()));
        await db.SaveChangesAsync(ct);
        await db.AnnounceAsync(Topic.Of(vm.Id), ct);
        await db.AnnounceAsync(Topic.Of(vm.TenantId), ct);
        await transaction.CommitAsync(ct);
    }

    private async Task SilentAsync(HostId id, string problem, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var row = await db.Hosts.SingleAsync(h => h.Id == id, ct);
        if (row.Problem != problem)
        {
            row.DidNotAnswer(problem);
            await SaveAsync(db, ct);
            await db.AnnounceAsync(Topic.Hosts, ct);
        }
    }

    // Another replica, or an operator, wrote the same row at this moment: the next look is near.
    private static async Task SaveAsync(PortalDb db, CancellationToken ct)
    {
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            db.ChangeTracker.Clear();
        }
    }
}
