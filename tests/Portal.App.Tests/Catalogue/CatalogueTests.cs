using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Catalogue;

/// <summary>What is paused, out of stock, not for all or not for new VMs any more.</summary>
public sealed class CatalogueTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_many_orders_at_once_as_many_win_as_there_is_stock()
    {
        const int Stock = 7;
        var (_, plan) = await PlanAsync(Stock);
        var forms = new List<(TenantId Tenant, Actor Owner, OrderForm Form)>();
        for (var t = 0; t < 4; t++)
        {
            var (tenant, owner) = await _world.AddTenantAsync(_world.NewName(), Ct);
            for (var i = 0; i < 10; i++)
            {
                forms.Add((tenant, owner, await FormAsync(plan, count: 1 + (i % 2))));
            }
        }

        var results = await Task.WhenAll(forms.Select(f => _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(f.Tenant, f.Form, Guid.CreateVersion7().ToString()), f.Owner, Ct)));

        Assert.All(results.Where(r => !r.Succeeded), r => Assert.IsType<OutOfStock>(r.Refusal));
        var won = forms.Zip(results).Where(r => r.Second.Succeeded).Sum(r => r.First.Form.Lines[0].Count);
        Assert.Equal(Stock, won);
        Assert.Equal(Stock - won, (await RowAsync(plan)).Left);
    }

    [Fact]
    public async Task A_stock_that_is_set_while_orders_are_under_way_is_never_passed()
    {
        for (var round = 0; round < 5; round++)
        {
            var (biller, plan) = await PlanAsync(null);
            var name = (await RowAsync(plan)).Name;
            var forms = new List<OrderForm>();
            for (var i = 0; i < 12; i++)
            {
                forms.Add(await FormAsync(plan));
            }

            // Which orders come before the stock is a matter of luck; those after it see all that were before.
            var orders = forms.Select(f => _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(_world.Tenant, f, Guid.CreateVersion7().ToString()), _world.Owner, Ct)).ToList();
            Assert.Null((await _world.Main.Get<SavePlan.Handler>().HandleAsync(new(plan, name, 1, 256, 1, true, Stock: 20), biller, Ct)).Refusal);
            var won = (await Task.WhenAll(orders)).Count(r => r.Succeeded);
            Assert.Equal(20 - won, (await RowAsync(plan)).Left);
            var more = await Task.WhenAll(Enumerable.Range(0, 25 - won).Select(async _ => await PlaceAsync(await FormAsync(plan))));

            Assert.Equal(20 - won, more.Count(r => r.Succeeded));
            Assert.Equal(0, (await RowAsync(plan)).Left);
        }
    }

    [Fact]
    public async Task What_is_denied_or_deleted_is_there_again_and_what_is_adopted_counts()
    {
        var (biller, plan) = await PlanAsync(2);
        var first = (await PlaceAsync(await FormAsync(plan))).Value.Order;
        var second = (await PlaceAsync(await FormAsync(plan))).Value.Order;
        Assert.Equal("Nothing is left of plan", (await PlaceAsync(await FormAsync(plan))).Refusal?.Message[..23]);
        var preview = (await _world.Main.Get<PreviewOrder.Handler>().HandleAsync(new(_world.Tenant, await FormAsync(plan)), _world.Owner, Ct)).Value;
        Assert.Contains(preview.Problems, p => p is OutOfStock);

        var decide = _world.Main.Get<DecideOrder.Handler>();
        Assert.Null((await decide.HandleAsync(new(first, Verdict.Deny, "No."), _world.Approver, Ct)).Refusal);
        Assert.Null((await decide.HandleAsync(new(second, Verdict.Approve, ""), _world.Approver, Ct)).Refusal);
        await _world.Main.RunRungAsync(Ct);
        Assert.Equal(1, (await RowAsync(plan)).Left);

        var foreign = await _world.ForeignAsync(Ct);
        Assert.Null((await _world.Main.Get<AdoptDomain.Handler>().HandleAsync(foreign with { Plan = plan }, await OperatorAsync(), Ct)).Refusal);
        await _world.Main.RunRungAsync(Ct);
        Assert.Equal(0, (await RowAsync(plan)).Left);
        Assert.IsType<OutOfStock>((await _world.Main.Get<AdoptDomain.Handler>().HandleAsync((await _world.ForeignAsync(Ct)) with { Plan = plan }, await OperatorAsync(), Ct)).Refusal);

        await using var db = _world.Main.Dbs.ForSystem();
        var vm = await db.Vms.AsNoTracking().SingleAsync(v => v.PlanId == plan && v.TemplateVersionId != null, Ct);
        await _world.DoAsync(vm, OperationKind.Delete, Ct);
        Assert.Equal(1, (await RowAsync(plan)).Left);
        // Less than there are already: what is there stays.
        Assert.Null((await _world.Main.Get<SavePlan.Handler>().HandleAsync(new(plan, (await RowAsync(plan)).Name, 1, 256, 1, true, Stock: 0), biller, Ct)).Refusal);
        Assert.Equal(-1, (await RowAsync(plan)).Left);
        Assert.IsType<OutOfStock>((await PlaceAsync(await FormAsync(plan))).Refusal);
    }

    [Fact]
    public async Task What_is_paused_is_shown_with_its_reason_and_cannot_be_ordered()
    {
        var (biller, plan) = await PlanAsync(null);
        var row = await RowAsync(plan);
        var waits = (await PlaceAsync(await FormAsync(plan))).Value.Order;
        Assert.Null((await _world.Main.Get<SavePlan.Handler>().HandleAsync(new(plan, row.Name, 1, 256, 1, true, PausedBecause: "New hosts come on Monday."), biller, Ct)).Refusal);

        Assert.Equal(("New hosts come on Monday.", false), ((await RowAsync(plan)).Paused, (await RowAsync(plan)).IsThere));
        var refused = (await PlaceAsync(await FormAsync(plan))).Refusal;
        Assert.Equal(("catalogue.paused", "lines[0].plan", $"{row.Name} cannot be ordered for now: New hosts come on Monday."), (refused?.Code, refused?.Path, refused?.Message));
        // Who ordered before waits for a decision as before.
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(waits, Verdict.Approve, ""), _world.Approver, Ct)).Refusal);
        await _world.Main.RunRungAsync(Ct);

        var template = await TemplateAsync();
        await ChangeAsync(template, r => r with { PausedBecause = "Its kernel is looked at." });
        Assert.Equal("lines[0].template", (await PlaceAsync(await _world.FormAsync(_world.NewName(), Ct))).Refusal?.Path);
        Assert.Equal("Its kernel is looked at.", (await _world.Main.Get<ListTemplates.Handler>().HandleAsync(new(true, _world.Tenant), _world.Owner, Ct)).Value.Single().Paused);
        await ChangeAsync(template, r => r with { PausedBecause = " " });
        Assert.Null((await PlaceAsync(await _world.FormAsync(_world.NewName(), Ct))).Refusal);
    }

    [Fact]
    public async Task A_template_may_be_there_for_some_and_none_may_be_made_of_what_is_deprecated()
    {
        var template = await TemplateAsync();
        var vm = await _world.RunningVmAsync(Ct);
        var (other, owner) = await _world.AddTenantAsync(_world.NewName(), Ct);
        var list = _world.Main.Get<ListTemplates.Handler>();
        await ChangeAsync(template, r => r with { OnlyFor = [other] });

        Assert.Empty((await list.HandleAsync(new(true, _world.Tenant), _world.Owner, Ct)).Value);
        Assert.Empty((await list.HandleAsync(new(true), _world.Owner, Ct)).Value);
        Assert.Equal("lines[0].template", (await PlaceAsync(await _world.FormAsync(_world.NewName(), Ct))).Refusal?.Path);
        Assert.Null((await list.HandleAsync(new(true, other), owner, Ct)).Value.Single().OnlyFor);
        Assert.Equal("not_found", (await list.HandleAsync(new(true, other), _world.Owner, Ct)).Refusal?.Code);
        await _world.OrderAsync(Ct, tenant: other, owner: owner);
        Assert.Equal([other], (await list.HandleAsync(new(false), _world.Administrator, Ct)).Value.Single().OnlyFor);

        await ChangeAsync(template, r => r with { Offered = false, Deprecated = true });
        Assert.Empty((await list.HandleAsync(new(true, other), owner, Ct)).Value);
        Assert.True((await _world.Main.Get<GetVm.Handler>().HandleAsync(new(_world.Tenant, vm.Id), _world.Owner, Ct)).Value.TemplateDeprecated);
        Assert.Equal("deprecated", (await ChangeAsync(template, r => r with { Offered = true, Deprecated = true }, refused: true))?.Field);
        Assert.Equal("onlyFor", (await ChangeAsync(template, r => r with { OnlyFor = [] }, refused: true))?.Field);
        await ChangeAsync(template, r => r with { MinMemoryMiB = 512 });
        Assert.Equal("lines[0].plan", (await PlaceAsync(await _world.FormAsync(_world.NewName(), Ct))).Refusal?.Path);
        await ChangeAsync(template, r => r with { MinMemoryMiB = 128 });

        var history = (await _world.Main.Get<ListHistory.Handler>().HandleAsync(new(template.Id.Value), _world.Approver, Ct)).Value;
        Assert.All(history, h => Assert.StartsWith("template.", h.Verb, StringComparison.Ordinal));
        Assert.Contains(history, h => h.Details.Contains("deprecated", StringComparison.Ordinal));
        Assert.Equal("not_allowed", (await _world.Main.Get<ListHistory.Handler>().HandleAsync(new(template.Id.Value), _world.Owner, Ct)).Refusal?.Code);
    }

    [Fact]
    public async Task Prices_stand_in_a_plans_history_for_those_alone_who_keep_them()
    {
        var (biller, plan) = await PlanAsync(null);
        var history = _world.Main.Get<ListHistory.Handler>();

        Assert.Equal(["price.set", "plan.created"], (await history.HandleAsync(new(plan.Value), biller, Ct)).Value.Select(h => h.Verb));
        Assert.Equal(["plan.created"], (await history.HandleAsync(new(plan.Value), _world.Approver, Ct)).Value.Select(h => h.Verb));
    }

    private async Task<(Actor Biller, PlanId Plan)> PlanAsync(int? stock)
    {
        var biller = await _world.AddPersonAsync($"biller-{_world.NewName()}", [PlatformRole.Biller], [], Ct);
        var plan = (await _world.Main.Get<SavePlan.Handler>().HandleAsync(new(null, _world.NewName(), 1, 256, 1, true, Stock: stock), biller, Ct)).Value;
        Assert.Null((await _world.Main.Get<SetPrice.Handler>().HandleAsync(new(plan, new Tariff(new Price(Currency.Eur, 0.001m, 0.001m))), biller, Ct)).Refusal);
        return (biller, plan);
    }

    private async Task<Actor> OperatorAsync() => await _world.AddPersonAsync($"operator-{_world.NewName()}", [PlatformRole.Operator], [], Ct);

    private async Task<PlanRow> RowAsync(PlanId plan) => (await _world.Main.Get<ListPlans.Handler>().HandleAsync(new(Currency.Eur, true), _world.Owner, Ct)).Value.Single(p => p.Id == plan);

    private async Task<TemplateRow> TemplateAsync() => (await _world.Main.Get<ListTemplates.Handler>().HandleAsync(new(false), _world.Administrator, Ct)).Value.Single();

    private async Task<Refusal?> ChangeAsync(TemplateRow template, Func<ChangeTemplate.Request, ChangeTemplate.Request> change, bool refused = false)
    {
        var answer = await _world.Main.Get<ChangeTemplate.Handler>().HandleAsync(change(new(template.Id, template.Name, template.Description, template.SignIn, true)), _world.Administrator, Ct);
        Assert.Equal(refused, answer.Refusal is not null);
        return answer.Refusal;
    }

    private async Task<OrderForm> FormAsync(PlanId plan, int count = 1) => (await _world.FormAsync(_world.NewName() + (count > 1 ? "-{n}" : ""), Ct, count: count)).With(l => l with { Plan = plan });

    private Task<Result<PlaceOrder.Placed>> PlaceAsync(OrderForm form) => _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(_world.Tenant, form, Guid.CreateVersion7().ToString()), _world.Owner, Ct);
}
