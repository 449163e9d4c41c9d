using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Operations;

/// <summary>A host that boots anew under its domains: those that were to run run again, in the order of their owners, and the others stay as they are.</summary>
public sealed class HostRebootTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private const int Runs = 100;
    private const int Count = 4;

    private static readonly OperationKind[] s_before = [OperationKind.Start, OperationKind.PowerOff, OperationKind.ShutDown, OperationKind.Reboot, OperationKind.Change];

    private readonly PortalWorld _world = fixture.World;

    [Fact]
    public async Task A_hundred_boots_of_a_host_under_its_domains_watched_by_two_portals_that_meet_faults()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var second = await _world.StartProcessAsync(ct);
        var vms = (await _world.OrderAndApproveAsync(ct, count: Count)).Select(v => v.Id).ToList();
        await _world.Main.RunRungAsync(ct);
        var started = 0;
        for (var seed = 1; seed <= Runs; seed++)
        {
            try
            {
                started += await BootOnceAsync(vms, second, new Random(seed), ct);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"Run {seed}: {e.Message}", e);
            }
        }

        Assert.True(started >= Runs / 2, $"Only {started} starts in {Runs} boots.");
        foreach (var id in vms)
        {
            await Picture.CheckBooksAsync(_world, id, ct);
        }
    }

    [Fact]
    public async Task Its_place_is_said_by_its_owner_shown_and_in_the_audit_and_no_other_than_it_can_have()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        Assert.Equal(Vm.UsualBootOrder, (await ReadAsync()).BootOrder);

        foreach (var _ in Enumerable.Range(0, 2))
        {
            Assert.Null((await SetAsync(7)).Refusal);
        }

        Assert.Equal(7, (await ReadAsync()).BootOrder);
        Assert.Null((await SetAsync(null)).Refusal);
        Assert.Null((await ReadAsync()).BootOrder);
        Assert.Equal("order", (await SetAsync(Vm.MaxBootOrder + 1)).Refusal?.Field);
        Assert.Equal("order", (await SetAsync(-1)).Refusal?.Field);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(["7", "not started"], await db.AuditEntries.Where(e => e.ObjectId == vm.Id.Value && e.Verb == "vm.boot_order").OrderBy(e => e.Id).Select(e => e.Details).ToListAsync(ct));

        Task<Result<Done>> SetAsync(int? order) => _world.Main.Get<SetBootOrder.Handler>().HandleAsync(new(_world.Tenant, vm.Id, order), _world.Owner, ct);
        async Task<GetVm.Details> ReadAsync() => (await _world.Main.Get<GetVm.Handler>().HandleAsync(new(_world.Tenant, vm.Id), _world.Owner, ct)).Value;
    }

    // How many were started.
    private async Task<int> BootOnceAsync(IReadOnlyList<VmId> vms, WorldProcess second, Random chance, CancellationToken ct)
    {
        foreach (var id in vms)
        {
            int? order = chance.Next(5) == 0 ? null : chance.Next(3);
            Assert.Null((await _world.Main.Get<SetBootOrder.Handler>().HandleAsync(new(_world.Tenant, id, order), _world.Owner, ct)).Refusal);
            // Some of it is done when the power goes, some is not begun yet; what cannot be asked for is not.
            await _world.AskAsync(await _world.VmAsync(id, ct), chance.GetItems(s_before, 1)[0], ct);
            if (chance.Next(2) == 0)
            {
                await _world.Main.RunRungAsync(ct);
            }
        }

        var wanted = new Dictionary<VmId, Vm>();
        var asked = new HashSet<VmId>();
        await using (var db = _world.Main.Dbs.ForSystem())
        {
            foreach (var id in vms)
            {
                wanted[id] = await _world.VmAsync(id, ct);
            }

            asked.UnionWith(await db.Operations.Where(o => o.FinishedAt == null && vms.Contains(o.VmId)).Select(o => o.VmId).ToListAsync(ct));
        }

        var before = DateTimeOffset.MinValue;
        await using (var db = _world.Main.Dbs.ForSystem())
        {
            before = await db.NowAsync(ct);
        }

        await _world.Faults.LosePowerAsync(PortalWorld.Instance, TimeProvider.System, ct);
        var refuses = chance.Next(8) == 0;
        if (refuses)
        {
            _world.Faults.Arm(SimulatedVerb.EnsureRunning, SimulatedMoment.Before, SimulatedFault.Refuse);
        }
        else if (chance.Next(2) == 0)
        {
            _world.Faults.Arm(chance.GetItems([SimulatedVerb.Probe, SimulatedVerb.ListDomains, SimulatedVerb.EnsureDefined, SimulatedVerb.EnsureRunning], 1)[0], chance.GetItems([SimulatedMoment.Before, SimulatedMoment.After], 1)[0], SimulatedFault.Throw);
        }

        await UntilStillAsync(vms, second, ct);
        _world.Faults.Clear();
        return await CheckAsync(vms, wanted, asked, refuses, before, ct);
    }

    private async Task<int> CheckAsync(IReadOnlyList<VmId> vms, Dictionary<VmId, Vm> wanted, HashSet<VmId> asked, bool refused, DateTimeOffset since, CancellationToken ct)
    {
        var domains = (await (await _world.EngineAsync(ct)).ListDomainsAsync(ct)).ToLookup(d => d.Name.Vm, d => d.State);
        foreach (var id in vms.Where(v => !asked.Contains(v)))
        {
            var state = Assert.Single(domains[id]);
            var comesBack = wanted[id] is { Wanted: WantedState.Running, BootOrder: not null };
            Assert.True(state == (comesBack ? DomainState.Running : DomainState.Off) || refused, $"{(comesBack ? "It was to come back" : "It was to stay off")}, and it is {state}.");
            Assert.Equal(state, (await _world.VmAsync(id, ct)).Seen);
        }

        await using var db = _world.Main.Dbs.ForSystem();
        var starts = await db.Operations.AsNoTracking().Where(o => vms.Contains(o.VmId) && o.Kind == OperationKind.Start && o.RequestedBy == Actor.Portal.Name && o.CreatedAt > since).ToListAsync(ct);
        Assert.Equal(starts.Count, starts.Select(s => s.VmId).Distinct().Count());
        Assert.All(starts, s => Assert.NotNull(wanted[s.VmId].BootOrder));
        foreach (var (first, then) in from first in starts from then in starts where wanted[first.VmId].BootOrder < wanted[then.VmId].BootOrder select (first, then))
        {
            Assert.True(first.FinishedAt <= then.CreatedAt, "One was asked to start before all of an earlier place were tried.");
        }

        return starts.Count;
    }

    // As the watches of two replicas, the bells and the sweeps would do it.
    private async Task UntilStillAsync(IReadOnlyList<VmId> vms, WorldProcess second, CancellationToken ct)
    {
        for (var looks = 0; looks < 30; looks++)
        {
            await Task.WhenAll(_world.Main.Get<HostWatch>().LookAsync(ct), second.Get<HostWatch>().LookAsync(ct));
            await Task.WhenAll(_world.Main.RunRungAsync(ct), second.RunRungAsync(ct));
            await using var db = _world.Main.Dbs.ForSystem();
            var live = await db.Operations.AsNoTracking().Where(o => vms.Contains(o.VmId) && o.FinishedAt == null).Select(o => o.Id).ToListAsync(ct);
            if (live.Count == 0 && looks > 1 && !await db.Vms.AnyAsync(v => v.StartDue, ct))
            {
                return;
            }

            foreach (var operation in live)
            {
                await _world.EndRestAsync(operation, ct);
                await _world.Main.RunAsync(operation, ct);
            }
        }

        throw new InvalidOperationException("The starts come to no end.");
    }
}
