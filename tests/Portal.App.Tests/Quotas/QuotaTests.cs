using CsCheck;
using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Billing;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Quotas;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Quotas;

/// <summary>Limits hold on every path that grows, however many come at once.</summary>
public sealed class QuotaTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private static readonly TenantLimits s_none = new(Limit.None, Limit.None, Limit.None, Limit.None);

    private readonly PortalWorld _world = fixture.World;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("quota.addresses")]
    [InlineData("quota.waiting")]
    public async Task Orders_in_parallel_never_pass_a_limit(string code)
    {
        var limits = code == "quota.waiting" ? s_none with { WaitingVms = Limit.Of(6) } : s_none with { Addresses = Limit.Of(6) };
        var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct, limits: limits);
        var forms = new List<OrderForm>();
        for (var i = 0; i < 20; i++)
        {
            forms.Add(await _world.FormAsync($"race-{i}-{{n}}", Ct, count: 2));
        }

        var results = await Task.WhenAll(forms.Select(f => PlaceAsync(tenant, owner, f)));

        Assert.Equal(3, results.Count(r => r.Succeeded));
        Assert.All(results.Where(r => !r.Succeeded), r => Assert.Equal(code, r.Refusal?.Code));
        var order = results.First(r => r.Succeeded).Value.Order;
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Approver, Ct)).Refusal);
        await _world.Main.RunRungAsync(Ct);
        // What was decided waits no more, and has its addresses still.
        Assert.Equal(code == "quota.waiting", (await PlaceAsync(tenant, owner, await _world.FormAsync("more-{n}", Ct, count: 2))).Succeeded);
    }

    [Fact]
    public async Task Where_running_vms_count_starts_in_parallel_never_pass_the_limit_and_neither_do_orders_beside_them()
    {
        var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct, limits: s_none with { RunningOnly = true });
        var vms = await OffAsync(tenant, owner, 6);
        await LimitAsync(tenant, s_none with { RunningOnly = true, Vcpus = Limit.Of(4), MemoryMiB = Limit.Of(5 * 256) });
        Assert.Equal((6, 0, 0L), Sums((await QuotaAsync(tenant)).Used));
        var forms = new List<OrderForm>();
        for (var i = 0; i < 4; i++)
        {
            forms.Add(await _world.FormAsync($"beside-{i}", Ct));
        }

        var starts = vms.Select(v => _world.Main.Get<PowerVm.Handler>().HandleAsync(new(tenant, v.Id, PowerVm.Action.Start), owner, Ct)).ToList();
        var orders = forms.Select(f => PlaceAsync(tenant, owner, f)).ToList();
        var started = await Task.WhenAll(starts);
        var placed = await Task.WhenAll(orders);

        Assert.Equal(4, started.Count(r => r.Succeeded) + placed.Count(r => r.Succeeded));
        Assert.All(started.Select(r => r.Refusal).Concat(placed.Select(r => r.Refusal)).OfType<Refusal>(), r => Assert.Equal("quota.vcpus", r.Code));
        var quota = await QuotaAsync(tenant);
        Assert.Equal(4, quota.Total.Vcpus);
        await _world.Main.RunRungAsync(Ct);
        Assert.Equal(4, (await QuotaAsync(tenant)).Total.Vcpus);
    }

    [Fact]
    public async Task A_limit_below_what_is_used_keeps_what_is_there_says_so_and_blocks_growth()
    {
        var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct);
        var vm = await _world.RunningVmAsync(Ct, tenant, owner);
        await LimitAsync(tenant, s_none with { Vcpus = Limit.Of(0), Addresses = Limit.Of(0) });

        var page = (await _world.Main.Get<GetQuota.Handler>().HandleAsync(new(tenant), owner, Ct)).Value;
        Assert.Equal(["addresses", "vCPU"], page.State.Beyond);
        Assert.Equal([(vm.Id, true)], page.Biggest.Select(b => (b.Vm, b.Counts)));
        Assert.Equal("quota.addresses", (await PlaceAsync(tenant, owner, await _world.FormAsync(_world.NewName(), Ct))).Refusal?.Code);
        // What counts already is no growth: off and on again.
        foreach (var kind in new[] { OperationKind.PowerOff, OperationKind.Start })
        {
            Assert.Null((await _world.AskAsync(vm, kind, Ct, owner)).Refusal);
            await _world.Main.RunRungAsync(Ct);
        }

        // Under the other rule what is off counts no more, and is growth.
        await LimitAsync(tenant, s_none with { Vcpus = Limit.Of(0), RunningOnly = true });
        Assert.Null((await _world.AskAsync(vm, OperationKind.PowerOff, Ct, owner)).Refusal);
        await _world.Main.RunRungAsync(Ct);
        Assert.Empty((await QuotaAsync(tenant)).Beyond);
        Assert.Equal("quota.vcpus", (await _world.AskAsync(vm, OperationKind.Start, Ct, owner)).Refusal?.Code);
        Assert.Equal(WantedState.Stopped, (await _world.VmAsync(vm.Id, Ct)).Wanted);
    }

    [Theory]
    [InlineData(SpendingRule.Warn)]
    [InlineData(SpendingRule.BlockOrders)]
    [InlineData(SpendingRule.BlockGrowth)]
    public async Task A_spending_limit_warns_blocks_orders_or_blocks_growth(SpendingRule rule)
    {
        var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct);
        var off = (await OffAsync(tenant, owner, 1)).Single();
        // Nano is 0.003 + 0.0005 an hour: 2.555 a month, 0.365 while off.
        Assert.Null((await _world.Main.Get<SetSpending.Handler>().HandleAsync(new(tenant, 3.00m, rule), _world.Administrator, Ct)).Refusal);
        var within = (await PlaceAsync(tenant, owner, await _world.FormAsync(_world.NewName(), Ct))).Value.Order;
        var spending = (await _world.Main.Get<GetQuota.Handler>().HandleAsync(new(tenant), owner, Ct)).Value.Spending!;
        Assert.Equal((0.365m, 2.555m), (spending.Now.Amount, spending.InOrders.Amount));

        var form = await _world.FormAsync(_world.NewName(), Ct);
        var preview = (await _world.Main.Get<PreviewOrder.Handler>().HandleAsync(new(tenant, form), owner, Ct)).Value;
        Assert.Equal((rule == SpendingRule.Warn, rule != SpendingRule.Warn), (preview.Warning is not null, preview.Problems.Any(p => p is SpendingExceeded)));
        Assert.Equal(rule == SpendingRule.Warn ? null : "quota.spending", (await PlaceAsync(tenant, owner, form)).Refusal?.Code);
        Assert.Equal(rule == SpendingRule.BlockGrowth ? "quota.spending" : null, (await _world.AskAsync(off, OperationKind.Start, Ct, owner)).Refusal?.Code);
        await _world.Main.RunRungAsync(Ct);
        var foreign = await _world.ForeignAsync(Ct, running: true);
        var adopting = await _world.Main.Get<AdoptDomain.Handler>().HandleAsync(foreign with { Tenant = tenant }, await _world.AddPersonAsync($"operator-{_world.NewName()}", [PlatformRole.Operator], [], Ct), Ct);
        Assert.Equal(rule == SpendingRule.BlockGrowth ? "quota.spending" : null, adopting.Refusal?.Code);
        await _world.Main.RunRungAsync(Ct);
        // What was promised is kept, and what makes a month cheaper is always done.
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(within, Verdict.Approve, ""), _world.Approver, Ct)).Refusal);
        await _world.Main.RunRungAsync(Ct);
        Assert.Null((await _world.AskAsync(off, OperationKind.Delete, Ct, owner)).Refusal);
        await _world.Main.RunRungAsync(Ct);
    }

    [Fact]
    public async Task Spending_is_never_passed_by_orders_in_parallel_and_is_an_administrators_to_limit()
    {
        var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct);
        var set = _world.Main.Get<SetSpending.Handler>();
        Assert.Equal("not_allowed", (await set.HandleAsync(new(tenant, 1, SpendingRule.Warn), owner, Ct)).Refusal?.Code);
        Assert.Equal("limit", (await set.HandleAsync(new(tenant, 0.001m, SpendingRule.Warn), _world.Administrator, Ct)).Refusal?.Field);
        Assert.Null((await set.HandleAsync(new(tenant, 10.22m, SpendingRule.BlockOrders), _world.Administrator, Ct)).Refusal);
        var forms = new List<OrderForm>();
        for (var i = 0; i < 20; i++)
        {
            forms.Add(await _world.FormAsync($"dear-{i}", Ct));
        }

        var results = await Task.WhenAll(forms.Select(f => PlaceAsync(tenant, owner, f)));

        // Four times 2.555 is 10.22 exactly.
        Assert.Equal(4, results.Count(r => r.Succeeded));
        Assert.All(results.Where(r => !r.Succeeded), r => Assert.IsType<SpendingExceeded>(r.Refusal));
    }

    // What is done to a tenant, one after the other; the model counts along, the portal sums up.
    [Fact]
    public async Task Whatever_is_done_the_sums_are_what_a_model_says_and_no_limit_is_passed()
    {
        await Gen.Select(Gen.Bool, Gen.Int[1, 5], Gen.Int[0, 5].Array[4, 14]).SampleAsync(
            async (runningOnly, vcpus, acts) =>
            {
                var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct, limits: s_none with { RunningOnly = runningOnly, Vcpus = Limit.Of(vcpus), WaitingVms = Limit.Of(3) });
                var (waiting, on, off) = (new List<OrderId>(), new List<Vm>(), new List<Vm>());
                foreach (var act in acts)
                {
                    var counted = waiting.Count + on.Count + (runningOnly ? 0 : off.Count);
                    switch (act)
                    {
                        case 0 or 1:
                            var placed = await PlaceAsync(tenant, owner, await _world.FormAsync(_world.NewName(), Ct));
                            Assert.Equal(counted + 1 > vcpus ? "quota.vcpus" : waiting.Count + 1 > 3 ? "quota.waiting" : null, placed.Refusal?.Code);
                            waiting.AddRange(placed.Succeeded ? [placed.Value.Order] : []);
                            break;
                        case 2 when waiting is [var first, ..]:
                            Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(first, Verdict.Approve, ""), _world.Approver, Ct)).Refusal);
                            waiting.RemoveAt(0);
                            await _world.Main.RunRungAsync(Ct);
                            await using (var db = _world.Main.Dbs.ForSystem())
                            {
                                on.Add((await db.Vms.AsNoTracking().Where(v => v.TenantId == tenant).ToListAsync(Ct)).Single(v => on.Concat(off).All(k => k.Id != v.Id) && v.Stage == VmStage.Ready));
                            }

                            break;
                        case 3 when on is [var running, ..]:
                            await DoneAsync(running, OperationKind.PowerOff, owner);
                            on.RemoveAt(0);
                            off.Add(running);
                            break;
                        case 4 when off is [var stopped, ..]:
                            var asked = await _world.AskAsync(stopped, OperationKind.Start, Ct, owner);
                            Assert.Equal(runningOnly && counted + 1 > vcpus ? "quota.vcpus" : null, asked.Refusal?.Code);
                            if (asked.Succeeded)
                            {
                                await _world.Main.RunRungAsync(Ct);
                                off.RemoveAt(0);
                                on.Add(stopped);
                            }

                            break;
                        case 5 when off is [var last, ..]:
                            await DoneAsync(last, OperationKind.Delete, owner);
                            off.RemoveAt(0);
                            break;
                        default:
                            break;
                    }

                    var quota = await QuotaAsync(tenant);
                    Assert.Equal((on.Count + off.Count, on.Count + (runningOnly ? 0 : off.Count), waiting.Count), (quota.Used.Vms, quota.Used.Vcpus, quota.InOrders.Vcpus));
                    Assert.True(quota.Total.Vcpus <= vcpus);
                }

                // Room for others.
                foreach (var vm in on.Concat(off).ToList())
                {
                    await DoneAsync(vm, OperationKind.Delete, owner);
                }
            },
            iter: 12,
            threads: 1);

        async Task DoneAsync(Vm vm, OperationKind kind, Actor owner)
        {
            Assert.Null((await _world.AskAsync(vm, kind, Ct, owner)).Refusal);
            await _world.Main.RunRungAsync(Ct);
        }
    }

    private static (int Vms, int Vcpus, long MemoryMiB) Sums(QuotaAmount amount) => (amount.Vms, amount.Vcpus, amount.Memory.CeilingMiB);

    private async Task<IReadOnlyList<Vm>> OffAsync(TenantId tenant, Actor owner, int count)
    {
        var vms = await _world.OrderAndApproveAsync(Ct, $"{_world.NewName()}-{{n}}", count: count, tenant: tenant, owner: owner);
        await _world.Main.RunRungAsync(Ct);
        foreach (var vm in vms)
        {
            Assert.Null((await _world.AskAsync(vm, OperationKind.PowerOff, Ct, owner)).Refusal);
        }

        await _world.Main.RunRungAsync(Ct);
        return vms;
    }

    private async Task LimitAsync(TenantId tenant, TenantLimits limits) =>
        Assert.Null((await _world.Main.Get<ChangeTenant.Handler>().HandleAsync(new(tenant, "limited", limits), _world.Administrator, Ct)).Refusal);

    private async Task<QuotaState> QuotaAsync(TenantId tenant)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        return await db.ReadQuotaAsync(await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == tenant, Ct), Ct);
    }

    private Task<Result<PlaceOrder.Placed>> PlaceAsync(TenantId tenant, Actor owner, OrderForm form) => _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(tenant, form, Guid.CreateVersion7().ToString()), owner, Ct);
}
