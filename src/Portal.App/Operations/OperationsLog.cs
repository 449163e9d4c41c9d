using Microsoft.Extensions.Logging;
using Portal.Kernel;

namespace Portal.App.Operations;

internal static partial class OperationsLog
{
    [LoggerMessage(EventId = 2001, Level = LogLevel.Information, Message = "VM {VmId}: {Operation} step {Step} {Outcome} in {ElapsedMs} ms")]
    public static partial void StepFinished(this ILogger logger, VmId vmId, OperationKind operation, StepKind step, string outcome, long elapsedMs);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Information, Message = "VM {VmId}: {Operation} ended {State}")]
    public static partial void OperationEnded(this ILogger logger, VmId vmId, OperationKind operation, OperationState state);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Warning, Message = "VM {VmId}: {Operation} step {Step} found the host out of reach: {Problem}")]
    public static partial void HostOutOfReach(this ILogger logger, VmId vmId, OperationKind operation, StepKind step, string problem);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Warning, Message = "Operation {OperationId} was taken over by another process; this one stopped working on it")]
    public static partial void TakenOver(this ILogger logger, OperationId operationId);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Warning, Message = "The lease on the database was lost: {Problem}")]
    public static partial void LeaseLost(this ILogger logger, string problem);

    [LoggerMessage(EventId = 2006, Level = LogLevel.Information, Message = "Rang for {Count} operations that nobody was working on")]
    public static partial void Swept(this ILogger logger, int count);

    [LoggerMessage(EventId = 2007, Level = LogLevel.Error, Message = "VM {VmId}: {Operation} met an unexpected fault and rests")]
    public static partial void UnexpectedFault(this ILogger logger, Exception fault, VmId vmId, OperationKind operation);

    [LoggerMessage(EventId = 2008, Level = LogLevel.Warning, Message = "The bell could not be rung for operation {OperationId}; the sweep will: {Problem}")]
    public static partial void RingLost(this ILogger logger, OperationId operationId, string problem);
}
