using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Hosts;
using Portal.App.Metering;
using Portal.App.Operations;
using Portal.App.Outbox;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;
using Host = Portal.App.Hosts.Host;

namespace Portal.App.Control;

/// <summary>
/// Looks at every host every few seconds, one listing each, and writes down what was seen: a guest that shut itself down stops being billed as
/// running from the moment it was seen so. Harmless on several replicas: the same sight is written twice.
/// </summary>
public sealed class HostWatch(PortalDbs dbs, IVmEngines engines, BootStarts starts, TimeProvider clock, ILogger<HostWatch> logger)
    : Recurring(s_period, clock, logger)
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(4);

    // Guests that were asked to shut down and are still up after this long have not heard it.
    private static readonly TimeSpan s_late = TimeSpan.FromMinutes(5);

    // Hosts are asked side by side, however many they are; their answers are written down so many at a time, or a large fleet would take every connection
    // that the pages and the jobs of this portal want.
    private readonly SemaphoreSlim _writing = new(8);
    private readonly Dictionary<HostId, Task> _looks = [];
    private readonly TimeProvider _clock = clock;

    // A host that takes its time keeps none of the others waiting: it is asked again when it has answered.
    protected override async Task PassAsync(CancellationToken ct)
    {
        var (hosts, asked) = await HostsAsync(ct);
        foreach (var host in hosts.Where(h => !_looks.ContainsKey(h.Id)))
        {
            _looks.Add(host.Id, LookAtAsync(host, asked, ct));
        }

        // Who has not answered by then is looked for at the next pass.
        await Task.WhenAny(Task.WhenAll(_looks.Values), Task.Delay(s_period, _clock, ct));
        await EachAsync(
            _looks.Where(l => l.Value.IsCompleted).ToList(),
            look =>
            {
                _looks.Remove(look.Key);
                return look.Value;
            },
            ct);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await Task.WhenAll(_looks.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override void Dispose()
    {
        _writing.Dispose();
        base.Dispose();
    }

    /// <summary>One look at all hosts, side by side. It lasts as long as that at the slowest.</summary>
    public async Task LookAsync(CancellationToken ct)
    {
        var (hosts, asked) = await HostsAsync(ct);
        await Task.WhenAll(hosts.Select(h => LookAtAsync(h, asked, ct)));
    }

    private async Task<(IReadOnlyList<Host> Hosts, DateTimeOffset Asked)> HostsAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var asked = await db.NowAsync(ct);
        return (await db.Hosts.AsNoTracking().Where(h => h.Mode != HostMode.WrittenOff).ToListAsync(ct), asked);
    }

    private async Task LookAtAsync(Host host, DateTimeOffset asked, CancellationToken ct)
    {
        HostReport report;
        var extended = false;
        Dictionary<DomainName, DomainReport> domains;
        try
        {
            var engine = engines.For(host.Connection);
            report = await engine.ProbeAsync(ct);
            if (host.ExtendsPool && report.Findings.Any(f => f.Code == "pool.full"))
            {
                (report, extended) = await ExtendAsync(engine, report, ct);
            }

            domains = (await engine.ListDomainsAsync(ct)).ToDictionary(d => d.Name);
        }
        catch (HostKeyChangedException changed)
        {
            await InTurnAsync(() => ForeignAsync(host.Id, changed, ct), ct);
            return;
        }
        catch (HostFaultException fault)
        {
            await InTurnAsync(() => SilentAsync(host.Id, fault.Message, ct), ct);
            return;
        }

        await InTurnAsync(() => AnsweredAsync(host, asked, report, extended, domains, ct), ct);
    }

    private async Task InTurnAsync(Func<Task> write, CancellationToken ct)
    {
        await _writing.WaitAsync(ct);
        try
        {
            await write();
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task AnsweredAsync(Host host, DateTimeOffset asked, HostReport report, bool extended, Dictionary<DomainName, DomainReport> domains, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var row = await db.Hosts.SingleAsync(h => h.Id == host.Id, ct);
        if (row.Mode == HostMode.WrittenOff)
        {
            return;
        }

        var pool = await db.Pools.SingleAsync(p => p.HostId == host.Id, ct);
        var now = await db.NowAsync(ct);
        var booted = row.SawBoot(report.BootId, asked, now);
        row.Saw(report, now);
        if (extended)
        {
            db.Add(AuditEntry.OfPlatform(Actor.Portal, "host.pool_extended", row.Id.Value, row.Name, $"{pool.Size} -> {report.PoolSize}"));
        }

        if (row.SawFilling(report.Findings, now))
        {
            db.Add(AuditEntry.OfPlatform(Actor.Portal, "host.filling", row.Id.Value, row.Name, row.Warning!));
            await TellOperatorsAsync(db, $"Storage of host {row.Name} is nearly full", $"{row.Warning}\n\nGuests on a full pool have their writes fail. {(row.ExtendsPool ? "The portal was to make it larger by itself, and could not. " : row.ThinPool is not null ? "The portal may do that by itself where the host's settings say so. " : "")}This is said once a day while it is so.", ct);
        }

        pool.Saw(report.PoolSize, report.PoolFree, report.PoolTaken);
        if (booted)
        {
            await BootedAsync(db, row, vm => Seen(vm).State is DomainState.Off or DomainState.Absent or DomainState.Crashed, ct);
        }
        else
        {
            await SaveAsync(db, ct);
        }

        if (host.Problem != row.Problem || (host.Warning is null) != (row.Warning is null))
        {
            await db.AnnounceAsync(Topic.Hosts, ct);
        }

        // Whatever agrees with the books is only stamped, all in one statement; what differs is looked at one by one.
        // Somebody at work on a VM says himself what he saw in the end; an operation that rests may do so for long, and its VM runs or does not meanwhile.
        var quiet = await db.Vms.AsNoTracking()
            .Where(v => v.HostId == host.Id && (v.Stage == VmStage.Ready || v.Stage == VmStage.Deleting) && !db.Operations.Any(o => o.VmId == v.Id && o.FinishedAt == null && o.Owner != null))
            .ToListAsync(ct);
        var same = quiet.Where(v => Seen(v).State == v.Seen && !HasLostSaved(v, Seen(v))).Select(v => v.Id).ToList();
        await db.Vms.Where(v => same.Contains(v.Id) && (v.SeenAt == null || v.SeenAt < now)).ExecuteUpdateAsync(s => s.SetProperty(v => v.SeenAt, now), ct);
        foreach (var vm in quiet.Where(v => !same.Contains(v.Id)))
        {
            // Who asks guests to go down, that go down with their host or while it is in maintenance, is the host.
            await ChangedAsync(vm.Id, booted || row.Mode == HostMode.Maintenance ? Seen(vm) with { ByGuest = false } : Seen(vm), asked, ct);
        }

        await starts.NextAsync(host.Id, ct);

        DomainReport Seen(Vm vm) => domains.GetValueOrDefault(vm.DomainOn(host)) ?? new DomainReport(vm.DomainOn(host), DomainState.Absent);
    }

    // The boot and what is due because of it are written together: whoever writes them, writes them once.
    private static async Task BootedAsync(PortalDb db, Host row, Func<Vm, bool> isDown, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        db.Add(AuditEntry.OfPlatform(Actor.Portal, "host.booted", row.Id.Value, row.Name, ""));
        try
        {
            await db.SaveChangesAsync(ct);
            var vms = await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE host_id = {row.Id.Value} AND deleted_at IS NULL ORDER BY id FOR UPDATE").ToListAsync(ct);
            vms.Where(isDown).ToList().ForEach(vm => vm.HostBooted());
            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Hosts, ct);
            await transaction.CommitAsync(ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            db.ChangeTracker.Clear();
        }
    }

    private async Task ChangedAsync(VmId id, DomainReport report, DateTimeOffset asked, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {id.Value} FOR UPDATE").ToListAsync(ct)).Single();
        // What was seen after this look had begun is newer than the look: an operation has ended meanwhile.
        var live = await db.Operations.AsNoTracking().SingleOrDefaultAsync(o => o.VmId == id && o.FinishedAt == null, ct);
        var seen = report.State;
        if (vm.Stage is not (VmStage.Ready or VmStage.Deleting) || (vm.Seen == seen && !HasLostSaved(vm, report)) || vm.SeenAt > asked || live is { Rests: false })
        {
            return;
        }

        var now = await db.NowAsync(ct);
        var before = vm.Seen;
        vm.Saw(seen, now);
        if (before == seen)
        {
            vm.GaveUpSaved();
        }

        // A guest that shut itself down did what its owner wanted in it: it is off, not broken. A host that was switched off did not: its guests are missed.
        // One that is due to be started went down with its host, which another replica has seen.
        if (report.ByGuest && live is null && !vm.StartDue)
        {
            if (vm.Wanted == WantedState.Running && await WasAskedForItsHostAsync(db, id, now, ct))
            {
                // The sweep rings for it.
                db.Ask(vm, OperationKind.Start, Actor.Portal, now);
            }
            else
            {
                vm.Want(WantedState.Stopped);
            }
        }

        await db.SettleUsageAsync(vm, allocated: true, running: seen is not (DomainState.Off or DomainState.Absent or DomainState.Crashed), now, ct);
        db.Add(AuditEntry.Of(Actor.Portal, vm.TenantId, "vm.seen", vm.Id.Value, vm.Name, before == seen ? "its saved memory is gone" : $"{before} -> {seen}".ToLowerInvariant()));
        await db.SaveChangesAsync(ct);
        await db.AnnounceAsync(Topic.Of(vm.Id), ct);
        await db.AnnounceAsync(Topic.Of(vm.TenantId), ct);
        await transaction.CommitAsync(ct);
    }

    // A move or a detaching that came to nothing has asked it to go down, and it does so late: nobody wants it off. Whatever was asked of it since has settled that.
    private static async Task<bool> WasAskedForItsHostAsync(PortalDb db, VmId id, DateTimeOffset now, CancellationToken ct)
    {
        var last = await db.Operations.AsNoTracking().Include(o => o.Steps).Where(o => o.VmId == id).OrderByDescending(o => o.CreatedAt).ThenByDescending(o => o.Id).FirstOrDefaultAsync(ct);
        return last is { IsForHosts: true, State: not OperationState.Succeeded, FinishedAt: { } ended } && ended > now - s_late && last.Steps.Any(s => s is { Kind: StepKind.AskShutdown, StartedAt: not null });
    }

    // The file lies on the host, whose root may remove it.
    private static bool HasLostSaved(Vm vm, DomainReport report) => vm.Saved && report is { State: DomainState.Off, Saved: false };

    // Somebody stands where the host stood, or it was installed anew. Said once for each key, to all who look after hosts; nothing is sent there until the
    // new key was confirmed.
    private async Task ForeignAsync(HostId id, HostKeyChangedException changed, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var row = await db.Hosts.SingleAsync(h => h.Id == id, ct);
        // A look that began before a new key was pinned says nothing of that one.
        if (row.ForeignKey == changed.Shown || row.Xen?.Key.Fingerprint != changed.Pinned || row.Mode == HostMode.WrittenOff)
        {
            return;
        }

        row.DidNotAnswer(changed.Message);
        row.ShowedForeignKey(changed.Shown);
        db.Add(AuditEntry.OfPlatform(Actor.Portal, "host.key_refused", row.Id.Value, row.Name, $"pinned {changed.Pinned}, shown {changed.Shown}"));
        await TellOperatorsAsync(db, $"Host {row.Name} shows another key", $"{changed.Message}\n\nPinned: {changed.Pinned}\nShown:  {changed.Shown}\n\nThe portal says nothing to it until somebody has compared the new key with what the host's own console says, and pinned it on the host's page.", ct);
        await SaveAsync(db, ct);
        await db.AnnounceAsync(Topic.Hosts, ct);
    }

    // One that could not be made larger is looked at as it is.
    private static async Task<(HostReport, bool Extended)> ExtendAsync(IVmEngine engine, HostReport report, CancellationToken ct)
    {
        try
        {
            var done = await engine.ExtendPoolAsync(ct);
            return done is { Succeeded: true, Value: StepOutcome.Changed } ? (await engine.ProbeAsync(ct), true) : (report, false);
        }
        catch (HostFaultException)
        {
            // What keeps the host from it is among its checks.
            return (report, false);
        }
    }

    private static async Task TellOperatorsAsync(PortalDb db, string subject, string text, CancellationToken ct)
    {
        var ids = (await db.StaffRoles.Where(r => r.Role == PlatformRole.Operator).Select(r => r.UserId).ToListAsync(ct)).Select(u => u.Value).ToList();
        var operators = await db.Users.Where(u => ids.Contains(u.Id) && !u.Disabled).Select(u => u.Email!).ToListAsync(ct);
        db.AddRange(operators.Select(to => new OutboxMessage(default, to, subject, text)));
    }

    private async Task SilentAsync(HostId id, string problem, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var row = await db.Hosts.SingleAsync(h => h.Id == id, ct);
        if (row.Problem != problem && row.Mode != HostMode.WrittenOff)
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
