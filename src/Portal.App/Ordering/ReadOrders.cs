using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Pricing;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Where an order is, derived from its lines and their VMs.</summary>
public enum OrderState
{
    Waiting,
    Building,
    Done,

    /// <summary>At least one of its VMs could not be built.</summary>
    Failed,
    Denied,
    Cancelled,
    Expired,
}

/// <summary>An order as lists show it.</summary>
/// <param name="WaitsFor">The steps that are open, with their votes: <c>Finance, 1 of 2</c>; null where none is.</param>
public sealed record OrderRow(
    OrderId Id,
    int Number,
    TenantId Tenant,
    string TenantName,
    string TenantSlug,
    string RequestedBy,
    UserId RequestedById,
    DateTimeOffset CreatedAt,
    OrderState State,
    string What,
    IReadOnlyList<string> Names,
    Price Price,
    decimal? TaxPercent,
    string? WaitsFor = null);

/// <summary>A line of an order: one kind of VM.</summary>
/// <param name="Slug">The template's name in addresses and REST.</param>
/// <param name="UserDataSha256">By which its user data is known without being read; null where there is none.</param>
/// <param name="LeaseEndsAt">When its VMs' lease ends as it was ordered; null where they may stay.</param>
/// <param name="Changes">The VM that it changes; null where it makes VMs.</param>
public sealed record OrderLineRow(string What, string Plan, string Slug, string Pattern, IReadOnlyList<string> Names, int Vcpus, ByteSize Memory, ByteSize Disk, Price Price, string? UserDataSha256, DateTimeOffset? LeaseEndsAt, VmId? Changes);

/// <summary>A VM that an order made.</summary>
public sealed record OrderVmRow(VmId Id, string Name, VmStage Stage, string? Problem);

/// <summary>Something that was written on an order.</summary>
public sealed record CommentRow(string By, CommentKind Kind, string Text, DateTimeOffset At);

/// <summary>Lists a tenant's orders, newest first.</summary>
public static class ListOrders
{
    public const int PageSize = 50;

    /// <param name="After">The last order of the page before; null for the first page.</param>
    public sealed record Request(TenantId Tenant, OrderId? After = null);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<OrderRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeTenant, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var after = request.After;
            var orders = db.Orders.Where(o => o.TenantId == request.Tenant);
            if (request.After is { } last)
            {
                orders = orders.Where(o => o.Number < db.Orders.Where(l => l.Id == last).Select(l => l.Number).Single());
            }

            return Result<IReadOnlyList<OrderRow>>.Of(await OrderReader.RowsAsync(db, orders.OrderByDescending(o => o.Number).Take(PageSize), ct));
        }
    }
}

/// <summary>One order with its lines, VMs and what was said.</summary>
public static class GetOrder
{
    public sealed record Request(OrderId Order);

    /// <param name="Problem">Why it waits although its policy says yes; null otherwise.</param>
    /// <param name="Steps">Whom it asks, in order, and what they said.</param>
    /// <param name="QuestionAt">Since when it waits for an answer, its clock standing still; null where no question is open.</param>
    /// <param name="MayAnswer">Whether the open question is this person's to answer.</param>
    /// <param name="CanDecide">Whether this person may vote on it now.</param>
    /// <param name="WhyNot">Why this person may not, where it still waits; null otherwise.</param>
    public sealed record Details(
        OrderRow Row,
        IReadOnlyList<OrderLineRow> Lines,
        string Note,
        DateTimeOffset ExpiresAt,
        string? Problem,
        IReadOnlyList<OrderVmRow> Vms,
        IReadOnlyList<ApprovalStepRow> Steps,
        IReadOnlyList<string> SshKeys,
        bool CanCancel,
        bool CanDecide,
        string? WhyNot,
        IReadOnlyList<CommentRow> Comments,
        DateTimeOffset? QuestionAt,
        bool CanComment,
        bool CanAsk,
        bool MayAnswer);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Details>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            await using var db = dbs.ForSystem();
            var order = await db.Orders.AsNoTracking().Include(o => o.Lines).SingleOrDefaultAsync(o => o.Id == request.Order, ct);
            if (order is null || !access.MaySee(actor, order))
            {
                return new NotFound("order");
            }

