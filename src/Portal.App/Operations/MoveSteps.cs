using Portal.App.Hosts;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Operations;

/// <summary>Something about a VM or a host stands against a move.</summary>
public sealed record CannotMove(string Vm, string Why)
    : Refusal("control.cannot_move", $"{Vm} cannot be moved there. {Why}");

/// <summary>One end of a move.</summary>
internal sealed record MoveEnd(Host Host, IVmEngine Engine, DomainSpec Spec)
{
    public DiskPlace Disks => new(Engine, Spec.Name);
}

/// <summary>What the steps of a move do on its two hosts. The domain exists on one of them at a time: on the old one until its disks are copied, on the new one after the books say so.</summary>
internal sealed class MoveSteps(VmMove row, MoveEnd from, MoveEnd to, CopyProgress progress)
{
    public bool MayForceOff => row.MayForceOff;

    /// <summary>The host that is needed for what comes next and on which somebody works; null where it can go on.</summary>
    /// <param name="on">Where the VM is.</param>
    /// <param name="undoing">Whether it is taken back, or is about to be.</param>
    public Host? InMaintenance(HostId on, bool undoing) =>
        (on == to.Host.Id ? [to.Host] : undoing ? (Host[])[from.Host] : [from.Host, to.Host]).FirstOrDefault(h => h.Mode == HostMode.Maintenance);

    /// <summary>Steps that need not be waited for: what they leave where nobody answers is removed later, and nothing of the VM depends on it.</summary>
    public static bool MayBeLeft(StepKind step, bool undoing) => undoing ? step is StepKind.MakeDisksThere or StepKind.DefineThere : step == StepKind.RemoveLeft;

    /// <summary>Whether a step that need not be waited for is passed over, because somebody works on its host.</summary>
    public bool IsLeft(StepKind step, bool undoing) => MayBeLeft(step, undoing) && (undoing ? to.Host : from.Host).Mode == HostMode.Maintenance;

    public async Task<Result<StepOutcome>> DoAsync(StepKind step, Fence fence, CancellationToken ct) => step switch
    {
        StepKind.StartThere => row.Runs ? await to.Engine.EnsureRunningAsync(fence, to.Spec.Name, ct) : StepOutcome.AlreadyThere,
        StepKind.RemoveLeft => from.Host.Mode == HostMode.WrittenOff ? StepOutcome.AlreadyThere : await from.Engine.EnsureDisksGoneAsync(fence, from.Spec.Name, ct),
        _ when to.Host.Mode == HostMode.WrittenOff => new CannotMove(from.Spec.HostName.Text, $"{to.Host.Name} was written off."),
        StepKind.BringTemplate => await to.Engine.EnsureTemplateAsync(to.Spec.Template, ct),
        StepKind.MakeDisksThere => await WithDisksAsync(disks => DiskCopy.MakeAsync(to.Disks, disks, fence, ct), ct),
        StepKind.CopyDisks => await WithDisksAsync(disks => DiskCopy.RunAsync(from.Disks, to.Disks, disks, fence, progress, ct), ct),
        StepKind.DefineThere => await to.Engine.EnsureDefinedAsync(fence, to.Spec, ct),
        StepKind.LeaveHost => await from.Engine.EnsureUndefinedAsync(fence, from.Spec.Name, ct),
        // In the transaction that records the step.
        StepKind.ChangeHost => StepOutcome.Changed,
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "Not a step of a move alone."),
    };

    public async Task<Result<StepOutcome>> UndoAsync(StepKind step, Fence fence, CancellationToken ct) => step switch
    {
        StepKind.LeaveHost => await from.Engine.EnsureDefinedAsync(fence, from.Spec, ct),
        StepKind.AskShutdown when row.Runs => await from.Engine.EnsureRunningAsync(fence, from.Spec.Name, ct),
        _ when to.Host.Mode == HostMode.WrittenOff => StepOutcome.AlreadyThere,
        StepKind.DefineThere => await to.Engine.EnsureUndefinedAsync(fence, to.Spec.Name, ct),
        StepKind.MakeDisksThere => await ClearAsync(to, fence, ct),
        _ => StepOutcome.AlreadyThere,
    };

    // That its domain was removed before may have been passed over.
    private static async Task<Result<StepOutcome>> ClearAsync(MoveEnd end, Fence fence, CancellationToken ct)
    {
        var undefined = await end.Engine.EnsureUndefinedAsync(fence, end.Spec.Name, ct);
        return undefined.Succeeded ? await end.Engine.EnsureDisksGoneAsync(fence, end.Spec.Name, ct) : undefined;
    }

    private async Task<Result<StepOutcome>> WithDisksAsync(Func<IReadOnlyList<DomainDisk>, Task<Result<StepOutcome>>> act, CancellationToken ct)
    {
        var listing = await from.Engine.ListDisksAsync(from.Spec.Name, ct);
        return listing.Obstacles is [var obstacle, ..] ? new CannotMove(from.Spec.HostName.Text, obstacle)
            : from.Spec.Template.Nfs is null && listing.Disks.All(d => d.Suffix.Length > 0) ? new CannotMove(from.Spec.HostName.Text, $"{from.Host.Name} does not list its root disk.")
            : await act(listing.Disks);
    }
}
