using CsCheck;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Billing;
using Portal.App.Catalogue;
using Portal.App.Metering;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Pricing;

/// <summary>Which price applies when and to whom; what is paid once; tax.</summary>
public sealed class PriceTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    // Ahead, so that a row may be withdrawn.
    private static readonly DateTimeOffset s_start = new(2035, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<(int Day, Kind Kind, bool Withdrawn, decimal Rate)[]> s_rows =
        Gen.Select(Gen.Int[0, 12], Gen.Int[0, 2].Select(k => (Kind)k), Gen.Frequency((4, Gen.Const(false)), (1, Gen.Const(true))), Gen.Int[0, 100_000].Select(r => r / 10_000m)).Array[0, 9];

    private static readonly string[] s_codes = ["EUR", "JPY", "KWD", "CLF"];

    private readonly PortalWorld _world = fixture.World;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private enum Kind
    {
        List,
        Own,
        OwnEnds,
    }

    [Fact]
    public async Task At_every_instant_a_tenants_own_price_goes_before_the_lists_until_it_ends()
    {
        await s_rows.SampleAsync(
            async asked =>
            {
                // At one instant one price begins, unless it is withdrawn.
                var rows = asked.DistinctBy(r => (r.Day, r.Kind == Kind.List, r.Withdrawn)).ToList();
                await using var db = _world.Main.Dbs.ForSystem();
                await using var transaction = await db.Database.BeginTransactionAsync(Ct);
                var plan = new Plan(_world.NewName(), new VmSize(1, ByteSize.FromMiB(256), ByteSize.FromGiB(1)));
                db.Add(plan);
                await db.SaveChangesAsync(Ct);
                // Those that are withdrawn first: another may begin in their place.
                foreach (var row in rows.OrderByDescending(r => r.Withdrawn))
                {
                    DatedPrice price = row.Kind switch
                    {
                        Kind.List => new PlanPrice(plan.Id, Tariff(row.Rate), At(row.Day)),
                        Kind.Own => new TenantPrice(_world.Tenant, plan.Id, Tariff(row.Rate), At(row.Day)),
                        _ => TenantPrice.End(_world.Tenant, plan.Id, Currency.Eur, At(row.Day)),
                    };
                    db.Add(price);
                    await db.SaveChangesAsync(Ct);
                    if (row.Withdrawn)
                    {
                        await db.PlanPrices.Where(p => p.Id == price.Id).ExecuteUpdateAsync(s => s.SetProperty(p => p.WithdrawnAt, p => p.ValidFrom), Ct);
                        await db.TenantPrices.Where(p => p.Id == price.Id).ExecuteUpdateAsync(s => s.SetProperty(p => p.WithdrawnAt, p => p.ValidFrom), Ct);
                    }
                }

                for (var day = -1; day <= 13; day++)
                {
                    var stands = rows.Where(r => !r.Withdrawn && r.Day <= day).ToList();
                    var list = stands.Where(r => r.Kind == Kind.List).Select(r => (r.Day, Rate: (decimal?)r.Rate)).DefaultIfEmpty().MaxBy(r => r.Day).Rate;
                    var own = stands.Where(r => r.Kind != Kind.List).OrderBy(r => r.Day).Select(r => r.Kind == Kind.Own ? (decimal?)r.Rate : null).LastOrDefault();

                    Assert.Equal(own ?? list, (await db.FindTariffAsync(_world.Tenant, plan.Id, Currency.Eur, At(day).AddHours(1), Ct))?.Smallest.RunningPerHour);
                    Assert.Equal(list, (await db.FindTariffAsync(TenantId.New(), plan.Id, Currency.Eur, At(day), Ct))?.Smallest.RunningPerHour);
                }
            },
            iter: 60,
            threads: 1);

        static DateTimeOffset At(int day) => s_start.AddDays(day);
    }

    [Fact]
    public async Task The_database_itself_keeps_prices_and_rates_as_they_are_and_apart()
    {
        var (_, plan) = await PlanAsync(1);
        var (tenant, _) = await _world.AddTenantAsync(_world.NewName(), Ct);
        await using var db = _world.Main.Dbs.ForSystem();
        var now = await db.NowAsync(Ct);
        db.AddRange(new TenantPrice(tenant, plan, Tariff(2), now), new TaxRate(tenant, 19, now), new TaxRate(tenant, 20, s_start), new PlanPrice(plan, Tariff(3), s_start));
        await db.SaveChangesAsync(Ct);

        foreach (var sql in new[]
        {
            "UPDATE plan_prices SET running_per_hour = 0 WHERE plan_id = $1", "DELETE FROM plan_prices WHERE plan_id = $1",
            "UPDATE tenant_prices SET valid_from = valid_from - interval '1 day' WHERE plan_id = $1", "DELETE FROM tenant_prices WHERE plan_id = $1", "UPDATE tenant_prices SET withdrawn_at = clock_timestamp() WHERE plan_id = $1",
            $"UPDATE tax_rates SET withdrawn_at = clock_timestamp() WHERE tenant_id = '{tenant}' AND percent = 19 AND $1::uuid IS NOT NULL", $"UPDATE tax_rates SET percent = 1 WHERE tenant_id = '{tenant}' AND $1::uuid IS NOT NULL",
            $"DELETE FROM tax_rates WHERE tenant_id = '{tenant}' AND $1::uuid IS NOT NULL",
        })
        {
            Assert.Equal(PostgresErrorCodes.CheckViolation, (await Assert.ThrowsAsync<PostgresException>(() => _world.Database.ExecuteAsync(sql, Ct, plan.Value))).SqlState);
        }

        foreach (object twin in new object[] { new PlanPrice(plan, Tariff(4), s_start), new TenantPrice(tenant, plan, Tariff(4), now), TenantPrice.End(tenant, plan, Currency.Eur, now), new TaxRate(tenant, 1, now) })
        {
            await using var other = _world.Main.Dbs.ForSystem();
            other.Add(twin);
            Assert.Equal(PostgresErrorCodes.UniqueViolation, Assert.IsType<PostgresException>((await Assert.ThrowsAsync<DbUpdateException>(() => other.SaveChangesAsync(Ct))).InnerException).SqlState);
        }
    }

    [Fact]
    public async Task A_tenants_own_price_is_seen_paid_and_frozen_by_it_alone_and_can_be_ended()
    {
        var (biller, plan) = await PlanAsync(1);
        var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct);
        var set = _world.Main.Get<SetPrice.Handler>();
        Assert.Null((await set.HandleAsync(new(plan, new Tariff(new Price(Currency.Eur, 0.5m, 0.1m, 7)), tenant), biller, Ct)).Refusal);

        Assert.Equal(0.5m, await SeenAsync(tenant, owner));
        Assert.Equal(1m, await SeenAsync(_world.Tenant, _world.Owner));
        Assert.Equal("not_found", (await _world.Main.Get<ListPlans.Handler>().HandleAsync(new(Currency.Eur, true, tenant), _world.Owner, Ct)).Refusal?.Code);
        var order = await PlaceAsync(tenant, owner, plan);
        Assert.Null((await _world.Main.Get<EndTenantPrice.Handler>().HandleAsync(new(plan, tenant), biller, Ct)).Refusal);

        Assert.Equal(1m, await SeenAsync(tenant, owner));
        Assert.Equal("not_found", (await _world.Main.Get<EndTenantPrice.Handler>().HandleAsync(new(plan, tenant), biller, Ct)).Refusal?.Code);
        var frozen = (await _world.Main.Get<GetOrder.Handler>().HandleAsync(new(order), owner, Ct)).Value.Row.Price;
        Assert.Equal(new Price(Currency.Eur, 0.5m, 0.1m, 7), frozen);
        var rows = (await _world.Main.Get<GetPrices.Handler>().HandleAsync(new(plan), biller, Ct)).Value.Rows;
        Assert.Equal([(tenant, null, DatedState.Now), (tenant, 0.5m, DatedState.Past), ((TenantId?)null, (decimal?)1m, DatedState.Now)], rows.Select(r => (r.Buyer, r.Tariff?.Smallest.RunningPerHour, r.State)));
        // Who sees no costs sees the list alone.
        Assert.Single((await _world.Main.Get<GetPrices.Handler>().HandleAsync(new(plan), _world.Approver, Ct)).Value.Rows);

        async Task<decimal> SeenAsync(TenantId buyer, Actor actor) =>
            (await _world.Main.Get<ListPlans.Handler>().HandleAsync(new(Currency.Eur, true, buyer), actor, Ct)).Value.Single(p => p.Id == plan).Price!.RunningPerHour;
    }

    [Fact]
    public async Task A_scheduled_price_waits_says_what_it_means_and_can_be_withdrawn_while_the_past_is_fixed()
    {
        var (biller, plan) = await PlanAsync(1);
        var set = _world.Main.Get<SetPrice.Handler>();
        var order = await PlaceAsync(_world.Tenant, _world.Owner, plan);
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Approver, Ct)).Refusal);
        await _world.Main.RunRungAsync(Ct);

        Assert.Null((await set.HandleAsync(new(plan, Tariff(3), From: s_start), biller, Ct)).Refusal);
        Assert.Equal("pricing.from_taken", (await set.HandleAsync(new(plan, Tariff(4), From: s_start), biller, Ct)).Refusal?.Code);
        Assert.Equal("from", (await set.HandleAsync(new(plan, Tariff(4), From: DateTimeOffset.UnixEpoch), biller, Ct)).Refusal?.Field);
        Assert.Equal("setup", (await set.HandleAsync(new(plan, new Tariff(new Price(Currency.Eur, 1, 0, 0.005m))), biller, Ct)).Refusal?.Field);
        Assert.Equal("setup", (await set.HandleAsync(new(plan, new Tariff(new Price(new Currency("JPY"), 1, 0, 0.5m))), biller, Ct)).Refusal?.Field);
        Assert.Equal("pricing.other_currency", (await set.HandleAsync(new(plan, new Tariff(new Price(new Currency("JPY"), 1, 0)), _world.Tenant), biller, Ct)).Refusal?.Code);
        Assert.Equal("not_allowed", (await set.HandleAsync(new(plan, Tariff(4)), _world.Owner, Ct)).Refusal?.Code);

        var effect = (await _world.Main.Get<PreviewPrice.Handler>().HandleAsync(new(plan, Tariff(3)), biller, Ct)).Value.Single();
        Assert.Equal((_world.Tenant, 1, 730m, 2190m, 1460m, false), (effect.Tenant, effect.Vms, effect.Now.Amount, effect.Then.Amount, effect.More.Amount, effect.OwnPrice));

        var scheduled = (await _world.Main.Get<GetPrices.Handler>().HandleAsync(new(plan), biller, Ct)).Value.Rows.Single(r => r.State == DatedState.Scheduled);
        var withdraw = _world.Main.Get<WithdrawPrice.Handler>();
        Assert.Null((await withdraw.HandleAsync(new(plan, scheduled.Id), biller, Ct)).Refusal);
        Assert.Equal("not_found", (await withdraw.HandleAsync(new(plan, scheduled.Id), biller, Ct)).Refusal?.Code);
        var rows = (await _world.Main.Get<GetPrices.Handler>().HandleAsync(new(plan), biller, Ct)).Value.Rows;
        Assert.Equal([DatedState.Withdrawn, DatedState.Now], rows.Select(r => r.State));
        Assert.Equal("not_found", (await withdraw.HandleAsync(new(plan, rows[1].Id), biller, Ct)).Refusal?.Code);
        Assert.Null((await set.HandleAsync(new(plan, Tariff(5), From: s_start), biller, Ct)).Refusal);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(["plan.created", "price.set", "price.set", "price.withdrawn", "price.set"], await db.AuditEntries.Where(e => e.ObjectId == plan.Value).OrderBy(e => e.Id).Select(e => e.Verb).ToListAsync(Ct));
    }

    [Fact]
    public async Task Setup_is_paid_once_when_a_vm_first_runs_and_a_build_that_failed_costs_nothing()
    {
        var (biller, plan) = await PlanAsync(1);
        Assert.Null((await _world.Main.Get<SetPrice.Handler>().HandleAsync(new(plan, new Tariff(new Price(Currency.Eur, 0.1m, 0.1m, 12.5m))), biller, Ct)).Refusal);
        var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct);
        Assert.Null((await _world.Main.Get<SetTaxRate.Handler>().HandleAsync(new(tenant, 19), biller, Ct)).Refusal);
        var order = await PlaceAsync(tenant, owner, plan, count: 2);
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), _world.Approver, Ct)).Refusal);
        _world.Refusals[SimulatedVerb.EnsureRunning] = new HostSaidNo("do it", "no");
        await _world.Main.RunRungAsync(Ct);
        _world.Refusals.Clear();
        Assert.Empty((await UsageAsync()).Setups);
        Assert.Equal(0m, (await UsageAsync()).Sum.Gross.Amount);

        await using var db = _world.Main.Dbs.ForSystem();
        var vms = await db.Vms.AsNoTracking().Where(v => v.TenantId == tenant).ToListAsync(Ct);
        Assert.Null((await _world.AskAsync(vms[0], OperationKind.Build, Ct, owner)).Refusal);
        await _world.Main.RunRungAsync(Ct);
        foreach (var kind in new[] { OperationKind.PowerOff, OperationKind.Start, OperationKind.Delete })
        {
            Assert.Null((await _world.AskAsync(vms[0], kind, Ct, owner)).Refusal);
            await _world.Main.RunRungAsync(Ct);
        }

        var usage = await UsageAsync();
        var paid = Assert.Single(usage.Setups);
        Assert.Equal((vms[0].Id, 12.5m), (paid.Vm, paid.Amount));
        Assert.Equal(Math.Round(usage.Lines.Sum(l => l.Amount) + 12.5m, 2, MidpointRounding.ToEven), usage.Total.Amount);
        Assert.Equal(19m, usage.Sum.Percent);
        Assert.Equal(usage.Sum.Net + usage.Sum.Tax!.Value, usage.Sum.Gross);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => _world.Database.ExecuteAsync("UPDATE setup_charges SET amount = 1 WHERE vm_id = $1", Ct, vms[0].Id.Value));
        Assert.Equal(PostgresErrorCodes.CheckViolation, refused.SqlState);

        async Task<MonthUsage.Usage> UsageAsync() => (await _world.Main.Get<MonthUsage.Handler>().HandleAsync(new(tenant), owner, Ct)).Value;
    }

    [Fact]
    public async Task An_order_keeps_the_tax_rate_that_it_was_placed_at()
    {
        var (biller, plan) = await PlanAsync(1);
        var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct);
        var set = _world.Main.Get<SetTaxRate.Handler>();
        var untaxed = await PlaceAsync(tenant, owner, plan);
        Assert.Null((await set.HandleAsync(new(tenant, 8.1m), biller, Ct)).Refusal);
        var preview = (await _world.Main.Get<PreviewOrder.Handler>().HandleAsync(new(tenant, await FormAsync(plan)), owner, Ct)).Value;
        var taxed = await PlaceAsync(tenant, owner, plan);
        Assert.Null((await set.HandleAsync(new(tenant, 20), biller, Ct)).Refusal);

        Assert.Equal(8.1m, preview.TaxPercent);
        Assert.Equal((null, 8.1m), (await RateAsync(untaxed), await RateAsync(taxed)));
        Assert.Equal("percent", (await set.HandleAsync(new(tenant, 100.5m), biller, Ct)).Refusal?.Field);
        Assert.Equal("not_allowed", (await set.HandleAsync(new(tenant, 0), owner, Ct)).Refusal?.Code);
        Assert.Null((await set.HandleAsync(new(tenant, 21, s_start), biller, Ct)).Refusal);
        var rates = (await _world.Main.Get<ListTaxRates.Handler>().HandleAsync(new(tenant), owner, Ct)).Value.Single();
        Assert.Equal(20m, rates.Now);
        Assert.Equal([DatedState.Scheduled, DatedState.Now, DatedState.Past], rates.Rates.Select(r => r.State));
        Assert.Null((await _world.Main.Get<WithdrawTaxRate.Handler>().HandleAsync(new(tenant, rates.Rates[0].Id), biller, Ct)).Refusal);
        Assert.Equal("not_found", (await _world.Main.Get<WithdrawTaxRate.Handler>().HandleAsync(new(tenant, rates.Rates[1].Id), biller, Ct)).Refusal?.Code);

        async Task<decimal?> RateAsync(OrderId order) => (await _world.Main.Get<GetOrder.Handler>().HandleAsync(new(order), owner, Ct)).Value.Row.TaxPercent;
    }

    [Fact]
    public async Task Usage_is_taxed_by_the_rate_of_its_time_and_rounded_at_the_end()
    {
        var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct);
        var vm = (await _world.OrderAndApproveAsync(Ct, tenant: tenant, owner: owner)).Single();
        var january = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await using (var db = _world.Main.Dbs.ForSystem())
        {
            var all = UsageInterval.Open(vm, Meter.VmAllocated, january.AddDays(-3));
            all.Close(january.AddDays(40));
            db.AddRange(all, new TaxRate(tenant, 19, january.AddDays(10)), new TaxRate(tenant, 7, january.AddDays(20)));
            await db.SaveChangesAsync(Ct);
        }

        var usage = (await _world.Main.Get<MonthUsage.Handler>().HandleAsync(new(tenant, january), owner, Ct)).Value;

        // Ten days without, ten of 19 %, eleven of 7 %, at 0.0005 an hour.
        const decimal Day = 24 * 0.0005m;
        Assert.Equal(Math.Round(31 * Day, 2, MidpointRounding.ToEven), usage.Sum.Net.Amount);
        Assert.Equal(Math.Round((10 * Day * 0.19m) + (11 * Day * 0.07m), 2, MidpointRounding.ToEven), usage.Sum.Tax?.Amount);
        Assert.Null(usage.Sum.Percent);
        Assert.Equal(usage.Sum, usage.Forecast);
    }

    [Fact]
    public void Net_and_tax_are_rounded_once_half_to_even_and_add_up_in_every_currency() =>
        Gen.Select(Gen.Long[0, 1_000_000_000_000].Select(n => n / 10_000_000m), Gen.Int[0, 1_000_000].Select(p => p / 10_000m), Gen.Int[0, 3].Select(i => s_codes[i])).Sample((net, percent, code) =>
        {
            var currency = new Currency(code);
            var taxed = Taxed.Of(new Money(net, currency), percent);

            Assert.Equal(Math.Round(net, currency.MinorUnits, MidpointRounding.ToEven), taxed.Net.Amount);
            Assert.Equal(Math.Round(net * percent / 100, currency.MinorUnits, MidpointRounding.ToEven), taxed.Tax?.Amount);
            Assert.Equal(taxed.Net.Amount + taxed.Tax!.Value.Amount, taxed.Gross.Amount);
            Assert.Equal(taxed.Gross, taxed.Gross.ToInvoicePrecision());
        });

    private static Tariff Tariff(decimal rate) => new(new Price(Currency.Eur, rate, 0));

    private async Task<(Actor Biller, PlanId Plan)> PlanAsync(decimal rate)
    {
        var biller = await _world.AddPersonAsync($"biller-{_world.NewName()}", [PlatformRole.Biller], [], Ct);
        var plan = (await _world.Main.Get<SavePlan.Handler>().HandleAsync(new(null, _world.NewName(), 1, 256, 1, true), biller, Ct)).Value;
        Assert.Null((await _world.Main.Get<SetPrice.Handler>().HandleAsync(new(plan, Tariff(rate)), biller, Ct)).Refusal);
        return (biller, plan);
    }

    private async Task<OrderForm> FormAsync(PlanId plan, int count = 1) => (await _world.FormAsync(_world.NewName() + (count > 1 ? "-{n}" : ""), Ct, count: count)).With(l => l with { Plan = plan });

    private async Task<OrderId> PlaceAsync(TenantId tenant, Actor owner, PlanId plan, int count = 1) =>
        (await _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(tenant, await FormAsync(plan, count), Guid.CreateVersion7().ToString()), owner, Ct)).Value.Order;
}
