using System.Globalization;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Engine.Xen.Import;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Changes of a domain that runs: looked at, made, and looked at again, for a guest may not follow.</summary>
internal sealed class XenChanges(XenHost host, XenDomains domains, TimeProvider clock)
{
    private static readonly TimeSpan s_guestMayTake = TimeSpan.FromSeconds(30);
    private static readonly ByteSize s_floor = ByteSize.FromMiB(256);
    // The portal gives whole paths, which mean the same whatever groups there are.
    private static readonly KnownOnHost s_none = new([], []);

    public async Task<Result<StepOutcome>> DoAsync(XenActing act, DomainName name, DomainChange change, CancellationToken ct)
    {
        // Behind the fence: a save that somebody else began has ended by then.
        await act.LookOnlyAsync(ct).ConfigureAwait(false);
        var state = await host.StateAsync(name, ct).ConfigureAwait(false);
        if (change is DomainChange.Save && state == DomainState.Off && await domains.IsSavedAsync(name, ct).ConfigureAwait(false))
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        if (state is not (DomainState.Running or DomainState.Paused))
        {
            return new WrongState(name.Text, "running");
        }

        return change switch
        {
            DomainChange.Pause => await PauseAsync(act, name, state, ct).ConfigureAwait(false),
            DomainChange.Resume => state == DomainState.Running
                ? await act.LookOnlyAsync(ct).ConfigureAwait(false)
                : await domains.StartAsync(act, name, ct).ConfigureAwait(false),
            DomainChange.Save => await SaveAsync(act, name, ct).ConfigureAwait(false),
            DomainChange.PressSysRq(var key) => await act.RunAsync(XlCommands.SysRq(name.Text, key), "press the key", ct).ConfigureAwait(false),
            DomainChange.SetMemory(var memory) => await UntilAsync(
                act, XlCommands.MemorySet(name.Text, memory), "change its memory", async () => Math.Abs((await DomainAsync(name, ct).ConfigureAwait(false)).MemoryMiB - memory.CeilingMiB) <= 1, ct).ConfigureAwait(false),
            DomainChange.SetVcpus(var vcpus) => await VcpusAsync(act, name, vcpus, ct).ConfigureAwait(false),
            DomainChange.Pin pin => await PinAsync(act, name, pin, ct).ConfigureAwait(false),
            DomainChange.SetShare share => await ShareAsync(act, name, share, ct).ConfigureAwait(false),
            DomainChange.AttachVolume volume => await AttachAsync(act, name, volume, ct).ConfigureAwait(false),
            DomainChange.AttachDevice device => await AttachAsync(act, name, device, ct).ConfigureAwait(false),
            DomainChange.DetachVolume(var device) => await UntilAsync(
                act, XlCommands.BlockDetach(name.Text, device), "take the volume away", async () => !(await DisksAsync(name, ct).ConfigureAwait(false)).Contains(device), ct).ConfigureAwait(false),
            DomainChange.AttachNic(var mac) => await AttachNicAsync(act, name, mac, ct).ConfigureAwait(false),
            DomainChange.DetachNic(var mac) => await DetachNicAsync(act, name, mac, ct).ConfigureAwait(false),
            _ => new NotOffered(change.Needs),
        };
    }

    private static async Task<Result<StepOutcome>> PauseAsync(XenActing act, DomainName name, DomainState state, CancellationToken ct) =>
        state == DomainState.Paused ? await act.LookOnlyAsync(ct).ConfigureAwait(false) : await act.RunAsync(XlCommands.Pause(name.Text), "pause the domain", ct).ConfigureAwait(false);

    private async Task<Result<StepOutcome>> SaveAsync(XenActing act, DomainName name, CancellationToken ct)
    {
        // Of an earlier try that was cut off: only a domain that has ended leaves a whole one.
        await domains.ForgetSavedAsync(act, name, ct).ConfigureAwait(false);
        // The host's own system lives on that disk, and the fences of all VMs.
        var (room, memory) = (HostFacts.Room(await host.AskAsync(PortalHostCommands.Room(), ct).ConfigureAwait(false)), ByteSize.FromMiB((await DomainAsync(name, ct).ConfigureAwait(false)).MemoryMiB));
        if (room < memory + s_floor)
        {
            return new HostSaidNo("save the guest's memory", $"that takes {memory}, and the host's own disk has {room} left, of which it keeps {s_floor}.");
        }

        var saved = await act.DoAsync(XlCommands.Save(name.Text, $"{PortalHostCommands.Files}/{XenHost.SaveOf(name)}"), ct).ConfigureAwait(false);
        if (saved.Succeeded)
        {
            return await GoneAsync(name, ct).ConfigureAwait(false);
        }

        await domains.ForgetSavedAsync(act, name, ct).ConfigureAwait(false);
        return new HostSaidNo("save the guest's memory", XlAnswers.Complaint(saved));
    }

