using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Control;

/// <summary>VMs that are started and shut down by the clock.</summary>
public sealed class ScheduleTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    [Fact]
    public async Task It_is_shut_down_and_started_at_its_turns_once_each_and_left_alone_in_between()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        Assert.Null((await SetAsync(vm, await AroundNowAsync(-60, 60, ct), ct)).Refusal);
        // The turn that is past was before it had a schedule.
        Assert.Equal(OperationKind.Build, await TurnAsync(vm, ct));

        await PassedAsync(vm, await AroundNowAsync(-600, -1, ct), ct);
        Assert.Equal(OperationKind.ShutDown, await TurnAsync(vm, ct));
        Assert.Equal(WantedState.Stopped, (await _world.VmAsync(vm.Id, ct)).Wanted);
        // Somebody needs it in the evening all the same.
        Assert.Null((await _world.Main.Get<PowerVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id, PowerVm.Action.Start), _world.Owner, ct)).Refusal);
        Assert.Equal(OperationKind.Start, await TurnAsync(vm, ct));
        Assert.Equal(OperationKind.Start, await TurnAsync(vm, ct));
        Assert.Equal(DomainState.Running, (await _world.VmAsync(vm.Id, ct)).Seen);

        Assert.Null((await _world.Main.Get<PowerVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id, PowerVm.Action.ShutDown), _world.Owner, ct)).Refusal);
        Assert.Equal(OperationKind.ShutDown, await TurnAsync(vm, ct));
        await PassedAsync(vm, await AroundNowAsync(-1, 600, ct), ct);
        Assert.Equal(OperationKind.Start, await TurnAsync(vm, ct));
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(2, await db.AuditEntries.CountAsync(a => a.ObjectId == vm.Id.Value && a.Details == "its schedule", ct));
    }

    [Fact]
    public async Task A_turn_waits_for_what_is_under_way_and_of_several_the_last_is_taken()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        Assert.Null((await SetAsync(vm, await AroundNowAsync(-60, 60, ct), ct)).Refusal);
        Assert.Null((await _world.Main.Get<PowerVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id, PowerVm.Action.Reboot), _world.Owner, ct)).Refusal);
        // Two days of turns were missed; the last was a shutdown.
        await PassedAsync(vm, await AroundNowAsync(-600, -1, ct), ct, days: 2);
        await _world.Main.Get<ScheduleSweep>().SweepAsync(ct);
        Assert.Equal(OperationKind.Reboot, (await _world.LastOperationAsync(vm.Id, ct)).Kind);
        await _world.Main.RunRungAsync(ct);

        Assert.Equal(OperationKind.ShutDown, await TurnAsync(vm, ct));
        Assert.Equal(OperationKind.ShutDown, await TurnAsync(vm, ct));
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(3, await db.Operations.CountAsync(o => o.VmId == vm.Id, ct));
    }

    [Fact]
    public async Task A_start_for_which_there_is_no_room_is_kept_back_once_and_said()
    {
        var ct = TestContext.Current.CancellationToken;
        var limits = new TenantLimits(Limit.None, Limit.None, Limit.None, Limit.None) { RunningOnly = true };
        var (tenant, owner) = await _world.AddTenantAsync("schedule-full", ct, limits: limits);
        var vm = await _world.RunningVmAsync(ct, tenant, owner);
        Assert.Null((await _world.Main.Get<PowerVm.Handler>().HandleAsync(new(tenant, vm.Id, PowerVm.Action.PowerOff), owner, ct)).Refusal);
        await _world.Main.RunRungAsync(ct);
        Assert.Null((await _world.Main.Get<ChangeTenant.Handler>().HandleAsync(new(tenant, "Full", limits with { Vcpus = Limit.Of(0) }), _world.Administrator, ct)).Refusal);
        Assert.Null((await _world.Main.Get<SetSchedule.Handler>().HandleAsync(new(tenant, vm.Id, await AroundNowAsync(-1, 600, ct)), owner, ct)).Refusal);
        await _world.Database.ExecuteAsync("UPDATE vm_schedules SET followed_until = followed_until - interval '5 minutes' WHERE vm_id = $1", ct, vm.Id.Value);

        Assert.Equal(OperationKind.PowerOff, await TurnAsync(vm, ct));
        Assert.Equal(OperationKind.PowerOff, await TurnAsync(vm, ct));

        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Contains("Quota of 0 vCPUs", (await db.AuditEntries.SingleAsync(a => a.ObjectId == vm.Id.Value && a.Verb == "vm.schedule_kept_back", ct)).Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_changed_and_taken_away_by_those_who_may_control_the_vm_alone()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        var viewer = await _world.AddPersonAsync("schedule-viewer", [], [(_world.Tenant, TenantRole.Viewer)], ct);
        var week = await AroundNowAsync(60, 120, ct);

        Assert.Equal("not_allowed", (await _world.Main.Get<SetSchedule.Handler>().HandleAsync(new(vm.TenantId, vm.Id, week), viewer, ct)).Refusal?.Code);
        Assert.Equal("zone", (await SetAsync(vm, week with { Zone = "Nowhere" }, ct)).Refusal?.Field);
        Assert.Null((await SetAsync(vm, week, ct)).Refusal);
        var read = (await _world.Main.Get<GetVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id), viewer, ct)).Value;
        Assert.Equal((week.InWords, ScheduledTurn.Start), (read.Schedule?.InWords, read.NextTurn?.What));
        Assert.Null((await SetAsync(vm, null, ct)).Refusal);
        Assert.Null((await SetAsync(vm, null, ct)).Refusal);
        Assert.Null((await _world.Main.Get<GetVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id), viewer, ct)).Value.Schedule);
    }

    private Task<Result<Done>> SetAsync(Vm vm, WeekSchedule? week, CancellationToken ct) => _world.Main.Get<SetSchedule.Handler>().HandleAsync(new(vm.TenantId, vm.Id, week), _world.Owner, ct);

    /// <summary>A pass, and what it asked for; then the VM's last operation.</summary>
    private async Task<OperationKind> TurnAsync(Vm vm, CancellationToken ct)
    {
        await _world.Main.Get<ScheduleSweep>().SweepAsync(ct);
        await _world.Main.RunRungAsync(ct);
        return (await _world.LastOperationAsync(vm.Id, ct)).Kind;
    }

    // The clock is the database's: the schedule comes to it, and was followed until a while ago.
    private async Task PassedAsync(Vm vm, WeekSchedule week, CancellationToken ct, int days = 0)
    {
        Assert.Null((await SetAsync(vm, week, ct)).Refusal);
        await _world.Database.ExecuteAsync("UPDATE vm_schedules SET followed_until = followed_until - make_interval(days => $2, mins => 5) WHERE vm_id = $1", ct, vm.Id.Value, days);
    }

    private async Task<WeekSchedule> AroundNowAsync(int startInMinutes, int stopInMinutes, CancellationToken ct)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        var now = TimeOnly.FromDateTime((await db.NowAsync(ct)).UtcDateTime);
        return new WeekSchedule(WeekSchedule.Week.ToHashSet(), now.AddMinutes(startInMinutes), now.AddMinutes(stopInMinutes), "UTC");
    }
}
