using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Operations;

/// <summary>A step as people see it.</summary>
/// <param name="Commands">What was done on the host.</param>
public sealed record StepRow(int Ordinal, StepKind Kind, string Words, StepState State, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, int Tries, IReadOnlyList<JournalLine> Commands);

/// <summary>An operation as people see it.</summary>
public sealed record OperationRow(
    OperationId Id,
    TenantId Tenant,
    VmId Vm,
    string VmName,
    OperationKind Kind,
    string Words,
    OperationState State,
    string RequestedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    DateTimeOffset NotBefore,
    string? Problem,
    string? ProblemCode,
    bool CancelRequested,
    bool CanCancel,
    IReadOnlyList<StepRow> Steps)
{
    /// <summary>How far the copy of a move's disks is; null for every other kind, and in lists.</summary>
    public MoveRow? Move { get; init; }

    /// <summary>How much of its disk is copied, where it is copied on its host; null for every other kind, and before that begins.</summary>
    public CopyRow? Copy { get; init; }

    public bool IsLive => State is OperationState.Waiting or OperationState.Running or OperationState.Undoing;

    /// <summary>What is done to which VM: "Build web-1".</summary>
    public string Headline => Kind is OperationKind.Change or OperationKind.Detach ? $"{VmName}: {Words}" : $"{Words} {VmName}";

    internal static OperationRow Of(Operation o) => new(
        o.Id, o.TenantId, o.VmId, o.VmName, o.Kind, o.Words, o.State, o.RequestedBy, o.CreatedAt, o.StartedAt, o.FinishedAt, o.NotBefore,
        o.Problem, o.ProblemCode, o.CancelRequested, o.CanCancel,
        [.. o.Steps.OrderBy(s => s.Ordinal).Select(s => new StepRow(s.Ordinal, s.Kind, s.Kind.Words(), s.State, s.StartedAt, s.FinishedAt, s.Tries, StepJournal.Read(s.Journal)))])
    {
        Copy = o.Total > ByteSize.Zero ? new CopyRow(o.Copied, o.Total) : null,
    };
}

/// <summary>How much of a disk the present step has compared and copied, or the last one did that had to.</summary>
public sealed record CopyRow(ByteSize Copied, ByteSize Total);

/// <summary>Both ends of a move, and how far the copy of its disks is.</summary>
/// <param name="From">For staff only; null for others. So is the next.</param>
/// <param name="Total">Zero before it is known.</param>
/// <param name="LeftOn">The host that still has something of it to be removed, after the move has ended; null where none has, and for others than staff.</param>
public sealed record MoveRow(string? From, string? To, ByteSize Copied, ByteSize Total, string? LeftOn);

/// <summary>Reads moves beside their operations.</summary>
internal static class MoveRows
{
    public static async Task<OperationRow> WithMoveAsync(this OperationRow row, PortalDb system, bool maySeeHosts, CancellationToken ct)
    {
        if (row.Kind != OperationKind.Move)
        {
            return row;
        }

        var move = await (from m in system.VmMoves.AsNoTracking()
                          join f in system.Hosts on m.FromHostId equals f.Id
                          join t in system.Hosts on m.ToHostId equals t.Id
                          where m.OperationId == row.Id
                          select new { m.Copied, m.Total, m.LeftOnId, FromId = f.Id, From = f.Name, To = t.Name }).SingleAsync(ct);
        var left = row.IsLive || move.LeftOnId is not { } on ? null : on == move.FromId ? move.From : move.To;
        return row with { Move = maySeeHosts ? new MoveRow(move.From, move.To, move.Copied, move.Total, left) : new MoveRow(null, null, move.Copied, move.Total, null) };
    }
}

/// <summary>One operation.</summary>
public static class GetOperation
{
    public sealed record Request(OperationId Operation);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<OperationRow>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            await using var db = dbs.ForSystem();
            var operation = await db.Operations.AsNoTracking().Include(o => o.Steps).SingleOrDefaultAsync(o => o.Id == request.Operation, ct);
            return operation is null || !access.Allows(actor, Permission.SeeTenant, operation.TenantId)
                ? new NotFound("operation")
                : await OperationRow.Of(operation).WithMoveAsync(db, access.Allows(actor, Permission.SeeHosts), ct);
        }
    }
}

