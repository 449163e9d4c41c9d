using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Outbox;
using Portal.App.Quotas;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Writes a word on an order. A question of somebody who decides stops the order's clock; the word of the asked side after it is the answer, and the clock goes on.</summary>
public static class CommentOnOrder
{
    /// <param name="Question">Whether an answer is wanted before the order is decided on.</param>
    public sealed record Request(OrderId Order, string Text, bool Question);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Each call writes another.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var text = request.Text.Trim();
            if (text.Length is < 1 or > OrderComment.MaxText || text.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t')))
            {
                return new Invalid("text", $"A comment has 1 to {OrderComment.MaxText} characters of text.");
            }

            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var order = await db.Orders.AsNoTracking().SingleOrDefaultAsync(o => o.Id == request.Order, ct);
            if (order is null || !access.MaySee(actor, order))
            {
                return new NotFound("order");
            }

            await db.LockTenantAsync(order.TenantId, ct);
            order = await db.Orders.SingleAsync(o => o.Id == request.Order, ct);
            var steps = await db.ApprovalSteps.AsNoTracking().Where(s => s.OrderId == order.Id).ToListAsync(ct);
            if (!OrderTalk.MayComment(access, actor, order, steps))
            {
                return new NotAllowed(Permission.OrderVms);
            }

            if (request.Question && !OrderTalk.MayAsk(access, actor, order, steps))
            {
                return new NotAsked("those who decide: only they ask, and only while it waits");
            }

            var now = await db.NowAsync(ct);
            var lastQuestion = await db.OrderComments.Where(c => c.OrderId == order.Id && c.Kind == CommentKind.Question).OrderByDescending(c => c.At).FirstOrDefaultAsync(ct);
            var kind = request.Question ? CommentKind.Question : order.QuestionAt is not null && OrderTalk.IsAsked(access, actor, order) && lastQuestion?.ById != actor.User ? CommentKind.Answer : CommentKind.Comment;
            db.Add(new OrderComment(order, kind, actor, text, now));
            if (kind == CommentKind.Question)
            {
                order.Ask(now);
            }
            else if (kind == CommentKind.Answer)
            {
                order.Answer(now);
                var until = order.ExpiresAt;
                await db.QuotaReservations.Where(r => db.OrderLines.Any(l => l.OrderId == order.Id && l.Id == r.OrderLineId)).ExecuteUpdateAsync(s => s.SetProperty(r => r.ExpiresAt, until), ct);
            }

            var verb = kind switch
            {
                CommentKind.Question => "order.question_asked",
                CommentKind.Answer => "order.question_answered",
                CommentKind.Comment => "order.commented",
            };
            db.Add(AuditEntry.Of(actor, order.TenantId, verb, order.Id.Value, $"Order {order.Number}", text));
            await MailAsync(db, order, kind, actor, text, lastQuestion, ct);
            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Approvals, ct);
            await db.AnnounceAsync(Topic.Of(order.TenantId), ct);
            await db.AnnounceAsync(Topic.Of(order.Id), ct);
            await transaction.CommitAsync(ct);
            return default(Done);
        }

        // Others' words go to the requester; his own to whoever asked last.
        private static async Task MailAsync(PortalDb db, Order order, CommentKind kind, Actor actor, string text, OrderComment? lastQuestion, CancellationToken ct)
        {
            if (order.RequestedById != actor.User)
            {
                db.Add(new OutboxMessage(order.TenantId, order.RequesterEmail, kind == CommentKind.Question ? $"A question on order {order.Number}" : $"A comment on order {order.Number}", $"{actor.Name} wrote on your order {order.Number}: {text}"));
            }
            else if (lastQuestion is not null && await db.Users.Where(u => u.Id == lastQuestion.ById.Value && !u.Disabled).Select(u => u.Email).SingleOrDefaultAsync(ct) is { } email)
            {
                db.Add(new OutboxMessage(order.TenantId, email, kind == CommentKind.Answer ? $"An answer on order {order.Number}" : $"A comment on order {order.Number}", $"{actor.Name} wrote on order {order.Number}: {text}"));
            }
        }
    }
}

/// <summary>Who may say what on an order.</summary>
internal static class OrderTalk
{
    public static bool MayComment(AccessRules access, Actor actor, Order order, IReadOnlyList<ApprovalStep> steps) =>
        access.Allows(actor, Permission.SeeOrders) || access.Allows(actor, Permission.OrderVms, order.TenantId) || steps.Any(s => s.Names(actor));

    /// <summary>Those who could decide now, and who did not order themselves.</summary>
    public static bool MayAsk(AccessRules access, Actor actor, Order order, IReadOnlyList<ApprovalStep> steps) =>
        order.ClosedAt is null && actor.User != order.RequestedById && ApprovalStep.Open(steps) is { Count: > 0 } open && (open.Any(s => s.Names(actor)) || access.Allows(actor, Permission.DecideInPlace));

    /// <summary>Whether a question is this person's to answer: who ordered, or somebody else of the tenant who orders.</summary>
    public static bool IsAsked(AccessRules access, Actor actor, Order order) =>
        actor.User == order.RequestedById || access.Allows(actor, Permission.OrderVms, order.TenantId);
}
