using System.Diagnostics.CodeAnalysis;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Networks;
using Portal.App.Operations;
using Portal.App.Outbox;
using Portal.App.Policies;
using Portal.App.Quotas;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Somebody decided already, or the order was cancelled or has expired.</summary>
public sealed record DecidedAlready(string What)
    : Refusal("ordering.decided_already", What);

/// <summary>The day until which VMs were asked for has passed while the order waited.</summary>
public sealed record LeaseOver()
    : Refusal("ordering.lease_over", "The day until which these VMs were asked for is over. Deny the order, and say so: it can be ordered again with a later day.");

/// <summary>Who asked may not decide.</summary>
public sealed record OwnOrder()
    : Refusal("ordering.own_order", "This is your own order: somebody else has to decide on it.")
{
    public override RefusalKind Kind => RefusalKind.Forbidden;
}

/// <summary>None of the steps that are open names this person.</summary>
public sealed record NotAsked(string Whom)
    : Refusal("ordering.not_asked", $"You are not among those who decide on this order now. It waits for {Whom}.")
{
    public override RefusalKind Kind => RefusalKind.Forbidden;
}

/// <summary>The person has voted on each open step that names it.</summary>
public sealed record VotedAlready(string Whom)
    : Refusal("ordering.voted_already", $"You have said yes already. It still waits for {Whom}.");

/// <summary>Says yes or no to a waiting order. On the last yes the VMs come to exist, each with its address, its disk's intent and its build.</summary>
public static class DecideOrder
{
    /// <param name="Reason">Needed for a no, and in somebody's place; the requester reads it.</param>
    /// <param name="InPlaceOf">A step that an administrator decides on alone, in the place of those whom it names; null to vote on every open step that names the person.</param>
    /// <param name="Stage">The stage that the person looked at: where the order has gone on since, nothing is decided. Null for whichever is open.</param>
    public sealed record Request(OrderId Order, Verdict Verdict, string Reason, ApprovalStepId? InPlaceOf = null, int? Stage = null);

    public sealed class Handler(PortalDbs dbs, AccessRules access, Doorbell doorbell)
    {
        /// <summary>Not safe to repeat: the second time says that it is decided.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var word = request with { Reason = request.Reason.Trim() };
            if (word.Reason.Length > 1000)
            {
                return new Invalid("reason", "A reason has at most 1000 characters.");
            }

            if (word.Reason.Length == 0 && (word.Verdict == Verdict.Deny || word.InPlaceOf is not null))
            {
                return new Invalid("reason", word.Verdict == Verdict.Deny ? "Say why: the requester reads it." : "Say why you decide in their place: it stands in the records.");
            }

            if (word.InPlaceOf is not null && access.Check(actor, Permission.DecideInPlace) is { } refusal)
            {
                return refusal;
            }

