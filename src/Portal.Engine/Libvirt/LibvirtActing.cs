using Portal.Engine.Fences;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Libvirt;

/// <summary>Acts on a domain that runs, and waits for its guest.</summary>
internal sealed class LibvirtActing(Virsh virsh, TimeProvider clock)
{
    private static readonly TimeSpan s_guestMayTake = TimeSpan.FromSeconds(30);

    /// <summary>Looks, acts only if needed, and looks until it is so. A guest that does not follow is no fault of the host's, but a refusal.</summary>
    public async Task<Result<StepOutcome>> UntilAsync(FenceHold hold, DomainName name, IReadOnlyList<HostCommand> commands, string doing, Func<Task<bool>> isSo, CancellationToken ct)
    {
        if (await isSo().ConfigureAwait(false))
        {
            return StepOutcome.AlreadyThere;
        }

        foreach (var command in commands)
        {
            if (await DoAsync(hold, name, command, doing, ct).ConfigureAwait(false) is { } refusal)
            {
                return refusal;
            }
        }

        var began = clock.GetTimestamp();
        while (!await isSo().ConfigureAwait(false))
        {
            if (clock.GetElapsedTime(began) > s_guestMayTake)
            {
                return new HostSaidNo(doing, $"the guest did not follow within {s_guestMayTake.TotalSeconds:0} s.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), clock, ct).ConfigureAwait(false);
        }

        return StepOutcome.Changed;
    }

    /// <summary>Runs what takes a domain that runs. Null where it was done.</summary>
    public async Task<Refusal?> DoAsync(FenceHold hold, DomainName name, HostCommand command, string doing, CancellationToken ct)
    {
        var answer = await virsh.RunAsync(hold.Guard(command), ct).ConfigureAwait(false);
        return answer.Succeeded ? null
            : VirshAnswers.IsNotRunning(answer) || VirshAnswers.IsAbsent(answer) ? new WrongState(name.Text, "running")
            : new HostSaidNo(doing, VirshAnswers.Complaint(answer));
    }
}
