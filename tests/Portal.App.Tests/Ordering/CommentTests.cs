using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Ordering;

/// <summary>What is said on an order, and what a question does to its clock.</summary>
public sealed class CommentTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    [Fact]
    public async Task A_question_stops_the_clock_until_it_is_answered_and_the_time_is_given_back()
    {
        var ct = TestContext.Current.CancellationToken;
        var order = await _world.OrderAsync(ct);
        Assert.Null((await SayAsync(order, "What for?", _world.Approver, ct, question: true)).Refusal);
        // Asked two days ago, and due since yesterday.
        await _world.Database.ExecuteAsync("UPDATE orders SET question_at = clock_timestamp() - interval '2 days', expires_at = clock_timestamp() - interval '1 day' WHERE id = $1", ct, order.Value);

        await _world.Main.Get<OrderSweep>().SweepAsync(ct);
        var details = await GetAsync(order, _world.Owner, ct);
        Assert.Equal((OrderState.Waiting, $"an answer of {_world.Owner.Name}", true, false), (details.Row.State, details.Row.WaitsFor, details.MayAnswer, details.CanAsk));
        // Whoever asked does not answer himself.
        Assert.Null((await SayAsync(order, "I am curious.", _world.Approver, ct)).Refusal);
        Assert.NotNull((await GetAsync(order, _world.Owner, ct)).QuestionAt);
        Assert.Null((await SayAsync(order, "For the shop.", _world.Owner, ct)).Refusal);

        details = await GetAsync(order, _world.Approver, ct);
        Assert.Equal([CommentKind.Question, CommentKind.Comment, CommentKind.Answer], details.Comments.Select(c => c.Kind));
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Null(details.QuestionAt);
        Assert.InRange(details.ExpiresAt - await db.NowAsync(ct), TimeSpan.FromHours(23), TimeSpan.FromHours(24));
        Assert.Equal(["order.placed", "order.question_asked", "order.commented", "order.question_answered"], await db.AuditEntries.Where(e => e.ObjectId == order.Value).OrderBy(e => e.Id).Select(e => e.Verb).ToListAsync(ct));
        Assert.Equal([$"A question on order {details.Row.Number}", $"A comment on order {details.Row.Number}", $"An answer on order {details.Row.Number}"], await db.Outbox.Where(m => m.Subject.EndsWith($" on order {details.Row.Number}")).OrderBy(m => m.Id).Select(m => m.Subject).ToListAsync(ct));
        await _world.Main.Get<OrderSweep>().SweepAsync(ct);
        Assert.Equal(OrderState.Waiting, (await GetAsync(order, _world.Owner, ct)).Row.State);
    }

    [Fact]
    public async Task A_question_that_nobody_answers_holds_no_quota_for_ever()
    {
        var ct = TestContext.Current.CancellationToken;
        var order = await _world.OrderAsync(ct);
        Assert.Null((await SayAsync(order, "What for?", _world.Approver, ct, question: true)).Refusal);
        await _world.Database.ExecuteAsync("UPDATE orders SET question_at = clock_timestamp() - interval '40 days', expires_at = clock_timestamp() - interval '30 days' WHERE id = $1", ct, order.Value);

        await _world.Main.Get<OrderSweep>().SweepAsync(ct);

        Assert.Equal((OrderState.Expired, (DateTimeOffset?)null), (await GetAsync(order, _world.Owner, ct)) is var details ? (details.Row.State, details.QuestionAt) : default);
    }

    [Fact]
    public async Task Those_who_look_only_say_nothing_and_only_those_who_decide_ask()
    {
        var ct = TestContext.Current.CancellationToken;
        var viewer = await _world.AddPersonAsync("talk-viewer", [], [(_world.Tenant, TenantRole.Viewer)], ct);
        var support = await _world.AddPersonAsync("talk-support", [PlatformRole.Support], [], ct);
        var (_, stranger) = await _world.AddTenantAsync("talk-stranger", ct);
        var order = await _world.OrderAsync(ct);

        Assert.Equal("not_allowed", (await SayAsync(order, "Nice.", viewer, ct)).Refusal?.Code);
        Assert.Equal("not_found", (await SayAsync(order, "Nice.", stranger, ct)).Refusal?.Code);
        Assert.Equal("ordering.not_asked", (await SayAsync(order, "Why?", support, ct, question: true)).Refusal?.Code);
        Assert.Equal("ordering.not_asked", (await SayAsync(order, "Why not?", _world.Owner, ct, question: true)).Refusal?.Code);
        Assert.Equal("text", (await SayAsync(order, " ", _world.Owner, ct)).Refusal?.Field);
        Assert.Null((await SayAsync(order, "A ticket is open for it.", support, ct)).Refusal);
        Assert.Null((await SayAsync(order, "Why?", _world.Approver, ct, question: true)).Refusal);
        // Decided with a question open: that ends with it.
        Assert.Null((await _world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Deny, "Too late."), _world.Approver, ct)).Refusal);
        var details = await GetAsync(order, _world.Owner, ct);
        Assert.Equal(((DateTimeOffset?)null, false, true), (details.QuestionAt, details.CanAsk, details.CanComment));
    }

    private Task<Result<Done>> SayAsync(OrderId order, string text, Actor actor, CancellationToken ct, bool question = false) =>
        _world.Main.Get<CommentOnOrder.Handler>().HandleAsync(new(order, text, question), actor, ct);

    private async Task<GetOrder.Details> GetAsync(OrderId order, Actor actor, CancellationToken ct) => (await _world.Main.Get<GetOrder.Handler>().HandleAsync(new(order), actor, ct)).Value;
}
