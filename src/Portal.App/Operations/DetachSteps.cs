using Portal.App.Metering;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Portal.App.Operations;

/// <summary>Something about a VM stands against detaching it from its template.</summary>
public sealed record CannotDetach(string Vm, string Why)
    : Refusal("control.cannot_detach", $"{Vm} cannot be detached from its template. {Why}");

/// <summary>What the steps of a detaching do. Where they are is told by the host alone, so each can be repeated.</summary>
/// <param name="copied">Whether this operation has copied the disk. Else it found one of its own, and only removes what was left of the clone.</param>
internal sealed class DetachSteps(Vm vm, IVmEngine engine, DomainName name, Fence fence, CopyProgress progress, Func<CancellationToken, Task<bool>> copied)
{
    private bool? _stays;

    private bool Runs => vm.Wanted == WantedState.Running;

    /// <summary>Before the disks are exchanged: whether there is nothing to exchange, because it had its own disk before this was asked for. Nothing has to be off for what is left to do.</summary>
    public async Task<bool> StaysUpAsync(CancellationToken ct) => _stays ??= (await engine.ListDisksAsync(name, ct)).Cloned is not { Replaced: false };

    public async Task<Result<StepOutcome>> DoAsync(StepKind step, CancellationToken ct) => step switch
    {
        StepKind.CopyTemplate => await DetachAsync(DetachStage.Copy, ct),
        StepKind.TakeCopy => await DetachAsync(DetachStage.Take, ct),
        // What was not stopped for it is nobody's to start: it may be paused, or not start at all.
        StepKind.StartAgain => Runs && (vm.StartDue || await copied(ct)) ? await engine.EnsureRunningAsync(fence, name, ct) : StepOutcome.AlreadyThere,
        StepKind.RemoveClone => await DetachAsync(DetachStage.Clear, ct),
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "Not a step of a detaching alone."),
    };

    public async Task<Result<StepOutcome>> UndoAsync(StepKind step, CancellationToken ct) => step switch
    {
        StepKind.TakeCopy when await copied(ct) => await DetachAsync(DetachStage.PutBack, ct),
        StepKind.AskShutdown when Runs && await copied(ct) => await engine.EnsureRunningAsync(fence, name, ct),
        StepKind.CopyTemplate => await DetachAsync(DetachStage.Clear, ct),
        _ => StepOutcome.AlreadyThere,
    };

    /// <summary>What a step means for the books, in the transaction that records it: its VM does not run for all of it.</summary>
    public static async Task RecordAsync(PortalDb db, Operation operation, StepKind step, StepState state, DateTimeOffset now, CancellationToken ct)
    {
        // Where nothing was copied its disk was its own before, and it went on running.
        if (state != StepState.Done || step is not (StepKind.WaitForOff or StepKind.TakeCopy or StepKind.StartAgain) || operation.Total == ByteSize.Zero)
        {
            return;
        }

        var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {operation.VmId.Value} FOR UPDATE").ToListAsync(ct)).Single();
        var running = step == StepKind.StartAgain && vm.Wanted == WantedState.Running;
        vm.Saw(running ? DomainState.Running : DomainState.Off, now);
        await db.SettleUsageAsync(vm, allocated: true, running, now, ct);
    }

    private Task<Result<StepOutcome>> DetachAsync(DetachStage stage, CancellationToken ct) => engine.DetachAsync(fence, name, stage, progress, ct);
}
