using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Engine;

namespace Portal.App.Control;

/// <summary>The word that a person sees for a VM.</summary>
public enum ShownStatus
{
    Deleted,
    Building,
    Starting,
    Stopping,
    Rebooting,
    Deleting,

    /// <summary>Something of its domain is being changed while it exists.</summary>
    Changing,

    /// <summary>It is taken to another host, and is off for that.</summary>
    Moving,

    /// <summary>An operation is queued or rests until its next try.</summary>
    Waiting,

    /// <summary>The host has been silent for a while: what is shown is what was last seen.</summary>
    Unreachable,
    Crashed,

    /// <summary>It could not be built, or is not what its owner wants after an operation failed.</summary>
    Failed,

    /// <summary>It runs or is off against its owner's wish, and nothing is under way.</summary>
    Differs,
    Running,
    Paused,

    /// <summary>It is off, and goes on where it was when it is started.</summary>
    Saved,
    Stopped,
}

/// <summary>What a status is made from.</summary>
/// <param name="Saved">Whether its memory is kept while it is off.</param>
/// <param name="LastFailed">Whether the VM's last operation failed.</param>
public sealed record StatusFacts(
    VmStage Stage,
    WantedState Wanted,
    DomainState Seen,
    DateTimeOffset? SeenAt,
    bool Saved,
    OperationKind? Live,
    OperationState? LiveState,
    bool LastFailed);

/// <summary>The shown status: a pure function of wanted, seen, what is under way, and how old the sight is. The first that holds.</summary>
public static class Shown
{
    /// <summary>After this silence of its host a VM's state is not known any more.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(45);

    public static ShownStatus Of(StatusFacts facts, DateTimeOffset now) => facts switch
    {
        { Stage: VmStage.Deleted } => ShownStatus.Deleted,
        { Live: not null, LiveState: OperationState.Waiting } => ShownStatus.Waiting,
        { Live: OperationKind.Build or OperationKind.Adopt } => ShownStatus.Building,
        { Live: OperationKind.Start } => ShownStatus.Starting,
        { Live: OperationKind.ShutDown or OperationKind.PowerOff } => ShownStatus.Stopping,
        { Live: OperationKind.Reboot } => ShownStatus.Rebooting,
        { Live: OperationKind.Delete } => ShownStatus.Deleting,
        { Live: OperationKind.Change or OperationKind.Detach } => ShownStatus.Changing,
        { Live: OperationKind.Move } => ShownStatus.Moving,
        { Stage: VmStage.Failed or VmStage.Building or VmStage.Deleting } => ShownStatus.Failed,
        { SeenAt: { } at } when now - at > Silence => ShownStatus.Unreachable,
        { Seen: DomainState.Crashed } => ShownStatus.Crashed,
        { Wanted: WantedState.Running, Seen: DomainState.Running } => ShownStatus.Running,
        { Wanted: WantedState.Running, Seen: DomainState.Paused } => ShownStatus.Paused,
        { Wanted: WantedState.Stopped, Saved: true } => ShownStatus.Saved,
        { Wanted: WantedState.Stopped, Seen: DomainState.Off or DomainState.Absent } => ShownStatus.Stopped,
        { LastFailed: true } => ShownStatus.Failed,
        { Seen: DomainState.Stopping } => ShownStatus.Stopping,
        _ => ShownStatus.Differs,
    };
}
