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
internal sealed class DetachSteps(Vm vm, IVmEngine engine, DomainName name, Fence fence, CopyProgress progress)
{
    private bool? _replaced;

    private bool Runs => vm.Wanted == WantedState.Running;

    /// <summary>Whether it had its own disk before this was asked for, so that only what is left of the clone goes: nothing has to be off for that.</summary>
    public async Task<bool> IsReplacedAsync(CancellationToken ct) => _replaced ??= (await engine.ListDisksAsync(name, ct)).Cloned is { Replaced: true };

    public Task<Result<StepOutcome>> DoAsync(StepKind step, CancellationToken ct) => step switch
    {
        StepKind.CopyTemplate => DetachAsync(DetachStage.Copy, ct),
        StepKind.TakeCopy => DetachAsync(DetachStage.Take, ct),
        StepKind.StartAgain => Runs ? engine.EnsureRunningAsync(fence, name, ct) : Task.FromResult<Result<StepOutcome>>(StepOutcome.AlreadyThere),
        StepKind.RemoveClone => DetachAsync(DetachStage.Clear, ct),
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "Not a step of a detaching alone."),
    };

    public Task<Result<StepOutcome>> UndoAsync(StepKind step, CancellationToken ct) => step switch
    {
        StepKind.TakeCopy => DetachAsync(DetachStage.PutBack, ct),
        StepKind.AskShutdown when Runs => engine.EnsureRunningAsync(fence, name, ct),
        StepKind.CopyTemplate => DetachAsync(DetachStage.Clear, ct),
        _ => Task.FromResult<Result<StepOutcome>>(StepOutcome.AlreadyThere),
    };

    /// <summary>What a step means for the books, in the transaction that records it: its VM does not run for all of it.</summary>
    public static async Task RecordAsync(PortalDb db, Operation operation, StepKind step, StepState state, DateTimeOffset now, CancellationToken ct)
    {
        // Where nothing was copied its disk was its own before, and it went on running.
        if (state != StepState.Done || step is not (StepKind.TakeCopy or StepKind.StartAgain) || operation.Total == ByteSize.Zero)
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