            var row = (await OrderReader.RowsAsync(db, db.Orders.Where(o => o.Id == request.Order), ct)).Single();
            var lines = order.Lines.Select(l => l.Id).ToList();
            var versions = order.Lines.Select(l => l.TemplateVersionId).OfType<TemplateVersionId>().ToList();
            var changed = order.Lines.Select(l => l.ChangesVmId).OfType<VmId>().ToList();
            var slugs = await (from version in db.TemplateVersions
                               join template in db.Templates on version.TemplateId equals template.Id
                               where versions.Contains(version.Id)
                               select new { version.Id, template.Slug }).ToDictionaryAsync(v => v.Id, v => v.Slug, ct);
            var vms = await db.Vms.AsNoTracking().Where(v => lines.Contains(v.OrderLineId) || changed.Contains(v.Id)).OrderBy(v => v.Id)
                .Select(v => new OrderVmRow(v.Id, v.Name, v.Stage, v.Problem)).ToListAsync(ct);
            var steps = await db.ReadStepsAsync(order, row.TenantName, actor, access, ct);
            var named = await db.ApprovalSteps.AsNoTracking().Where(s => s.OrderId == order.Id).ToListAsync(ct);
            var comments = await db.OrderComments.AsNoTracking().Where(c => c.OrderId == order.Id).OrderBy(c => c.At).ToListAsync(ct);
            var waits = row.State == OrderState.Waiting;
            var own = actor.User == order.RequestedById;
            return new Details(
                row,
                [
                    .. order.Lines.Select(l => new OrderLineRow(
                        l.What, l.PlanName, l.TemplateVersionId is { } version ? slugs[version] : "", l.Names is [var only] ? only : NamePattern.Of(l.Names), l.Names, l.Vcpus, l.Memory, l.Disk, l.PriceOfAll, l.UserDataSha256, l.LeaseEndsAt, l.ChangesVmId)),
                ],
                order.Note,
                order.ExpiresAt,
                order.Problem,
                vms,
                steps,
                [.. order.Lines.SelectMany(l => l.SshKeyLines.Split('\n', StringSplitOptions.RemoveEmptyEntries)).Distinct()],
                waits && (own || access.Allows(actor, Permission.OrderVms, order.TenantId)),
                steps.Any(s => s.Mine),
                waits && own && steps.Any(s => s.State == ApprovalStepState.Open && s.FourEyes) && !steps.Any(s => s.Mine) ? new OwnOrder().Message : null,
                [.. comments.Select(c => new CommentRow(c.ByName, c.Kind, c.Text, c.At))],
                order.QuestionAt,
                OrderTalk.MayComment(access, actor, order, named),
                OrderTalk.MayAsk(access, actor, order, named),
                order.QuestionAt is not null && OrderTalk.IsAsked(access, actor, order) && comments.LastOrDefault(c => c.Kind == CommentKind.Question)?.ById != actor.User);
        }
    }
}

/// <summary>Which orders a list of approvals has.</summary>
public enum ApprovalList
{
    /// <summary>Those on which the person can vote now, the oldest first.</summary>
    Mine,

    /// <summary>All that wait, the oldest first. For the provider's own people.</summary>
    Waiting,

    /// <summary>The last hundred that were decided. For the provider's own people.</summary>
    Decided,
}

/// <summary>Orders that wait for a decision, or had one.</summary>
public static class ListApprovals
{
    private const int AtMost = 500;

