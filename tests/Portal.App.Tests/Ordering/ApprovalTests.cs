using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.App.Policies;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Ordering;

/// <summary>Whom an order asks, and what their words do.</summary>
public sealed class ApprovalTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    [Fact]
    public async Task The_tenant_is_asked_before_the_provider_and_the_last_yes_makes_the_vms()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("both-sides", ct);
        var billing = await MemberAsync(tenant, "both-billing", TenantRole.Billing, ct);
        await SaveAsync(tenant, PolicySide.Tenant, new PolicyBody(null, [Step("Spend", 1, 1, new Voter(TenantRole: TenantRole.Billing))]), owner, ct);
        var order = await _world.OrderAsync(ct, tenant: tenant, owner: owner);

        Assert.Equal("ordering.not_asked", (await DecideAsync(order, _world.Approver, ct)).Refusal?.Code);
        Assert.Equal([order], await MineAsync(billing, ct));
        Assert.DoesNotContain(order, await MineAsync(_world.Approver, ct));
        Assert.Null((await DecideAsync(order, billing, ct)).Refusal);
        Assert.Equal([(PolicySide.Tenant, 1, ApprovalStepState.Approved), (PolicySide.Provider, 2, ApprovalStepState.Open)], (await GetAsync(order, owner, ct)).Steps.Select(s => (s.Side, s.Stage, s.State)));
        Assert.Contains(order, await MineAsync(_world.Approver, ct));
        Assert.Null((await DecideAsync(order, _world.Approver, ct)).Refusal);

        Assert.Equal(OrderState.Building, (await GetAsync(order, owner, ct)).Row.State);
        Assert.Equal(["order.placed", "order.step_approved", "order.approved"], await VerbsAsync(order, ct));
        await _world.Main.RunRungAsync(ct);
    }

    [Fact]
    public async Task N_of_m_counts_persons_and_parallel_steps_are_open_at_once()
    {
        var ct = TestContext.Current.CancellationToken;
        var (ana, bo, cy, di) = (await StaffAsync("par-ana", ct), await StaffAsync("par-bo", ct), await StaffAsync("par-cy", ct), await StaffAsync("par-di", ct));
        var (tenant, owner) = await _world.AddTenantAsync("parallel", ct, new PolicyBody(null, [Step("Two of three", 1, 2, Of(ana), Of(bo), Of(cy)), Step("One beside", 1, 1, Of(di)), Step("At last", 2, 1, Of(ana))]));
        var order = await _world.OrderAsync(ct, tenant: tenant, owner: owner);

        Assert.Null((await DecideAsync(order, ana, ct)).Refusal);
        var again = Assert.IsType<VotedAlready>((await DecideAsync(order, ana, ct)).Refusal);
        Assert.Contains("Two of three", again.Message, StringComparison.Ordinal);
        Assert.Null((await DecideAsync(order, di, ct)).Refusal);
        Assert.Equal("Two of three, 1 of 2", (await GetAsync(order, owner, ct)).Row.WaitsFor);
        Assert.Null((await DecideAsync(order, cy, ct)).Refusal);
        // Decided without him: he is told by whom.
        Assert.Equal("par-cy approved this step already. It waits for par-ana (At last) now.", (await DecideAsync(order, bo, ct)).Refusal?.Message);
        // Ana looked at the first stage when she clicked again: her click is no vote on the next.
        Assert.IsType<DecidedAlready>((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, "", Stage: 1), ana, ct)).Refusal);
        Assert.Equal(OrderState.Waiting, (await GetAsync(order, owner, ct)).Row.State);
        Assert.Null((await DecideAsync(order, ana, ct)).Refusal);

        Assert.Equal(OrderState.Building, (await GetAsync(order, owner, ct)).Row.State);
        await _world.Main.RunRungAsync(ct);
    }

    [Fact]
    public async Task One_no_of_an_open_step_denies_the_order_and_frees_what_it_held()
    {
        var ct = TestContext.Current.CancellationToken;
        var (ana, bo) = (await StaffAsync("no-ana", ct), await StaffAsync("no-bo", ct));
        var (tenant, owner) = await _world.AddTenantAsync("denied", ct, new PolicyBody(null, [Step("Two", 1, 2, Of(ana), Of(bo)), Step("Later", 2, 1, new Voter(PlatformRole: PlatformRole.Approver))]));
        var order = await _world.OrderAsync(ct, tenant: tenant, owner: owner);

        Assert.Null((await DecideAsync(order, ana, ct)).Refusal);
        Assert.IsType<NotAsked>((await DecideAsync(order, _world.Approver, ct, Verdict.Deny, "Not my turn.")).Refusal);
        Assert.Null((await DecideAsync(order, bo, ct, Verdict.Deny, "Too dear.")).Refusal);

        var details = await GetAsync(order, owner, ct);
        Assert.Equal(OrderState.Denied, details.Row.State);
        Assert.Equal([ApprovalStepState.Denied, ApprovalStepState.NotNeeded], details.Steps.Select(s => s.State));
        Assert.Equal(["no-ana", "no-bo"], details.Steps[0].Votes.Select(v => v.By));
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.False(await db.QuotaReservations.AnyAsync(r => r.TenantId == tenant, ct));
    }

    [Fact]
    public async Task An_order_keeps_the_policy_that_it_came_under()
    {
        var ct = TestContext.Current.CancellationToken;
        var ana = await StaffAsync("frozen-ana", ct);
        var (tenant, owner) = await _world.AddTenantAsync("frozen", ct, new PolicyBody(null, [Step("Ana alone", 1, 1, Of(ana))], 3));
        var order = await _world.OrderAsync(ct, tenant: tenant, owner: owner);
        await using var db = _world.Main.Dbs.ForSystem();
        var row = await db.Orders.AsNoTracking().SingleAsync(o => o.Id == order, ct);
        Assert.Equal(TimeSpan.FromDays(3), row.ExpiresAt - row.CreatedAt);

        await SaveAsync(tenant, PolicySide.Provider, PolicyBody.Nobody, _world.Administrator, ct, baseVersion: 1);
        Assert.Equal(2, (await _world.Main.Get<SavePolicy.Handler>().HandleAsync(new(tenant, PolicySide.Provider, PolicyBody.OneApprover, "", 1), _world.Administrator, ct)).Refusal is ChangedMeanwhile ? 2 : 0);
        await _world.Main.Get<OrderSweep>().SweepAsync(ct);

        var details = await GetAsync(order, owner, ct);
        Assert.Equal((OrderState.Waiting, "Ana alone", "the provider's policy for frozen, version 1"), (details.Row.State, details.Row.WaitsFor, details.Steps[0].Policy));
        Assert.IsType<NotAsked>((await DecideAsync(order, _world.Approver, ct)).Refusal);
        Assert.Null((await DecideAsync(order, ana, ct)).Refusal);
        // The next one comes under the new version.
        Assert.Equal(OrderState.Building, (await GetAsync(await _world.OrderAsync(ct, tenant: tenant, owner: owner), owner, ct)).Row.State);
        await _world.Main.RunRungAsync(ct);
        // Taken back, the platform's answers again.
        Assert.Equal(3, (await _world.Main.Get<SavePolicy.Handler>().HandleAsync(new(tenant, PolicySide.Provider, null, "No need.", 2), _world.Administrator, ct)).Value);
        Assert.Equal("Approver", (await GetAsync(await _world.OrderAsync(ct, tenant: tenant, owner: owner), owner, ct)).Row.WaitsFor);
    }

    [Fact]
    public async Task Where_those_who_could_vote_are_too_few_an_administrator_decides_in_their_place_and_it_is_recorded()
    {
        var ct = TestContext.Current.CancellationToken;
        var (ana, bo) = (await StaffAsync("gone-ana", ct), await StaffAsync("gone-bo", ct));
        var (tenant, owner) = await _world.AddTenantAsync("gone", ct, new PolicyBody(null, [Step("Both", 1, 2, Of(ana), Of(bo))]));
        var order = await _world.OrderAsync(ct, tenant: tenant, owner: owner);
        Assert.Null((await DecideAsync(order, ana, ct)).Refusal);
        Assert.False((await GetAsync(order, _world.Administrator, ct)).Steps[0].OutOfReach);
        await _world.Database.ExecuteAsync("UPDATE users SET disabled = true WHERE id = $1", ct, bo.User!.Value.Value);

        var step = (await GetAsync(order, _world.Administrator, ct)).Steps[0];
        Assert.Equal((true, true, 0, 1), (step.OutOfReach, step.InTheirPlace, step.CanVote.Count, step.Yes));
        Assert.Equal("not_allowed", (await InPlaceAsync(order, step.Id, "I want it.", _world.Approver, ct)).Refusal?.Code);
        Assert.Equal("reason", (await InPlaceAsync(order, step.Id, " ", _world.Administrator, ct)).Refusal?.Field);
        Assert.Null((await InPlaceAsync(order, step.Id, "Bo has left.", _world.Administrator, ct)).Refusal);

        var details = await GetAsync(order, owner, ct);
        Assert.Equal(OrderState.Building, details.Row.State);
        Assert.Equal([("gone-ana", false), ("Administrator", true)], details.Steps[0].Votes.Select(v => (v.By, v.InTheirPlace)));
        Assert.Equal(["order.placed", "order.step_approved", "order.approved_in_their_place"], await VerbsAsync(order, ct));
        Assert.Equal(0, (await GetAsync(order, owner, ct)).Steps.Count(s => s.CanVote.Count > 0));
        await _world.Main.RunRungAsync(ct);
    }

    [Fact]
    public async Task Who_lost_the_role_or_left_the_tenant_is_not_asked_any_more()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("left", ct);
        var (member, billing) = (await MemberAsync(tenant, "left-member", TenantRole.Member, ct), await MemberAsync(tenant, "left-billing", TenantRole.Billing, ct));
        await SaveAsync(tenant, PolicySide.Tenant, new PolicyBody(null, [Step("Any", 1, 1, Of(member), new Voter(TenantRole: TenantRole.Billing))]), owner, ct);
        var order = await _world.OrderAsync(ct, tenant: tenant, owner: owner);
        await _world.Database.ExecuteAsync("DELETE FROM memberships WHERE user_id = $1", ct, member.User!.Value.Value);
        await _world.Database.ExecuteAsync("UPDATE memberships SET role = 'Viewer' WHERE user_id = $1", ct, billing.User!.Value.Value);

        Assert.IsType<NotFound>((await DecideAsync(order, await _world.ActorAsync(member.User!.Value, ct), ct)).Refusal);
        Assert.IsType<NotAsked>((await DecideAsync(order, await _world.ActorAsync(billing.User!.Value, ct), ct)).Refusal);
        Assert.True((await GetAsync(order, owner, ct)).Steps[0].OutOfReach);
        // Whoever ordered may always take it back.
        Assert.Null((await _world.Main.Get<CancelOrder.Handler>().HandleAsync(new(tenant, order), owner, ct)).Refusal);
    }

    [Fact]
    public async Task Who_ordered_votes_only_where_the_step_lets_him()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("own", ct);
        await SaveAsync(tenant, PolicySide.Tenant, new PolicyBody(null, [Step("Owner", 1, 1, new Voter(TenantRole: TenantRole.Owner)) with { FourEyes = false }, Step("Another", 2, 1, new Voter(TenantRole: TenantRole.Owner))]), owner, ct);
        var order = await _world.OrderAsync(ct, tenant: tenant, owner: owner);

        Assert.Null((await DecideAsync(order, owner, ct)).Refusal);
        Assert.IsType<OwnOrder>((await DecideAsync(order, owner, ct)).Refusal);
        Assert.DoesNotContain(order, await MineAsync(owner, ct));
        Assert.Equal(new OwnOrder().Message, (await GetAsync(order, owner, ct)).WhyNot);
    }

    [Fact]
    public async Task An_administrator_does_not_decide_on_an_order_of_his_own_in_anybodys_place()
    {
        var ct = TestContext.Current.CancellationToken;
        var admin = await _world.AddPersonAsync("own-admin", [PlatformRole.Administrator], [(_world.Tenant, TenantRole.Owner)], ct);
        var order = await _world.OrderAsync(ct, owner: admin);
        var step = (await GetAsync(order, admin, ct)).Steps[0];

        Assert.False(step.InTheirPlace);
        Assert.IsType<OwnOrder>((await InPlaceAsync(order, step.Id, "Why not.", admin, ct)).Refusal);
    }

    [Fact]
    public async Task What_passed_by_itself_counts_for_the_next_order_of_the_same_person_alone()
    {
        var ct = TestContext.Current.CancellationToken;
        // A Nano is 2.555 EUR a month.
        var limits = new AutomaticLimits { PerMonth = 6m, Currency = "EUR", WithinDays = 7 };
        var (tenant, owner) = await _world.AddTenantAsync("splitting", ct, new PolicyBody(limits, PolicyBody.OneApprover.Steps));
        var other = await MemberAsync(tenant, "splitting-other", TenantRole.Member, ct);

        var first = await _world.OrderAsync(ct, tenant: tenant, owner: owner);
        var second = await _world.OrderAsync(ct, tenant: tenant, owner: owner);
        var third = await _world.OrderAsync(ct, tenant: tenant, owner: owner);
        var others = await _world.OrderAsync(ct, tenant: tenant, owner: other);

        Assert.Equal([OrderState.Building, OrderState.Building, OrderState.Waiting, OrderState.Building], await StatesAsync());
        Assert.Contains("together with 2 earlier orders in 7 days", (await GetAsync(third, owner, ct)).Steps[0].Why, StringComparison.Ordinal);
        var preview = (await _world.Main.Get<PreviewOrder.Handler>().HandleAsync(new(tenant, await _world.FormAsync(_world.NewName(), ct)), owner, ct)).Value;
        Assert.Equal([("Approver", "an approver")], preview.Questions.Select(q => (q.Name, q.Who)));
        // Eight days later they are forgotten.
        await _world.Database.ExecuteAsync("UPDATE orders SET created_at = created_at - interval '8 days' WHERE tenant_id = $1", ct, tenant.Value);
        Assert.Equal(OrderState.Building, (await GetAsync(await _world.OrderAsync(ct, tenant: tenant, owner: owner), owner, ct)).Row.State);
        await _world.Main.RunRungAsync(ct);

        async Task<IEnumerable<OrderState>> StatesAsync()
        {
            var states = new List<OrderState>();
            foreach (var order in new[] { first, second, third, others })
            {
                states.Add((await GetAsync(order, owner, ct)).Row.State);
            }

            return states;
        }
    }

    [Fact]
    public async Task Orders_at_once_do_not_pass_a_limit_that_counts_them_together()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("at-once", ct, new PolicyBody(new AutomaticLimits { Vms = 3, WithinDays = 1 }, PolicyBody.OneApprover.Steps));
        var forms = new List<OrderForm>();
        for (var i = 0; i < 8; i++)
        {
            forms.Add(await _world.FormAsync(_world.NewName(), ct));
        }

        await Task.WhenAll(forms.Select(f => _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(tenant, f, Guid.CreateVersion7().ToString()), owner, ct)));

        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(3, await db.Vms.CountAsync(v => v.TenantId == tenant, ct));
        Assert.Equal(5, await db.Orders.CountAsync(o => o.TenantId == tenant && o.ClosedAt == null, ct));
        await _world.Main.RunRungAsync(ct);
    }

    [Fact]
    public async Task Of_two_last_votes_at_once_both_count_or_the_second_is_told_and_the_vms_are_made_once()
    {
        var ct = TestContext.Current.CancellationToken;
        var people = new List<Actor>();
        for (var i = 0; i < 6; i++)
        {
            people.Add(await StaffAsync($"last-{i}", ct));
        }

        var (tenant, owner) = await _world.AddTenantAsync("last-votes", ct, new PolicyBody(null, [Step("Two of six", 1, 2, [.. people.Select(Of)])]));
        var order = await _world.OrderAsync(ct, tenant: tenant, owner: owner);

        var results = await Task.WhenAll(people.Select(p => DecideAsync(order, p, ct)));

        Assert.Equal(2, results.Count(r => r.Succeeded));
        Assert.All(results.Where(r => !r.Succeeded), r => Assert.Matches("^last-[0-5] approved this order already.$", Assert.IsType<DecidedAlready>(r.Refusal).Message));
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(1, await db.Vms.CountAsync(v => v.TenantId == tenant, ct));
        Assert.Equal(2, await db.ApprovalVotes.CountAsync(v => v.OrderId == order, ct));
        await _world.Main.RunRungAsync(ct);
    }

    [Fact]
    public async Task A_policy_is_tried_on_past_orders_with_what_it_would_have_let_pass_itself()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("trial", ct);
        var orders = new List<OrderId>();
        for (var i = 0; i < 4; i++)
        {
            orders.Add(await _world.OrderAsync(ct, tenant: tenant, owner: owner));
        }

        Assert.Null((await DecideAsync(orders[0], _world.Approver, ct, Verdict.Deny, "No.")).Refusal);
        var body = new PolicyBody(new AutomaticLimits { PerMonth = 6m, Currency = "EUR", WithinDays = 7 }, PolicyBody.OneApprover.Steps);

        var trial = (await _world.Main.Get<TryPolicy.Handler>().HandleAsync(new(tenant, PolicySide.Provider, body), _world.Administrator, ct)).Value;

        Assert.Equal((4, 2, 0), (trial.Orders, trial.ByItself, trial.Before));
        Assert.Equal([(orders[1], LineState.Waiting, true), (orders[0], LineState.Denied, true)], trial.Differ.Select(r => (r.Order, r.State, r.ByItself)));
        Assert.Equal("not_allowed", (await _world.Main.Get<TryPolicy.Handler>().HandleAsync(new(tenant, PolicySide.Provider, body), owner, ct)).Refusal?.Code);
        // The tenant's own side has asked nobody so far.
        var own = (await _world.Main.Get<TryPolicy.Handler>().HandleAsync(new(tenant, PolicySide.Tenant, new PolicyBody(null, [Step("Owner", 1, 1, new Voter(TenantRole: TenantRole.Owner))])), owner, ct)).Value;
        Assert.Equal((4, 0, 4, 4), (own.Orders, own.ByItself, own.Before, own.Differ.Count));
        // The platform's is tried on those without one of their own.
        await SaveAsync(tenant, PolicySide.Provider, body, _world.Administrator, ct);
        Assert.DoesNotContain((await _world.Main.Get<TryPolicy.Handler>().HandleAsync(new(null, PolicySide.Provider, PolicyBody.Nobody), _world.Administrator, ct)).Value.Differ, r => orders.Contains(r.Order));
    }

    [Fact]
    public async Task A_policy_is_written_by_those_whose_it_is_and_names_whom_there_is()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("writers", ct);
        var member = await MemberAsync(tenant, "writers-member", TenantRole.Member, ct);
        var handler = _world.Main.Get<SavePolicy.Handler>();
        PolicyBody Asks(params Voter[] who) => new(null, [Step("Somebody", 1, 1, who)]);

        Assert.Equal("not_allowed", (await handler.HandleAsync(new(tenant, PolicySide.Tenant, Asks(Of(member)), "", 0), member, ct)).Refusal?.Code);
        Assert.Equal("not_allowed", (await handler.HandleAsync(new(tenant, PolicySide.Provider, PolicyBody.Nobody, "", 0), owner, ct)).Refusal?.Code);
        Assert.Equal("not_allowed", (await handler.HandleAsync(new(null, PolicySide.Provider, PolicyBody.Nobody, "", 0), _world.Approver, ct)).Refusal?.Code);
        Assert.Equal("steps[0].who", (await handler.HandleAsync(new(tenant, PolicySide.Tenant, Asks(Of(_world.Approver)), "", 0), owner, ct)).Refusal?.Path);
        Assert.Equal("steps[0].who", (await handler.HandleAsync(new(tenant, PolicySide.Provider, Asks(Of(member)), "", 0), _world.Administrator, ct)).Refusal?.Path);
        Assert.Equal("not_found", (await handler.HandleAsync(new(TenantId.New(), PolicySide.Provider, PolicyBody.Nobody, "", 0), _world.Administrator, ct)).Refusal?.Code);
        // The name is the account's, whatever was sent.
        Assert.Equal(1, (await handler.HandleAsync(new(tenant, PolicySide.Tenant, Asks(Of(member) with { Name = "The boss" }), "", 0), owner, ct)).Value);
        var read = (await _world.Main.Get<GetPolicy.Handler>().HandleAsync(new(tenant, PolicySide.Tenant), member, ct)).Value;
        Assert.Equal(("writers-member", 1, false), (read.InForce!.Body.Steps[0].Who[0].Name, read.Version, read.CanEdit));
        Assert.Equal("not_found", (await _world.Main.Get<GetPolicy.Handler>().HandleAsync(new(tenant, PolicySide.Tenant), _world.Owner, ct)).Refusal?.Code);
        Assert.Equal("not_allowed", (await _world.Main.Get<GetPolicy.Handler>().HandleAsync(new(tenant, PolicySide.Provider), member, ct)).Refusal?.Code);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.TenantId == tenant && e.Verb == "policy.saved", ct));
    }

    private static PolicyStep Step(string name, int stage, int votes, params Voter[] who) => new(name, stage, votes, who);

    private static Voter Of(Actor person) => new(Person: person.User!.Value.Value, Name: person.Name);

    private Task<Actor> StaffAsync(string name, CancellationToken ct) => _world.AddPersonAsync(name, [PlatformRole.Support], [], ct);

    private Task<Actor> MemberAsync(TenantId tenant, string name, TenantRole role, CancellationToken ct) => _world.AddPersonAsync(name, [], [(tenant, role)], ct);

    private async Task SaveAsync(TenantId tenant, PolicySide side, PolicyBody body, Actor actor, CancellationToken ct, int baseVersion = 0) =>
        Assert.Null((await _world.Main.Get<SavePolicy.Handler>().HandleAsync(new(tenant, side, body, "", baseVersion), actor, ct)).Refusal);

    private Task<Result<Done>> DecideAsync(OrderId order, Actor actor, CancellationToken ct, Verdict verdict = Verdict.Approve, string reason = "") =>
        _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, verdict, reason), actor, ct);

    private Task<Result<Done>> InPlaceAsync(OrderId order, ApprovalStepId step, string reason, Actor actor, CancellationToken ct) =>
        _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, reason, step), actor, ct);

    private async Task<GetOrder.Details> GetAsync(OrderId order, Actor actor, CancellationToken ct) => (await _world.Main.Get<GetOrder.Handler>().HandleAsync(new(order), actor, ct)).Value;

    private async Task<IEnumerable<OrderId>> MineAsync(Actor actor, CancellationToken ct) =>
        (await _world.Main.Get<ListApprovals.Handler>().HandleAsync(new(ApprovalList.Mine), actor, ct)).Value.Select(o => o.Id);

    private async Task<IReadOnlyList<string>> VerbsAsync(OrderId order, CancellationToken ct)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        return await db.AuditEntries.Where(e => e.ObjectId == order.Value).OrderBy(e => e.Id).Select(e => e.Verb).ToListAsync(ct);
    }
}
