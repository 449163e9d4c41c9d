using Portal.Engine.Shell;

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
}
