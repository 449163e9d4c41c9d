using MudBlazor;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Vms;

namespace Portal.Web.Components.Shared;

/// <summary>How the product's states look: one word, one icon, one tone each, the same on every page.</summary>
public static class Looks
{
    public static StatusLook Of(ShownStatus status) => status switch
    {
        ShownStatus.Deleted => new("Deleted", Icons.Material.Outlined.AutoDelete, Tone.Neutral),
        ShownStatus.Building => StatusLook.Working("Building"),
        ShownStatus.Starting => StatusLook.Working("Starting"),
        ShownStatus.Stopping => StatusLook.Working("Stopping"),
        ShownStatus.Rebooting => StatusLook.Working("Rebooting"),
        ShownStatus.Deleting => StatusLook.Working("Deleting"),
        ShownStatus.Changing => StatusLook.Working("Changing"),
        ShownStatus.Moving => StatusLook.Working("Moving"),
        ShownStatus.Waiting => new("Waiting", Icons.Material.Outlined.HourglassTop, Tone.Waiting),
        ShownStatus.Unreachable => new("Unreachable", Icons.Material.Outlined.HelpOutline, Tone.Warning, Dashed: true),
        ShownStatus.Crashed => new("Crashed", Icons.Material.Outlined.Dangerous, Tone.Error),
        ShownStatus.Failed => new("Failed", Icons.Material.Outlined.ErrorOutline, Tone.Error),
        ShownStatus.Differs => new("Differs", Icons.Material.Outlined.SyncProblem, Tone.Warning),
        ShownStatus.Running => new("Running", Icons.Material.Outlined.PlayCircle, Tone.Success),
        ShownStatus.Paused => new("Paused", Icons.Material.Outlined.PauseCircle, Tone.Neutral),
        ShownStatus.Saved => new("Saved", Icons.Material.Outlined.BookmarkBorder, Tone.Neutral),
        ShownStatus.Stopped => new("Stopped", Icons.Material.Outlined.StopCircle, Tone.Neutral),
    };

    public static StatusLook Of(VmStage stage) => stage switch
    {
        VmStage.Building => StatusLook.Working("Building"),
        VmStage.Ready => new("Built", Icons.Material.Outlined.CheckCircle, Tone.Success),
        VmStage.Failed => Of(ShownStatus.Failed),
        VmStage.Deleting => Of(ShownStatus.Deleting),
        VmStage.Deleted => Of(ShownStatus.Deleted),
    };

    public static StatusLook Of(OrderState state) => state switch
    {
        OrderState.Waiting => new("Needs approval", Icons.Material.Outlined.HowToReg, Tone.Waiting),
        OrderState.Building => StatusLook.Working("Building"),
        OrderState.Done => new("Built", Icons.Material.Outlined.CheckCircle, Tone.Success),
        OrderState.Failed => new("Failed", Icons.Material.Outlined.ErrorOutline, Tone.Error),
        OrderState.Denied => new("Denied", Icons.Material.Outlined.ThumbDownOffAlt, Tone.Warning),
        OrderState.Cancelled => new("Cancelled", Icons.Material.Outlined.Cancel, Tone.Neutral),
        OrderState.Expired => new("Expired", Icons.Material.Outlined.TimerOff, Tone.Neutral),
    };

    public static StatusLook Of(ApprovalStepRow step) => step.State switch
    {
        ApprovalStepState.Approved => new(step.VotesNeeded == 0 ? "Yes by itself" : "Approved", Icons.Material.Outlined.ThumbUpOffAlt, Tone.Success),
        ApprovalStepState.Denied => Of(OrderState.Denied),
        ApprovalStepState.Open => new(step.VotesNeeded == 1 ? "Waits for a yes" : $"{step.Yes} of {step.VotesNeeded} said yes", Icons.Material.Outlined.HowToReg, Tone.Waiting),
        ApprovalStepState.Later => new("Later", Icons.Material.Outlined.Schedule, Tone.Neutral),
        ApprovalStepState.NotNeeded => new("Not asked", Icons.Material.Outlined.RemoveCircleOutline, Tone.Neutral),
    };

    public static StatusLook Of(OperationState state) => state switch
    {
        OperationState.Waiting => new("Waiting", Icons.Material.Outlined.HourglassTop, Tone.Waiting),
        OperationState.Running => StatusLook.Working("Running"),
        OperationState.Undoing => StatusLook.Working("Taking back"),
        OperationState.Succeeded => new("Done", Icons.Material.Outlined.CheckCircle, Tone.Success),
        OperationState.Failed => new("Failed", Icons.Material.Outlined.ErrorOutline, Tone.Error),
        OperationState.Cancelled => new("Cancelled", Icons.Material.Outlined.Cancel, Tone.Neutral),
    };

    /// <summary>An operation's steps as lines of a list. Times of steps that were begun again count from their first try.</summary>
    public static IReadOnlyList<StepLine> Lines(OperationRow operation) =>
    [
        .. operation.Steps.Select(s => new StepLine(
            s.Words,
            s.State switch
            {
                StepState.ToDo when operation.IsLive => StepLineState.ToDo,
                StepState.ToDo => StepLineState.Skipped,
                StepState.Doing when operation.IsLive => StepLineState.Running,
                StepState.Doing or StepState.Failed => StepLineState.Failed,
                StepState.Done => StepLineState.Done,
                StepState.Undone => StepLineState.Undone,
            },
            s is { StartedAt: { } from, FinishedAt: { } to } ? to - from : null,
            s.StartedAt,
            NoteOf(operation, s),
            s.Commands)),
    ];

    private static string? NoteOf(OperationRow operation, StepRow step)
    {
        var tried = step.Tries > 1 ? $"tried {step.Tries} times" : null;
        var copied = step switch
        {
            { Kind: StepKind.CopyDisks, State: not StepState.ToDo } when operation.Move is { } move && move.Total > Kernel.ByteSize.Zero => $"{move.Copied} of {move.Total}",
            { Kind: StepKind.CopyTemplate or StepKind.TakeCopy, State: StepState.Doing } when operation.Copy is { } copy => $"{copy.Copied} of {copy.Total}",
            _ => null,
        };
        return copied is null ? tried : string.Join(", ", new[] { copied, tried }.OfType<string>());
    }
}
