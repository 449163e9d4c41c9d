using Portal.Engine.Fences;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Libvirt;

/// <summary>Asks libvirtd, and tells "it said no" from "it is not there".</summary>
internal sealed class Virsh(IHostShell shell)
{
    /// <summary>Runs a command, whatever libvirtd answers to it.</summary>
    /// <exception cref="HostFaultException">libvirtd is not there or has no time.</exception>
    public async Task<HostAnswer> RunAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await shell.RunAsync(command, ct).ConfigureAwait(false);
        if (VirshAnswers.IsUnreachable(answer))
        {
            throw new HostFaultException(
                $"libvirtd does not answer on qemu:///system ({VirshAnswers.Complaint(answer)}). Start it with `systemctl start libvirtd`, " +
                "or with `./portal up` where no service manager runs, then retry.");
        }

        return VirshAnswers.IsBusy(answer) ? throw new HostFaultException($"libvirtd is busy: {VirshAnswers.Complaint(answer)}") : answer;
    }

    /// <summary>The answer to a question that always has one.</summary>
    /// <exception cref="HostFaultException">It had none.</exception>
    public async Task<string> AskAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await RunAsync(command, ct).ConfigureAwait(false);
        return answer.Succeeded ? answer.Output : throw new HostFaultException($"`{command}` failed: {VirshAnswers.Complaint(answer)}");
    }

    public async Task<IReadOnlyList<DomainReport>> ListAsync(string instance, CancellationToken ct)
    {
        List<DomainReport> reports = [];
        foreach (var (text, state, byGuest) in VirshAnswers.States(await AskAsync(VirshCommands.States(), ct).ConfigureAwait(false)))
        {
            if (DomainName.TryParse(text, out var name) && name.Instance == instance)
            {
                reports.Add(new DomainReport(name, state, byGuest));
            }
        }

        return reports;
    }

    /// <summary>The names of those whose memory is kept.</summary>
    public async Task<HashSet<string>> SavedAsync(CancellationToken ct) => [.. (await AskAsync(VirshCommands.Saved(), ct).ConfigureAwait(false)).Split('\n', StringSplitOptions.TrimEntries)];

    public async Task<DomainState> StateAsync(DomainName name, CancellationToken ct)
    {
        var command = VirshCommands.StateOf(name.Text);
        var answer = await RunAsync(command, ct).ConfigureAwait(false);
        if (VirshAnswers.IsAbsent(answer))
        {
            return DomainState.Absent;
        }

        var states = answer.Succeeded ? VirshAnswers.States(answer.Output) : [];
        return states.Count == 1
            ? states[0].State
            : throw new HostFaultException($"`{command}` did not tell the state: {VirshAnswers.Complaint(answer)}");
    }

    /// <summary>The domain's stored XML; null where the host does not know it.</summary>
    public async Task<string?> DescribeAsync(DomainName name, CancellationToken ct)
    {
        var command = VirshCommands.Describe(name.Text);
        var answer = await RunAsync(command, ct).ConfigureAwait(false);
        return answer.Succeeded ? answer.Output
            : VirshAnswers.IsAbsent(answer) ? null
            : throw new HostFaultException($"`{command}` failed: {VirshAnswers.Complaint(answer)}");
    }

    /// <summary>Runs what changes a domain's state. Null where it was done, or where it was so already by the time that libvirt looked.</summary>
    public async Task<Refusal?> ActAsync(FenceHold hold, HostCommand command, string doing, CancellationToken ct)
    {
        var answer = await RunAsync(hold.Guard(command), ct).ConfigureAwait(false);
        return answer.Succeeded || VirshAnswers.IsNotRunning(answer) || VirshAnswers.IsAlreadyRunning(answer) || VirshAnswers.IsAbsent(answer)
            ? null
            : new HostSaidNo(doing, VirshAnswers.Complaint(answer));
    }

    /// <exception cref="HostFaultException">It is not as wanted.</exception>
    public async Task<Result<StepOutcome>> SeenAsync(DomainName name, Func<DomainState, bool> reached, string wanted, CancellationToken ct)
    {
        var state = await StateAsync(name, ct).ConfigureAwait(false);
        return reached(state)
            ? StepOutcome.Changed
            : throw new HostFaultException($"libvirt did what was asked, but {name} is not {wanted}: it is {state}.");
    }

    /// <summary>Whether its memory was kept, so that its next start goes on from there.</summary>
    public async Task<bool> IsSavedAsync(DomainName name, CancellationToken ct) =>
        (await SavedAsync(ct).ConfigureAwait(false)).Contains(name.Text);

    public static bool IsDown(DomainState state) => state is DomainState.Absent or DomainState.Off or DomainState.Crashed;
}
