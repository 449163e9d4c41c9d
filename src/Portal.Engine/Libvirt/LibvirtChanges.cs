using System.Globalization;
using Portal.Engine.Fences;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Libvirt;

/// <summary>Changes of a domain that runs: looked at, made, and looked at again, for a guest may not follow.</summary>
internal sealed class LibvirtChanges(Virsh virsh, LibvirtActing act)
{
    private static readonly bool s_unified = File.Exists("/sys/fs/cgroup/cgroup.controllers");

    public async Task<Result<StepOutcome>> DoAsync(FenceHold hold, DomainName name, DomainChange change, CancellationToken ct)
    {
        var state = await virsh.StateAsync(name, ct).ConfigureAwait(false);
        switch (change)
        {
            case DomainChange.Pause when state == DomainState.Paused:
            case DomainChange.Resume when state == DomainState.Running:
            case DomainChange.Save when Virsh.IsDown(state) && await virsh.IsSavedAsync(name, ct).ConfigureAwait(false):
                return StepOutcome.AlreadyThere;
            case DomainChange.Resume when state != DomainState.Paused:
                return new WrongState(name.Text, "paused");
            case DomainChange.Pause or DomainChange.PressSysRq or DomainChange.SetMemory when state != DomainState.Running:
            case not DomainChange.Resume when state is not (DomainState.Running or DomainState.Paused):
                return new WrongState(name.Text, "running");
            default:
                break;
        }

        return change switch
        {
            DomainChange.Pause => await ThenAsync(VirshCommands.Suspend(name.Text), "pause the domain", DomainState.Paused).ConfigureAwait(false),
            DomainChange.Resume => await ThenAsync(VirshCommands.Resume(name.Text), "resume the domain", DomainState.Running).ConfigureAwait(false),
            DomainChange.Save => await ThenAsync(VirshCommands.ManagedSave(name.Text), "save the domain", DomainState.Off).ConfigureAwait(false),
            DomainChange.PressSysRq(var key) => await act.DoAsync(hold, name, VirshCommands.SysRq(name.Text, key), "press the key", ct).ConfigureAwait(false) is { } refusal ? refusal : StepOutcome.Changed,
            DomainChange.SetMemory(var memory) => await MemoryAsync(hold, name, memory, ct).ConfigureAwait(false),
            DomainChange.Pin pin => await PinAsync(hold, name, pin, ct).ConfigureAwait(false),
            DomainChange.SetShare share => await ShareAsync(hold, name, share, ct).ConfigureAwait(false),
            _ => new NotOffered(change.Needs),
        };

        async Task<Result<StepOutcome>> ThenAsync(HostCommand command, string doing, DomainState after) =>
            await virsh.ActAsync(hold, command, doing, ct).ConfigureAwait(false) is { } refusal ? refusal : await virsh.SeenAsync(name, seen => seen == after, after.ToString().ToLowerInvariant(), ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> MemoryAsync(FenceHold hold, DomainName name, ByteSize memory, CancellationToken ct)
    {
        return DomainXml.HasBalloon(await virsh.AskAsync(VirshCommands.DescribeRunning(name.Text), ct).ConfigureAwait(false))
            ? await act.UntilAsync(hold, name, [VirshCommands.SetMemory(name.Text, memory)], "change its memory", IsSoAsync, ct).ConfigureAwait(false)
            : new HostSaidNo("change its memory", "it was started by an earlier version of the portal, without the device for that. Shut it down and start it once.");

        async Task<bool> IsSoAsync() => VirshAnswers.Memory(await virsh.AskAsync(VirshCommands.Balloon(name.Text), ct).ConfigureAwait(false)).CeilingMiB == memory.CeilingMiB;
    }

    private async Task<Result<StepOutcome>> PinAsync(FenceHold hold, DomainName name, DomainChange.Pin pin, CancellationToken ct)
    {
        var cpus = pin.Cpus.Count == 0 ? "r" : string.Join(',', pin.Cpus.Order().Select(cpu => cpu.ToString(CultureInfo.InvariantCulture)));
        var wanted = pin.Cpus.Count == 0 ? VirshAnswers.Cpus(await virsh.AskAsync(VirshCommands.Cpus(), ct).ConfigureAwait(false)) : pin.Cpus.ToHashSet();
        HostCommand[] commands = [.. (await PinsAsync().ConfigureAwait(false)).Select(p => VirshCommands.Pin(name.Text, p.Vcpu, cpus))];
        return await act.UntilAsync(hold, name, commands, "pin its processors", async () => (await PinsAsync().ConfigureAwait(false)).All(p => p.Cpus.SetEquals(wanted)), ct).ConfigureAwait(false);

        async Task<IReadOnlyList<(int Vcpu, IReadOnlySet<int> Cpus)>> PinsAsync() =>
            [.. VirshAnswers.Pins(await virsh.AskAsync(VirshCommands.Pins(name.Text), ct).ConfigureAwait(false)).Where(p => pin.Vcpu is null || p.Vcpu == pin.Vcpu)];
    }

    private async Task<Result<StepOutcome>> ShareAsync(FenceHold hold, DomainName name, DomainChange.SetShare share, CancellationToken ct)
    {
        if (share.Weight > CpuShare.MostWeight(s_unified))
        {
            return new HostSaidNo("change its share", $"its weights end at {CpuShare.MostWeight(s_unified)}.");
        }

        // A host without control groups for processors has no shares at all, and says so.
        var asked = await virsh.RunAsync(VirshCommands.Share(name.Text), ct).ConfigureAwait(false);
        var wanted = CpuShare.Of(share.Weight, share.Cap, s_unified);
        return !asked.Succeeded ? new HostSaidNo("change its share", VirshAnswers.Complaint(asked))
            : await act.UntilAsync(hold, name, [VirshCommands.SetShare(name.Text, wanted)], "change its share", IsSoAsync, ct).ConfigureAwait(false);

        async Task<bool> IsSoAsync() => VirshAnswers.Share(await virsh.AskAsync(VirshCommands.Share(name.Text), ct).ConfigureAwait(false)) == wanted;
    }
}
