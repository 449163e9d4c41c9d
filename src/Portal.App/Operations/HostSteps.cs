using Portal.App.Hosts;
using Portal.App.Networks;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Operations;

/// <summary>The guest did not shut down in time.</summary>
public sealed record GuestKeepsRunning(TimeSpan Waited)
    : Refusal("operations.guest_keeps_running", $"The guest was asked to shut down and was still running after {Waited.TotalSeconds:0} s. It may still go down, for it was asked to. Look at its console, or force it off.");

/// <summary>Everything a step needs to act: the VM, its host and the right to act on it.</summary>
/// <param name="Change">Which change is made; null where it is none.</param>
/// <param name="Move">Both ends of a move; null where it is none.</param>
/// <param name="Detach">What is done to detach it; null where it is not.</param>
internal sealed record StepContext(Vm Vm, Host Host, IVmEngine Engine, DomainSpec Spec, Fence Fence, DomainChange? Change, MoveSteps? Move, DetachSteps? Detach);

/// <summary>Turns steps into calls of the engine.</summary>
internal sealed class HostSteps(TimeProvider clock)
{
    private static readonly TimeSpan s_guestMayTake = TimeSpan.FromSeconds(90);

    // Most guests are down by then. Whoever takes longer holds none of the workers meanwhile.
    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(300);

    public static DomainSpec SpecOf(Vm vm, DomainName name, Network network, TemplateImage image, UserData? userData) => new()
    {
        Name = name,
        Vcpus = vm.Vcpus,
        Memory = vm.Memory,
        Disk = vm.Disk,
        Template = image,
        HostName = VmName.Parse(vm.Name),
        Mac = vm.Mac,
        Address = network.Guest(vm.Ip),
        SshKeys = vm.SshKeys,
        UserData = userData,
        Adopted = vm.Adopted,
    };

    /// <summary>Does a step, which began so long <paramref name="ago"/>. Safe to repeat.</summary>
    /// <returns>Null where it takes its time: look again later.</returns>
    /// <exception cref="HostFaultException">The host could not be asked; the step may or may not have happened.</exception>
    public async Task<Result<StepOutcome>?> DoAsync(StepKind step, StepContext on, TimeSpan ago, CancellationToken ct) => step switch
    {
        StepKind.AskShutdown or StepKind.WaitForOff when on.Detach is { } detach && await detach.StaysUpAsync(ct) => StepOutcome.AlreadyThere,
        StepKind.CloneDisk => await on.Engine.EnsureRootDiskAsync(on.Fence, on.Spec, ct),
        StepKind.WriteSeed => await on.Engine.EnsureSeedAsync(on.Fence, on.Spec, ct),
        StepKind.DefineDomain => await on.Engine.EnsureDefinedAsync(on.Fence, on.Spec, ct),
        StepKind.StartDomain => await on.Engine.EnsureRunningAsync(on.Fence, on.Spec.Name, ct),
        StepKind.AskShutdown => await on.Engine.AskShutdownAsync(on.Fence, on.Spec.Name, ct),
        StepKind.WaitForOff => await WaitForOffAsync(async () => (await on.Engine.LookAsync(on.Spec.Name, ct)).State, ago, ct) switch
        {
            // The next step takes its power away.
            { Refusal: GuestKeepsRunning } when on.Move is { MayForceOff: true } => StepOutcome.AlreadyThere,
            var waited => waited,
        },
        StepKind.PowerOff => await on.Engine.EnsureOffAsync(on.Fence, on.Spec.Name, ct),
        StepKind.RemoveDomain => await on.Engine.EnsureUndefinedAsync(on.Fence, on.Spec.Name, ct),
        StepKind.RemoveDisks => await on.Engine.EnsureDisksGoneAsync(on.Fence, on.Spec.Name, ct),
        StepKind.AskForeignShutdown => await on.Engine.AskForeignShutdownAsync(on.Fence, on.Spec, ct),
        StepKind.WaitForForeignOff => await WaitForOffAsync(async () => await on.Engine.LookForeignAsync(on.Spec.Adopted!.Name, ct), ago, ct),
        StepKind.TakeOver => await on.Engine.EnsureTakenOverAsync(on.Fence, on.Spec, ct),
        // Whatever was off when it was adopted stays off.
        StepKind.StartAdopted => on.Vm.Wanted == WantedState.Running ? await on.Engine.EnsureRunningAsync(on.Fence, on.Spec.Name, ct) : StepOutcome.AlreadyThere,
        StepKind.BringTemplate or StepKind.MakeDisksThere or StepKind.CopyDisks or StepKind.DefineThere or StepKind.LeaveHost or StepKind.ChangeHost or StepKind.StartThere or StepKind.RemoveLeft =>
            await (on.Move ?? throw new InvalidOperationException($"VM {on.Vm.Id}: a move that does not say whereto.")).DoAsync(step, on.Fence, ct),
        StepKind.CopyTemplate or StepKind.TakeCopy or StepKind.StartAgain or StepKind.RemoveClone =>
            await (on.Detach ?? throw new InvalidOperationException($"VM {on.Vm.Id}: nothing that is detached.")).DoAsync(step, ct),
        StepKind.ChangeDomain => await on.Engine.ChangeAsync(on.Fence, on.Spec.Name, on.Change ?? throw new InvalidOperationException($"VM {on.Vm.Id}: a change that does not say which."), ct),
    };

    /// <summary>Takes a step of a build, an adoption, a move or a detaching back. Safe to repeat. Steps of other operations are not taken back: what the host then shows is the truth.</summary>
    /// <exception cref="HostFaultException">The host could not be asked.</exception>
    public static Task<Result<StepOutcome>> UndoAsync(StepKind step, StepContext on, CancellationToken ct) => step switch
    {
        _ when on.Move is { } move => move.UndoAsync(step, on.Fence, ct),
        _ when on.Detach is { } detach => detach.UndoAsync(step, ct),
        StepKind.StartDomain or StepKind.StartAdopted => on.Engine.EnsureOffAsync(on.Fence, on.Spec.Name, ct),
        StepKind.DefineDomain => on.Engine.EnsureUndefinedAsync(on.Fence, on.Spec.Name, ct),
        StepKind.CloneDisk or StepKind.WriteSeed => on.Engine.EnsureDisksGoneAsync(on.Fence, on.Spec.Name, ct),
        StepKind.TakeOver => on.Engine.EnsureGivenBackAsync(on.Fence, on.Spec, ct),
        StepKind.AskForeignShutdown when on.Vm.Wanted == WantedState.Running => on.Engine.EnsureForeignRunningAsync(on.Fence, on.Spec, ct),
        _ => Task.FromResult<Result<StepOutcome>>(StepOutcome.AlreadyThere),
    };

    private async Task<Result<StepOutcome>?> WaitForOffAsync(Func<Task<DomainState>> look, TimeSpan ago, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        while (true)
        {
            if (await look() is DomainState.Off or DomainState.Absent or DomainState.Crashed)
            {
                return StepOutcome.Changed;
            }

            var waited = ago + clock.GetElapsedTime(began);
            if (waited >= s_guestMayTake)
            {
                return new GuestKeepsRunning(s_guestMayTake);
            }

            // Only the first look stays to watch; later ones are made in passing.
            if (waited >= s_watch)
            {
                return null;
            }

            await Task.Delay(s_look, clock, ct);
        }
    }
}
