using Hangfire;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Operations;

/// <summary>The job behind the doorbell: its argument is an operation's id, and the operation's row knows the rest.</summary>
public sealed class RunOperation(OperationRunner runner, Doorbell doorbell)
{
    public const string Queue = "hosts";

    /// <summary>Works on the operation. Safe to repeat. No retries by the job: the sweep rings again for whatever still waits.</summary>
    [Queue(Queue)]
    [AutomaticRetry(Attempts = 0, LogEvents = false, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
    public async Task RunAsync(Guid operation, CancellationToken ct)
    {
        // Whoever did not get a place frees none: to ring all the same, those who wait would ring each other for ever.
        if (await runner.RunAsync(new OperationId(operation), ct) && await runner.NextBesideAsync(new OperationId(operation), ct) is { } next)
        {
            doorbell.Ring(next);
        }
    }
}

/// <summary>Asks for operations and rings for them.</summary>
public sealed class Doorbell(IBackgroundJobClient jobs, ILogger<Doorbell> logger)
{
    /// <summary>
    /// Says that there is work. What was asked for is written down already; a ring that is lost, because the process died or the database was away,
    /// is made good by the sweep.
    /// </summary>
    public void Ring(OperationId operation)
    {
        try
        {
            jobs.Enqueue<RunOperation>(job => job.RunAsync(operation.Value, CancellationToken.None));
        }
        catch (BackgroundJobClientException lost)
        {
            logger.RingLost(operation, lost.InnerException?.Message ?? lost.Message);
        }
    }
}

/// <summary>Writes new operations into the caller's transaction.</summary>
public static class OperationDesk
{
    /// <summary>Adds an operation with its steps and its audit entry. The unique index refuses a second live one when the transaction is saved.</summary>
    /// <param name="why">Where nobody asked for it, what did; for the audit.</param>
    public static Operation Ask(this PortalDb db, Vm vm, Work work, Actor actor, DateTimeOffset at, string why = "")
    {
        var operation = Operation.Asked(vm, work, actor, at);
        db.Add(operation);
        db.Add(AuditEntry.Of(actor, vm.TenantId, $"operation.{operation.Kind}.asked".ToLowerInvariant(), vm.Id.Value, vm.Name, operation.Kind == OperationKind.Change ? operation.Words : why));
        return operation;
    }

    /// <summary>The VM's live operation; null where it has none.</summary>
    public static Task<Operation?> FindLiveOperationAsync(this PortalDb db, VmId vm, CancellationToken ct) =>
        db.Operations.AsNoTracking().SingleOrDefaultAsync(o => o.VmId == vm && o.FinishedAt == null, ct);
}

/// <summary>The VM has an operation under way already.</summary>
/// <param name="What">The operation, for people.</param>
public sealed record VmBusy(string What)
    : Refusal("operations.vm_busy", $"another operation ({What}) is under way on this VM. Wait until it ends, or cancel it.");
