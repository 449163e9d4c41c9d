using Microsoft.EntityFrameworkCore;
using Portal.App.Control;
using Portal.App.Hosts;
using Portal.App.Metering;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Testing;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Control;

public sealed class HostWatchTests(WorldFixture fixture, PostgresFixture postgres) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    [Theory]
    [InlineData(true, WantedState.Stopped, ShownStatus.Stopped)]
    [InlineData(false, WantedState.Running, ShownStatus.Differs)]
    public async Task A_guest_that_shut_itself_down_is_stopped_one_whose_power_went_is_missed(bool byGuest, WantedState wanted, ShownStatus status)
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        await GoesOffAsync(vm, byGuest, ct);

        await _world.Main.Get<HostWatch>().LookAsync(ct);

        var after = await _world.VmAsync(vm.Id, ct);
        Assert.Equal((wanted, DomainState.Off), (after.Wanted, after.Seen));
        var read = await _world.Main.Get<GetVm.Handler>().HandleAsync(new(_world.Tenant, vm.Id), _world.Owner, ct);
        Assert.Equal(status, read.Value.Row.Status);
        Assert.Equal([Meter.VmAllocated], await OpenAsync(vm, ct));
    }

    [Theory]
    [InlineData(OperationKind.PowerOff)]
    [InlineData(OperationKind.Delete)]
    public async Task While_an_operation_rests_its_vm_is_watched_and_not_billed_as_running_when_it_went_off(OperationKind kind)
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        var operation = (await _world.AskAsync(vm, kind, ct)).Value;
        _world.Faults.Shape = new SimulatedShape { Reachable = false };
        await _world.Main.RunRungAsync(ct);
        _world.Faults.Shape = new SimulatedShape();
        await GoesOffAsync(vm, byGuest: true, ct);

        await _world.Main.Get<HostWatch>().LookAsync(ct);

        var after = await _world.VmAsync(vm.Id, ct);
        Assert.Equal((WantedState.Stopped, DomainState.Off), (after.Wanted, after.Seen));
        Assert.Equal([Meter.VmAllocated], await OpenAsync(vm, ct));
        await _world.EndRestAsync(operation, ct);
        await _world.Main.RunAsync(operation, ct);
        Assert.Equal(OperationState.Succeeded, (await _world.LastOperationAsync(vm.Id, ct)).State);
        await Operations.Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task A_host_that_hangs_keeps_no_other_from_being_looked_at()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var good = await world.HostAsync(ct);
        var pool = Directory.CreateTempSubdirectory("portal-slow-");
        try
        {
            await using (var db = world.Main.Dbs.ForSystem())
            {
                var slow = new Host("slow", HostKind.Simulated, "5105105a", pool.FullName);
                db.AddRange(slow, new Pool(slow.Id, "default"));
                await db.SaveChangesAsync(ct);
            }

            new SimulatedFaults(pool.FullName).Arm(SimulatedVerb.Probe, SimulatedMoment.Before, SimulatedFault.Hang);
            using var watch = world.Main.Get<HostWatch>();
            await watch.StartAsync(ct);

            var first = await SeenAfterAsync(good.SeenAt!.Value);
            var second = await SeenAfterAsync(first);
            await SeenAfterAsync(second);

            await using (var db = world.Main.Dbs.ForSystem())
            {
                Assert.Null(await db.Hosts.Where(h => h.Name == "slow").Select(h => h.SeenAt).SingleAsync(ct));
            }

            await watch.StopAsync(ct);
        }
        finally
        {
            pool.Delete(recursive: true);
        }

        async Task<DateTimeOffset> SeenAfterAsync(DateTimeOffset before)
        {
            var seen = before;
            await Eventually.IsAsync(async () =>
            {
                await using var db = world.Main.Dbs.ForSystem();
                seen = await db.Hosts.Where(h => h.Id == good.Id).Select(h => h.SeenAt!.Value).SingleAsync(ct);
                return seen > before;
            }, ct);
            return seen;
        }
    }

    private async Task GoesOffAsync(Vm vm, bool byGuest, CancellationToken ct)
    {
        var name = vm.DomainOn(await _world.HostAsync(ct));
        var engine = await _world.EngineAsync(ct);
        var fence = new Fence(vm.Id, (await _world.LastOperationAsync(vm.Id, ct)).Epoch);
        Assert.True((byGuest ? await engine.AskShutdownAsync(fence, name, ct) : await engine.EnsureOffAsync(fence, name, ct)).Succeeded);
    }

    private async Task<IReadOnlyList<Meter>> OpenAsync(Vm vm, CancellationToken ct)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        return await db.UsageIntervals.Where(u => u.VmId == vm.Id && u.To == null).Select(u => u.Meter).ToListAsync(ct);
    }
}
