using Portal.Engine.Fences;
using Portal.Engine.Images;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Libvirt;

/// <summary>
/// Snapshots of the root disk, kept inside its own file, each made and removed by one command: of qemu-img while the domain is off, and of the QEMU that has the
/// disk while it runs, for nobody else may write to it then.
/// </summary>
internal sealed class LibvirtSnapshots(Virsh virsh, PoolLayout pool, IHostShell shell)
{
    public async Task<Result<StepOutcome>> DoAsync(FenceHold hold, DomainName name, DomainChange change, CancellationToken ct)
    {
        if (!File.Exists(pool.Disk(name)))
        {
            return new HostSaidNo("keep the disk as it is", $"there is no {Path.GetFileName(pool.Disk(name))}.");
        }

        var state = await virsh.StateAsync(name, ct).ConfigureAwait(false);
        return change switch
        {
            DomainChange.TakeSnapshot(var label) => await TakeAsync(hold, name, Tag(label), state, ct).ConfigureAwait(false),
            DomainChange.RevertToSnapshot(var label) => await RevertAsync(hold, name, Tag(label), state, ct).ConfigureAwait(false),
            DomainChange.RemoveSnapshot(var label) => await RemoveAsync(hold, name, Tag(label), state, ct).ConfigureAwait(false),
            _ => new NotOffered(change.Needs),
        };
    }

    // Qemu numbers its snapshots, and takes a number for that of a snapshot before it looks for a name.
    private static string Tag(VolumeLabel label) => $"s-{label}";

    private async Task<Result<StepOutcome>> TakeAsync(FenceHold hold, DomainName name, string tag, DomainState state, CancellationToken ct)
    {
        if (!DiskFull.HasRoom(pool))
        {
            return DiskFull.Refusal(pool, DiskFull.Floor(pool));
        }

        return await DoAsync(hold, name, state, "take the snapshot", ImageCommands.TakeSnapshot(pool.Disk(name), tag), node => QemuMonitor.TakeSnapshot(node, tag), snapshots => snapshots.Contains(tag), ct).ConfigureAwait(false);
    }

    // Whoever repeats this goes on where it was left: the snapshot stays as it is.
    private async Task<Result<StepOutcome>> RevertAsync(FenceHold hold, DomainName name, string tag, DomainState state, CancellationToken ct)
    {
        if (!Virsh.IsDown(state))
        {
            return new WrongState(name.Text, "off");
        }

        // The guest whose memory was kept knows its disk as it was.
        if (await virsh.IsSavedAsync(name, ct).ConfigureAwait(false))
        {
            return new WrongState(name.Text, "off, without saved memory: force it off to give that up");
        }

        if (!(await ImageInfo.ReadAsync(shell, pool.Disk(name), "qcow2", ct).ConfigureAwait(false)).Snapshots.Contains(tag))
        {
            return new HostSaidNo("go back to the snapshot", "there is no such snapshot.");
        }

        var answer = await shell.RunAsync(hold.Guard(ImageCommands.RevertToSnapshot(pool.Disk(name), tag)), ct).ConfigureAwait(false);
        return answer.Succeeded ? StepOutcome.Changed : DiskFull.Said(answer) ? DiskFull.Refusal(pool, DiskFull.Floor(pool)) : new HostSaidNo("go back to the snapshot", answer.Error.Trim());
    }

    private Task<Result<StepOutcome>> RemoveAsync(FenceHold hold, DomainName name, string tag, DomainState state, CancellationToken ct) =>
        DoAsync(hold, name, state, "remove the snapshot", ImageCommands.RemoveSnapshot(pool.Disk(name), tag), node => QemuMonitor.RemoveSnapshot(node, tag), snapshots => !snapshots.Contains(tag), ct);

    private async Task<Result<StepOutcome>> DoAsync(
        FenceHold hold, DomainName name, DomainState state, string doing, HostCommand whileOff, Func<string, string> whileOn, Func<IReadOnlyList<string>, bool> isSo, CancellationToken ct)
    {
        if (state is DomainState.Stopping)
        {
            throw new HostFaultException($"The domain {name} is on its way down. Retry when it is off.");
        }

        if (Virsh.IsDown(state))
        {
            if (isSo((await ImageInfo.ReadAsync(shell, pool.Disk(name), "qcow2", ct).ConfigureAwait(false)).Snapshots))
            {
                return StepOutcome.AlreadyThere;
            }

            var answer = await shell.RunAsync(hold.Guard(whileOff), ct).ConfigureAwait(false);
            return !answer.Succeeded ? (DiskFull.Said(answer) ? DiskFull.Refusal(pool, DiskFull.Floor(pool)) : new HostSaidNo(doing, answer.Error.Trim()))
                : isSo((await ImageInfo.ReadAsync(shell, pool.Disk(name), "qcow2", ct).ConfigureAwait(false)).Snapshots) ? StepOutcome.Changed
                : throw new HostFaultException($"qemu-img did what was asked to {doing}, and it is not so.");
        }

        var disk = await DiskAsync(name, ct).ConfigureAwait(false);
        if (isSo(disk.Snapshots))
        {
            return StepOutcome.AlreadyThere;
        }

        var said = await virsh.RunAsync(hold.Guard(VirshCommands.Monitor(name.Text, whileOn(disk.Node))), ct).ConfigureAwait(false);
        return VirshAnswers.IsNotRunning(said) ? new WrongState(name.Text, "running or off, and not on its way down")
            : !said.Succeeded ? new HostSaidNo(doing, VirshAnswers.Complaint(said))
            : QemuMonitor.Complaint(said.Output) is { } complaint ? new HostSaidNo(doing, complaint)
            : isSo((await DiskAsync(name, ct).ConfigureAwait(false)).Snapshots) ? StepOutcome.Changed
            : throw new HostFaultException($"QEMU did what was asked to {doing}, and it is not so.");
    }

    private async Task<QemuDisk> DiskAsync(DomainName name, CancellationToken ct) =>
        QemuMonitor.Disks(await virsh.AskAsync(VirshCommands.Monitor(name.Text, QemuMonitor.QueryDisks), ct).ConfigureAwait(false)).FirstOrDefault(d => d.File == pool.Disk(name))
        ?? throw new HostFaultException($"QEMU does not have {pool.Disk(name)} open.");
}