    private async Task<Result<StepOutcome>> GoneAsync(DomainName name, CancellationToken ct) =>
        await ComesAsync(async () => await host.StateAsync(name, ct).ConfigureAwait(false) == DomainState.Off, ct).ConfigureAwait(false)
            ? StepOutcome.Changed
            : throw new HostFaultException($"{name} was saved and is not gone yet.");

    private async Task<Result<StepOutcome>> VcpusAsync(XenActing act, DomainName name, int vcpus, CancellationToken ct)
    {
        var before = (await DomainAsync(name, ct).ConfigureAwait(false)).Vcpus;
        // Linux lets go of a processor by itself; one that comes back is switched on by the guest's own rules, or by hand, or never.
        return vcpus > before
            ? await act.RunAsync(XlCommands.VcpuSet(name.Text, vcpus), "give it back its processors", ct).ConfigureAwait(false)
            : await UntilAsync(act, XlCommands.VcpuSet(name.Text, vcpus), "take its processors away", async () => (await DomainAsync(name, ct).ConfigureAwait(false)).Vcpus == vcpus, ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> PinAsync(XenActing act, DomainName name, DomainChange.Pin pin, CancellationToken ct)
    {
        var cpus = pin.Cpus.Count == 0 ? "all" : string.Join(',', pin.Cpus.Order().Select(cpu => cpu.ToString(CultureInfo.InvariantCulture)));
        return await UntilAsync(act, XlCommands.VcpuPin(name.Text, pin.Vcpu, cpus), "pin its processors", IsPinnedAsync, ct).ConfigureAwait(false);

        async Task<bool> IsPinnedAsync() =>
            XlAnswers.Vcpus(await host.AskAsync(XlCommands.VcpuList(name.Text), ct).ConfigureAwait(false)).Where(v => pin.Vcpu is null || v.Number == pin.Vcpu)
                .All(v => v.Cpus is null ? pin.Cpus.Count == 0 : v.Cpus.SetEquals(pin.Cpus));
    }

    private async Task<Result<StepOutcome>> ShareAsync(XenActing act, DomainName name, DomainChange.SetShare share, CancellationToken ct)
    {
        var scheduler = XlAnswers.Info(await host.AskAsync(XlCommands.Info(), ct).ConfigureAwait(false)).Scheduler;
        // The others share otherwise: rtds by periods, arinc653 by a table.
        return scheduler is not ("credit" or "credit2")
            ? new NotOffered(share.Needs)
            : await UntilAsync(
                act, XlCommands.SetShare(scheduler, name.Text, share.Weight, share.Cap), "change its share",
                async () => XlAnswers.Share(await act.AskAsync(XlCommands.Share(scheduler, name.Text), ct).ConfigureAwait(false)) == (share.Weight, share.Cap), ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> AttachAsync(XenActing act, DomainName name, DomainChange.AttachVolume given, CancellationToken ct)
    {
        var of = XenVolumeChanges.VolumeOf(name, given.Label);
        if ((await host.VolumesAsync(ct).ConfigureAwait(false)).FirstOrDefault(v => v.Name == of && v.IsWhole) is not { } volume)
        {
            return new HostSaidNo("give it the volume", $"there is no volume {given.Label}.");
        }

        await host.StoreOf(volume).EndGrowthAsync(act, volume, ct).ConfigureAwait(false);
        return await AttachAsync(act, name, host.StoreOf(volume).PathOf(of), given.Device, given.ReadOnly, "give it the volume", ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> AttachNicAsync(XenActing act, DomainName name, MacAddress mac, CancellationToken ct)
    {
        var guarded = await act.RunAsync(PortalHostCommands.Guard(name.Text, mac), "keep the guest to its own addresses", ct).ConfigureAwait(false);
        return guarded.Succeeded
            ? await UntilAsync(act, XlCommands.NetworkAttach(name.Text, mac, host.Storage.Bridge), "connect it", async () => await NicAsync(name, mac, ct).ConfigureAwait(false) is not null, ct).ConfigureAwait(false)
            : guarded;
    }

    private async Task<Result<StepOutcome>> DetachNicAsync(XenActing act, DomainName name, MacAddress mac, CancellationToken ct)
    {
        if (await NicAsync(name, mac, ct).ConfigureAwait(false) is not { } nic)
        {
            // It may have gone, and its addresses not, when somebody was cut off.
            await act.MustAsync(PortalHostCommands.Unguard(name.Text, mac), ct).ConfigureAwait(false);
            return StepOutcome.AlreadyThere;
        }

        var gone = await UntilAsync(act, XlCommands.NetworkDetach(name.Text, nic.Index), "disconnect it", async () => await NicAsync(name, mac, ct).ConfigureAwait(false) is null, ct).ConfigureAwait(false);
        return gone.Succeeded ? await act.RunAsync(PortalHostCommands.Unguard(name.Text, mac), "forget its addresses", ct).ConfigureAwait(false) : gone;
    }

    // Xen's own script refuses what another guest has, and what the host has mounted.
    private async Task<Result<StepOutcome>> AttachAsync(XenActing act, DomainName name, DomainChange.AttachDevice given, CancellationToken ct) =>
        HostFacts.Parse(await host.AskAsync(PortalHostCommands.Facts(), ct).ConfigureAwait(false)).Devices.Contains(given.Path)
            ? await AttachAsync(act, name, given.Path, given.Device, given.ReadOnly, "give it the device", ct).ConfigureAwait(false)
            : new HostSaidNo("give it the device", $"its root does not let the portal give {given.Path} away. Run the installation script of the host once more.");

    // What a guest has under that name need not be what it is to get.
    private async Task<Result<StepOutcome>> AttachAsync(XenActing act, DomainName name, string path, string device, bool readOnly, string doing, CancellationToken ct)
    {
        if (await DiskAsync().ConfigureAwait(false) is { } there && !IsIt(there))
        {
            return new HostSaidNo(doing, $"it has {there.Target ?? "another disk"} as {device}{(there.ReadOnly ? ", read only" : "")}. Take that away first, or choose another name.");
        }

        return await UntilAsync(act, XlCommands.BlockAttach(name.Text, path, device, readOnly), doing, async () => await DiskAsync().ConfigureAwait(false) is { } now && IsIt(now), ct).ConfigureAwait(false);

        bool IsIt(ForeignDisk disk) => disk.Target == path && disk.ReadOnly == readOnly;

        async Task<ForeignDisk?> DiskAsync() =>
            XlListReader.Read(await host.AskAsync(XlCommands.ListLong(name.Text), ct).ConfigureAwait(false), s_none).SelectMany(d => d.Disks).FirstOrDefault(d => d.GuestDevice == device);
    }

    // Looks, acts only if needed, and looks until it is so. A guest that does not follow is no fault of the host's.
    private async Task<Result<StepOutcome>> UntilAsync(XenActing act, HostCommand command, string doing, Func<Task<bool>> isSo, CancellationToken ct)
    {
        if (await isSo().ConfigureAwait(false))
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        var done = await act.RunAsync(command, doing, ct).ConfigureAwait(false);
        return !done.Succeeded || await ComesAsync(isSo, ct).ConfigureAwait(false) ? done : new HostSaidNo(doing, $"the guest did not follow within {s_guestMayTake.TotalSeconds:0} s.");
    }

    private async Task<bool> ComesAsync(Func<Task<bool>> isSo, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        while (!await isSo().ConfigureAwait(false))
        {
            if (clock.GetElapsedTime(began) > s_guestMayTake)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), clock, ct).ConfigureAwait(false);
        }

        return true;
    }

    private async Task<XenDomain> DomainAsync(DomainName name, CancellationToken ct) => XlAnswers.Domains(await host.AskAsync(XlCommands.ListOne(name.Text), ct).ConfigureAwait(false))[0];

    private async Task<IReadOnlySet<string>> DisksAsync(DomainName name, CancellationToken ct) => XlAnswers.Disks(await host.AskAsync(XlCommands.BlockList(name.Text), ct).ConfigureAwait(false));

    private async Task<XenNic?> NicAsync(DomainName name, MacAddress mac, CancellationToken ct) =>
        XlAnswers.Nics(await host.AskAsync(XlCommands.NetworkList(name.Text), ct).ConfigureAwait(false)).FirstOrDefault(nic => nic.Mac == mac);
}