    public sealed record Request(ApprovalList List);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<OrderRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (request.List != ApprovalList.Mine && access.Check(actor, Permission.SeeOrders) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            List<OrderId> mine = request.List == ApprovalList.Mine ? await MineAsync(db, actor, ct) : [];
            var orders = request.List switch
            {
                ApprovalList.Mine => db.Orders.Where(o => mine.Contains(o.Id)).OrderBy(o => o.Number),
                ApprovalList.Waiting => db.Orders.Where(o => o.ClosedAt == null).OrderBy(o => o.Number).Take(AtMost),
                ApprovalList.Decided => db.Orders.Where(o => o.ClosedAt != null).OrderByDescending(o => o.ClosedAt).Take(100),
            };
            return Result<IReadOnlyList<OrderRow>>.Of(await OrderReader.RowsAsync(db, orders, ct));
        }

        // A step names the provider's people, or people of the order's own tenant: nobody else's orders have to be looked at.
        private static async Task<List<OrderId>> MineAsync(PortalDb db, Actor actor, CancellationToken ct)
        {
            var tenants = actor.Memberships.Keys.ToList();
            var staff = actor.IsStaff;
            var waiting = await (from step in db.ApprovalSteps.AsNoTracking()
                                 join order in db.Orders on step.OrderId equals order.Id
                                 where order.ClosedAt == null && step.DecidedAt == null && (staff || tenants.Contains(order.TenantId))
                                 orderby order.Number
                                 select new { Step = step, order.RequestedById }).ToListAsync(ct);
            var user = actor.User?.Value;
            var voted = (await db.ApprovalVotes.Where(v => v.VoterId == user && db.ApprovalSteps.Any(s => s.Id == v.ApprovalStepId && s.DecidedAt == null)).Select(v => v.ApprovalStepId).ToListAsync(ct)).ToHashSet();
            return
            [
                .. waiting.GroupBy(w => w.Step.OrderId)
                    .Where(g => ApprovalStep.Open([.. g.Select(w => w.Step)]).Any(s => s.Names(actor) && !voted.Contains(s.Id) && !(s.FourEyes && g.First().RequestedById == actor.User)))
                    .Select(g => g.Key).Take(AtMost),
            ];
        }
    }
}

/// <summary>What an approver needs to know to decide: cost, quota and capacity as they would be after a yes, and who asks.</summary>
public static class GetDecision
{
    public sealed record Request(OrderId Order);

    public sealed record Facts(
        GetOrder.Details Order,
        Quotas.QuotaState Quota,
        Quotas.QuotaAmount Asked,
        int HostsThatFit,
        bool FitsNow,
        Money MonthNow,
        int EarlierOrders,
        int EarlierDenied);

    public sealed class Handler(PortalDbs dbs, AccessRules access, GetOrder.Handler orders)
    {
        public async Task<Result<Facts>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var read = await orders.HandleAsync(new GetOrder.Request(request.Order), actor, ct);
            if (!read.TryGet(out var order, out var no))
            {
                return Result<Facts>.Of(no);
            }

            // In its tenant it is for those who decide, and for those who see what things cost.
            var ofProvider = access.Allows(actor, Permission.SeeOrders);
            if (!ofProvider && !order.CanDecide && access.Check(actor, Permission.SeeCost, order.Row.Tenant) is { } refusal)
            {
                return Result<Facts>.Of(refusal);
            }

            await using var db = dbs.ForSystem();
            var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == order.Row.Tenant, ct);
            var lines = await db.OrderLines.AsNoTracking().Where(l => l.OrderId == request.Order).OrderBy(l => l.Ordinal).ToListAsync(ct);
            var parties = await db.ReadPartiesAsync(tenant.Id, [.. lines.Where(l => l.ChangesVmId is null).Select(l => l.Wants)], lockHosts: false, ct);
            var perHour = await db.Vms.Where(v => v.TenantId == tenant.Id && v.DeletedAt == null && v.Currency == tenant.Currency)
                .SumAsync(v => v.AllocatedPerHour + (v.Wanted == WantedState.Running ? v.RunningPerHour : 0m), ct);
            var requester = order.Row.RequestedById;
            var earlier = await (from other in db.Orders
                                 where other.RequestedById == requester && other.Id != request.Order && (ofProvider || other.TenantId == tenant.Id)
                                 select other.Lines.Any(l => l.State == LineState.Denied)).ToListAsync(ct);
            return new Facts(
                order,
                await Quotas.QuotaGuard.ReadQuotaAsync(db, tenant, ct),
                lines.Where(l => l.ChangesVmId is null).Select(l => new Quotas.QuotaAmount(1, l.Vcpus, l.Memory, l.Disk) * l.Names.Length).Aggregate(default(Quotas.QuotaAmount), (a, b) => a + b),
                parties.SelectMany(p => p.Fitting).Select(r => r.Host.Id).Distinct().Count(),
                Placement.Choose(parties, out _) is not null,
                new Money(perHour * Price.HoursPerMonth, tenant.Currency),
                earlier.Count,
                earlier.Count(denied => denied));
        }
    }
}

