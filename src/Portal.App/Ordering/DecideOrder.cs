using System.Diagnostics.CodeAnalysis;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Networks;
using Portal.App.Operations;
using Portal.App.Outbox;
using Portal.App.Quotas;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Somebody decided already, or the order was cancelled or has expired.</summary>
public sealed record DecidedAlready(string What)
    : Refusal("ordering.decided_already", What);

/// <summary>Who asked may not decide.</summary>
public sealed record OwnOrder()
    : Refusal("ordering.own_order", "This is your own order: somebody else has to decide on it.")
{
    public override RefusalKind Kind => RefusalKind.Forbidden;
}

/// <summary>Says yes or no to a waiting order. On the yes the VMs come to exist, each with its address, its disk's intent and its build.</summary>
public static class DecideOrder
{
    /// <param name="Reason">Needed for a no; the requester reads it.</param>
    public sealed record Request(OrderId Order, Verdict Verdict, string Reason);

    public sealed class Handler(PortalDbs dbs, AccessRules access, Doorbell doorbell)
    {
        /// <summary>Not safe to repeat: the second time says that it is decided.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var reason = request.Reason.Trim();
            if (reason.Length > 1000)
            {
                return new Invalid("reason", "A reason has at most 1000 characters.");
            }

            if (request.Verdict == Verdict.Deny && reason.Length == 0)
            {
                return new Invalid("reason", "Say why: the requester reads it.");
            }

            if (access.Check(actor, Permission.DecideOrders) is { } refusal)
            {
                return refusal;
            }

            return await Decision.TakeAsync(dbs, doorbell, request.Order, request.Verdict, reason, actor, ct);
        }
    }

    /// <summary>Says yes in the name of a tenant's policy, where it says so.</summary>
    public sealed class ByPolicy(PortalDbs dbs, Doorbell doorbell)
    {
        /// <summary>Decides where the order's own step leaves it to the policy; else does nothing. Safe to repeat.</summary>
        public async Task DecideAsync(OrderId order, CancellationToken ct)
        {
            await using (var db = dbs.ForSystem())
            {
                if (!await db.ApprovalSteps.AnyAsync(s => s.OrderId == order && s.Mode == ApprovalMode.Automatic && s.DecidedAt == null, ct))
                {
                    return;
                }
            }

            var decided = await Decision.TakeAsync(dbs, doorbell, order, Verdict.Approve, "", Actor.Portal, ct);
            if (decided.Refusal is { } refusal and not DecidedAlready)
            {
                // One statement: an order that somebody closes at this moment is left as it is.
                await using var db = dbs.ForSystem();
                var why = Order.WaitsBecause(refusal);
                await db.Orders.Where(o => o.Id == order && o.ClosedAt == null).ExecuteUpdateAsync(s => s.SetProperty(o => o.Problem, why), ct);
            }
        }
    }

    private static class Decision
    {
        public static async Task<Result<Done>> TakeAsync(PortalDbs dbs, Doorbell doorbell, OrderId id, Verdict verdict, string reason, Actor actor, CancellationToken ct)
        {
            IReadOnlyList<Operation> builds = [];
            try
            {
                await using var db = dbs.ForSystem();
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                if (await LockAsync(db, id, ct) is not { } order)
                {
                    return new NotFound("order");
                }

                var step = await db.ApprovalSteps.SingleAsync(s => s.OrderId == id, ct);
                if (order.ClosedAt is not null || step.DecidedAt is not null)
                {
                    return new DecidedAlready(await WhoDecidedAsync(db, order, ct));
                }

                if (step.FourEyes && actor.User == order.RequestedById)
                {
                    return new OwnOrder();
                }

                var now = await db.NowAsync(ct);
                if (verdict == Verdict.Approve && !(await ApproveAsync(db, order, actor, now, ct)).TryGet(out builds!, out var refusal))
                {
                    return Result<Done>.Of(refusal);
                }

                db.Add(new ApprovalVote(step, actor, verdict, reason, now));
                step.Decided(now);
                order.Close(verdict == Verdict.Approve ? LineState.Approved : LineState.Denied, now);
                await db.QuotaReservations.Where(r => order.Lines.Select(l => l.Id).Contains(r.OrderLineId)).ExecuteDeleteAsync(ct);
                db.Add(AuditEntry.Of(actor, order.TenantId, verdict == Verdict.Approve ? "order.approved" : "order.denied", order.Id.Value, $"Order {order.Number}", reason));
                db.Add(Mail(order, verdict, reason, actor));
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
            var parties = await db.ReadPartiesAsync(order.TenantId, [.. order.Lines.Select(l => l.Wants)], lockHosts: true, ct);
            if (Placement.Choose(parties, out _) is not { } chosen)
            {
                return Result<IReadOnlyList<Operation>>.Of(await db.ReadWhyNotAsync(parties, ct));
            }

            var operations = new List<Operation>();
            foreach (var (line, rooms) in order.Lines.Zip(chosen))
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

            return operations;
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

        private static async Task<string> WhoDecidedAsync(PortalDb db, Order order, CancellationToken ct)
        {
            var vote = await db.ApprovalVotes.AsNoTracking().Where(v => v.OrderId == order.Id).OrderBy(v => v.At).FirstOrDefaultAsync(ct);
            return vote switch
            {
                { Verdict: Verdict.Approve } => $"{vote.VoterName} approved this order already.",
                { Verdict: Verdict.Deny } => $"{vote.VoterName} denied this order already.",
                _ => $"This order is {order.Lines[0].State.ToString().ToLowerInvariant()} already.",
            };
        }

        private static OutboxMessage Mail(Order order, Verdict verdict, string reason, Actor actor) => new(
            order.TenantId,
            order.RequesterEmail,
            verdict == Verdict.Approve ? $"Order {order.Number} was approved" : $"Order {order.Number} was denied",
            verdict == Verdict.Approve
                ? $"{actor.Name} approved your order {order.Number} ({string.Join(", ", order.Lines.SelectMany(l => l.Names).Take(20))}). It is being built."
                : $"{actor.Name} denied your order {order.Number}. Reason: {reason}");
    }
}