            return await Decision.TakeAsync(dbs, doorbell, word, actor, order => access.MaySee(actor, order), ct);
        }
    }

    /// <summary>Makes the VMs of an order whose policies say yes by themselves.</summary>
    public sealed class ByPolicy(PortalDbs dbs, Doorbell doorbell)
    {
        /// <summary>Does nothing where one of the order's steps waits for somebody. Safe to repeat.</summary>
        public async Task DecideAsync(OrderId order, CancellationToken ct)
        {
            await using (var db = dbs.ForSystem())
            {
                if (await db.ApprovalSteps.AnyAsync(s => s.OrderId == order && s.DecidedAt == null, ct))
                {
                    return;
                }
            }

            var decided = await Decision.TakeAsync(dbs, doorbell, new Request(order, Verdict.Approve, ""), Actor.Portal, _ => true, ct);
            if (decided.Refusal is { } refusal and not DecidedAlready)
            {
                // One statement: an order that somebody closes at this moment is left as it is.
                await using var db = dbs.ForSystem();
                var why = Order.WaitsBecause(refusal);
                await db.Orders.Where(o => o.Id == order && o.ClosedAt == null).ExecuteUpdateAsync(s => s.SetProperty(o => o.Problem, why), ct);
            }
        }
    }

    /// <summary>Whether the person may look at the order: the provider's own people, and everybody in its tenant.</summary>
    internal static bool MaySee(this AccessRules access, Actor actor, Order order) =>
        access.Allows(actor, Permission.SeeOrders) || access.Allows(actor, Permission.SeeTenant, order.TenantId);

    private static class Decision
    {
        public static async Task<Result<Done>> TakeAsync(PortalDbs dbs, Doorbell doorbell, Request word, Actor actor, Func<Order, bool> maySee, CancellationToken ct)
        {
            IReadOnlyList<Operation> builds = [];
            try
            {
                await using var db = dbs.ForSystem();
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                if (await LockAsync(db, word.Order, ct) is not { } order || !maySee(order))
                {
                    return new NotFound("order");
                }

                var steps = await db.ApprovalSteps.Where(s => s.OrderId == order.Id).OrderBy(s => s.Ordinal).ToListAsync(ct);
                var votes = await db.ApprovalVotes.AsNoTracking().Where(v => v.OrderId == order.Id).OrderBy(v => v.At).ToListAsync(ct);
                if (order.ClosedAt is not null)
                {
                    return new DecidedAlready(WhoDecided(order, votes));
                }

                if (!StepsOf(word, actor, order, steps, votes).TryGet(out var mine, out var refusal))
                {
                    return Result<Done>.Of(refusal);
                }

                var now = await db.NowAsync(ct);
                foreach (var step in mine)
                {
                    db.Add(new ApprovalVote(step, actor, word.Verdict, word.Reason, now, word.InPlaceOf is not null));
                    if (word.Verdict == Verdict.Approve && step.DecidedAt is null && (word.InPlaceOf is not null || 1 + votes.Count(v => v.ApprovalStepId == step.Id) >= step.VotesNeeded))
                    {
                        step.Decided(now);
                    }
                }

                var closes = word.Verdict == Verdict.Deny || steps.TrueForAll(s => s.DecidedAt is not null);
                if (closes && word.Verdict == Verdict.Approve && !(await ApproveAsync(db, order, actor, now, ct)).TryGet(out builds!, out refusal))
                {
                    return Result<Done>.Of(refusal);
                }

                if (closes)
                {
                    order.Close(word.Verdict == Verdict.Approve ? LineState.Approved : LineState.Denied, now);
                    await db.QuotaReservations.Where(r => order.Lines.Select(l => l.Id).Contains(r.OrderLineId)).ExecuteDeleteAsync(ct);
                    db.Add(Mail(order, word.Verdict, word.Reason, actor));
                }

                db.Add(Entry(word, actor, order, mine, closes, votes));
                await db.SaveChangesAsync(ct);

                await db.AnnounceAsync(Topic.Approvals, ct);
                await db.AnnounceAsync(Topic.Of(order.TenantId), ct);
                await db.AnnounceAsync(Topic.Of(order.Id), ct);
                await transaction.CommitAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } taken)
            {
                return new ChangedMeanwhile(taken.ConstraintName?.Contains("name", StringComparison.Ordinal) == true ? "name of a VM in this order" : "order");
            }

            foreach (var build in builds)
            {
                doorbell.Ring(build.Id);
            }

            return default(Done);
        }

        // The steps on which this word counts.
        private static Result<IReadOnlyList<ApprovalStep>> StepsOf(Request word, Actor actor, Order order, IReadOnlyList<ApprovalStep> steps, IReadOnlyList<ApprovalVote> votes)
        {
            if (actor.IsPortal)
            {
                // The policies' own yes, once all of them have said it. In the records it stands on the last of them.
                return steps.All(s => s.DecidedAt is not null) ? Result<IReadOnlyList<ApprovalStep>>.Of([steps[^1]]) : new DecidedAlready("It waits for people.");
            }

            var open = ApprovalStep.Open(steps);
            if ((word.Stage is { } stage && open.Any(s => s.Stage != stage)) || (word.InPlaceOf is { } gone && open.All(s => s.Id != gone) && steps.Any(s => s.Id == gone && s.DecidedAt is not null)))
            {
                return new DecidedAlready($"{WhoDecided(order, votes)} It waits for {Whom(open)} now.");
            }

            var named = open.Where(s => word.InPlaceOf is { } place ? s.Id == place : s.Names(actor)).ToList();
            if (named.Count == 0)
            {
                var done = steps.LastOrDefault(s => s.DecidedAt is not null && s.VotesNeeded > 0 && s.Names(actor) && !Voted(s));
                return word.InPlaceOf is not null ? new NotFound("open step")
                    : done is not null ? new DecidedAlready($"{WhoDecided(order, [.. votes.Where(v => v.ApprovalStepId == done.Id)])} It waits for {Whom(open)} now.")
                    : new NotAsked(Whom(open));
            }

            if (named.Where(s => !s.FourEyes || actor.User != order.RequestedById).ToList() is not { Count: > 0 } allowed)
            {
                return new OwnOrder();
            }

            // An administrator who has voted may still decide in the place of those who are gone.
            var mine = allowed.Where(s => word.InPlaceOf is not null || !Voted(s)).ToList();
            return mine.Count > 0 ? Result<IReadOnlyList<ApprovalStep>>.Of(mine) : new VotedAlready(Whom(open));

            bool Voted(ApprovalStep step) => votes.Any(v => v.ApprovalStepId == step.Id && v.VoterId == actor.User?.Value);
        }

        private static string Whom(IReadOnlyList<ApprovalStep> open) => open.Count == 0 ? "room: its policies have said yes" : string.Join(", and for ", open.Select(s => $"{PolicyWords.Who(s.VotesNeeded, s.Who())} ({s.Name})"));

        private static AuditEntry Entry(Request word, Actor actor, Order order, IReadOnlyList<ApprovalStep> mine, bool closes, IReadOnlyList<ApprovalVote> votes)
        {
            var verb = (word.Verdict, closes) switch
            {
                (Verdict.Deny, _) => "order.denied",
                (Verdict.Approve, true) => "order.approved",
                (Verdict.Approve, false) => "order.step_approved",
            };
            var steps = string.Join("; ", mine.Where(s => s.VotesNeeded > 0).Select(s => $"{s.Name}: {(word.InPlaceOf is null ? $"vote {1 + votes.Count(v => v.ApprovalStepId == s.Id)} of {s.VotesNeeded}" : "in the place of those it names")}"));
            return AuditEntry.Of(actor, order.TenantId, word.InPlaceOf is null ? verb : $"{verb}_in_their_place", order.Id.Value, $"Order {order.Number}", $"{word.Reason}{(word.Reason.Length > 0 && steps.Length > 0 ? " " : "")}{(steps.Length > 0 ? $"({steps})" : "")}");
        }

        // Lock order: tenant, then order, then hosts.
        private static async Task<Order?> LockAsync(PortalDb db, OrderId id, CancellationToken ct)
        {
            if (await db.Orders.Where(o => o.Id == id).Select(o => (TenantId?)o.TenantId).SingleOrDefaultAsync(ct) is not { } tenant)
            {
                return null;
            }

            await db.LockTenantAsync(tenant, ct);
            var order = (await db.Orders.FromSql($"SELECT *, xmin FROM orders WHERE id = {id.Value} FOR UPDATE").ToListAsync(ct)).Single();
            await db.OrderLines.Where(l => l.OrderId == id).LoadAsync(ct);
            return order;
        }

        [SuppressMessage("Style", "IDE0305:Simplify collection initialization", Justification = "Reads as a list on purpose.")]
        private static async Task<Result<IReadOnlyList<Operation>>> ApproveAsync(PortalDb db, Order order, Actor actor, DateTimeOffset now, CancellationToken ct)
        {
            if (order.Lines.Any(l => l.LeaseEndsAt <= now))
            {
                return new LeaseOver();
            }

            var made = order.Lines.Where(l => l.ChangesVmId is null).ToList();
            var parties = await db.ReadPartiesAsync(order.TenantId, [.. made.Select(l => l.Wants)], lockHosts: true, ct);
            if (Placement.Choose(parties, out _) is not { } chosen)
            {
                return Result<IReadOnlyList<Operation>>.Of(await db.ReadWhyNotAsync(parties, ct));
            }

            var operations = new List<Operation>();
            foreach (var (line, rooms) in made.Zip(chosen))
            {
                foreach (var (name, room) in line.Names.Zip(rooms))
                {
                    if (await MakeAsync(db, order, line, VmName.Parse(name), room, now, ct) is not { } vm)
                    {
                        return new NoAddressLeft();
                    }

                    operations.Add(db.Ask(vm, OperationKind.Build, actor, now));
                }
            }

            foreach (var line in order.Lines.Where(l => l.ChangesVmId is not null))
            {
                if (!await ExtendAsync(db, line, actor, ct))
                {
                    return new NotFound("VM");
                }
            }

            return operations;
        }

        private static async Task<bool> ExtendAsync(PortalDb db, OrderLine line, Actor actor, CancellationToken ct)
        {
            var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {line.ChangesVmId!.Value.Value} FOR UPDATE").ToListAsync(ct)).Single();
            if (vm.Stage is VmStage.Deleting or VmStage.Deleted)
            {
                return false;
            }

            vm.LeaseUntil(line.LeaseEndsAt);
            db.Add(AuditEntry.Of(actor, vm.TenantId, "vm.lease_extended", vm.Id.Value, vm.Name, line.LeaseEndsAt is { } end ? $"until {Lease.LastDayOf(end):yyyy-MM-dd}" : "no end"));
            await db.AnnounceAsync(Topic.Of(vm.Id), ct);
            return true;
        }

        private static async Task<Vm?> MakeAsync(PortalDb db, Order order, OrderLine line, VmName name, HostRoom room, DateTimeOffset now, CancellationToken ct)
        {
            var id = VmId.New();
            if (await db.TakeAddressAsync(room.Host.Id, id, order.TenantId, ct) is not { } address)
            {
                return null;
            }

            var mac = await db.Database.SqlQuery<long>($"SELECT nextval('mac_numbers') AS \"Value\"").SingleAsync(ct);
            var vm = Vm.Ordered(new VmOrdered
            {
                Id = id,
                Tenant = order.TenantId,
                Project = order.ProjectId,
                Name = name,
                Line = line.Id,
                Plan = line.PlanId,
                PlanName = line.PlanName,
                TemplateVersion = line.TemplateVersionId,
                TemplateName = line.TemplateName,
                Host = room.Host.Id,
                Pool = room.Pool,
                Vcpus = line.Vcpus,
                Memory = line.Memory,
                Disk = line.Disk,
                Mac = MacAddress.OfSequence(mac),
                Network = address.NetworkId,
                Ip = address.Ip,
                SshKeyLines = line.SshKeyLines,
                SealedUserData = line.SealedUserData,
                CreatedBy = order.RequestedBy,
                LeaseEndsAt = line.LeaseEndsAt,
                At = now,
                Currency = line.Currency,
                RunningPerHour = line.RunningPerHour,
                AllocatedPerHour = line.AllocatedPerHour,
                Setup = line.Setup,
            });
            db.Add(vm);
            db.Add(new Volume(order.TenantId, id, room.Pool, line.Disk));
            // The address row is tracked with this VM's id; saving now makes the next one find the next address.
            await db.SaveChangesAsync(ct);
            return vm;
        }

        private static string WhoDecided(Order order, IReadOnlyList<ApprovalVote> votes) => (votes is [.., var last] ? last : null, order.ClosedAt) switch
        {
            ({ Verdict: Verdict.Deny } vote, _) => $"{vote.VoterName} denied this order already.",
            ({ } vote, not null) when order.Lines[0].State == LineState.Approved => $"{vote.VoterName} approved this order already.",
            ({ } vote, null) => $"{vote.VoterName} approved this step already.",
            _ => $"This order is {order.Lines[0].State.ToString().ToLowerInvariant()} already.",
        };

        private static OutboxMessage Mail(Order order, Verdict verdict, string reason, Actor actor) => new(
            order.TenantId,
            order.RequesterEmail,
            verdict == Verdict.Approve ? $"Order {order.Number} was approved" : $"Order {order.Number} was denied",
            verdict == Verdict.Approve
                ? $"{actor.Name} approved your order {order.Number} ({string.Join(", ", order.Lines.SelectMany(l => l.Names).Take(20))}). {(order.Lines.All(l => l.ChangesVmId is null) ? "It is being built." : "It is done.")}"
                : $"{actor.Name} denied your order {order.Number}. Reason: {reason}");
    }
}
