using Microsoft.EntityFrameworkCore;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Operations;

/// <summary>What hosts refuse, hosts that go away, guests that do not listen, and owners who change their minds.</summary>
public sealed class FailureTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    public static TheoryData<SimulatedVerb> BuildVerbs { get; } = [SimulatedVerb.EnsureRootDisk, SimulatedVerb.EnsureSeed, SimulatedVerb.EnsureDefined, SimulatedVerb.EnsureRunning];

    [Theory]
    [MemberData(nameof(BuildVerbs))]
    public async Task A_build_that_the_host_refuses_is_undone_says_why_costs_nothing_and_can_be_retried(SimulatedVerb verb)
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        _world.Refusals[verb] = new HostSaidNo("do it", "no");
        await _world.Main.RunRungAsync(ct);
        _world.Refusals.Clear();

        var failed = await _world.LastOperationAsync(vm.Id, ct);
        Assert.Equal((OperationState.Failed, "engine.host_said_no"), (failed.State, failed.ProblemCode));
        Assert.Equal("The host refused to do it: no", failed.Problem);
        Assert.DoesNotContain(failed.Steps, s => s.State is StepState.Done or StepState.Doing);
        vm = await _world.VmAsync(vm.Id, ct);
        Assert.Equal((VmStage.Failed, failed.Problem), (vm.Stage, vm.Problem));
        await AssertNothingOnHostAsync(vm, ct);
        Assert.Equal(0, await CountUsageAsync(vm, ct));
        await Picture.CheckBooksAsync(_world, vm.Id, ct);

        var retried = await _world.DoAsync(vm, OperationKind.Build, ct);
        Assert.Equal(OperationState.Succeeded, retried.State);
        vm = await _world.VmAsync(vm.Id, ct);
        Assert.Equal((VmStage.Ready, 2, null), (vm.Stage, vm.Generation, vm.Problem));
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task A_pool_that_is_full_fails_the_build_and_the_failed_vm_can_be_deleted()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        _world.Faults.Shape = new SimulatedShape { PoolMiB = 16 };
        await _world.Main.RunRungAsync(ct);
        _world.Faults.Shape = new SimulatedShape();

        Assert.Equal("engine.pool_full", (await _world.LastOperationAsync(vm.Id, ct)).ProblemCode);
        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(vm, OperationKind.Delete, ct)).State);
        Assert.Equal(VmStage.Deleted, (await _world.VmAsync(vm.Id, ct)).Stage);
        Assert.Equal(0, await CountUsageAsync(vm, ct));
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_build_is_cancelled_at_any_step_and_leaves_nothing(int verb)
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        Assert.True(_world.Main.Jobs.TryAnswer(out var operation));
        await using var process = await _world.StartProcessAsync(ct);
        process.Fate.SleepAt(new Point(Act.Verb, verb, Moment.Before));
        var work = process.RunAsync(operation, ct);
        await process.Fate.Sleeps;

        Assert.Null((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, operation), _world.Owner, ct)).Refusal);
        process.Fate.Wake();
        await work;
        await _world.Main.RunRungAsync(ct);

        var ended = await _world.LastOperationAsync(vm.Id, ct);
        // The last step was under way and ended well: then there is nothing left to cancel.
        Assert.Equal(verb == 4 ? OperationState.Succeeded : OperationState.Cancelled, ended.State);
        vm = await _world.VmAsync(vm.Id, ct);
        if (verb < 4)
        {
            Assert.Equal(VmStage.Failed, vm.Stage);
            await AssertNothingOnHostAsync(vm, ct);
            Assert.Equal(0, await CountUsageAsync(vm, ct));
        }

        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task A_host_that_goes_away_lets_the_operation_rest_and_end_well_when_it_is_back()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        Assert.True(_world.Main.Jobs.TryAnswer(out var operation));
        _world.Faults.Shape = new SimulatedShape { Reachable = false };
        await _world.Main.RunAsync(operation, ct);

        var rests = await _world.LastOperationAsync(vm.Id, ct);
        Assert.Equal((OperationState.Waiting, null), (rests.State, rests.Owner));
        Assert.Contains("does not answer", rests.Problem, StringComparison.Ordinal);
        await _world.Main.RunAsync(operation, ct);
        Assert.Equal(rests.Epoch, (await _world.LastOperationAsync(vm.Id, ct)).Epoch);

        _world.Faults.Shape = new SimulatedShape();
        await _world.EndRestAsync(operation, ct);
        await _world.Main.RunAsync(operation, ct);
        var ended = await _world.LastOperationAsync(vm.Id, ct);
        Assert.Equal((OperationState.Succeeded, null), (ended.State, ended.Problem));
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Theory]
    [InlineData(OperationKind.PowerOff)]
    [InlineData(OperationKind.ShutDown)]
    [InlineData(OperationKind.Delete)]
    [InlineData(OperationKind.Change)]
    public async Task What_waits_for_a_host_that_stays_away_can_be_called_off(OperationKind kind)
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        var asked = await _world.AskAsync(vm, kind, ct);
        _world.Faults.Shape = new SimulatedShape { Reachable = false };
        await _world.Main.RunRungAsync(ct);
        var rests = await _world.LastOperationAsync(vm.Id, ct);
        Assert.Equal((OperationState.Waiting, true), (rests.State, rests.CanCancel));

        Assert.Null((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, asked.Value), _world.Owner, ct)).Refusal);
        _world.Faults.Shape = new SimulatedShape();
        await _world.Main.RunRungAsync(ct);

        Assert.Equal(OperationState.Cancelled, (await _world.LastOperationAsync(vm.Id, ct)).State);
        // Its owner may go on: whatever state it was left in, deleting works.
        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(await _world.VmAsync(vm.Id, ct), OperationKind.Delete, ct)).State);
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Theory]
    [InlineData(SimulatedVerb.EnsureRootDisk)]
    [InlineData(SimulatedVerb.EnsureDefined)]
    [InlineData(SimulatedVerb.EnsureRunning)]
    public async Task A_time_out_is_no_failure_the_next_try_looks_and_finds_it_done(SimulatedVerb verb)
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        _world.Faults.Arm(verb, SimulatedMoment.After, SimulatedFault.Throw);

        await _world.Main.RunRungAsync(ct);

        var ended = await _world.LastOperationAsync(vm.Id, ct);
        Assert.Equal(OperationState.Succeeded, ended.State);
        Assert.All(ended.Steps, s => Assert.Equal(1, s.Tries));
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task A_guest_that_ignores_its_power_button_fails_the_shutdown_and_runs_on_and_is_billed()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        _world.Faults.Arm(SimulatedVerb.AskShutdown, SimulatedMoment.Before, SimulatedFault.Ignore);

        var waits = await _world.DoAsync(vm, OperationKind.ShutDown, ct);
        // Nobody is held up by it: it is let go of, and looked at again in a moment.
        Assert.Equal((OperationState.Running, null, true), (waits.State, waits.Owner, waits.CanCancel));
        Assert.Equal(0, (await LookAgainAsync(waits, ct)).Steps[1].Tries);
        await _world.Database.ExecuteAsync("UPDATE operation_steps SET started_at = started_at - interval '90 seconds' WHERE operation_id = $1", ct, waits.Id.Value);
        var ended = await LookAgainAsync(waits, ct);

        Assert.Equal((OperationState.Failed, "operations.guest_keeps_running"), (ended.State, ended.ProblemCode));
        vm = await _world.VmAsync(vm.Id, ct);
        Assert.Equal((VmStage.Ready, DomainState.Running), (vm.Stage, vm.Seen));
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(2, await db.UsageIntervals.CountAsync(u => u.VmId == vm.Id && u.To == null, ct));
        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(vm, OperationKind.PowerOff, ct)).State);
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task Waiting_for_a_guest_that_takes_its_time_can_be_called_off_to_force_it()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        _world.Faults.Arm(SimulatedVerb.AskShutdown, SimulatedMoment.Before, SimulatedFault.Ignore);
        var waits = await _world.DoAsync(vm, OperationKind.ShutDown, ct);

        Assert.Null((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, waits.Id), _world.Owner, ct)).Refusal);

        Assert.Equal(OperationState.Cancelled, (await _world.LastOperationAsync(vm.Id, ct)).State);
        Assert.Equal(WantedState.Running, (await _world.VmAsync(vm.Id, ct)).Wanted);
        await _world.Main.RunRungAsync(ct);
        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(vm, OperationKind.PowerOff, ct)).State);
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task What_is_in_the_way_and_is_not_the_vms_is_left_alone_by_the_way_back_too()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        var name = vm.DomainOn(await _world.HostAsync(ct));
        var disk = Path.Combine(_world.Pool, "disks", name.Text + ".qcow2");
        Directory.CreateDirectory(Path.GetDirectoryName(disk)!);
        await File.WriteAllTextAsync(disk, "somebody's", ct);
        _world.Refusals[SimulatedVerb.EnsureRootDisk] = new Occupied(disk);
        await _world.Main.RunRungAsync(ct);
        _world.Refusals.Clear();

        Assert.Equal("engine.occupied", (await _world.LastOperationAsync(vm.Id, ct)).ProblemCode);
        Assert.Equal("somebody's", await File.ReadAllTextAsync(disk, ct));
        // The next try has a name of its own.
        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(await _world.VmAsync(vm.Id, ct), OperationKind.Build, ct)).State);
        Assert.Equal("somebody's", await File.ReadAllTextAsync(disk, ct));
        File.Delete(disk);
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task What_is_asked_twice_is_one_operation_and_what_else_is_asked_meanwhile_is_refused()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);

        var first = await _world.AskAsync(vm, OperationKind.PowerOff, ct);
        var second = await _world.AskAsync(vm, OperationKind.PowerOff, ct);
        var other = await _world.AskAsync(vm, OperationKind.Delete, ct);

        Assert.Equal(first.Value, second.Value);
        Assert.Equal("operations.vm_busy", other.Refusal?.Code);
        await _world.Main.RunRungAsync(ct);
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task Many_at_once_ask_for_one_vm_and_one_operation_is_live()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        OperationKind[] kinds = [OperationKind.PowerOff, OperationKind.Reboot, OperationKind.ShutDown, OperationKind.Delete];

        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => _world.AskAsync(vm, kinds[i % kinds.Length], ct)));

        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(1, await db.Operations.CountAsync(o => o.VmId == vm.Id && o.FinishedAt == null, ct));
        await _world.Main.RunRungAsync(ct);
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Theory]
    [InlineData(OperationKind.Start)]
    [InlineData(OperationKind.PowerOff)]
    [InlineData(OperationKind.Reboot)]
    [InlineData(OperationKind.Delete)]
    [InlineData(OperationKind.Change)]
    public async Task What_is_called_off_before_it_begins_leaves_the_vm_as_it_was(OperationKind kind)
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        if (kind == OperationKind.Start)
        {
            await _world.DoAsync(vm, OperationKind.PowerOff, ct);
        }

        vm = await _world.VmAsync(vm.Id, ct);
        var operation = (await _world.AskAsync(vm, kind, ct)).Value;
        Assert.Null((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, operation), _world.Owner, ct)).Refusal);
        await _world.Main.RunRungAsync(ct);

        var after = await _world.VmAsync(vm.Id, ct);
        Assert.Equal((vm.Stage, vm.Wanted, vm.Seen), (after.Stage, after.Wanted, after.Seen));
        Assert.Equal(OperationState.Cancelled, (await _world.LastOperationAsync(vm.Id, ct)).State);
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task A_listing_that_is_older_than_an_operations_end_does_not_undo_it()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(vm, OperationKind.PowerOff, ct)).State);
        await using var watcher = await _world.StartProcessAsync(ct);
        watcher.Fate.SleepAt(new Point(Act.Listing, 1, Moment.After));
        var look = watcher.Get<HostWatch>().LookAsync(ct);
        await watcher.Fate.Sleeps;

        // The host was listed with the VM off; it is started before that is written down.
        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(vm, OperationKind.Start, ct)).State);
        watcher.Fate.Wake();
        await look;

        vm = await _world.VmAsync(vm.Id, ct);
        Assert.Equal((DomainState.Running, WantedState.Running), (vm.Seen, vm.Wanted));
        Assert.Equal(2, await CountOpenUsageAsync(vm, ct));
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task A_guest_that_shuts_itself_down_is_seen_off_and_not_billed_as_running_from_then_on()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        var host = await _world.HostAsync(ct);
        var engine = await _world.EngineAsync(ct);
        await engine.AskShutdownAsync(new Fence(vm.Id, (await _world.LastOperationAsync(vm.Id, ct)).Epoch), vm.DomainOn(host), ct);

        await _world.Main.Get<HostWatch>().LookAsync(ct);

        var after = await _world.VmAsync(vm.Id, ct);
        Assert.Equal((WantedState.Stopped, DomainState.Off), (after.Wanted, after.Seen));
        await using var db = _world.Main.Dbs.ForSystem();
        var open = await db.UsageIntervals.Where(u => u.VmId == vm.Id && u.To == null).Select(u => u.Meter).ToListAsync(ct);
        Assert.Equal([App.Metering.Meter.VmAllocated], open);
        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.ObjectId == vm.Id.Value && e.Verb == "vm.seen", ct));
    }

    private async Task<Operation> LookAgainAsync(Operation operation, CancellationToken ct)
    {
        await _world.EndRestAsync(operation.Id, ct);
        await _world.Main.RunAsync(operation.Id, ct);
        return await _world.LastOperationAsync(operation.VmId, ct);
    }

    private async Task<int> CountOpenUsageAsync(Vm vm, CancellationToken ct)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        return await db.UsageIntervals.CountAsync(u => u.VmId == vm.Id && u.To == null, ct);
    }

    private async Task AssertNothingOnHostAsync(Vm vm, CancellationToken ct)
    {
        var engine = await _world.EngineAsync(ct);
        Assert.DoesNotContain(await engine.ListDomainsAsync(ct), d => d.Name.Vm == vm.Id);
        Assert.DoesNotContain(await engine.ListVolumesAsync(ct), v => v.Domain.Vm == vm.Id);
    }

    private async Task<int> CountUsageAsync(Vm vm, CancellationToken ct)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        return await db.UsageIntervals.CountAsync(u => u.VmId == vm.Id, ct);
    }
}
