using Portal.Engine.Lvm;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Volumes beside the root disk, snapshots of it, and disks that grow. All of them have the VM's own name and the portal's tag.</summary>
internal sealed class XenVolumeChanges(XenHost host, XenDomains domains)
{
    public static string VolumeOf(DomainName name, VolumeLabel label) => $"{name.Text}-v{label.Text}";

    private static string SnapshotOf(DomainName name, VolumeLabel label) => $"{name.Text}-s{label.Text}";

    // What a root disk is made from while it is put back.
    private static string NextOf(DomainName name) => $"{name.Text}-next";

    public async Task<Result<StepOutcome>> DoAsync(XenActing act, DomainName name, DomainChange change, CancellationToken ct)
    {
        if (host.Store.Lacks.Contains(change.Needs))
        {
            return new NotOffered(change.Needs);
        }

        var volumes = (await host.VolumesAsync(ct).ConfigureAwait(false)).DistinctBy(v => v.Name).ToDictionary(v => v.Name);
        // Whatever has the VM's name and not the portal's tag is somebody else's.
        if (volumes.Values.FirstOrDefault(v => XenVolumes.DomainOf(v.Name) == name && !v.IsOwn) is { } foreign)
        {
            return new Occupied(foreign.Where);
        }

        // The guest whose memory was kept knows its disks as they were.
        if (change is DomainChange.RevertToSnapshot or DomainChange.RemoveVolume && await domains.IsSavedAsync(name, ct).ConfigureAwait(false))
        {
            return new WrongState(name.Text, "off, without saved memory: force it off to give that up");
        }

        return change switch
        {
            DomainChange.MakeVolume make => await MakeAsync(act, volumes, VolumeOf(name, make.Label), make, ct).ConfigureAwait(false),
            DomainChange.RemoveVolume(var label) => await RemoveAsync(act, volumes, VolumeOf(name, label), ct).ConfigureAwait(false),
            DomainChange.GrowVolume(var label, var size) => await GrowAsync(act, name, volumes, label is { } one ? VolumeOf(name, one) : name.Text, size, ct).ConfigureAwait(false),
            DomainChange.TakeSnapshot(var label) => await SnapshotAsync(act, volumes, name.Text, SnapshotOf(name, label), ct).ConfigureAwait(false),
            DomainChange.RevertToSnapshot(var label) => await RevertAsync(act, volumes, name, SnapshotOf(name, label), ct).ConfigureAwait(false),
            DomainChange.RemoveSnapshot(var label) => await RemoveAsync(act, volumes, SnapshotOf(name, label), ct).ConfigureAwait(false),
            _ => new NotOffered(change.Needs),
        };
    }

    private async Task<Result<StepOutcome>> MakeAsync(XenActing act, Dictionary<string, StoredVolume> volumes, string volume, DomainChange.MakeVolume make, CancellationToken ct)
    {
        if (volumes.TryGetValue(volume, out var there))
        {
            if (there.IsWhole)
            {
                return await act.LookOnlyAsync(ct).ConfigureAwait(false);
            }

            // Of an earlier try that was cut off: nobody has it yet.
            await host.StoreOf(there).MustRemoveAsync(act.DoAsync, there, ct).ConfigureAwait(false);
        }

        var store = make.Format == VolumeFormat.Swap ? host.Swap : host.Store;
        if ((await store.NoRoomAsync([.. volumes.Values], make.Size, ct).ConfigureAwait(false) ?? await store.MakeAsync(act.DoAsync, volume, make.Size, ct).ConfigureAwait(false)) is { } no)
        {
            return no;
        }

        HostCommand? format = make.Format switch
        {
            VolumeFormat.Ext4 => LvmCommands.MakeExt4(store.PathOf(volume)),
            VolumeFormat.Swap => LvmCommands.MakeSwap(store.PathOf(volume)),
            _ => null,
        };
        if (format is not null)
        {
            await act.MustAsync(format, ct).ConfigureAwait(false);
        }

        await act.MustAsync(store.Tag(volume, StoredVolume.Whole), ct).ConfigureAwait(false);
        return StepOutcome.Changed;
    }

    private async Task<Result<StepOutcome>> RemoveAsync(XenActing act, Dictionary<string, StoredVolume> volumes, string volume, CancellationToken ct)
    {
        if (!volumes.TryGetValue(volume, out var there))
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        // The host itself refuses while somebody has it open.
        var store = host.StoreOf(there);
        var removed = await store.RemoveAsync(act.DoAsync, there, ct).ConfigureAwait(false);
        return removed.Succeeded || store.IsAbsent(removed) ? StepOutcome.Changed
            : store.IsInUse(removed) ? new DiskInUse(volume)
            : new HostSaidNo("remove the volume", XlAnswers.Complaint(removed));
    }

    private async Task<Result<StepOutcome>> GrowAsync(XenActing act, DomainName name, Dictionary<string, StoredVolume> volumes, string volume, ByteSize size, CancellationToken ct)
    {
        if (!volumes.TryGetValue(volume, out var there))
        {
            return new HostSaidNo("make the disk larger", $"there is no {volume}.");
        }

        var store = host.StoreOf(there);
        return there.Size < size && await store.NoRoomAsync([.. volumes.Values], new ByteSize(size.Bytes - there.Size.Bytes), ct).ConfigureAwait(false) is { } full
            ? full
            : await store.GrowAsync(act, name, there, size, ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> SnapshotAsync(XenActing act, Dictionary<string, StoredVolume> volumes, string origin, string snapshot, CancellationToken ct)
    {
        if (volumes.ContainsKey(snapshot))
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        if (!volumes.TryGetValue(origin, out var disk))
        {
            return new HostSaidNo("take the snapshot", $"there is no {origin}.");
        }

        var taken = await act.DoAsync(LvmCommands.ThinSnapshot(host.Store.Place, origin, snapshot), ct).ConfigureAwait(false);
        return taken.Succeeded ? StepOutcome.Changed : host.Store.NoVolume(taken, disk.Size);
    }

    // A thin snapshot of the snapshot takes the disk's place, so that the snapshot itself stays. At each moment either the disk or what takes its place is
    // there, and whoever repeats this goes on where it was left.
    private async Task<Result<StepOutcome>> RevertAsync(XenActing act, Dictionary<string, StoredVolume> volumes, DomainName name, string snapshot, CancellationToken ct)
    {
        if (await host.StateAsync(name, ct).ConfigureAwait(false) is not (DomainState.Off or DomainState.Absent))
        {
            return new WrongState(name.Text, "off");
        }

        if (!volumes.ContainsKey(snapshot))
        {
            return new HostSaidNo("go back to the snapshot", "there is no such snapshot.");
        }

        var (group, next) = (host.Store.Place, NextOf(name));
        if (volumes.ContainsKey(name.Text))
        {
            if (volumes.ContainsKey(next))
            {
                await act.MustAsync(LvmCommands.Remove(group, next), ct).ConfigureAwait(false);
            }

            if (await act.DoAsync(LvmCommands.ThinSnapshot(group, snapshot, next), ct).ConfigureAwait(false) is { Succeeded: false } no)
            {
                return host.Store.NoVolume(no, volumes[snapshot].Size);
            }

            await act.MustAsync(LvmCommands.Remove(group, name.Text), ct).ConfigureAwait(false);
        }

        await act.MustAsync(LvmCommands.Rename(group, next, name.Text), ct).ConfigureAwait(false);
        return StepOutcome.Changed;
    }
}