internal static class OrderReader
{
    public static async Task<IReadOnlyList<OrderRow>> RowsAsync(PortalDb db, IQueryable<Order> query, CancellationToken ct)
    {
        var orders = await query.AsNoTracking().Include(o => o.Lines).ToListAsync(ct);
        var tenantIds = orders.Select(o => o.TenantId).Distinct().ToList();
        var tenants = await db.Tenants.AsNoTracking().Where(t => tenantIds.Contains(t.Id)).ToDictionaryAsync(t => t.Id, ct);
        var lineIds = orders.SelectMany(o => o.Lines).Select(l => l.Id).ToList();
        var waiting = orders.Where(o => o.ClosedAt is null).Select(o => o.Id).ToList();
        var steps = waiting.Count == 0 ? [] : await db.ApprovalSteps.AsNoTracking().Where(s => waiting.Contains(s.OrderId)).OrderBy(s => s.Ordinal).ToListAsync(ct);
        var votes = waiting.Count == 0 ? [] : await db.ApprovalVotes.Where(v => waiting.Contains(v.OrderId)).GroupBy(v => v.ApprovalStepId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, ct);
        var stages = (await db.Vms.AsNoTracking().Where(v => lineIds.Contains(v.OrderLineId)).Select(v => new { v.OrderLineId, v.Stage }).ToListAsync(ct))
            .ToLookup(v => v.OrderLineId, v => v.Stage);
        return
        [
            .. orders.Select(o => new OrderRow(
                o.Id,
                o.Number,
                o.TenantId,
                tenants[o.TenantId].Name,
                tenants[o.TenantId].Slug,
                o.RequestedBy,
                o.RequestedById,
                o.CreatedAt,
                StateOf([.. o.Lines.Select(l => l.State)], [.. o.Lines.SelectMany(l => stages[l.Id])]),
                string.Join("; ", o.Lines.Select(l => l.What)),
                [.. o.Lines.SelectMany(l => l.Names)],
                o.Price,
                o.TaxPercent,
                o.QuestionAt is not null ? $"an answer of {o.RequestedBy}" : WaitsFor(ApprovalStep.Open([.. steps.Where(s => s.OrderId == o.Id)])))),
        ];

        string? WaitsFor(IReadOnlyList<ApprovalStep> open) => open.Count == 0 ? null
            : string.Join("; ", open.Select(s => s.VotesNeeded == 1 ? s.Name : string.Create(CultureInfo.InvariantCulture, $"{s.Name}, {votes.GetValueOrDefault(s.Id)} of {s.VotesNeeded}")));
    }

    internal static OrderState StateOf(IReadOnlyList<LineState> lines, IReadOnlyList<VmStage> vms) => lines[0] switch
    {
        LineState.Waiting => OrderState.Waiting,
        LineState.Denied => OrderState.Denied,
        LineState.Cancelled => OrderState.Cancelled,
        LineState.Expired => OrderState.Expired,
        LineState.Approved when vms.Contains(VmStage.Failed) => OrderState.Failed,
        LineState.Approved when vms.Contains(VmStage.Building) => OrderState.Building,
        LineState.Approved => OrderState.Done,
    };
}
