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
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Control;

/// <summary>A VM whose disk is a clone of its template's gets one of its own, and what stands against that is said before anything happens.</summary>
public sealed class DetachVmTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_ran_runs_again_on_a_disk_of_its_own_and_what_was_off_stays_off(bool running)
    {
        var vm = await CloneAsync();
        if (!running)
        {
            await _world.DoAsync(vm, OperationKind.PowerOff, Ct);
        }

        var shown = await LookAsync(vm);
        Assert.Equal((vm.Name, null, running, true), (shown.Vm, shown.Obstacle, shown.Runs, shown.AtMost > TimeSpan.Zero));
        Assert.Equal(($"{TemplateImage.TinyLinux.Name}-{TemplateImage.TinyLinux.Version}", vm.Disk, false), (shown.Cloned?.Of, shown.Cloned?.Size, shown.Cloned?.Replaced));

        var done = await DetachAsync(vm);

        Assert.Equal((OperationState.Succeeded, null), (done.State, done.Problem));
        Assert.Equal((vm.Disk, vm.Disk), (done.Copied, done.Total));
        var after = await _world.VmAsync(vm.Id, Ct);
        Assert.Equal((running ? DomainState.Running : DomainState.Off, running ? WantedState.Running : WantedState.Stopped, vm.Generation), (after.Seen, after.Wanted, after.Generation));
        Assert.Null((await LookAsync(vm)).Cloned);
        await using var db = _world.Main.Dbs.ForSystem();
        var usage = await db.UsageIntervals.Where(u => u.VmId == vm.Id).OrderBy(u => u.From).ToListAsync(Ct);
        Assert.Null(Assert.Single(usage, u => u.Meter == Meter.VmAllocated).To);
        // Nobody pays for running while it is off.
        Assert.Equal(running ? [false, true] : [false], usage.Where(u => u.Meter == Meter.VmRunning).Select(u => u.To is null));
        Assert.True(await db.AuditEntries.AnyAsync(e => e.Verb == "host.vm_detach_asked" && e.Details.Contains(vm.Name), Ct));
        Assert.Equal("control.cannot_detach", (await AskAsync(vm)).Refusal?.Code);
    }

    [Fact]
    public async Task A_second_disk_is_sold_while_it_lasts_and_asking_twice_is_asking_once()
    {
        var vm = await CloneAsync();
        var before = await DiskLeftAsync();

        var asked = await AskAsync(vm);

        Assert.Equal(asked.Value, (await AskAsync(vm)).Value);
        Assert.Equal(before.Bytes - vm.Disk.Bytes, (await DiskLeftAsync()).Bytes);
        Assert.Contains("is under way", (await LookAsync(vm)).Obstacle, StringComparison.Ordinal);
        await _world.Main.RunRungAsync(Ct);
        await _world.Main.Get<HostWatch>().LookAsync(Ct);
        Assert.Equal(before, await DiskLeftAsync());
    }

    [Fact]
    public async Task A_guest_that_does_not_shut_down_keeps_its_clone()
    {
        var vm = await CloneAsync();
        _world.Faults.Arm(SimulatedVerb.AskShutdown, SimulatedMoment.Before, SimulatedFault.Ignore);

        var kept = await DetachAsync(vm);

        Assert.Equal((OperationState.Failed, "operations.guest_keeps_running"), (kept.State, kept.ProblemCode));
        Assert.Equal(DomainState.Running, (await _world.VmAsync(vm.Id, Ct)).Seen);
        Assert.Equal((false, null), ((await LookAsync(vm)).Cloned?.Replaced, (await LookAsync(vm)).Obstacle));
    }

    [Fact]
    public async Task A_guest_that_goes_down_after_all_when_its_detaching_was_taken_back_is_started_again_once()
    {
        var vm = await CloneAsync();
        _world.Faults.Arm(SimulatedVerb.AskShutdown, SimulatedMoment.Before, SimulatedFault.Ignore);
        Assert.Equal(OperationState.Failed, (await DetachAsync(vm)).State);

        await GoesDownAsync();

        var start = await _world.LastOperationAsync(vm.Id, Ct);
        Assert.Equal((OperationKind.Start, true), (start.Kind, start.IsLive));
        await _world.Main.RunAsync(start.Id, Ct);
        var after = await _world.VmAsync(vm.Id, Ct);
        Assert.Equal((WantedState.Running, DomainState.Running), (after.Wanted, after.Seen));

        // Whoever goes down now does so by himself.
        await GoesDownAsync();
        Assert.Equal(WantedState.Stopped, (await _world.VmAsync(vm.Id, Ct)).Wanted);

        async Task GoesDownAsync()
        {
            var engine = await _world.EngineAsync(Ct);
            await engine.AskShutdownAsync(new Fence(vm.Id, (await _world.LastOperationAsync(vm.Id, Ct)).Epoch), vm.DomainOn(await _world.HostAsync(Ct)), Ct);
            await _world.Main.Get<HostWatch>().LookAsync(Ct);
        }
    }

    [Fact]
    public async Task Called_off_before_the_disks_are_exchanged_it_runs_again_on_its_clone()
    {
        // While its template is copied; when it was asked to go down; when it is off.
        foreach (var verb in new[] { 1, 3, 5 })
        {
            var vm = await CloneAsync();
            var operation = (await AskAsync(vm)).Value;
            Assert.True(_world.Main.Jobs.TryAnswer(out _));
            await using var process = await _world.StartProcessAsync(Ct);
            process.Fate.SleepAt(new Point(Act.Verb, verb, Moment.Before));
            var work = process.RunAsync(operation, Ct);
            await process.Fate.Sleeps;

            // Its owner did not ask for it.
            Assert.NotNull((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, operation), _world.Owner, Ct)).Refusal);
            Assert.Null((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, operation), _world.Administrator, Ct)).Refusal);
            process.Fate.Wake();
            await work;

            Assert.Equal((OperationState.Cancelled, DomainState.Running), ((await _world.LastOperationAsync(vm.Id, Ct)).State, (await _world.VmAsync(vm.Id, Ct)).Seen));
            Assert.Equal((false, null), ((await LookAsync(vm)).Cloned?.Replaced, (await LookAsync(vm)).Obstacle));
            while (_world.Main.Jobs.TryAnswer(out _))
            {
            }
        }
    }

    [Fact]
    public async Task Where_the_guest_does_not_start_the_clone_is_removed_when_it_is_asked_for_once_more_beside_whatever_the_guest_does()
    {
        var vm = await CloneAsync();
        _world.Faults.Arm(SimulatedVerb.EnsureRunning, SimulatedMoment.Before, SimulatedFault.Refuse);

        var failed = await DetachAsync(vm);
        Assert.Equal((OperationState.Failed, "engine.host_said_no"), (failed.State, failed.ProblemCode));
        Assert.Equal((true, null), ((await LookAsync(vm)).Cloned?.Replaced, (await LookAsync(vm)).Obstacle));
        await _world.DoAsync(vm, OperationKind.Start, Ct);
        var boots = await BootsAsync(vm);
        Assert.False((await LookAsync(vm)).Runs);

        Assert.Equal(OperationState.Succeeded, (await DetachAsync(vm)).State);

        Assert.Null((await LookAsync(vm)).Cloned);
        Assert.Equal((DomainState.Running, boots), ((await _world.VmAsync(vm.Id, Ct)).Seen, await BootsAsync(vm)));
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Single(await db.UsageIntervals.Where(u => u.VmId == vm.Id && u.Meter == Meter.VmRunning && u.To == null).ToListAsync(Ct));
    }

    [Theory]
    [InlineData(OperationKind.Start)]
    [InlineData(OperationKind.PowerOff)]
    [InlineData(OperationKind.Change)]
    public async Task What_only_removes_a_clone_that_was_left_never_puts_it_back_nor_touches_its_guest_wherever_it_is_called_off(OperationKind before)
    {
        for (var verb = 1; verb <= 6; verb++)
        {
            var vm = await CloneAsync();
            _world.Faults.Arm(SimulatedVerb.EnsureRunning, SimulatedMoment.Before, SimulatedFault.Refuse);
            Assert.Equal(OperationState.Failed, (await DetachAsync(vm)).State);
            // Its owner has worked on the new disk since.
            await _world.DoAsync(vm, OperationKind.Start, Ct);
            if (before != OperationKind.Start)
            {
                await _world.DoAsync(vm, before, Ct);
            }

            var (seen, boots) = ((await _world.VmAsync(vm.Id, Ct)).Seen, await BootsAsync(vm));
            var operation = (await AskAsync(vm)).Value;
            Assert.True(_world.Main.Jobs.TryAnswer(out _));
            await using var process = await _world.StartProcessAsync(Ct);
            process.Fate.SleepAt(new Point(Act.Verb, verb, Moment.After));
            var work = process.RunAsync(operation, Ct);
            if (await Task.WhenAny(work, process.Fate.Sleeps) != work)
            {
                // Whether it still can be is not the question here.
                await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, operation), _world.Administrator, Ct);
                process.Fate.Wake();
            }

            await work;

            Assert.False((await _world.LastOperationAsync(vm.Id, Ct)).IsLive);
            Assert.False((await LookAsync(vm)).Cloned is { Replaced: false });
            Assert.Equal((seen, boots), ((await _world.VmAsync(vm.Id, Ct)).Seen, await BootsAsync(vm)));
            while (_world.Main.Jobs.TryAnswer(out _))
            {
            }
        }
    }

    [Fact]
    public async Task A_host_that_loses_its_power_meanwhile_keeps_neither_the_disk_nor_the_guest_waiting()
    {
        var vm = await CloneAsync();
        var operation = (await AskAsync(vm)).Value;
        await using var process = await _world.StartProcessAsync(Ct);
        process.Fate.SleepAt(new Point(Act.Verb, 1, Moment.After));
        var work = process.RunAsync(operation, Ct);
        await process.Fate.Sleeps;
        await _world.Faults.LosePowerAsync(PortalWorld.Instance, TimeProvider.System, Ct);
        await _world.Main.Get<HostWatch>().LookAsync(Ct);
        process.Fate.Wake();
        await work;

        Assert.Equal((OperationState.Succeeded, DomainState.Running), ((await _world.LastOperationAsync(vm.Id, Ct)).State, (await _world.VmAsync(vm.Id, Ct)).Seen));
        Assert.Null((await LookAsync(vm)).Cloned);
        while (_world.Main.Jobs.TryAnswer(out _))
        {
        }
    }

    [Fact]
    public async Task It_is_refused_with_the_reason_before_anything_happens()
    {
        var vm = await CloneAsync();
        var host = await _world.HostAsync(Ct);

        Assert.Equal("not_allowed", (await AskAsync(vm, _world.Owner)).Refusal?.Code);
        Assert.Equal("not_allowed", (await _world.Main.Get<GetVmClone.Handler>().HandleAsync(new(vm.TenantId, vm.Id), _world.Owner, Ct)).Refusal?.Code);
        Assert.IsType<NotFound>((await _world.Main.Get<DetachVm.Handler>().HandleAsync(new(vm.TenantId, VmId.New()), _world.Administrator, Ct)).Refusal);
        await _world.Database.ExecuteAsync("UPDATE hosts SET reserved_disk = 9000000000000000 WHERE id = $1", Ct, host.Id.Value);
        Assert.Contains("of disk left to sell", (await AskAsync(vm)).Refusal?.Message, StringComparison.Ordinal);
        await _world.Database.ExecuteAsync("UPDATE hosts SET reserved_disk = 0 WHERE id = $1", Ct, host.Id.Value);
        await _world.DoAsync(vm, OperationKind.Change, Ct);
        Assert.Contains("is paused", (await AskAsync(vm)).Refusal?.Message, StringComparison.Ordinal);
        Assert.Contains("is paused", (await LookAsync(vm)).Obstacle, StringComparison.Ordinal);
        Assert.False((await ActionsAsync(vm, _world.Owner)).Detach);
        Assert.True((await ActionsAsync(vm, _world.Administrator)).Detach);

        // Where disks are no clones there is nothing to ask for.
        _world.Faults.Shape = _world.Faults.Shape with { ClonesBySnapshot = false };
        Assert.IsType<NotOfferedHere>((await AskAsync(vm)).Refusal);
        Assert.False((await ActionsAsync(vm, _world.Administrator)).Detach);
        var copy = await _world.RunningVmAsync(Ct);
        _world.Faults.Shape = _world.Faults.Shape with { ClonesBySnapshot = true };
        Assert.Contains("stands alone", (await AskAsync(copy)).Refusal?.Message, StringComparison.Ordinal);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.False(await db.Operations.AnyAsync(o => (o.VmId == vm.Id || o.VmId == copy.Id) && o.Kind == OperationKind.Detach, Ct));
    }

    private async Task<Vm> CloneAsync()
    {
        _world.Faults.Shape = _world.Faults.Shape with { ClonesBySnapshot = true };
        return await _world.RunningVmAsync(Ct);
    }

    private async Task<GetVmClone.Row> LookAsync(Vm vm) => (await _world.Main.Get<GetVmClone.Handler>().HandleAsync(new(vm.TenantId, vm.Id), _world.Administrator, Ct)).Value;

    private async Task<VmActions> ActionsAsync(Vm vm, Actor by) => (await _world.Main.Get<GetVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id), by, Ct)).Value.Can;

    private Task<Result<OperationId>> AskAsync(Vm vm, Actor? by = null) => _world.Main.Get<DetachVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id), by ?? _world.Administrator, Ct);

    private async Task<Operation> DetachAsync(Vm vm)
    {
        Assert.Null((await AskAsync(vm)).Refusal);
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

    private async Task<ByteSize> DiskLeftAsync()
    {
        await using var db = _world.Main.Dbs.ForSystem();
        return Assert.Single(await db.ReadHostRoomsAsync(null, _world.Tenant, lockHosts: false, Ct)).Disk;
    }

    // How often its guest has come up, as it says itself.
    private async Task<string> BootsAsync(Vm vm) => System.Text.Encoding.UTF8.GetString(_world.Faults.ReadDisk(vm.DomainOn(await _world.HostAsync(Ct)), 0));
}
