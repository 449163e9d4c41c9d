using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Policies;
using Portal.App.Quotas;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Ordering;

public sealed class OrderTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    [Fact]
    public async Task A_policy_that_says_yes_builds_at_once()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("automatic", ct, PolicyBody.Nobody);

        var order = await _world.OrderAsync(ct, tenant: tenant, owner: owner, count: 2);
        await _world.Main.RunRungAsync(ct);

        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal([VmStage.Ready, VmStage.Ready], await db.Vms.Where(v => v.TenantId == tenant).Select(v => v.Stage).ToListAsync(ct));
        Assert.Equal("Portal", (await db.ApprovalVotes.SingleAsync(v => v.OrderId == order, ct)).VoterName);
        Assert.False(await db.QuotaReservations.AnyAsync(r => r.TenantId == tenant, ct));
    }

    [Fact]
    public async Task A_yes_of_the_policy_that_was_lost_is_asked_for_again()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("automatic-lost", ct, PolicyBody.Nobody);
        await using var victim = await _world.StartProcessAsync(ct);
        var form = await _world.FormAsync("lost", ct);
        victim.Fate.DieAt(new Point(Act.Commit, 1, Moment.After));
        await Assert.ThrowsAnyAsync<Exception>(() => victim.Get<PlaceOrder.Handler>().HandleAsync(new(tenant, form, "k"), owner, ct));
        await victim.KillAsync(ct);

        await _world.Main.Get<OrderSweep>().SweepAsync(ct);

        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(1, await db.Vms.CountAsync(v => v.TenantId == tenant, ct));
        var repeated = await _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(tenant, form, "k"), owner, ct);
        Assert.True(repeated.Value.Repeated);
    }

    [Fact]
    public async Task Nobody_decides_on_an_order_of_ones_own()
    {
        var ct = TestContext.Current.CancellationToken;
        var both = await _world.AddPersonAsync("Both", [PlatformRole.Approver], [(_world.Tenant, TenantRole.Owner)], ct);
        var order = await _world.OrderAsync(ct, owner: both);

        var refused = await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), both, ct);

        Assert.Equal("ordering.own_order", refused.Refusal?.Code);
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Approver, ct)).Refusal);
    }

    [Fact]
    public async Task Who_may_not_decide_is_refused()
    {
        var ct = TestContext.Current.CancellationToken;
        var order = await _world.OrderAsync(ct);

        Assert.Equal("ordering.not_asked", (await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Owner, ct)).Refusal?.Code);
    }

    [Fact]
    public async Task A_no_needs_a_reason_which_the_requester_gets_and_frees_the_quota()
    {
        var ct = TestContext.Current.CancellationToken;
        var order = await _world.OrderAsync(ct);
        var handler = _world.Main.Get<DecideOrder.Handler>();

        Assert.Equal("reason", (await handler.HandleAsync(new(order, Verdict.Deny, "  "), _world.Approver, ct)).Refusal?.Field);
        Assert.Null((await handler.HandleAsync(new(order, Verdict.Deny, "Too dear."), _world.Approver, ct)).Refusal);

        await using var db = _world.Main.Dbs.ForSystem();
        var line = await db.OrderLines.SingleAsync(l => l.OrderId == order, ct);
        Assert.Equal(LineState.Denied, line.State);
        Assert.False(await db.QuotaReservations.AnyAsync(r => r.OrderLineId == line.Id, ct));
        var number = await db.Orders.Where(o => o.Id == order).Select(o => o.Number).SingleAsync(ct);
        Assert.Contains("Too dear.", (await db.Outbox.SingleAsync(m => m.Subject == $"Order {number} was denied", ct)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task User_data_is_sealed_known_by_its_hash_given_to_each_vm_and_forgotten_with_it()
    {
        var ct = TestContext.Current.CancellationToken;
        const string Secret = "#!/bin/sh\necho correct-horse-battery-staple\r\n";
        var form = (await _world.FormAsync(_world.NewName() + "-{n}", ct, count: 2)).With(l => l with { UserData = Secret });
        var order = (await PlaceAsync(form, ct)).Value.Order;
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Secret)));

        await using var db = _world.Main.Dbs.ForSystem();
        var line = await db.OrderLines.AsNoTracking().SingleAsync(l => l.OrderId == order, ct);
        Assert.NotNull(line.SealedUserData);
        Assert.Equal(sha256, line.UserDataSha256);
        Assert.Equal(sha256, (await _world.Main.Get<GetOrder.Handler>().HandleAsync(new(order), _world.Approver, ct)).Value.Lines.Single().UserDataSha256);
        Assert.Contains(sha256, (await db.AuditEntries.SingleAsync(e => e.ObjectId == order.Value && e.Verb == "order.placed", ct)).Details, StringComparison.Ordinal);

        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Approver, ct)).Refusal);
        Assert.Null((await db.OrderLines.AsNoTracking().SingleAsync(l => l.OrderId == order, ct)).SealedUserData);
        await _world.Main.RunRungAsync(ct);

        var vms = await db.Vms.AsNoTracking().Where(v => v.OrderLineId == line.Id).ToListAsync(ct);
        Assert.Equal([Secret, Secret], vms.Select(v => File.ReadAllText(Path.Combine(_world.Pool, "seeds", new DomainName(PortalWorld.Instance, v.Id, 1) + ".iso"))));
        foreach (var table in new[] { "orders", "order_lines", "vms", "audit_entries", "outbox", "operations", "operation_steps" })
        {
            Assert.Equal(0, await _world.Database.ReadAsync<long>($"SELECT count(*) FROM {table} t WHERE t::text LIKE '%correct-horse%'", ct));
        }

        foreach (var vm in vms)
        {
            Assert.NotNull(vm.SealedUserData);
            Assert.Null((await _world.Main.Get<DeleteVm.Handler>().HandleAsync(new(_world.Tenant, vm.Id, vm.Name), _world.Owner, ct)).Refusal);
        }

        await _world.Main.RunRungAsync(ct);
        Assert.Equal([null, null], await db.Vms.AsNoTracking().Where(v => v.OrderLineId == line.Id).Select(v => v.SealedUserData).ToListAsync(ct));
    }

    [Fact]
    public async Task The_same_key_with_other_user_data_or_another_size_is_another_order()
    {
        var ct = TestContext.Current.CancellationToken;
        var form = (await _world.FormAsync(_world.NewName(), ct)).With(l => l with { UserData = "#!/bin/sh\ntrue\n" });
        var handler = _world.Main.Get<PlaceOrder.Handler>();
        Assert.False((await handler.HandleAsync(new(_world.Tenant, form, "with-data"), _world.Owner, ct)).Value.Repeated);

        Assert.True((await handler.HandleAsync(new(_world.Tenant, form, "with-data"), _world.Owner, ct)).Value.Repeated);
        Assert.IsType<KeyReused>((await handler.HandleAsync(new(_world.Tenant, form.With(l => l with { UserData = "#!/bin/sh\nfalse\n" }), "with-data"), _world.Owner, ct)).Refusal);

        // Two sizes that people read as one.
        var sized = (await _world.FormAsync(_world.NewName(), ct, plan: "Custom")).With(l => l with { Size = new VmSize(1, ByteSize.FromMiB(1024), ByteSize.FromGiB(1)) });
        Assert.False((await handler.HandleAsync(new(_world.Tenant, sized, "sized"), _world.Owner, ct)).Value.Repeated);
        Assert.IsType<KeyReused>((await handler.HandleAsync(new(_world.Tenant, sized.With(l => l with { Size = new VmSize(1, ByteSize.FromMiB(1030), ByteSize.FromGiB(1)) }), "sized"), _world.Owner, ct)).Refusal);
        Assert.Equal("userData", (await PlaceAsync(form.With(l => l with { UserData = new string('x', UserData.MaxBytes + 1) }), ct)).Refusal?.Field);
    }

    [Fact]
    public async Task An_order_that_nobody_decides_on_expires_and_frees_what_it_held()
    {
        var ct = TestContext.Current.CancellationToken;
        var name = _world.NewName();
        var order = await _world.OrderAsync(ct, name);
        await _world.Database.ExecuteAsync("UPDATE orders SET expires_at = clock_timestamp() WHERE id = $1", ct, order.Value);

        await _world.Main.Get<OrderSweep>().SweepAsync(ct);
        await _world.Main.Get<OrderSweep>().SweepAsync(ct);

        await using var db = _world.Main.Dbs.ForSystem();
        var line = await db.OrderLines.SingleAsync(l => l.OrderId == order, ct);
        Assert.Equal(LineState.Expired, line.State);
        Assert.False(await db.QuotaReservations.AnyAsync(r => r.OrderLineId == line.Id, ct));
        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.ObjectId == order.Value && e.Verb == "order.expired", ct));
        Assert.Equal("ordering.decided_already", (await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Approver, ct)).Refusal?.Code);
        await _world.OrderAsync(ct, name);
    }

    [Fact]
    public async Task A_plan_that_no_host_can_hold_is_refused_at_once_and_stores_nothing()
    {
        var ct = TestContext.Current.CancellationToken;
        var biller = await _world.AddPersonAsync("biller", [PlatformRole.Biller], [], ct);
        var plan = (await _world.Main.Get<App.Pricing.SavePlan.Handler>().HandleAsync(new(null, "Giant", 200, 512L << 10, 100, true), biller, ct)).Value;
        Assert.Null((await _world.Main.Get<App.Pricing.SetPrice.Handler>().HandleAsync(new(plan, new(new(Currency.Eur, 1, 1))), biller, ct)).Refusal);
        var name = _world.NewName();

        var refused = await PlaceAsync((await _world.FormAsync(name, ct)).With(l => l with { Plan = plan }), ct);

        Assert.Equal("ordering.no_host_fits", refused.Refusal?.Code);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.DoesNotContain((await db.OrderLines.Select(l => l.Names).ToListAsync(ct)).SelectMany(n => n), n => n == name);
    }

    [Fact]
    public async Task Fifty_of_the_longest_names_fit_into_audit_and_mail()
    {
        var ct = TestContext.Current.CancellationToken;

        var vms = await _world.OrderAndApproveAsync(ct, new string('n', 60), count: LineForm.MaxCount);

        Assert.Equal(LineForm.MaxCount, vms.Count);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Contains(vms[0].Name, (await db.AuditEntries.Where(e => e.Verb == "order.placed").OrderByDescending(e => e.Id).FirstAsync(ct)).ObjectName, StringComparison.Ordinal);
        Assert.Contains(vms[0].Name, (await db.Outbox.OrderByDescending(m => m.Id).FirstAsync(ct)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_malformed_or_unknown_is_said_by_its_field()
    {
        var ct = TestContext.Current.CancellationToken;
        var form = await _world.FormAsync(_world.NewName(), ct);

        await IsRefusedAsync(form.With(l => l with { Template = TemplateId.New() }), "template");
        await IsRefusedAsync(form.With(l => l with { Plan = PlanId.New() }), "plan");
        await IsRefusedAsync(form.With(l => l with { Name = "Not A Name" }), "name");
        await IsRefusedAsync(form.With(l => l with { Name = new string('a', 63), Count = 2 }), "name");
        await IsRefusedAsync(form.With(l => l with { Count = 0 }), "count");
        await IsRefusedAsync(form.With(l => l with { Count = LineForm.MaxCount + 1 }), "count");
        await IsRefusedAsync(form.With(l => l with { SshKeys = ["-----BEGIN OPENSSH PRIVATE KEY-----"] }), "sshKeys", "ssh.private_key");
        await IsRefusedAsync(form.With(l => l with { SshKeys = [.. Enumerable.Repeat(PortalWorld.SshKey, LineForm.MaxKeys + 1)] }), "sshKeys");
        await IsRefusedAsync(form with { Lines = [] }, "lines");
        await IsRefusedAsync(form with { Lines = [.. Enumerable.Repeat(form.Lines[0], OrderForm.MaxLines + 1)] }, "lines");
        await IsRefusedAsync(form with { Lines = [.. Enumerable.Repeat(form.Lines[0] with { Count = LineForm.MaxCount }, 3)] }, "lines");
        await IsRefusedAsync(form with { Note = new string('x', 501) }, "note");
        await IsRefusedAsync(form with { Note = "\0" }, "note");

        async Task IsRefusedAsync(OrderForm bad, string field, string code = "invalid")
        {
            var refusal = (await PlaceAsync(bad, ct)).Refusal;
            Assert.Equal((code, field), (refusal?.Code, refusal?.Field));
        }
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("Not A Name", 2)]
    public async Task What_has_no_name_yet_has_a_price_all_the_same(string name, int count)
    {
        var ct = TestContext.Current.CancellationToken;
        var named = await _world.FormAsync(_world.NewName(), ct);

        var preview = (await _world.Main.Get<PreviewOrder.Handler>().HandleAsync(new(_world.Tenant, named.And(await _world.FormAsync(name, ct, count: count))), _world.Owner, ct)).Value;

        Assert.Equal(["lines[1].name"], preview.Problems.Select(p => p.Path));
        Assert.Equal([1, 0], preview.Lines.Select(l => l.Names.Count));
        Assert.Equal(preview.Lines[0].Price * (1 + count), preview.PriceOfAll);
    }

    [Fact]
    public async Task The_price_is_the_one_that_was_ordered_whatever_it_costs_later()
    {
        var ct = TestContext.Current.CancellationToken;
        var biller = await _world.AddPersonAsync("biller-2", [PlatformRole.Biller], [], ct);
        var plan = (await _world.Main.Get<App.Pricing.SavePlan.Handler>().HandleAsync(new(null, "Dear", 1, 256, 1, true), biller, ct)).Value;
        Assert.Null((await _world.Main.Get<App.Pricing.SetPrice.Handler>().HandleAsync(new(plan, new(new(Currency.Eur, 0.0123456789m, 0.0000000001m))), biller, ct)).Refusal);
        var placed = await PlaceAsync((await _world.FormAsync(_world.NewName(), ct)).With(l => l with { Plan = plan }), ct);
        Assert.Null((await _world.Main.Get<App.Pricing.SetPrice.Handler>().HandleAsync(new(plan, new(new(Currency.Eur, 9, 9))), biller, ct)).Refusal);
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(placed.Value.Order, Verdict.Approve, ""), _world.Approver, ct)).Refusal);
        await _world.Main.RunRungAsync(ct);

        await using var db = _world.Main.Dbs.ForSystem();
        var rates = await db.UsageIntervals.Where(u => u.PlanName == "Dear").OrderBy(u => u.Meter).Select(u => u.RatePerHour).ToListAsync(ct);
        Assert.Equal([0.0000000001m, 0.0123456789m], rates.Order());
    }

    [Fact]
    public async Task A_deleted_vms_name_and_quota_are_free_and_its_address_rests_before_another_tenant_gets_it()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        Assert.Equal(OperationState.Succeeded, (await _world.DoAsync(vm, OperationKind.Delete, ct)).State);
        var (other, owner) = await _world.AddTenantAsync("next", ct);

        var others = (await _world.OrderAndApproveAsync(ct, tenant: other, owner: owner)).Single();
        var again = (await _world.OrderAndApproveAsync(ct, vm.Name)).Single();

        Assert.NotEqual(vm.Ip, others.Ip);
        Assert.NotEqual(vm.Id, again.Id);
        Assert.NotEqual(vm.Mac, again.Mac);
        await _world.Main.RunRungAsync(ct);
    }

    [Fact]
    public async Task Lines_are_one_order_with_names_of_their_own_one_decision_and_one_price()
    {
        var ct = TestContext.Current.CancellationToken;
        var name = _world.NewName();
        // Two lines with one pattern, and one with another plan: the second goes on counting where the first ended.
        var form = (await _world.FormAsync(name + "-{n}", ct, count: 2)).And(await _world.FormAsync(name + "-db", ct, plan: "S"), await _world.FormAsync(name + "-{n}", ct));
        var preview = (await _world.Main.Get<PreviewOrder.Handler>().HandleAsync(new(_world.Tenant, form), _world.Owner, ct)).Value;
        var order = (await PlaceAsync(form, ct)).Value.Order;

        var details = (await _world.Main.Get<GetOrder.Handler>().HandleAsync(new(order), _world.Approver, ct)).Value;
        Assert.Equal([[$"{name}-1", $"{name}-2"], [$"{name}-db"], [$"{name}-3"]], details.Lines.Select(l => l.Names));
        Assert.Equal(details.Lines.Select(l => l.Names), preview.Lines.Select(l => l.Names));
        Assert.Equal([$"{name}-{{n}}", $"{name}-db", $"{name}-3"], details.Lines.Select(l => l.Pattern));
        Assert.Equal(preview.PriceOfAll, details.Row.Price);
        Assert.Equal(details.Lines.Sum(l => l.Price.PerHour.Amount), details.Row.Price.PerHour.Amount);
        Assert.All(preview.Lines, l => Assert.NotEmpty(l.Commands));
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(preview.Asked, await HeldAsync());

        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Approver, ct)).Refusal);
        await _world.Main.RunRungAsync(ct);

        Assert.Equal(OrderState.Done, (await _world.Main.Get<GetOrder.Handler>().HandleAsync(new(order), _world.Approver, ct)).Value.Row.State);
        Assert.Equal(default, await HeldAsync());

        async Task<QuotaAmount> HeldAsync()
        {
            var held = await (from line in db.OrderLines where line.OrderId == order join r in db.QuotaReservations on line.Id equals r.OrderLineId select r).ToListAsync(ct);
            return held.Select(r => new QuotaAmount(r.Vms, r.Vcpus, r.Memory, r.Disk)).Aggregate(default(QuotaAmount), (a, b) => a + b);
        }
    }

    [Fact]
    public async Task A_size_between_the_plans_ends_is_built_held_and_paid_for_and_one_beyond_is_refused_field_by_field()
    {
        var ct = TestContext.Current.CancellationToken;
        var form = await _world.FormAsync(_world.NewName(), ct, plan: "Custom");
        var size = new VmSize(3, ByteSize.FromMiB(640), ByteSize.FromGiB(7));
        var order = (await PlaceAsync(form.With(l => l with { Size = size }), ct)).Value.Order;

        var line = (await _world.Main.Get<GetOrder.Handler>().HandleAsync(new(order), _world.Approver, ct)).Value.Lines.Single();
        Assert.Equal(size, new VmSize(line.Vcpus, line.Memory, line.Disk));
        // 2 vCPUs, 384 MiB and 6 GiB more than the smallest.
        Assert.Equal((0.0125m, 0.0017m), (line.Price.RunningPerHour, line.Price.AllocatedPerHour));
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Approver, ct)).Refusal);
        await _world.Main.RunRungAsync(ct);
        await using var db = _world.Main.Dbs.ForSystem();
        var vm = await db.Vms.SingleAsync(v => v.Name == form.Lines[0].Name, ct);
        Assert.Equal((VmStage.Ready, size), (vm.Stage, new VmSize(vm.Vcpus, vm.Memory, vm.Disk)));
        Assert.Equal([0.0017m, 0.0125m], (await db.UsageIntervals.Where(u => u.VmId == vm.Id).Select(u => u.RatePerHour).ToListAsync(ct)).Order());

        var refusal = (await PlaceAsync(form.With(l => l with { Name = _world.NewName(), Size = new VmSize(0, ByteSize.FromGiB(1 << 20), size.Disk) }), ct)).Refusal;
        Assert.Equal(["lines[0].vcpus", "lines[0].memoryMiB"], [refusal?.Path, .. refusal!.Also.Select(r => r.Path)]);
        Assert.Equal("Nano has 1 vCPU.", (await PlaceAsync((await _world.FormAsync(_world.NewName(), ct)).With(l => l with { Size = new VmSize(2, ByteSize.FromMiB(256), ByteSize.FromGiB(1)) }), ct)).Refusal?.Message);
    }

    [Fact]
    public async Task What_is_wrong_with_a_line_is_said_of_that_line_and_nothing_of_the_order_is_stored()
    {
        var ct = TestContext.Current.CancellationToken;
        var name = _world.NewName();
        var good = await _world.FormAsync(name, ct);

        await IsRefusedAsync(good.And(good), "lines[1].name");
        await IsRefusedAsync(good.And(await _world.FormAsync("Not A Name", ct)), "lines[1].name");
        await IsRefusedAsync(good.And(good.With(l => l with { Plan = PlanId.New() })), "lines[1].plan");

        await using var db = _world.Main.Dbs.ForSystem();
        Assert.DoesNotContain((await db.OrderLines.Select(l => l.Names).ToListAsync(ct)).SelectMany(n => n), n => n == name);

        async Task IsRefusedAsync(OrderForm bad, string path) => Assert.Equal(path, (await PlaceAsync(bad, ct)).Refusal?.Path);
    }

    private async Task<Result<PlaceOrder.Placed>> PlaceAsync(OrderForm form, CancellationToken ct) =>
        await _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(_world.Tenant, form, Guid.CreateVersion7().ToString()), _world.Owner, ct);
}