/// <summary>A tenant's operations, the newest first.</summary>
public static class ListOperations
{
    /// <param name="Vm">Only this VM's; null for all.</param>
    /// <param name="LiveOnly">Only what has not ended.</param>
    public sealed record Request(TenantId Tenant, VmId? Vm = null, bool LiveOnly = false);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>At most the last 100.</summary>
        public async Task<Result<IReadOnlyList<OperationRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeTenant, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var query = db.Operations.AsNoTracking().Include(o => o.Steps).Where(o => o.TenantId == request.Tenant);
            query = request.Vm is { } vm ? query.Where(o => o.VmId == vm) : query;
            query = request.LiveOnly ? query.Where(o => o.FinishedAt == null) : query;
            var operations = await query.OrderByDescending(o => o.CreatedAt).Take(100).ToListAsync(ct);
            return Result<IReadOnlyList<OperationRow>>.Of([.. operations.Select(OperationRow.Of)]);
        }
    }
}

/// <summary>All live operations, for operators.</summary>
public static class ListLiveOperations
{
    public sealed record Request;

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<OperationRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeHosts) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var operations = await db.Operations.AsNoTracking().Include(o => o.Steps).Where(o => o.FinishedAt == null).OrderBy(o => o.CreatedAt).Take(500).ToListAsync(ct);
            return Result<IReadOnlyList<OperationRow>>.Of([.. operations.Select(OperationRow.Of)]);
        }
    }
}

/// <summary>Asks to cancel a live operation: a build, an adoption, a move and a detaching are undone, anything else is called off while nobody is at it.</summary>
public static class CancelOperation
{
    public sealed record Request(TenantId Tenant, OperationId Operation);

    public sealed class Handler(PortalDbs dbs, AccessRules access, Doorbell doorbell)
    {
        /// <summary>Safe to repeat.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ControlVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var operation = (await db.Operations.FromSql($"SELECT *, xmin FROM operations WHERE id = {request.Operation.Value} AND tenant_id = {request.Tenant.Value} FOR UPDATE").ToListAsync(ct)).SingleOrDefault();
            if (operation is null)
            {
                return new NotFound("operation");
            }

            // What an operator has asked for because of his hosts is his to call off.
            if (operation.IsForHosts && access.Check(actor, Permission.ManageHosts) is { } notHis)
            {
                return notHis;
            }

            if (operation.CancelRequested)
            {
                return default(Done);
            }

            await db.OperationSteps.Where(s => s.OperationId == operation.Id).LoadAsync(ct);

            if (!operation.CanCancel)
            {
                return new CannotCancel(operation.Words, operation.State);
            }

            operation.AskCancel();
            db.Add(Audit.AuditEntry.Of(actor, operation.TenantId, $"operation.{operation.Kind}.cancel_asked".ToLowerInvariant(), operation.VmId.Value, operation.VmName));
            if (operation.Rests && !operation.TakesBack)
            {
                var how = operation.StartedAt is null ? "Called off before it began."
                    : operation.State == OperationState.Running ? "Called off while it waited for the guest, which may still go down: it was asked to."
                    : "Called off while it waited for its host. What it had done by then stays done.";
                operation.Finish(OperationState.Cancelled, await db.NowAsync(ct), "operations.cancelled", how);
                await PutBackAsync(db, operation, ct);
                db.Add(Audit.AuditEntry.Of(actor, operation.TenantId, $"operation.{operation.Kind}.cancelled".ToLowerInvariant(), operation.VmId.Value, operation.VmName));
            }

            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Of(operation.VmId), ct);
            await db.AnnounceAsync(Topic.Of(operation.TenantId), ct);
            await transaction.CommitAsync(ct);
            doorbell.Ring(operation.Id);
            return default(Done);
        }

        // The VM is again what it was before it was asked for. Where an earlier deletion has begun, parts may be gone: then deleting is all that is left.
        private static async Task PutBackAsync(PortalDb db, Operation operation, CancellationToken ct)
        {
            var vm = await db.Vms.SingleAsync(v => v.Id == operation.VmId, ct);
            if (vm.Stage == VmStage.Deleting)
            {
                if (await db.Operations.AnyAsync(o => o.VmId == vm.Id && o.Kind == OperationKind.Delete && o.StartedAt != null, ct))
                {
                    return;
                }

                var built = await db.Volumes.AnyAsync(v => v.VmId == vm.Id && v.State == VolumeState.Present, ct);
                vm.MoveTo(built ? VmStage.Ready : VmStage.Failed, built ? null : "It was not built. Build it again or delete it.");
            }

            if (!operation.IsForHosts)
            {
                vm.WantAsSeen();
            }
        }
    }
}

/// <summary>It is too late to cancel.</summary>
/// <param name="What">The operation, for people.</param>
public sealed record CannotCancel(string What, OperationState State)
    : Refusal("operations.cannot_cancel", State is OperationState.Waiting or OperationState.Running
        ? $"\"{What}\" has begun and cannot be taken back; it ends by itself."
        : "This operation has ended, or is being taken back already.");
