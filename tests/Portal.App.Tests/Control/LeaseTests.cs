using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Policies;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Control;

/// <summary>VMs that end on a day: told beforehand, shut down, deleted, and kept where there is more time.</summary>
public sealed class LeaseTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    [Theory]
    [InlineData(15.0, null)]
    [InlineData(14.0, 14)]
    [InlineData(3.1, 14)]
    [InlineData(3.0, 3)]
    [InlineData(1.0, 1)]
    [InlineData(0.9, 1)]
    [InlineData(0.0, 0)]
    [InlineData(-6.0, 0)]
    public void Owners_are_told_two_weeks_three_days_and_one_day_before_and_at_the_end(double daysLeft, int? told)
    {
        var end = Lease.EndOf(new DateOnly(2026, 12, 24));

        Assert.Equal(told, Lease.DueBefore(end, end.AddDays(-daysLeft)));
        Assert.Equal(new DateOnly(2026, 12, 24), Lease.LastDayOf(end));
        Assert.Equal(new DateOnly(2027, 1, 1), Lease.DeletionDayOf(end));
    }

    [Fact]
    public async Task What_was_ordered_until_a_day_is_told_of_shut_down_cannot_be_started_and_is_deleted_a_week_later()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("leases", ct);
        var member = await _world.AddPersonAsync("leases-member", [], [(tenant, TenantRole.Member)], ct);
        await _world.AddPersonAsync("leases-other", [], [(tenant, TenantRole.Member)], ct);
        var end = Lease.EndOf(Lease.LastDayOf(await NowAsync(ct)).AddDays(30));
        var form = (await _world.FormAsync(_world.NewName(), ct)).With(l => l with { LeaseEndsAt = end });
        var order = (await _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(tenant, form, "k"), member, ct)).Value.Order;
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Approver, ct)).Refusal);
        await _world.Main.RunRungAsync(ct);
        var id = await OnlyVmAsync(tenant, ct);
        Assert.Equal(end, (await _world.VmAsync(id, ct)).LeaseEndsAt);

        await SweepAsync(ct);
        Assert.Empty(await MailsAsync(tenant, ct));
        foreach (var (days, mails) in new[] { (13.5, 1), (2.5, 2), (0.5, 3) })
        {
            await EndInAsync(id, TimeSpan.FromDays(days), ct);
            await SweepAsync(ct);
            await SweepAsync(ct);
            // One to the owner, one to who ordered it, none to anybody else; once.
            Assert.Equal([(owner.Email, mails), (member.Email, mails)], (await MailsAsync(tenant, ct)).GroupBy(m => m).Select(g => (g.Key, g.Count())).OrderByDescending(m => m.Key == owner.Email));
            Assert.Equal(DomainState.Running, (await _world.VmAsync(id, ct)).Seen);
        }

        await EndInAsync(id, TimeSpan.FromMinutes(-1), ct);
        await SweepAsync(ct);
        await _world.Main.RunRungAsync(ct);
        var over = await _world.VmAsync(id, ct);
        Assert.Equal((DomainState.Off, WantedState.Stopped, VmStage.Ready), (over.Seen is DomainState.Absent ? DomainState.Off : over.Seen, over.Wanted, over.Stage));
        Assert.Equal("control.lease_ended", (await _world.Main.Get<PowerVm.Handler>().HandleAsync(new(tenant, id, PowerVm.Action.Start), member, ct)).Refusal?.Code);
        Assert.False((await _world.Main.Get<GetVm.Handler>().HandleAsync(new(tenant, id), member, ct)).Value.Can.Start);
        Assert.Equal(8, (await MailsAsync(tenant, ct)).Count);

        await EndInAsync(id, TimeSpan.FromDays(-6.9), ct);
        await SweepAsync(ct);
        await _world.Main.RunRungAsync(ct);
        Assert.Equal(VmStage.Ready, (await _world.VmAsync(id, ct)).Stage);
        await EndInAsync(id, TimeSpan.FromDays(-7.1), ct);
        await SweepAsync(ct);
        await _world.Main.RunRungAsync(ct);
        Assert.Equal(VmStage.Deleted, (await _world.VmAsync(id, ct)).Stage);
        await SweepAsync(ct);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(3, await db.Operations.CountAsync(o => o.VmId == id, ct));
    }

    [Fact]
    public async Task A_guest_that_does_not_go_loses_its_power_and_not_before_somebody_could_have_looked()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        await EndInAsync(vm.Id, TimeSpan.FromMinutes(-1), ct);
        _world.Refusals[SimulatedVerb.AskShutdown] = new Invalid("guest", "It does not listen.");
        try
        {
            await SweepAsync(ct);
            await _world.Main.RunRungAsync(ct);
            await SweepAsync(ct);
            Assert.Equal((OperationKind.ShutDown, OperationState.Failed), await LastAsync(vm.Id, ct));
            Assert.Equal(DomainState.Running, (await _world.VmAsync(vm.Id, ct)).Seen);

            _world.Main.Get<LeaseSweep>().Pause = TimeSpan.Zero;
            await SweepAsync(ct);
            await _world.Main.RunRungAsync(ct);
        }
        finally
        {
            _world.Refusals.Clear();
            _world.Main.Get<LeaseSweep>().Pause = TimeSpan.FromMinutes(10);
        }

        Assert.Equal((OperationKind.PowerOff, OperationState.Succeeded), await LastAsync(vm.Id, ct));
    }

    [Fact]
    public async Task An_earlier_day_is_set_at_once_and_a_later_one_is_an_order()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        var today = Lease.LastDayOf(await NowAsync(ct));
        var (near, far) = (Lease.EndOf(today.AddDays(10)), Lease.EndOf(today.AddDays(40)));

        Assert.Null((await SetAsync(vm, far, ct)).Refusal);
        Assert.Null((await SetAsync(vm, near, ct)).Refusal);
        Assert.Equal("control.more_time_is_ordered", (await SetAsync(vm, far, ct)).Refusal?.Code);
        Assert.Equal("endsAt", (await SetAsync(vm, Lease.EndOf(today.AddDays(-2)), ct)).Refusal?.Field);
        Assert.Equal("until", (await ExtendAsync(vm, near, "not-later", ct)).Refusal?.Field);

        var asked = (await ExtendAsync(vm, far, "later", ct)).Value;
        Assert.True((await ExtendAsync(vm, far, "later", ct)).Value.Repeated);
        Assert.Equal("ordering.asked_already", (await ExtendAsync(vm, far, "again", ct)).Refusal?.Code);
        Assert.Equal(near, (await _world.VmAsync(vm.Id, ct)).LeaseEndsAt);
        var facts = (await _world.Main.Get<GetDecision.Handler>().HandleAsync(new(asked.Order), _world.Approver, ct)).Value;
        Assert.Equal((0, true, $"More time for {vm.Name}, until {Lease.LastDayOf(far):yyyy-MM-dd}"), (facts.Asked.Vms, facts.FitsNow, facts.Order.Row.What));

        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(asked.Order, Verdict.Approve, ""), _world.Approver, ct)).Refusal);
        Assert.Equal((far, null), ((await _world.VmAsync(vm.Id, ct)).LeaseEndsAt, (await _world.VmAsync(vm.Id, ct)).LeaseTold));
        var read = (await _world.Main.Get<GetOrder.Handler>().HandleAsync(new(asked.Order), _world.Owner, ct)).Value;
        Assert.Equal((OrderState.Done, vm.Id), (read.Row.State, Assert.Single(read.Vms).Id));

        // And no end at all.
        var endless = (await ExtendAsync(vm, null, "endless", ct)).Value.Order;
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(endless, Verdict.Approve, ""), _world.Approver, ct)).Refusal);
        Assert.Null((await _world.VmAsync(vm.Id, ct)).LeaseEndsAt);
        Assert.Equal("until", (await ExtendAsync(vm, far, "has-none", ct)).Refusal?.Field);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(["vm.lease_set", "vm.lease_set", "vm.lease_extended", "vm.lease_extended"], await db.AuditEntries.Where(a => a.ObjectId == vm.Id.Value && a.Verb.StartsWith("vm.lease")).OrderBy(a => a.Id).Select(a => a.Verb).ToListAsync(ct));
    }

    [Fact]
    public async Task More_time_comes_also_after_the_end_and_the_vm_can_be_started_again()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        await EndInAsync(vm.Id, TimeSpan.FromDays(-2), ct);
        await SweepAsync(ct);
        await _world.Main.RunRungAsync(ct);
        var asked = (await ExtendAsync(vm, Lease.EndOf(Lease.LastDayOf(await NowAsync(ct)).AddDays(5)), "late", ct)).Value.Order;
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(asked, Verdict.Approve, ""), _world.Approver, ct)).Refusal);

        Assert.Null((await _world.Main.Get<PowerVm.Handler>().HandleAsync(new(_world.Tenant, vm.Id, PowerVm.Action.Start), _world.Owner, ct)).Refusal);
        await _world.Main.RunRungAsync(ct);
        await SweepAsync(ct);

        Assert.Equal((OperationKind.Start, OperationState.Succeeded), await LastAsync(vm.Id, ct));
    }

    [Fact]
    public async Task What_more_time_is_asked_for_is_not_deleted_before_somebody_has_decided()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        await EndInAsync(vm.Id, TimeSpan.FromDays(-6), ct);
        await SweepAsync(ct);
        await _world.Main.RunRungAsync(ct);
        var asked = (await ExtendAsync(vm, null, "in-the-last-minute", ct)).Value.Order;
        await EndInAsync(vm.Id, TimeSpan.FromDays(-8), ct);

        await SweepAsync(ct);
        await _world.Main.RunRungAsync(ct);
        Assert.Equal((OperationKind.ShutDown, VmStage.Ready), ((await LastAsync(vm.Id, ct)).Kind, (await _world.VmAsync(vm.Id, ct)).Stage));

        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(asked, Verdict.Deny, "It was agreed to end."), _world.Approver, ct)).Refusal);
        await SweepAsync(ct);
        await _world.Main.RunRungAsync(ct);
        Assert.Equal(VmStage.Deleted, (await _world.VmAsync(vm.Id, ct)).Stage);
    }

    [Fact]
    public async Task An_order_whose_day_passed_while_it_waited_and_one_for_a_vm_that_is_gone_are_not_approved()
    {
        var ct = TestContext.Current.CancellationToken;
        var now = await NowAsync(ct);
        var form = await _world.FormAsync(_world.NewName(), ct);
        foreach (var wrong in new[] { now - TimeSpan.FromHours(1), now + Lease.Longest + TimeSpan.FromDays(1) })
        {
            var refused = await _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(_world.Tenant, form.With(l => l with { LeaseEndsAt = wrong }), "wrong-end"), _world.Owner, ct);
            Assert.Equal("lines[0].leaseEndsAt", refused.Refusal?.Path);
        }

        var soon = (await _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(_world.Tenant, form.With(l => l with { LeaseEndsAt = now + TimeSpan.FromHours(1) }), "soon"), _world.Owner, ct)).Value.Order;
        await _world.Database.ExecuteAsync("UPDATE order_lines SET lease_ends_at = clock_timestamp() - interval '1 second' WHERE order_id = $1", ct, soon.Value);
        Assert.Equal("ordering.lease_over", (await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(soon, Verdict.Approve, ""), _world.Approver, ct)).Refusal?.Code);
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(soon, Verdict.Deny, "Too late."), _world.Approver, ct)).Refusal);

        var vm = await _world.RunningVmAsync(ct);
        await EndInAsync(vm.Id, TimeSpan.FromDays(10), ct);
        var more = (await ExtendAsync(vm, null, "gone", ct)).Value.Order;
        Assert.Null((await _world.Main.Get<DeleteVm.Handler>().HandleAsync(new(_world.Tenant, vm.Id, vm.Name), _world.Owner, ct)).Refusal);
        Assert.Equal("not_found", (await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(more, Verdict.Approve, ""), _world.Approver, ct)).Refusal?.Code);
        await _world.Main.RunRungAsync(ct);
    }

    [Fact]
    public async Task Where_the_policy_says_yes_more_time_is_there_at_once_also_for_what_was_adopted()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("lease-adopted", ct, PolicyBody.Nobody);
        var foreign = await _world.ForeignAsync(ct) with { Tenant = tenant };
        Assert.Null((await _world.Main.Get<AdoptDomain.Handler>().HandleAsync(foreign, _world.Administrator, ct)).Refusal);
        await _world.Main.RunRungAsync(ct);
        var vm = await OnlyVmAsync(tenant, ct);
        await EndInAsync(vm, TimeSpan.FromDays(5), ct);

        var asked = await _world.Main.Get<ExtendLease.Handler>().HandleAsync(new(tenant, vm, null, "", "adopted"), owner, ct);

        Assert.Null(asked.Refusal);
        Assert.Null((await _world.VmAsync(vm, ct)).LeaseEndsAt);
        // A policy can be tried on it as on every other order.
        Assert.Null((await _world.Main.Get<TryPolicy.Handler>().HandleAsync(new(tenant, PolicySide.Provider, PolicyBody.Nobody), _world.Administrator, ct)).Refusal);
    }

    [Fact]
    public async Task The_calendar_shows_what_ends_first_first_and_only_ones_own()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("calendar", ct);
        var vms = await _world.OrderAndApproveAsync(ct, tenant: tenant, owner: owner, count: 3);
        await _world.Main.RunRungAsync(ct);
        await EndInAsync(vms[0].Id, TimeSpan.FromDays(20), ct);
        await EndInAsync(vms[1].Id, TimeSpan.FromDays(-1), ct);

        var leases = (await _world.Main.Get<ListLeases.Handler>().HandleAsync(new(tenant), owner, ct)).Value;

        Assert.Equal([(vms[1].Name, true), (vms[0].Name, false)], leases.Select(l => (l.Name, l.Over)));
        Assert.Equal("not_found", (await _world.Main.Get<ListLeases.Handler>().HandleAsync(new(_world.Tenant), owner, ct)).Refusal?.Code);
    }

    private Task SweepAsync(CancellationToken ct) => _world.Main.Get<LeaseSweep>().SweepAsync(ct);

    private Task<Result<Done>> SetAsync(Vm vm, DateTimeOffset end, CancellationToken ct) => _world.Main.Get<SetLease.Handler>().HandleAsync(new(vm.TenantId, vm.Id, end), _world.Owner, ct);

    private Task<Result<PlaceOrder.Placed>> ExtendAsync(Vm vm, DateTimeOffset? until, string key, CancellationToken ct) =>
        _world.Main.Get<ExtendLease.Handler>().HandleAsync(new(vm.TenantId, vm.Id, until, "It is still needed", $"extend-{vm.Id}-{key}"), _world.Owner, ct);

    // The clock is the database's: the end comes to it instead.
    private Task<int> EndInAsync(VmId vm, TimeSpan left, CancellationToken ct) =>
        _world.Database.ExecuteAsync("UPDATE vms SET lease_ends_at = clock_timestamp() + make_interval(secs => $2) WHERE id = $1", ct, vm.Value, left.TotalSeconds);

    private async Task<DateTimeOffset> NowAsync(CancellationToken ct)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        return await db.NowAsync(ct);
    }

    private async Task<VmId> OnlyVmAsync(TenantId tenant, CancellationToken ct)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        return await db.Vms.Where(v => v.TenantId == tenant).Select(v => v.Id).SingleAsync(ct);
    }

    private async Task<List<string>> MailsAsync(TenantId tenant, CancellationToken ct)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        return await db.Outbox.Where(m => m.TenantId == tenant && m.Subject.StartsWith("The lease")).Select(m => m.Recipient).ToListAsync(ct);
    }

    private async Task<(OperationKind Kind, OperationState State)> LastAsync(VmId vm, CancellationToken ct)
    {
        var last = await _world.LastOperationAsync(vm, ct);
        return (last.Kind, last.State);
    }
}
