using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Metering;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Control;

/// <summary>Changes of a VM that exists: who may ask, when, and what they mean for its state and its bill.</summary>
public sealed class ChangeVmTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private static readonly DomainChange s_pause = new DomainChange.Pause();
    private static readonly DomainChange s_resume = new DomainChange.Resume();
    private static readonly DomainChange s_save = new DomainChange.Save();
    private static readonly IReadOnlySet<DomainAbility> s_all = Enum.GetValues<DomainAbility>().ToHashSet();

    private readonly PortalWorld _world = fixture.World;

    public static TheoryData<DomainChange, string> Malformed { get; } = new()
    {
        { new DomainChange.PressSysRq('o'), "key" },
        { new DomainChange.PressSysRq('B'), "key" },
        { new DomainChange.SetMemory(ByteSize.FromMiB(63)), "memoryMiB" },
        { new DomainChange.SetMemory(ByteSize.FromGiB(1024)), "memoryMiB" },
        { new DomainChange.SetVcpus(0), "vcpus" },
        { new DomainChange.SetVcpus(257), "vcpus" },
        { new DomainChange.Pin(-1, [0]), "vcpu" },
        { new DomainChange.Pin(64, [0]), "vcpu" },
        { new DomainChange.Pin(null, [-1]), "cpus" },
        { new DomainChange.Pin(null, [1, 1]), "cpus" },
        { new DomainChange.Pin(null, [4096]), "cpus" },
        { new DomainChange.Pin(null, [.. Enumerable.Range(0, 513)]), "cpus" },
        { new DomainChange.SetShare(0, 0), "weight" },
        { new DomainChange.SetShare(65536, 0), "weight" },
        { new DomainChange.SetShare(256, -1), "cap" },
        { new DomainChange.SetShare(256, 6401), "cap" },
        { new DomainChange.AttachDevice("/etc/shadow", "xvdc", false), "path" },
        { new DomainChange.AttachDevice("/dev/../etc/shadow", "xvdc", false), "path" },
        { new DomainChange.AttachDevice("/dev/sdb,xvda,w", "xvdc", false), "path" },
        { new DomainChange.AttachDevice("/dev/sdb1", "xvda", false), "device" },
        { new DomainChange.AttachDevice("/dev/sdb1", "xvdc", false), "path" },
        { new DomainChange.DetachVolume("xvdb"), "device" },
        { new DomainChange.DetachVolume("vdc"), "device" },
        { new DomainChange.MakeVolume(VolumeLabel.Parse("data"), ByteSize.FromGiB(1), VolumeFormat.None), "change" },
        { new DomainChange.GrowVolume(null, ByteSize.FromGiB(100)), "change" },
        { new DomainChange.TakeSnapshot(VolumeLabel.Parse("before")), "change" },
        { new DomainChange.DetachNic(MacAddress.OfSequence(1)), "change" },
    };

    [Fact]
    public async Task Paused_it_costs_as_running_saved_as_off_and_started_again_it_goes_on()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);

        var paused = await DoAsync(vm, s_pause, ct);
        Assert.Equal((OperationState.Succeeded, "Pause"), (paused.State, paused.Words));
        await IsAsync(vm, ShownStatus.Paused, WantedState.Running, DomainState.Paused, saved: false, [Meter.VmAllocated, Meter.VmRunning], ct);

        Assert.Equal(OperationState.Succeeded, (await DoAsync(vm, s_resume, ct)).State);
        await IsAsync(vm, ShownStatus.Running, WantedState.Running, DomainState.Running, saved: false, [Meter.VmAllocated, Meter.VmRunning], ct);

        Assert.Equal(OperationState.Succeeded, (await DoAsync(vm, s_save, ct)).State);
        await IsAsync(vm, ShownStatus.Saved, WantedState.Stopped, DomainState.Off, saved: true, [Meter.VmAllocated], ct);
        await _world.Main.Get<HostWatch>().LookAsync(ct);
        await IsAsync(vm, ShownStatus.Saved, WantedState.Stopped, DomainState.Off, saved: true, [Meter.VmAllocated], ct);

        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(vm, OperationKind.Start, ct)).State);
        await IsAsync(vm, ShownStatus.Running, WantedState.Running, DomainState.Running, saved: false, [Meter.VmAllocated, Meter.VmRunning], ct);

        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(2, await db.UsageIntervals.CountAsync(u => u.VmId == vm.Id && u.Meter == Meter.VmRunning, ct));
        Assert.Equal(["Pause", "Resume", "Save to disk"], await db.AuditEntries.Where(e => e.ObjectId == vm.Id.Value && e.Verb == "operation.change.asked").OrderBy(e => e.Id).Select(e => e.Details).ToListAsync(ct));
        Assert.All(await db.AuditEntries.Where(e => e.ObjectId == vm.Id.Value && e.Verb == "operation.change.succeeded").Select(e => e.Details).ToListAsync(ct), d => Assert.Contains(", asked by ", d, StringComparison.Ordinal));
        await Operations.Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task The_power_of_a_saved_one_is_taken_away_with_its_memory_and_only_once()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        await DoAsync(vm, s_save, ct);
        Assert.True(await CanAsync(vm, c => c.PowerOff, ct));
        Assert.Equal("control.not_now", (await _world.AskAsync(vm, OperationKind.ShutDown, ct)).Refusal?.Code);

        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(vm, OperationKind.PowerOff, ct)).State);

        await IsAsync(vm, ShownStatus.Stopped, WantedState.Stopped, DomainState.Off, saved: false, [Meter.VmAllocated], ct);
        Assert.False(await CanAsync(vm, c => c.PowerOff, ct));
        Assert.Equal("control.not_now", (await _world.AskAsync(vm, OperationKind.PowerOff, ct)).Refusal?.Code);
        await Operations.Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task A_saved_one_is_deleted_like_any_other()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        await DoAsync(vm, s_save, ct);

        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(vm, OperationKind.Delete, ct)).State);

        Assert.Equal((VmStage.Deleted, false), await StageAsync(vm, ct));
        await Operations.Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task Saved_memory_that_was_taken_back_behind_the_portals_back_is_no_longer_saved()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        var saved = await DoAsync(vm, s_save, ct);
        var engine = await _world.EngineAsync(ct);
        await engine.EnsureRunningAsync(new Fence(vm.Id, saved.Epoch), vm.DomainOn(await _world.HostAsync(ct)), ct);

        await _world.Main.Get<HostWatch>().LookAsync(ct);

        await IsAsync(vm, ShownStatus.Differs, WantedState.Stopped, DomainState.Running, saved: false, [Meter.VmAllocated, Meter.VmRunning], ct);
    }

    [Fact]
    public async Task Saved_memory_that_was_thrown_away_on_the_host_is_no_longer_saved()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        var saved = await DoAsync(vm, s_save, ct);
        await _world.Main.Get<HostWatch>().LookAsync(ct);
        await IsAsync(vm, ShownStatus.Saved, WantedState.Stopped, DomainState.Off, saved: true, [Meter.VmAllocated], ct);
        var engine = await _world.EngineAsync(ct);
        await engine.EnsureOffAsync(new Fence(vm.Id, saved.Epoch), vm.DomainOn(await _world.HostAsync(ct)), ct);

        await _world.Main.Get<HostWatch>().LookAsync(ct);

        await IsAsync(vm, ShownStatus.Stopped, WantedState.Stopped, DomainState.Off, saved: false, [Meter.VmAllocated], ct);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal("its saved memory is gone", (await db.AuditEntries.Where(e => e.ObjectId == vm.Id.Value && e.Verb == "vm.seen").OrderByDescending(e => e.Id).FirstAsync(ct)).Details);
        await Operations.Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task A_guest_that_goes_off_before_it_is_saved_was_not_saved_and_the_operation_says_so()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        var build = await _world.LastOperationAsync(vm.Id, ct);
        Assert.Null((await AskAsync(vm, s_save, ct)).Refusal);
        var engine = await _world.EngineAsync(ct);
        await engine.AskShutdownAsync(new Fence(vm.Id, build.Epoch), vm.DomainOn(await _world.HostAsync(ct)), ct);

        await _world.Main.RunRungAsync(ct);

        var ended = await _world.LastOperationAsync(vm.Id, ct);
        Assert.Equal((OperationState.Failed, "engine.wrong_state"), (ended.State, ended.ProblemCode));
        Assert.Equal(StepState.Failed, Assert.Single(ended.Steps).State);
        Assert.Equal((DomainState.Off, false), ((await _world.VmAsync(vm.Id, ct)).Seen, (await _world.VmAsync(vm.Id, ct)).Saved));
        await Operations.Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task What_a_host_refuses_fails_and_leaves_the_vm_as_it_is()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        _world.Refusals[SimulatedVerb.Change] = new HostSaidNo("save the domain", "no space left on device");
        var failed = await DoAsync(vm, s_save, ct);
        _world.Refusals.Clear();

        Assert.Equal((OperationState.Failed, "engine.host_said_no"), (failed.State, failed.ProblemCode));
        Assert.Contains("no space left", failed.Problem, StringComparison.Ordinal);
        await IsAsync(vm, ShownStatus.Running, WantedState.Running, DomainState.Running, saved: false, [Meter.VmAllocated, Meter.VmRunning], ct);
        await Operations.Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task A_save_whose_answer_was_lost_is_found_done_by_the_next_try()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        _world.Faults.Arm(SimulatedVerb.Change, SimulatedMoment.After, SimulatedFault.Throw);

        // Done, and not heard of: the next try finds it so.
        var ended = await DoAsync(vm, s_save, ct);

        Assert.Equal(OperationState.Succeeded, ended.State);
        await IsAsync(vm, ShownStatus.Saved, WantedState.Stopped, DomainState.Off, saved: true, [Meter.VmAllocated], ct);
    }

    [Fact]
    public async Task It_takes_the_right_state()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        await IsRefusedAsync(vm, s_resume, "control.not_now", ct);

        await DoAsync(vm, s_pause, ct);
        await IsRefusedAsync(vm, s_save, "control.not_now", ct);
        await IsRefusedAsync(vm, s_pause, "control.not_now", ct);
        var start = await _world.AskAsync(vm, OperationKind.Start, ct);
        Assert.EndsWith("is paused: resume it.", start.Refusal?.Message, StringComparison.Ordinal);
        Assert.Equal("control.not_now", (await _world.AskAsync(vm, OperationKind.Reboot, ct)).Refusal?.Code);

        await _world.DoAsync(vm, OperationKind.PowerOff, ct);
        await IsRefusedAsync(vm, s_pause, "control.not_now", ct);
        await IsRefusedAsync(vm, s_resume, "control.not_now", ct);

        var building = (await _world.OrderAndApproveAsync(ct)).Single();
        await IsRefusedAsync(building, s_pause, "operations.vm_busy", ct);
        await _world.Main.RunRungAsync(ct);
    }

    [Fact]
    public async Task What_the_host_does_not_offer_is_refused()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        var operators = await _world.AddPersonAsync("op-lacks", [PlatformRole.Operator], [], ct);

        await IsRefusedAsync(vm, new DomainChange.PressSysRq('s'), "control.not_offered", ct);
        await IsRefusedAsync(vm, new DomainChange.SetMemory(vm.Memory), "control.not_offered", ct);
        await IsRefusedAsync(vm, new DomainChange.SetVcpus(1), "control.not_offered", ct);
        await IsRefusedAsync(vm, new DomainChange.Pin(null, [0]), "control.not_offered", ct, operators);
        await IsRefusedAsync(vm, new DomainChange.SetShare(512, 50), "control.not_offered", ct, operators);
        Assert.Equal(OperationKind.Build, (await _world.LastOperationAsync(vm.Id, ct)).Kind);
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task What_is_malformed_or_more_than_was_ordered_is_refused_at_its_field(DomainChange change, string field)
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await AnyVmAsync(ct);

        // The portal may do anything, so that only the field can be at fault.
        var refusal = (await AskAsync(vm, change, ct, Actor.Portal)).Refusal;

        Assert.Equal((RefusalKind.Invalid, field), (refusal?.Kind, refusal?.Field));
    }

    [Fact]
    public async Task Viewers_and_strangers_may_not_and_only_operators_pin_and_share()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await AnyVmAsync(ct);
        var viewer = await _world.AddPersonAsync("viewer-of-changes", [], [(_world.Tenant, TenantRole.Viewer)], ct);
        var member = await _world.AddPersonAsync("member-of-changes", [], [(_world.Tenant, TenantRole.Member)], ct);
        var administrator = await _world.AddPersonAsync("admin-of-changes", [PlatformRole.Administrator], [], ct);
        var (other, stranger) = await _world.AddTenantAsync("other-of-changes", ct);
        DomainChange pin = new DomainChange.Pin(null, [0]);

        Assert.IsType<NotAllowed>((await AskAsync(vm, s_pause, ct, viewer)).Refusal);
        Assert.IsType<NotFound>((await AskAsync(vm, s_pause, ct, stranger)).Refusal);
        Assert.IsType<NotFound>((await AskAsync(vm, pin, ct, stranger)).Refusal);
        Assert.IsType<NotFound>((await _world.Main.Get<ChangeVm.Handler>().HandleAsync(new(other, vm.Id, s_pause), stranger, ct)).Refusal);
        foreach (var who in new[] { member, _world.Owner, administrator })
        {
            Assert.Equal(Permission.ManageHosts, Assert.IsType<NotAllowed>((await AskAsync(vm, pin, ct, who)).Refusal).Permission);
            Assert.Equal(Permission.ManageHosts, Assert.IsType<NotAllowed>((await AskAsync(vm, new DomainChange.SetShare(512, 0), ct, who)).Refusal).Permission);
            Assert.Equal(Permission.ManageHosts, Assert.IsType<NotAllowed>((await AskAsync(vm, new DomainChange.AttachDevice("/dev/sdb1", "xvdc", false), ct, who)).Refusal).Permission);
            Assert.Equal(Permission.ManageHosts, Assert.IsType<NotAllowed>((await AskAsync(vm, new DomainChange.DetachVolume("xvdc"), ct, who)).Refusal).Permission);
        }

        Assert.False(await CanAsync(vm, c => c.Pause || c.Save, ct, viewer));
    }

    [Fact]
    public async Task The_same_change_twice_is_one_operation_another_meanwhile_is_refused_by_name()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);

        var first = await AskAsync(vm, s_pause, ct);
        var second = await AskAsync(vm, new DomainChange.Pause(), ct);
        var other = await AskAsync(vm, s_save, ct);
        var status = (await ReadAsync(vm, _world.Owner, ct)).Row.Status;
        await _world.Main.RunRungAsync(ct);

        Assert.Equal(first.Value, second.Value);
        Assert.Contains("(Pause)", other.Refusal?.Message, StringComparison.Ordinal);
        Assert.Equal(ShownStatus.Waiting, status);
        Assert.Equal(DomainState.Paused, (await _world.VmAsync(vm.Id, ct)).Seen);
    }

    [Fact]
    public async Task What_can_be_done_depends_on_the_state_and_on_the_host()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        var running = VmActions.Of(vm, null, s_all, mayControl: true, mayUseConsole: true);
        Assert.True(running is { Pause: true, Resume: false, Save: true, SysRq: true, AdjustMemory: true, AdjustVcpus: true, Adjust: true, Start: false });
        Assert.True(VmActions.Of(vm, null, new HashSet<DomainAbility>(), true, true) is { Pause: false, Save: false, SysRq: false, Adjust: false, ShutDown: true });
        Assert.True(VmActions.Of(vm, null, new HashSet<DomainAbility> { DomainAbility.Vcpus }, true, true) is { AdjustMemory: false, AdjustVcpus: true, Adjust: true });
        Assert.True(VmActions.Of(vm, null, s_all, mayControl: false, mayUseConsole: true) is { Pause: false, Save: false, SysRq: false, Adjust: false, Console: true });

        await DoAsync(vm, s_pause, ct);
        var paused = VmActions.Of(await _world.VmAsync(vm.Id, ct), null, s_all, true, true);
        Assert.True(paused is { Pause: false, Resume: true, Save: false, SysRq: false, Adjust: false, Start: false, PowerOff: true, Console: true });
        Assert.False(VmActions.Of(await _world.VmAsync(vm.Id, ct), null, new HashSet<DomainAbility>(), true, true).Resume);

        await DoAsync(vm, s_resume, ct);
        await DoAsync(vm, s_save, ct);
        var saved = VmActions.Of(await _world.VmAsync(vm.Id, ct), null, s_all, true, true);
        Assert.True(saved is { Pause: false, Resume: false, Save: false, SysRq: false, Adjust: false, Start: true, PowerOff: true, Console: false });
        Assert.True(await CanAsync(vm, c => c is { Start: true, SysRq: false }, ct));
    }

    [Fact]
    public void Work_under_way_is_shown_before_an_old_sight()
    {
        var now = new DateTimeOffset(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);
        var saving = new StatusFacts(VmStage.Ready, WantedState.Running, DomainState.Running, now.AddMinutes(-5), Saved: false, OperationKind.Change, OperationState.Running, LastFailed: false);

        Assert.Equal(ShownStatus.Changing, Shown.Of(saving, now));
        Assert.Equal(ShownStatus.Unreachable, Shown.Of(saving with { Live = null, LiveState = null }, now));
        Assert.Equal(ShownStatus.Saved, Shown.Of(new StatusFacts(VmStage.Ready, WantedState.Stopped, DomainState.Off, now, Saved: true, null, null, LastFailed: true), now));
    }

    [Fact]
    public async Task The_database_itself_knows_that_a_change_says_which_and_that_saved_is_off()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await AnyVmAsync(ct);

        await BreaksAsync("UPDATE operations SET change = '{\"kind\":\"pause\"}' WHERE vm_id = $1 AND kind = 'Build'");
        await BreaksAsync("UPDATE operations SET kind = 'Change' WHERE vm_id = $1 AND kind = 'Build'");
        await BreaksAsync("UPDATE vms SET saved = true WHERE id = $1");

        async Task BreaksAsync(string sql) =>
            Assert.Equal(Npgsql.PostgresErrorCodes.CheckViolation, (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => _world.Database.ExecuteAsync(sql, ct, vm.Id.Value))).SqlState);
    }

    private Task<Result<OperationId>> AskAsync(Vm vm, DomainChange change, CancellationToken ct, Actor? actor = null) =>
        _world.Main.Get<ChangeVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id, change), actor ?? _world.Owner, ct);

    private async Task<Operation> DoAsync(Vm vm, DomainChange change, CancellationToken ct)
    {
        Assert.Null((await AskAsync(vm, change, ct)).Refusal);
        await _world.Main.RunRungAsync(ct);
        return await _world.LastOperationAsync(vm.Id, ct);
    }

    private async Task IsRefusedAsync(Vm vm, DomainChange change, string code, CancellationToken ct, Actor? actor = null) =>
        Assert.Equal(code, (await AskAsync(vm, change, ct, actor)).Refusal?.Code);

    private async Task IsAsync(Vm vm, ShownStatus status, WantedState wanted, DomainState seen, bool saved, IReadOnlyList<Meter> open, CancellationToken ct)
    {
        var read = await ReadAsync(vm, _world.Owner, ct);
        Assert.Equal((status, wanted, seen.ToString(), saved), (read.Row.Status, read.Wanted, read.Seen, read.Saved));
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(open, await db.UsageIntervals.Where(u => u.VmId == vm.Id && u.To == null).Select(u => u.Meter).OrderBy(m => m).ToListAsync(ct));
    }

    private async Task<bool> CanAsync(Vm vm, Func<VmActions, bool> can, CancellationToken ct, Actor? actor = null) => can((await ReadAsync(vm, actor ?? _world.Owner, ct)).Can);

    private async Task<GetVm.Details> ReadAsync(Vm vm, Actor actor, CancellationToken ct) => (await _world.Main.Get<GetVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id), actor, ct)).Value;

    private async Task<(VmStage, bool)> StageAsync(Vm vm, CancellationToken ct)
    {
        var now = await _world.VmAsync(vm.Id, ct);
        return (now.Stage, now.Saved);
    }

    // One that runs and that no test changes.
    private async Task<Vm> AnyVmAsync(CancellationToken ct)
    {
        await using (var db = _world.Main.Dbs.ForSystem())
        {
            if (await db.Vms.AsNoTracking().FirstOrDefaultAsync(v => v.Name == "untouched" && v.DeletedAt == null, ct) is { } there)
            {
                return there;
            }
        }

        var vm = (await _world.OrderAndApproveAsync(ct, "untouched")).Single();
        await _world.Main.RunRungAsync(ct);
        return await _world.VmAsync(vm.Id, ct);
    }
}
