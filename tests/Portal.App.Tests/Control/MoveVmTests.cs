using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Metering;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing;
using Portal.Testing.Worlds;
using Host = Portal.App.Hosts.Host;

namespace Portal.App.Tests.Control;

/// <summary>A VM is taken to another host, and what stands against it is said before anything happens.</summary>
public sealed class MoveVmTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_ran_runs_there_with_its_disk_its_address_and_its_console_and_nothing_is_left_where_it_was(bool running)
    {
        var other = await OtherAsync();
        var vm = await _world.RunningVmAsync(Ct);
        var here = await _world.HostAsync(Ct);
        _world.Faults.WriteDisk(vm.DomainOn(here), 7, "what a guest has written"u8);
        if (!running)
        {
            await _world.DoAsync(vm, OperationKind.PowerOff, Ct);
        }

        var done = await MoveAsync(vm, other);

        Assert.Equal((OperationState.Succeeded, null), (done.State, done.Problem));
        var moved = await _world.VmAsync(vm.Id, Ct);
        Assert.Equal((other.Id, 2, running ? DomainState.Running : DomainState.Off, vm.Wanted == WantedState.Running && running, vm.Ip, vm.Mac, VmStage.Ready), (moved.HostId, moved.Generation, moved.Seen, moved.Wanted == WantedState.Running, moved.Ip, moved.Mac, moved.Stage));
        Assert.Equal("what a guest has written", System.Text.Encoding.UTF8.GetString(new SimulatedFaults(other.PoolPath).ReadDisk(moved.DomainOn(other), 7)));
        Assert.Equal(DomainState.Absent, (await _world.EngineOf(here).LookAsync(vm.DomainOn(here), Ct)).State);
        Assert.DoesNotContain(await _world.EngineOf(here).ListVolumesAsync(Ct), v => v.Domain.Vm == vm.Id);
        await using var db = _world.Main.Dbs.ForSystem();
        var move = await db.VmMoves.SingleAsync(m => m.VmId == vm.Id, Ct);
        Assert.Equal((null, move.Total, true), (move.LeftOnId, move.Copied, move.Total > ByteSize.Zero));
        Assert.Equal(other.Id, (await db.Pools.SingleAsync(p => db.Volumes.Any(v => v.VmId == vm.Id && v.PoolId == p.Id), Ct)).HostId);
        // Allocated goes on; running stops while it is off.
        var usage = await db.UsageIntervals.Where(u => u.VmId == vm.Id).OrderBy(u => u.From).ToListAsync(Ct);
        Assert.Null(Assert.Single(usage, u => u.Meter == Meter.VmAllocated).To);
        Assert.Equal(running ? [false, true] : [false], usage.Where(u => u.Meter == Meter.VmRunning).Select(u => u.To is null));
        if (running)
        {
            await using var console = await _world.EngineOf(other).OpenConsoleAsync(moved.DomainOn(other), Ct);
        }

        // It lives on there like any other, and can go back.
        await MoveAsync(moved, here);
        Assert.Equal((here.Id, 3), ((await _world.VmAsync(vm.Id, Ct)).HostId, (await _world.VmAsync(vm.Id, Ct)).Generation));
        await _world.DoAsync(await _world.VmAsync(vm.Id, Ct), OperationKind.Delete, Ct);
        Assert.False(await db.VmMoves.AnyAsync(m => m.VmId == vm.Id && m.LeftOnId != null, Ct));
    }

    [Fact]
    public async Task Its_room_is_kept_on_the_other_host_from_the_moment_that_it_is_asked_for_and_given_back_where_it_left()
    {
        var other = await OtherAsync();
        var vm = await _world.RunningVmAsync(Ct);
        var (before, here) = (await RoomsAsync(), await _world.HostAsync(Ct));

        Assert.Null((await AskAsync(vm, other)).Refusal);
        var asked = await RoomsAsync();
        await _world.Main.RunRungAsync(Ct);
        var after = await RoomsAsync();

        Assert.Equal((before[here.Id].Memory, new ByteSize(before[other.Id].Memory.Bytes - vm.Memory.Bytes)), (asked[here.Id].Memory, asked[other.Id].Memory));
        Assert.Equal((before[here.Id].Vcpus + vm.Vcpus, before[other.Id].Vcpus - vm.Vcpus), (after[here.Id].Vcpus, after[other.Id].Vcpus));
        Assert.Equal((new ByteSize(before[here.Id].Disk.Bytes + vm.Disk.Bytes), new ByteSize(before[other.Id].Disk.Bytes - vm.Disk.Bytes)), (after[here.Id].Disk, after[other.Id].Disk));
    }

    [Fact]
    public async Task A_guest_that_does_not_shut_down_stays_as_it_is_or_loses_its_power_as_was_asked()
    {
        var other = await OtherAsync();
        var vm = await _world.RunningVmAsync(Ct);
        var here = await _world.HostAsync(Ct);

        _world.Faults.Arm(SimulatedVerb.AskShutdown, SimulatedMoment.Before, SimulatedFault.Ignore);
        var kept = await MoveAsync(vm, other);
        Assert.Equal((OperationState.Failed, "operations.guest_keeps_running"), (kept.State, kept.ProblemCode));
        Assert.Equal((here.Id, DomainState.Running), ((await _world.VmAsync(vm.Id, Ct)).HostId, (await _world.VmAsync(vm.Id, Ct)).Seen));
        Assert.DoesNotContain(await _world.EngineOf(other).ListVolumesAsync(Ct), v => v.Domain.Vm == vm.Id);

        _world.Faults.Arm(SimulatedVerb.AskShutdown, SimulatedMoment.Before, SimulatedFault.Ignore);
        Assert.Equal(OperationState.Succeeded, (await MoveAsync(vm, other, mayForceOff: true)).State);
        Assert.Equal((other.Id, DomainState.Running), ((await _world.VmAsync(vm.Id, Ct)).HostId, (await _world.VmAsync(vm.Id, Ct)).Seen));
        await AssertNothingLeftAsync(vm);
    }

    [Fact]
    public async Task Called_off_before_it_has_arrived_it_is_started_where_it_was()
    {
        var other = await OtherAsync();
        var here = await _world.HostAsync(Ct);
        // The first call; while its disks are made, copied; after it was removed from its old host, which is the last moment.
        foreach (var verb in new[] { 1, 5, 9, 14 })
        {
            var vm = await _world.RunningVmAsync(Ct);
            var operation = (await AskAsync(vm, other)).Value;
            await using var process = await _world.StartProcessAsync(Ct);
            process.Fate.SleepAt(new Point(Act.Verb, verb, verb == 14 ? Moment.After : Moment.Before));
            var work = process.RunAsync(operation, Ct);
            await process.Fate.Sleeps;

            Assert.NotNull((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, operation), _world.Owner, Ct)).Refusal);
            Assert.Null((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, operation), _world.Operator, Ct)).Refusal);
            process.Fate.Wake();
            await work;

            var after = await _world.VmAsync(vm.Id, Ct);
            Assert.Equal((OperationState.Cancelled, here.Id, 1, DomainState.Running), ((await _world.LastOperationAsync(vm.Id, Ct)).State, after.HostId, after.Generation, after.Seen));
            Assert.DoesNotContain(await _world.EngineOf(other).ListVolumesAsync(Ct), v => v.Domain.Vm == vm.Id);
            await AssertNothingLeftAsync(vm);
            while (_world.Main.Jobs.TryAnswer(out _))
            {
            }
        }
    }

    [Fact]
    public async Task What_the_old_host_does_not_let_go_of_is_removed_when_it_does_and_its_room_is_taken_until_then()
    {
        var other = await OtherAsync();
        var vm = await _world.RunningVmAsync(Ct);
        var (here, before) = (await _world.HostAsync(Ct), await RoomsAsync());
        _world.Refusals[SimulatedVerb.EnsureDisksGone] = new HostSaidNo("remove the disks", "busy");
        try
        {
            Assert.Equal(OperationState.Succeeded, (await MoveAsync(vm, other)).State);
        }
        finally
        {
            _world.Refusals.Clear();
        }

        Assert.Equal((other.Id, DomainState.Running), ((await _world.VmAsync(vm.Id, Ct)).HostId, (await _world.VmAsync(vm.Id, Ct)).Seen));
        Assert.Equal((before[here.Id].Disk, before[here.Id].Vcpus + vm.Vcpus), ((await RoomsAsync())[here.Id].Disk, (await RoomsAsync())[here.Id].Vcpus));
        var shown = (await _world.Main.Get<GetOperation.Handler>().HandleAsync(new((await _world.LastOperationAsync(vm.Id, Ct)).Id), _world.Operator, Ct)).Value;
        Assert.Equal((here.Name, here.Name), (shown.Move?.LeftOn, shown.Move?.From));

        await _world.Main.Get<MoveLeftovers>().RemoveAsync(Ct);

        Assert.DoesNotContain(await _world.EngineOf(here).ListVolumesAsync(Ct), v => v.Domain.Vm == vm.Id);
        Assert.Contains(await _world.EngineOf(other).ListVolumesAsync(Ct), v => v.Domain.Vm == vm.Id);
        Assert.Equal(new ByteSize(before[here.Id].Disk.Bytes + vm.Disk.Bytes), (await RoomsAsync())[here.Id].Disk);
        await AssertNothingLeftAsync(vm);
    }

    [Fact]
    public async Task Where_the_new_host_goes_away_the_VM_runs_again_where_it_was_and_does_not_wait_for_it()
    {
        var other = await OtherAsync();
        var vm = await _world.RunningVmAsync(Ct);
        var operation = (await AskAsync(vm, other)).Value;
        var faults = new SimulatedFaults(other.PoolPath);
        await using (var process = await _world.StartProcessAsync(Ct))
        {
            // The part is written; then nothing answers any more.
            process.Fate.SleepAt(new Point(Act.Verb, 11, Moment.After));
            var work = process.RunAsync(operation, Ct);
            await process.Fate.Sleeps;
            faults.Shape = faults.Shape with { Reachable = false };
            process.Fate.Wake();
            await work;
            Assert.Equal(OperationState.Waiting, (await _world.LastOperationAsync(vm.Id, Ct)).State);
            Assert.Null((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, operation), _world.Operator, Ct)).Refusal);
            await _world.EndRestAsync(operation, Ct);
            await process.RunAsync(operation, Ct);
        }

        Assert.Equal((OperationState.Cancelled, DomainState.Running), ((await _world.LastOperationAsync(vm.Id, Ct)).State, (await _world.VmAsync(vm.Id, Ct)).Seen));
        faults.Shape = faults.Shape with { Reachable = true };
        Assert.Contains(await _world.EngineOf(other).ListVolumesAsync(Ct), v => v.Domain.Vm == vm.Id);
        await _world.Main.Get<HostWatch>().LookAsync(Ct);
        await _world.Main.Get<MoveLeftovers>().RemoveAsync(Ct);
        Assert.DoesNotContain(await _world.EngineOf(other).ListVolumesAsync(Ct), v => v.Domain.Vm == vm.Id);
        await AssertNothingLeftAsync(vm);
        while (_world.Main.Jobs.TryAnswer(out _))
        {
        }
    }

    [Fact]
    public async Task Called_off_while_somebody_works_on_the_new_host_it_runs_again_at_once_and_that_host_is_cleared_afterwards()
    {
        var other = await OtherAsync();
        var vm = await _world.RunningVmAsync(Ct);
        var operation = (await AskAsync(vm, other)).Value;
        var faults = new SimulatedFaults(other.PoolPath);
        await using (var process = await _world.StartProcessAsync(Ct))
        {
            process.Fate.SleepAt(new Point(Act.Verb, 11, Moment.After));
            var work = process.RunAsync(operation, Ct);
            await process.Fate.Sleeps;
            faults.Shape = faults.Shape with { Reachable = false };
            process.Fate.Wake();
            await work;
            faults.Shape = faults.Shape with { Reachable = true };
            await ChangeAsync("UPDATE hosts SET mode = 'Maintenance' WHERE id = $1", other);
            await _world.EndRestAsync(operation, Ct);
            await process.RunAsync(operation, Ct);
            Assert.Contains($"{other.Name} is in maintenance", (await _world.LastOperationAsync(vm.Id, Ct)).Problem, StringComparison.Ordinal);

            Assert.Null((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, operation), _world.Operator, Ct)).Refusal);
            await _world.EndRestAsync(operation, Ct);
            await process.RunAsync(operation, Ct);
        }

        Assert.Equal((OperationState.Cancelled, DomainState.Running), ((await _world.LastOperationAsync(vm.Id, Ct)).State, (await _world.VmAsync(vm.Id, Ct)).Seen));
        await _world.Main.Get<MoveLeftovers>().RemoveAsync(Ct);
        Assert.Contains(await _world.EngineOf(other).ListVolumesAsync(Ct), v => v.Domain.Vm == vm.Id);
        await ChangeAsync("UPDATE hosts SET mode = 'InUse' WHERE id = $1", other);
        await _world.Main.Get<HostWatch>().LookAsync(Ct);
        await _world.Main.Get<MoveLeftovers>().RemoveAsync(Ct);
        Assert.DoesNotContain(await _world.EngineOf(other).ListVolumesAsync(Ct), v => v.Domain.Vm == vm.Id);
        await AssertNothingLeftAsync(vm);
        while (_world.Main.Jobs.TryAnswer(out _))
        {
        }
    }

    [Fact]
    public async Task It_begins_when_both_hosts_have_room_for_one_more_operation()
    {
        var other = await OtherAsync();
        var there = await _world.RunningVmAsync(Ct);
        await MoveAsync(there, other);
        var vm = await _world.RunningVmAsync(Ct);
        await ChangeAsync("UPDATE hosts SET max_operations = 1 WHERE id = $1", other);
        new SimulatedFaults(other.PoolPath).Arm(SimulatedVerb.EnsureOff, SimulatedMoment.Before, SimulatedFault.Hang);
        var busy = (await _world.AskAsync(there, OperationKind.PowerOff, Ct)).Value;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var hanging = _world.Main.RunAsync(busy, stop.Token);
        await Eventually.IsAsync(async () => (await _world.LastOperationAsync(there.Id, Ct)).Owner is not null, Ct);
        var operation = (await AskAsync(vm, other)).Value;

        await _world.Main.RunAsync(operation, Ct);
        var waits = await _world.LastOperationAsync(vm.Id, Ct);

        Assert.Null(waits.StartedAt);
        Assert.Contains($"{other.Name} works on 1 operation at", waits.Problem, StringComparison.Ordinal);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hanging);
        await _world.Main.RunAsync(operation, Ct);
        Assert.Equal((OperationState.Succeeded, null), ((await _world.LastOperationAsync(vm.Id, Ct)).State, (await _world.LastOperationAsync(vm.Id, Ct)).Problem));
        await ChangeAsync("UPDATE hosts SET max_operations = 4 WHERE id = $1", other);
        while (_world.Main.Jobs.TryAnswer(out _))
        {
        }
    }

    [Fact]
    public async Task It_is_refused_with_the_reason_before_anything_happens()
    {
        var other = await OtherAsync();
        var vm = await _world.RunningVmAsync(Ct);
        var here = await _world.HostAsync(Ct);

        Assert.Equal("not_allowed", (await AskAsync(vm, other, by: _world.Owner)).Refusal?.Code);
        Assert.IsType<NotFound>((await AskAsync(vm, here)).Refusal);
        await ChangeAsync("UPDATE hosts SET mode = 'Draining' WHERE id = $1", other);
        Assert.Contains("takes nothing new", (await AskAsync(vm, other)).Refusal?.Message, StringComparison.Ordinal);
        await ChangeAsync("UPDATE hosts SET mode = 'InUse', reserved_memory = memory WHERE id = $1", other);
        Assert.Contains("of memory left", (await AskAsync(vm, other)).Refusal?.Message, StringComparison.Ordinal);
        await ChangeAsync("UPDATE hosts SET reserved_memory = 0, reserved_disk = 9000000000000000 WHERE id = $1", other);
        Assert.Contains("of disk left", (await AskAsync(vm, other)).Refusal?.Message, StringComparison.Ordinal);
        await ChangeAsync("UPDATE hosts SET reserved_disk = 0 WHERE id = $1", other);
        await ChangeAsync("UPDATE networks SET gateway = '10.77.9.9' WHERE host_id = $1", other);
        Assert.Contains("keeps its address", (await AskAsync(vm, other)).Refusal?.Message, StringComparison.Ordinal);
        await ChangeAsync("UPDATE networks SET gateway = '10.77.2.2' WHERE host_id = $1", other);
        await ChangeAsync("UPDATE hosts SET kind = 'LocalLibvirt' WHERE id = $1", other);
        Assert.Contains("another hypervisor", (await AskAsync(vm, other)).Refusal?.Message, StringComparison.Ordinal);
        await ChangeAsync("UPDATE hosts SET kind = 'Simulated', guests = 'Pv, Pvh' WHERE id = $1", other);
        await _world.Database.ExecuteAsync("UPDATE template_versions SET boot = 'Disk'", Ct);
        Assert.Contains("from their own disk", (await AskAsync(vm, other)).Refusal?.Message, StringComparison.Ordinal);
        await ChangeAsync("UPDATE hosts SET guests = 'Hvm' WHERE id = $1", other);
        await _world.DoAsync(vm, OperationKind.Change, Ct);
        Assert.Contains("is paused", (await AskAsync(vm, other)).Refusal?.Message, StringComparison.Ordinal);
        var choices = (await _world.Main.Get<ListMoveTargets.Handler>().HandleAsync(new(_world.Tenant, vm.Id), _world.Operator, Ct)).Value;
        Assert.Equal((here.Name, true), (choices.From, choices.Obstacle?.Contains("is paused", StringComparison.Ordinal)));
        Assert.Null(Assert.Single(choices.Targets, t => t.Host == other.Id).WhyNot);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.False(await db.VmMoves.AnyAsync(m => m.VmId == vm.Id, Ct));
    }

    private async Task<Host> OtherAsync()
    {
        await using var db = _world.Main.Dbs.ForSystem();
        var here = await _world.HostAsync(Ct);
        return await db.Hosts.AsNoTracking().FirstOrDefaultAsync(h => h.Id != here.Id, Ct) ?? await _world.AddHostAsync("other", "0badcafd", Ct);
    }

    private Task<Result<OperationId>> AskAsync(Vm vm, Host to, bool mayForceOff = false, Actor? by = null) =>
        _world.Main.Get<MoveVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id, to.Id, mayForceOff), by ?? _world.Operator, Ct);

    private async Task<Operation> MoveAsync(Vm vm, Host to, bool mayForceOff = false)
    {
        Assert.Null((await AskAsync(vm, to, mayForceOff)).Refusal);
        await _world.Main.RunRungAsync(Ct);
        var operation = await _world.LastOperationAsync(vm.Id, Ct);
        while (operation.IsLive)
        {
            // Nobody waits for the minute and a half that a guest may take.
            await _world.Database.ExecuteAsync("UPDATE operation_steps SET started_at = started_at - interval '90 seconds' WHERE operation_id = $1", Ct, operation.Id.Value);
            await _world.EndRestAsync(operation.Id, Ct);
            await _world.Main.RunAsync(operation.Id, Ct);
            operation = await _world.LastOperationAsync(vm.Id, Ct);
        }

        return operation;
    }

    private async Task<Dictionary<HostId, HostRoom>> RoomsAsync()
    {
        await using var db = _world.Main.Dbs.ForSystem();
        await _world.Main.Get<HostWatch>().LookAsync(Ct);
        return (await db.ReadHostRoomsAsync(null, _world.Tenant, lockHosts: false, Ct)).ToDictionary(r => r.Host.Id);
    }

    private Task<int> ChangeAsync(string sql, Host host) => _world.Database.ExecuteAsync(sql, Ct, host.Id.Value);

    private async Task AssertNothingLeftAsync(Vm vm)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.False(await db.VmMoves.AnyAsync(m => m.VmId == vm.Id && m.LeftOnId != null, Ct));
    }
}
