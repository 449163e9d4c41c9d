using Microsoft.EntityFrameworkCore;
using Portal.App.Control;
using Portal.App.Networks;
using Portal.App.Ordering;
using Portal.App.Quotas;
using Portal.App.Tenants;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Ordering;

/// <summary>Many at once: no limit is passed, no room sold twice, no name, address or decision taken twice.</summary>
public sealed class OrderRaceTests(WorldFixture fixture, PostgresFixture postgres) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    [Theory]
    [InlineData(5, null, null, null, "quota.vms", 5)]
    [InlineData(null, 3, null, null, "quota.vcpus", 3)]
    [InlineData(null, null, 1024, null, "quota.memory", 4)]
    [InlineData(null, null, null, 6, "quota.disk", 6)]
    public async Task Orders_in_parallel_never_pass_a_limit(int? vms, int? vcpus, int? memoryMiB, int? diskGiB, string code, int fits)
    {
        var ct = TestContext.Current.CancellationToken;
        var limits = new TenantLimits(Of(vms), Of(vcpus), Of(memoryMiB), Of(diskGiB));
        var (tenant, owner) = await _world.AddTenantAsync($"race-{code.Replace('.', '-')}", ct, limits: limits);
        var forms = new List<OrderForm>();
        for (var i = 0; i < 50; i++)
        {
            forms.Add(await _world.FormAsync($"race-{i}", ct));
        }

        // More at once than the process has links to the database: whoever waits for the tenant's lock must not starve whoever holds it.
        var results = await Task.WhenAll(forms.Select(f => _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(tenant, f, Guid.CreateVersion7().ToString()), owner, ct)));

        Assert.Equal(fits, results.Count(r => r.Succeeded));
        Assert.All(results.Where(r => !r.Succeeded), r => Assert.Equal(code, r.Refusal?.Code));
        await using var db = _world.Main.Dbs.ForSystem();
        var quota = await db.ReadQuotaAsync(await db.Tenants.SingleAsync(t => t.Id == tenant, ct), ct);
        Assert.Equal(fits, quota.InOrders.Vms);
        Assert.Equal(fits, await db.Orders.CountAsync(o => o.TenantId == tenant, ct));

        static Limit Of(int? max) => max is { } n ? Limit.Of(n) : Limit.None;
    }

    [Fact]
    public async Task Approvals_in_parallel_never_oversell_a_host()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        // 8 vCPUs to sell: two VMs of plan L.
        world.Faults.Shape = new SimulatedShape { Cpus = 1 };
        await world.Main.Get<HostWatch>().LookAsync(ct);
        var orders = new List<OrderId>();
        for (var i = 0; i < 8; i++)
        {
            var (tenant, owner) = await world.AddTenantAsync($"t{i}", ct);
            orders.Add(await world.OrderAsync(ct, plan: "L", tenant: tenant, owner: owner));
        }

        var results = await Task.WhenAll(orders.Select(o => world.Main.Get<DecideOrder.Handler>().HandleAsync(new(o, Verdict.Approve, ""), world.Approver, ct)));

        Assert.Equal(2, results.Count(r => r.Succeeded));
        Assert.All(results.Where(r => !r.Succeeded), r => Assert.IsType<NoHostFits>(r.Refusal));
        await using var db = world.Main.Dbs.ForSystem();
        Assert.Equal(8, await db.Vms.SumAsync(v => v.Vcpus, ct));
        Assert.Equal(2, await db.Addresses.CountAsync(a => a.VmId != null, ct));
        // Who got none still waits and holds its quota.
        Assert.Equal(6, await db.QuotaReservations.CountAsync(ct));
    }

    [Fact]
    public async Task Takers_in_parallel_never_get_one_address_twice()
    {
        var ct = TestContext.Current.CancellationToken;
        var host = await _world.HostAsync(ct);
        var taken = await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ =>
        {
            await using var db = _world.Main.Dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var address = await db.TakeAddressAsync(host.Id, VmId.New(), _world.Tenant, ct);
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
            return address!.Ip;
        }));

        Assert.Equal(30, taken.Distinct().Count());
    }

    [Fact]
    public async Task One_name_ordered_many_times_at_once_is_given_once()
    {
        var ct = TestContext.Current.CancellationToken;
        var name = _world.NewName();
        var form = await _world.FormAsync(name, ct);

        var results = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(_world.Tenant, form, Guid.CreateVersion7().ToString()), _world.Owner, ct)));

        Assert.Equal(1, results.Count(r => r.Succeeded));
        Assert.All(results.Where(r => !r.Succeeded), r => Assert.Equal(("ordering.name_taken", "name"), (r.Refusal!.Code, r.Refusal.Field)));
    }

    [Fact]
    public async Task One_key_sent_many_times_at_once_is_one_order()
    {
        var ct = TestContext.Current.CancellationToken;
        var form = await _world.FormAsync(_world.NewName(), ct);

        var results = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(_world.Tenant, form, "double-click"), _world.Owner, ct)));

        Assert.Single(results.Select(r => r.Value.Order).Distinct());
        Assert.Equal(1, results.Count(r => !r.Value.Repeated));
        var other = await _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(_world.Tenant, form.With(l => l with { Count = 2 }), "double-click"), _world.Owner, ct);
        Assert.Equal("ordering.key_reused", other.Refusal?.Code);
    }

    [Fact]
    public async Task Two_approvers_at_once_one_wins_and_the_other_is_told_who()
    {
        var ct = TestContext.Current.CancellationToken;
        var grace = await _world.AddPersonAsync("Grace", [App.Access.PlatformRole.Approver], [], ct);
        var linus = await _world.AddPersonAsync("Linus", [App.Access.PlatformRole.Approver], [], ct);
        var order = await _world.OrderAsync(ct);
        var handler = _world.Main.Get<DecideOrder.Handler>();

        var results = await Task.WhenAll(handler.HandleAsync(new(order, Verdict.Approve, ""), grace, ct), handler.HandleAsync(new(order, Verdict.Deny, "No."), linus, ct));

        Assert.Equal(1, results.Count(r => r.Succeeded));
        var told = Assert.IsType<DecidedAlready>(results.Single(r => !r.Succeeded).Refusal);
        Assert.Equal(results[0].Succeeded ? "Grace approved this order already." : "Linus denied this order already.", told.Message);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(1, await db.ApprovalVotes.CountAsync(v => v.OrderId == order, ct));
        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.ObjectId == order.Value && e.Verb != "order.placed", ct));
    }

    [Fact]
    public async Task Decision_and_cancellation_at_once_end_in_one_of_them()
    {
        var ct = TestContext.Current.CancellationToken;
        var order = await _world.OrderAsync(ct);

        var decided = _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Approver, ct);
        var cancelled = _world.Main.Get<CancelOrder.Handler>().HandleAsync(new(_world.Tenant, order), _world.Owner, ct);

        Assert.NotEqual((await decided).Succeeded, (await cancelled).Succeeded);
        await using var db = _world.Main.Dbs.ForSystem();
        var line = await db.OrderLines.SingleAsync(l => l.OrderId == order, ct);
        Assert.Equal((await decided).Succeeded ? 1 : 0, await db.Vms.CountAsync(v => v.OrderLineId == line.Id, ct));
        Assert.False(await db.QuotaReservations.AnyAsync(r => r.OrderLineId == line.Id, ct));
    }
}
