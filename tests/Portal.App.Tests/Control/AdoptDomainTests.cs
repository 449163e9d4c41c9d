using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Fleet;
using Portal.App.Metering;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Quotas;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Control;

/// <summary>A domain that somebody made by hand becomes a VM.</summary>
public sealed class AdoptDomainTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_ran_runs_again_what_was_off_stays_off_and_both_are_the_portals(bool running)
    {
        var request = await _world.ForeignAsync(Ct, running);

        var asked = (await AdoptAsync(request)).Value;
        await _world.Main.RunRungAsync(Ct);

        var vm = await _world.VmAsync(asked.Vm, Ct);
        Assert.Equal((VmStage.Ready, running ? WantedState.Running : WantedState.Stopped, running ? DomainState.Running : DomainState.Off), (vm.Stage, vm.Wanted, vm.Seen));
        Assert.Equal((request.Domain, request.Address, "Nano", ByteSize.FromGiB(1)), (vm.Adopted?.Name, vm.Ip.ToString(), vm.PlanName, vm.Disk));
        Assert.StartsWith("00:16:3e:7f:", vm.Mac.ToString(), StringComparison.Ordinal);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(running ? [Meter.VmAllocated, Meter.VmRunning] : [Meter.VmAllocated], await db.UsageIntervals.Where(u => u.VmId == vm.Id && u.To == null).Select(u => u.Meter).OrderBy(m => m).ToListAsync(Ct));
        Assert.Equal(["operation.adopt.asked", "operation.adopt.succeeded", "vm.adopted"], await db.AuditEntries.Where(e => e.ObjectId == vm.Id.Value).Select(e => e.Verb).OrderBy(v => v).ToListAsync(Ct));
        var row = (await _world.Main.Get<FindForeign.Handler>().HandleAsync(new(request.Host), _world.Administrator, Ct)).Value.Single(r => r.Sighting.Name == request.Domain);
        Assert.Equal((vm.Id, DomainState.Off), (row.Vm, row.Sighting.State));
        var shown = (await _world.Main.Get<GetVm.Handler>().HandleAsync(new(_world.Tenant, vm.Id), _world.Owner, Ct)).Value;
        Assert.Equal(($"{request.Domain}, adopted", running ? ShownStatus.Running : ShownStatus.Stopped), (shown.Row.TemplateName, shown.Row.Status));
    }

    [Fact]
    public async Task It_lives_on_like_any_other()
    {
        var asked = (await AdoptAsync(await _world.ForeignAsync(Ct))).Value;
        await _world.Main.RunRungAsync(Ct);
        var vm = await _world.VmAsync(asked.Vm, Ct);

        foreach (var kind in new[] { OperationKind.ShutDown, OperationKind.Start, OperationKind.Reboot, OperationKind.Delete })
        {
            Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(vm, kind, Ct)).State);
        }

        Assert.Equal(VmStage.Deleted, (await _world.VmAsync(vm.Id, Ct)).Stage);
        Assert.DoesNotContain(await (await _world.EngineAsync(Ct)).ListVolumesAsync(Ct), v => v.Domain.Vm == vm.Id);
    }

    [Fact]
    public async Task An_adoption_that_fails_leaves_the_domain_running_as_it_was_and_it_can_be_asked_for_again()
    {
        var request = await _world.ForeignAsync(Ct);
        _world.Refusals[SimulatedVerb.EnsureRunning] = new HostSaidNo("start the domain", "no such CPU");
        AdoptDomain.Asked asked;
        try
        {
            asked = (await AdoptAsync(request)).Value;
            await _world.Main.RunRungAsync(Ct);
        }
        finally
        {
            _world.Refusals.Clear();
        }

        var failed = await _world.VmAsync(asked.Vm, Ct);
        Assert.Equal((VmStage.Deleted, OperationState.Failed), (failed.Stage, (await _world.LastOperationAsync(asked.Vm, Ct)).State));
        Assert.Contains("no such CPU", failed.Problem, StringComparison.Ordinal);
        Assert.True(_world.Faults.ForeignRuns($"{request.Domain}.cfg"));
        await using (var db = _world.Main.Dbs.ForSystem())
        {
            Assert.False(await db.UsageIntervals.AnyAsync(u => u.VmId == asked.Vm, Ct));
            Assert.False(await db.Volumes.AnyAsync(v => v.VmId == asked.Vm, Ct));
        }

        var again = (await AdoptAsync(request)).Value;
        await _world.Main.RunRungAsync(Ct);
        Assert.Equal(VmStage.Ready, (await _world.VmAsync(again.Vm, Ct)).Stage);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task One_that_is_cancelled_is_given_back(int verb)
    {
        var request = await _world.ForeignAsync(Ct);
        var asked = (await AdoptAsync(request)).Value;
        await using var process = await _world.StartProcessAsync(Ct);
        process.Fate.SleepAt(new Point(Act.Verb, verb, Moment.Before));
        var work = process.RunAsync(asked.Operation, Ct);
        await process.Fate.Sleeps;

        Assert.Null((await _world.Main.Get<CancelOperation.Handler>().HandleAsync(new(_world.Tenant, asked.Operation), _world.Owner, Ct)).Refusal);
        process.Fate.Wake();
        await work;

        Assert.Equal((VmStage.Deleted, OperationState.Cancelled), ((await _world.VmAsync(asked.Vm, Ct)).Stage, (await _world.LastOperationAsync(asked.Vm, Ct)).State));
        Assert.True(_world.Faults.ForeignRuns($"{request.Domain}.cfg"));
    }

    [Fact]
    public async Task Nothing_is_taken_without_its_hosts_administrators_word()
    {
        var request = await _world.ForeignAsync(Ct);
        _world.Faults.PutForeign("other.cfg", "name = 'other'\nmemory = 128\nkernel = '/boot/vmlinuz'\ndisk = [ 'phy:simulated/other,sda1,w' ]\n", running: true);

        Assert.IsType<AdoptionNotPermitted>((await AdoptAsync(request with { Domain = "other", Name = "other" })).Refusal);
        // Neither with another kernel than he allowed.
        _world.Faults.PutForeign($"{request.Domain}.cfg", $"name = '{request.Domain}'\nmemory = 128\nkernel = '/boot/other'\ndisk = [ 'phy:simulated/{request.Domain},sda1,w' ]\n", running: true);
        Assert.IsType<AdoptionNotPermitted>((await AdoptAsync(request)).Refusal);
    }

    [Fact]
    public async Task What_stands_against_it_is_said_and_nothing_is_stored()
    {
        var request = await _world.ForeignAsync(Ct);
        var vms = await CountAsync();
        var other = await _world.RunningVmAsync(Ct);
        var (poor, _) = await _world.AddTenantAsync(_world.NewName(), Ct, limits: new TenantLimits(Limit.Of(0), Limit.None, Limit.None, Limit.None));

        Assert.IsType<NotAllowed>((await _world.Main.Get<AdoptDomain.Handler>().HandleAsync(request, _world.Owner, Ct)).Refusal);
        Assert.IsType<MustShutDown>((await AdoptAsync(request with { MayShutDown = false })).Refusal);
        Assert.Equal("address", (await AdoptAsync(request with { Address = other.Ip.ToString() })).Refusal?.Field);
        Assert.Equal("address", (await AdoptAsync(request with { Address = "192.0.2.1" })).Refusal?.Field);
        Assert.Equal("address", (await AdoptAsync(request with { Address = "here" })).Refusal?.Field);
        Assert.Equal("name", (await AdoptAsync(request with { Name = "Not_a_name" })).Refusal?.Field);
        Assert.IsType<NameTaken>((await AdoptAsync(request with { Name = other.Name })).Refusal);
        Assert.IsType<QuotaExceeded>((await AdoptAsync(request with { Tenant = poor })).Refusal);
        Assert.IsType<NotFound>((await AdoptAsync(request with { Domain = "nobody" })).Refusal);
        Assert.IsType<NotFound>((await AdoptAsync(request with { Tenant = TenantId.New() })).Refusal);
        Assert.Equal("plan", (await AdoptAsync(request with { Plan = PlanId.New() })).Refusal?.Field);
        _world.Faults.PutForeign($"{request.Domain}.cfg", $"name = '{request.Domain}'\nmemory = 128\nbootloader = 'pygrub'\ndisk = [ 'phy:elsewhere/x,sda1,w' ]\n", running: true);
        Assert.Contains("bootloader", Assert.IsType<CannotAdopt>((await AdoptAsync(request)).Refusal).Message, StringComparison.Ordinal);

        Assert.Equal(vms + 1, await CountAsync());
    }

    private Task<Result<AdoptDomain.Asked>> AdoptAsync(AdoptDomain.Request request) => _world.Main.Get<AdoptDomain.Handler>().HandleAsync(request, _world.Administrator, Ct);

    private async Task<int> CountAsync()
    {
        await using var db = _world.Main.Dbs.ForSystem();
        return await db.Vms.CountAsync(Ct);
    }
}
