using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Hosts;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Operations;

/// <summary>
/// Works an operation off: claims it, does its steps (look, act, look, with a row before and after), and records the end together with what it means
/// for the VM, its usage and its address in one transaction. May die at any point and be started again by another process.
/// </summary>
public sealed class OperationRunner(PortalDbs dbs, IVmEngines engines, ProcessLease lease, UserDataSeal seal, TimeProvider clock, ILogger<OperationRunner> logger)
{
    private const int ClaimLocks = 7004;

    private static readonly TimeSpan[] s_retries = [TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)];
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly HostSteps _steps = new(clock);
    private readonly ConcurrentDictionary<OperationId, OperationId> _atWork = [];

    /// <summary>
    /// What this process works on at this moment. A row that names this process as its owner and is not in here was let go of by an error of the
    /// database, which left no way to say so: nobody is at it, although its owner lives.
    /// </summary>
    public IReadOnlyCollection<OperationId> AtWork => [.. _atWork.Keys];

    /// <summary>Works on the operation until it ends or has to rest. Returns at once where somebody is at it, here or in another process. Safe to repeat.</summary>
    /// <exception cref="Npgsql.NpgsqlException">The database failed; the sweep rings again.</exception>
    /// <returns>Whether this call had it: then its host may have room now.</returns>
    public async Task<bool> RunAsync(OperationId id, CancellationToken ct)
    {
        if (!_atWork.TryAdd(id, id))
        {
            return false;
        }

        try
        {
            if (await ClaimAsync(id, ct) is not { } claim)
            {
                return false;
            }

            await RunAsync(claim, ct);
            return true;
        }
        finally
        {
            _atWork.TryRemove(id, out _);
        }
    }

    /// <summary>Who may begin now that an operation has let go of its host: the one that waits there longest; null where none does, or the host is full. Rung for, it need not wait for the sweep.</summary>
    public async Task<OperationId?> NextBesideAsync(OperationId ended, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        return (await db.Database.SqlQuery<Guid>(
            $"""
            SELECT o.id AS "Value" FROM operations e JOIN vms ev ON ev.id = e.vm_id LEFT JOIN vm_moves em ON em.operation_id = e.id JOIN hosts h ON h.id IN (ev.host_id, em.from_host_id, em.to_host_id)
              JOIN vms v ON v.host_id = h.id JOIN operations o ON o.vm_id = v.id
            WHERE e.id = {ended.Value} AND o.id <> e.id AND o.finished_at IS NULL AND o.owner IS NULL AND o.started_at IS NULL AND o.not_before <= clock_timestamp()
              AND (SELECT count(*) FROM operations other JOIN vms otherv ON otherv.id = other.vm_id LEFT JOIN vm_moves otherm ON otherm.operation_id = other.id
                   WHERE h.id IN (otherv.host_id, otherm.from_host_id, otherm.to_host_id) AND other.finished_at IS NULL AND other.owner IS NOT NULL) < h.max_operations
            ORDER BY o.created_at, o.id LIMIT 1
            """).ToListAsync(ct)) is [var next] ? new OperationId(next) : null;
    }

    private async Task RunAsync(Claim claim, CancellationToken ct)
    {
        try
        {
            await WorkAsync(claim, ct);
        }
        catch (TakenOverException)
        {
            logger.TakenOver(new OperationId(claim.Operation));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The portal stops: let the next one take it at once.
            await RestAsync(claim, "The portal was stopped; this goes on when it is back.", TimeSpan.Zero);
            throw;
        }
        catch (HostFaultException fault)
        {
            await RestAsync(claim, $"The host does not answer: {fault.Message} Next try in {s_rest.TotalSeconds:0} s.", s_rest);
        }
        catch (Exception fault) when (fault is not Npgsql.NpgsqlException)
        {
            // One poisonous operation must not stop the others, nor be lost: it rests, says so, and is tried again.
            logger.UnexpectedFault(fault, claim.VmId, claim.Kind);
            await RestAsync(claim, $"The portal met a fault of its own ({fault.GetType().Name}). It tries again in {s_rest.TotalSeconds * 6:0} s; if that goes on, an operator should look at the log.", s_rest * 6);
        }
    }

    // The owner's lock decides who lives: an owner whose lock is free is dead, however long or short its silence. Of its own rows a process knows it
    // without the lock: whoever comes here is the only one in it that is at this operation.
    private async Task<Claim?> ClaimAsync(OperationId id, CancellationToken ct)
    {
        if (lease.Current is not { } me)
        {
            return null;
        }

        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // One claim at a time on each host, on all replicas: so the host is never asked for more than it may do at once. A move is at work on two.
        var hosts = await db.Database.SqlQuery<Guid>(
            $"""
            SELECT DISTINCT h.id AS "Value" FROM operations o JOIN vms v ON v.id = o.vm_id LEFT JOIN vm_moves m ON m.operation_id = o.id JOIN hosts h ON h.id IN (v.host_id, m.from_host_id, m.to_host_id)
            WHERE o.id = {id.Value} ORDER BY h.id
            """).ToListAsync(ct);
        foreach (var host in hosts)
        {
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({ClaimLocks}, hashtext({host.ToString()}))", ct);
            if (await IsFullAsync(db, id, host, ct))
            {
                await transaction.CommitAsync(ct);
                return null;
            }
        }

        var claim = (await db.Database.SqlQuery<Claim>(
            $"""
            UPDATE operations o SET owner = {me.Value}, epoch = nextval('fence_epochs'), started_at = coalesce(started_at, clock_timestamp()),
                   state = CASE WHEN state = 'Waiting' THEN 'Running' ELSE state END
            WHERE o.id = {id.Value} AND o.finished_at IS NULL AND o.not_before <= clock_timestamp()
              AND (o.owner IS NULL OR o.owner = {me.Value} OR NOT EXISTS (
                    SELECT 1 FROM processes p JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = {ProcessLease.LockSpace}::oid AND l.objid = p.lock_key::oid
                      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.granted
                    WHERE p.id = o.owner))
            RETURNING o.id AS operation, o.vm_id AS vm, o.owner AS owner, o.epoch AS epoch, o.kind AS kind_text, o.change AS change_text, o.state = 'Undoing' OR o.cancel_requested AS undoing
            """).ToListAsync(ct)).SingleOrDefault();
        await transaction.CommitAsync(ct);
        return claim;
    }

    // What a dead process had counts as well, until it is taken over. One that has begun needs no place of its own, or a guest that went down for its reboot
    // would wait behind everything that was asked for since.
    private static async Task<bool> IsFullAsync(PortalDb db, OperationId id, Guid host, CancellationToken ct) =>
        await db.Database.ExecuteSqlAsync(
            $"""
            UPDATE operations o SET problem = 'The host ' || h.name || ' works on ' || h.max_operations || ' operation' || CASE h.max_operations WHEN 1 THEN '' ELSE 's' END || ' at this moment, which is as many as it may. This one begins when one of them ends.'
            FROM hosts h WHERE h.id = {host} AND o.id = {id.Value} AND o.owner IS NULL AND o.started_at IS NULL AND o.finished_at IS NULL
              AND (SELECT count(*) FROM operations other JOIN vms v ON v.id = other.vm_id LEFT JOIN vm_moves m ON m.operation_id = other.id
                   WHERE h.id IN (v.host_id, m.from_host_id, m.to_host_id) AND other.finished_at IS NULL AND other.owner IS NOT NULL) >= h.max_operations
            """, ct) > 0;

    private async Task WorkAsync(Claim claim, CancellationToken ct)
    {
        var on = await LoadAsync(claim, ct);
        if ((on.Move is { } move ? move.InMaintenance(on.Host.Id, claim.Undoing) : on.Host.Mode == HostMode.Maintenance ? on.Host : null) is { } maintained)
        {
            await RestAsync(claim, $"The host {maintained.Name} is in maintenance; this goes on when it is in use again.", s_rest);
            return;
        }

        while (true)
        {
            var next = await NextAsync(claim, ct);
            if (next is not { Step: { } step })
            {
                await FinishAsync(claim, on, next.Undoing, ct);
                return;
            }

            if (next.Undoing)
            {
                await UndoStepAsync(claim, on, step, ct);
            }
            else if (!await DoStepAsync(claim, on, step, next.Ago, ct))
            {
                return;
            }
            else if (step == StepKind.ChangeHost)
            {
                // Its host is another one now.
                on = await LoadAsync(claim, ct);
            }
        }
    }

    // Decides what comes next, and writes it down before anything acts.
    private async Task<(StepKind? Step, bool Undoing, TimeSpan Ago)> NextAsync(Claim claim, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var operation = await LockAsync(db, claim, ct);
        var now = await db.NowAsync(ct);
        operation.Work();
        if (operation.CancelRequested && operation.State == OperationState.Running && operation.TakesBack && operation.Steps.Any(s => s.State != StepState.Done))
        {
            operation.Undo("operations.cancelled", "Cancelled by its owner; what was done is being taken back.");
        }

        var undoing = operation.State == OperationState.Undoing;
        // Only what brought the VM into being is taken back, a move that has not arrived, and a detaching before the VM has its new disk. A start that was refused must not take the domain away, least of all one that runs after all.
        var step = undoing
            ? operation.TakesBack ? operation.Steps.LastOrDefault(s => s.State is StepState.Doing or StepState.Done or StepState.Failed) : null
            : operation.Steps.FirstOrDefault(s => s.State != StepState.Done);
        if (!undoing)
        {
            step?.Begin(now);
        }

        await SaveAsync(db, operation, ct);
        await transaction.CommitAsync(ct);
        return (step?.Kind, undoing, now - (step?.StartedAt ?? now));
    }

    /// <summary>False where it takes its time, and was let go of until the next look.</summary>
    private async Task<bool> DoStepAsync(Claim claim, StepContext on, StepKind step, TimeSpan ago, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        using var journal = HostJournal.Begin();
        if (on.Move?.IsLeft(step, undoing: false) == true)
        {
            await RecordStepAsync(claim, step, StepState.Done, journal, ct, left: true);
            return true;
        }

        Result<StepOutcome>? looked;
        try
        {
            looked = await WithRetriesAsync(claim, step, () => _steps.DoAsync(step, on, ago, ct), ct);
            if (looked is { Refusal: { } left and not FencedOff } && MoveSteps.MayBeLeft(step, undoing: false))
            {
                throw new HostFaultException(left.Message);
            }
        }
        catch (HostFaultException left) when (on.Move is not null && MoveSteps.MayBeLeft(step, undoing: false))
        {
            logger.HostOutOfReach(claim.VmId, claim.Kind, step, left.Message);
            await RecordStepAsync(claim, step, StepState.Done, journal, ct, left: true);
            return true;
        }
        catch (HostFaultException)
        {
            await NoteAsync(claim, step, journal, ct);
            throw;
        }

        if (looked is not { } result)
        {
            await PauseAsync(claim, step, ct);
            return false;
        }

        var elapsedMs = (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        var outcome = result.Refusal?.Code ?? "done";
        logger.StepFinished(claim.VmId, claim.Kind, step, outcome, elapsedMs);
        await RecordAsync(claim, step, result, journal, ct);
        return true;
    }

    private async Task UndoStepAsync(Claim claim, StepContext on, StepKind step, CancellationToken ct)
    {
        using var journal = HostJournal.Begin();
        if (on.Move?.IsLeft(step, undoing: true) == true)
        {
            await RecordStepAsync(claim, step, StepState.Undone, journal, ct, left: true);
            return;
        }

        var left = false;
        try
        {
            var result = await WithRetriesAsync(claim, step, () => HostSteps.UndoAsync(step, on, ct), ct);
            if (result.Refusal is FencedOff)
            {
                throw new TakenOverException();
            }

            // An undo that is refused cannot be repeated into success; resting keeps it visible, and the host may change.
            if (result.Refusal is { } refusal)
            {
                logger.HostOutOfReach(claim.VmId, claim.Kind, step, refusal.Message);
                throw new HostFaultException(refusal.Message);
            }
        }
        catch (HostFaultException) when (on.Move is not null && MoveSteps.MayBeLeft(step, undoing: true))
        {
            // The VM does not wait for a host on which it is not.
            left = true;
        }

        await RecordStepAsync(claim, step, StepState.Undone, journal, ct, left);
    }

    private async Task<T> WithRetriesAsync<T>(Claim claim, StepKind step, Func<Task<T>> act, CancellationToken ct)
    {
        foreach (var pause in s_retries)
        {
            try
            {
                return await act();
            }
            catch (HostFaultException fault)
            {
                logger.HostOutOfReach(claim.VmId, claim.Kind, step, fault.Message);
            }

            await Task.Delay(pause, clock, ct);
        }

        return await act();
    }

    private async Task RecordAsync(Claim claim, StepKind step, Result<StepOutcome> result, HostJournal journal, CancellationToken ct)
    {
        if (result.TryGet(out _, out var refusal))
        {
            await RecordStepAsync(claim, step, StepState.Done, journal, ct);
            return;
        }

        if (refusal is FencedOff)
        {
            throw new TakenOverException();
        }

        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var operation = await LockAsync(db, claim, ct);
        // What is not this VM's was not touched, and the way back must not touch it either.
        var row = operation.Steps.Single(s => s.Kind == step);
        row.End(refusal is Occupied ? StepState.Undone : StepState.Failed, await db.NowAsync(ct));
        row.Did(journal.Lines);
        operation.Undo(refusal.Code, refusal.Message);
        await SaveAsync(db, operation, ct);
        await transaction.CommitAsync(ct);
    }

    /// <param name="left">Whether it was passed over, and what it was to remove is still there.</param>
    private async Task RecordStepAsync(Claim claim, StepKind step, StepState state, HostJournal journal, CancellationToken ct, bool left = false)
    {
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (claim.Kind == OperationKind.Move && step == StepKind.ChangeHost && state == StepState.Done && !await MoveAfter.MayArriveAsync(db, claim.Operation, ct))
        {
            // Written off at this very moment: another look says so, and all is taken back.
            throw new HostFaultException("The host was written off.");
        }

        var operation = await LockAsync(db, claim, ct);
        var row = operation.Steps.Single(s => s.Kind == step);
        var now = await db.NowAsync(ct);
        row.End(state, now);
        row.Did(journal.Lines);
        if (operation.Kind == OperationKind.Move && !left)
        {
            await MoveAfter.StepAsync(db, operation, step, state, now, ct);
        }
        else if (operation.Kind == OperationKind.Detach)
        {
            await DetachSteps.RecordAsync(db, operation, step, state, now, ct);
        }

        await SaveAsync(db, operation, ct);
        await transaction.CommitAsync(ct);
    }

    // It did not come to an end that is known; what was tried by then is.
    private async Task NoteAsync(Claim claim, StepKind step, HostJournal journal, CancellationToken ct)
    {
        if (journal.Lines is { Count: > 0 } lines)
        {
            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var operation = await LockAsync(db, claim, ct);
            operation.Steps.Single(s => s.Kind == step).Did(lines);
            await SaveAsync(db, operation, ct);
            await transaction.CommitAsync(ct);
        }
    }

    private async Task PauseAsync(Claim claim, StepKind step, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var operation = await LockAsync(db, claim, ct);
        operation.Steps.Single(s => s.Kind == step).Pause();
        operation.Pause(await db.NowAsync(ct) + s_pause);
        await SaveAsync(db, operation, ct);
        await transaction.CommitAsync(ct);
    }

    // The end: operation, VM, volume, usage, address and audit in one transaction.
    private async Task FinishAsync(Claim claim, StepContext on, bool undone, CancellationToken ct)
    {
        var seen = await on.Engine.LookAsync(on.Spec.Name, ct);
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var operation = await LockAsync(db, claim, ct);
        var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {claim.Vm} FOR UPDATE").ToListAsync(ct)).Single();
        var now = await db.NowAsync(ct);
        var state = !undone ? OperationState.Succeeded : operation.CancelRequested && (operation.TakesBack || !operation.IsForHosts) ? OperationState.Cancelled : OperationState.Failed;
        operation.Finish(state, now, operation.ProblemCode, undone ? operation.Problem : null);
        if (operation.Kind == OperationKind.Move && undone)
        {
            await MoveAfter.UndoneAsync(db, operation, ct);
        }

        await VmAfter.ApplyAsync(db, vm, operation, seen.State, now, ct);
        db.Add(AuditEntry.Of(Actor.Portal, vm.TenantId, $"operation.{operation.Kind}.{state}".ToLowerInvariant(), vm.Id.Value, vm.Name, $"{(operation.Kind == OperationKind.Change ? $"{operation.Words}, " : "")}asked by {operation.RequestedBy}{(operation.Problem is null ? "" : ": " + operation.Problem)}"));
        await SaveAsync(db, operation, ct);
        await transaction.CommitAsync(ct);
        logger.OperationEnded(claim.VmId, claim.Kind, state);
    }

    private async Task<StepContext> LoadAsync(Claim claim, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var vm = await db.Vms.AsNoTracking().SingleAsync(v => v.Id == claim.VmId, ct);
        var host = await db.Hosts.AsNoTracking().SingleAsync(h => h.Id == vm.HostId, ct);
        var network = await db.Networks.AsNoTracking().SingleAsync(n => n.Id == vm.NetworkId, ct);
        var version = vm.TemplateVersionId is { } template ? await db.TemplateVersions.AsNoTracking().SingleAsync(v => v.Id == template, ct) : null;
        var image = version?.Image ?? TemplateImage.None;
        var move = claim.Kind == OperationKind.Move ? await LoadMoveAsync(db, claim, vm, network, image, ct) : null;
        var (engine, name, fence) = (engines.For(host.Connection), vm.DomainOn(host), new Fence(vm.Id, claim.Epoch));
        var detach = claim.Kind == OperationKind.Detach ? new DetachSteps(vm, engine, name, fence, NotesOf(claim, vm).TellAsync, stop => HasCopiedAsync(claim, stop)) : null;
        // Only the seed has it: whoever lost the keys to it can still do all else with his VM.
        var userData = claim.Kind == OperationKind.Build ? seal.Open(vm.SealedUserData) : null;
        return new StepContext(vm, host, engine, HostSteps.SpecOf(vm, name, network, image, userData), fence, WrittenChange.Read(claim.ChangeText), move, detach);
    }

    // How much there was to copy is told before that step is done.
    private async Task<bool> HasCopiedAsync(Claim claim, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        return await db.Database.SqlQuery<bool>($"""SELECT total > 0 AS "Value" FROM operations WHERE id = {claim.Operation}""").SingleAsync(ct);
    }

    private async Task<MoveSteps> LoadMoveAsync(PortalDb db, Claim claim, Vm vm, Networks.Network network, TemplateImage image, CancellationToken ct)
    {
        var row = await db.VmMoves.AsNoTracking().SingleAsync(m => m.OperationId == new OperationId(claim.Operation), ct);
        return new MoveSteps(row, await EndAsync(row.FromHostId), await EndAsync(row.ToHostId), NotesOf(claim, vm).TellAsync);

        async Task<MoveEnd> EndAsync(HostId id)
        {
            var host = await db.Hosts.AsNoTracking().SingleAsync(h => h.Id == id, ct);
            return new MoveEnd(host, engines.For(host.Connection), HostSteps.SpecOf(vm, row.NameOn(host), network, image, userData: null));
        }
    }

    private CopyNotes NotesOf(Claim claim, Vm vm) => new(dbs, claim.Kind, claim.Operation, claim.Owner, claim.Epoch, vm, clock);

    // Every write starts here: the row is locked, and whoever no longer owns it stops.
    private static async Task<Operation> LockAsync(PortalDb db, Claim claim, CancellationToken ct)
    {
        var rows = await db.Operations.FromSql($"SELECT *, xmin FROM operations WHERE id = {claim.Operation} AND owner = {claim.Owner} AND epoch = {claim.Epoch} FOR UPDATE").ToListAsync(ct);
        var operation = rows.SingleOrDefault() ?? throw new TakenOverException();
        await db.OperationSteps.Where(s => s.OperationId == operation.Id).OrderBy(s => s.Ordinal).LoadAsync(ct);
        return operation;
    }

    private static async Task SaveAsync(PortalDb db, Operation operation, CancellationToken ct)
    {
        await db.SaveChangesAsync(ct);
        await db.AnnounceAsync(Topic.Of(operation.VmId), ct);
        await db.AnnounceAsync(Topic.Of(operation.TenantId), ct);
    }

    private async Task RestAsync(Claim claim, string problem, TimeSpan pause)
    {
        try
        {
            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None);
            var operation = await LockAsync(db, claim, CancellationToken.None);
            operation.Rest(problem, await db.NowAsync(CancellationToken.None) + pause);
            await SaveAsync(db, operation, CancellationToken.None);
            await transaction.CommitAsync(CancellationToken.None);
        }
        catch (TakenOverException)
        {
            logger.TakenOver(new OperationId(claim.Operation));
        }
    }

    private sealed record Claim(Guid Operation, Guid Vm, Guid Owner, long Epoch, string KindText, string ChangeText, bool Undoing)
    {
        public VmId VmId => new(Vm);

        public OperationKind Kind => Enum.Parse<OperationKind>(KindText);
    }

    private sealed class TakenOverException : Exception;
}
