using Portal.Engine.Lvm;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>
/// Root disks that are classic snapshots of their template's and become volumes of their own: copied beside their guest, brought up to date and exchanged while
/// it is off. Which of the three names is there says how far that has come.
/// </summary>
internal sealed class XenDetach(XenHost host, TimeProvider clock)
{
    /// <summary>What the volume is called that is to take the root disk's place.</summary>
    public const string Own = "-own";

    /// <summary>What the root disk is called that lost it.</summary>
    public const string Clone = "-clone";

    // As much as is compared in one command: a step can tell how far it is, and is called off within moments.
    private const int Batch = 16;

    /// <summary>Which domain's disk it is or is about to become, by its name. What is left of a clone is none.</summary>
    public static string DiskOf(string volume) => volume.EndsWith(Own, StringComparison.Ordinal) ? volume[..^Own.Length] : volume;

    /// <summary>What of a domain's volumes is a clone; null where none is.</summary>
    /// <param name="volumes">All that were listed.</param>
    public static DiskClone? CloneAmong(IReadOnlyList<StoredVolume> volumes, DomainName name)
    {
        var (disk, left) = (Of(name.Text), Of(name.Text + Clone));
        return disk is not null && left is not null ? new DiskClone(left.Origin ?? left.Name, left.Size, null, Replaced: true)
            : (disk ?? left) is LogicalVolume { Origin: { } origin, Pool: null } clone ? new DiskClone(origin, SizeOf(clone, volumes), clone.DataPercent, Replaced: false)
            : null;

        StoredVolume? Of(string volume) => volumes.FirstOrDefault(v => v.Name == volume);
    }

    /// <summary>What a guest sees of a volume. Of a classic snapshot LVM tells the size of its store, which has room for the list of its blocks as well: its guest sees its template's.</summary>
    /// <param name="volumes">All that were listed.</param>
    public static ByteSize SizeOf(StoredVolume volume, IReadOnlyList<StoredVolume> volumes) =>
        volume is LogicalVolume { Origin: { } origin, Pool: null } ? volumes.FirstOrDefault(v => v.Name == origin && v.Place == volume.Place)?.Size ?? volume.Size : volume.Size;

    public async Task<Result<StepOutcome>> DoAsync(XenActing act, DomainName name, DetachStage stage, CopyProgress progress, CancellationToken ct)
    {
        if (host.Store is not ThickStore store)
        {
            return new NotOffered(DomainAbility.Detach);
        }

        // Behind the fence: what somebody else began has ended by then.
        await act.LookOnlyAsync(ct).ConfigureAwait(false);
        var volumes = await store.ListAsync(ct).ConfigureAwait(false);
        var there = new Names(Of(name.Text), Of(name.Text + Own), Of(name.Text + Clone));
        if (new[] { there.Disk, there.Own, there.Left }.FirstOrDefault(v => v is { IsOwn: false }) is { } foreign)
        {
            return new Occupied(foreign.Where);
        }

        return stage switch
        {
            DetachStage.Copy => await CopyAsync(act, store, name, there, volumes, progress, ct).ConfigureAwait(false),
            DetachStage.Take => await TakeAsync(act, store, name, there, progress, ct).ConfigureAwait(false),
            DetachStage.PutBack => await PutBackAsync(act, store, name, there, ct).ConfigureAwait(false),
            DetachStage.Clear => await ClearAsync(act, store, name, there, ct).ConfigureAwait(false),
        };

        StoredVolume? Of(string volume) => volumes.FirstOrDefault(v => v.Name == volume);
    }

    private async Task<Result<StepOutcome>> CopyAsync(XenActing act, ThickStore store, DomainName name, Names there, IReadOnlyList<StoredVolume> volumes, CopyProgress progress, CancellationToken ct)
    {
        if (there.Left is not null || there.Disk is { Origin: null })
        {
            return StepOutcome.AlreadyThere;
        }

        if (there.Disk is not { Origin: { } origin })
        {
            return new HostSaidNo("copy the disk", $"there is no {name}.");
        }

        if (volumes.FirstOrDefault(v => v.Name == origin && v.IsWhole && origin.StartsWith($"t{host.Instance}-", StringComparison.Ordinal)) is not { Size: var size })
        {
            return new HostSaidNo("copy the disk", $"it is a snapshot of {origin}, which is no template of the portal's.");
        }

        if (there.Own is null)
        {
            if (await store.NoRoomAsync(volumes, size, ct).ConfigureAwait(false) is { } full)
            {
                return full;
            }

            // Whatever lies in its blocks is overwritten by the copy, before anybody has it.
            var made = await act.DoAsync(LvmCommands.Thick(store.Group, name.Text + Own, size), ct).ConfigureAwait(false);
            if (!made.Succeeded)
            {
                return store.NoVolume(made, size);
            }
        }

        return await EachAsync(size, (first, count) => CatchUpAsync(act, store, origin, name, first, count, ct), progress, ct).ConfigureAwait(false) is { } enough ? enough : StepOutcome.Changed;
    }

    private async Task<Result<StepOutcome>> TakeAsync(XenActing act, ThickStore store, DomainName name, Names there, CopyProgress progress, CancellationToken ct)
    {
        if (there.Disk is { Origin: null })
        {
            return StepOutcome.AlreadyThere;
        }

        if (await host.StateAsync(name, ct).ConfigureAwait(false) is not (DomainState.Off or DomainState.Absent))
        {
            return new WrongState(name.Text, "off");
        }

        if (there.Own is not { } own)
        {
            return new HostSaidNo("exchange the disk", $"there is no {name}{Own}.");
        }

        // Without a root disk somebody was cut off between the two names, and all was compared.
        if (there.Disk is { } disk)
        {
            if (disk.IsOpen)
            {
                throw new HostFaultException($"{disk.Where} is open on the host, although its domain is off.");
            }

            if (await EachAsync(own.Size, (first, count) => SameAsync(act, store, name, first, count, ct), progress, ct).ConfigureAwait(false) is { } enough)
            {
                return Result<StepOutcome>.Of(enough);
            }

            if (!own.IsWhole)
            {
                await act.MustAsync(store.Tag(own.Name, StoredVolume.Whole), ct).ConfigureAwait(false);
            }

            await act.MustAsync(LvmCommands.Rename(store.Group, name.Text, name.Text + Clone), ct).ConfigureAwait(false);
        }

        await act.MustAsync(LvmCommands.Rename(store.Group, name.Text + Own, name.Text), ct).ConfigureAwait(false);
        return StepOutcome.Changed;
    }

    private async Task<Result<StepOutcome>> PutBackAsync(XenActing act, ThickStore store, DomainName name, Names there, CancellationToken ct)
    {
        if (there.Left is null)
        {
            return StepOutcome.AlreadyThere;
        }

        if (await host.StateAsync(name, ct).ConfigureAwait(false) is not (DomainState.Off or DomainState.Absent))
        {
            return new WrongState(name.Text, "off");
        }

        if (there.Disk is not null)
        {
            await act.MustAsync(LvmCommands.Rename(store.Group, name.Text, name.Text + Own), ct).ConfigureAwait(false);
        }

        await act.MustAsync(LvmCommands.Rename(store.Group, name.Text + Clone, name.Text), ct).ConfigureAwait(false);
        return StepOutcome.Changed;
    }

    private static async Task<Result<StepOutcome>> ClearAsync(XenActing act, ThickStore store, DomainName name, Names there, CancellationToken ct)
    {
        if (there.Disk is null)
        {
            throw new HostFaultException($"There is no {name} on the host, so nothing is removed of what could take its place.");
        }

        var outcome = StepOutcome.AlreadyThere;
        foreach (var volume in new[] { there.Own, there.Left }.OfType<StoredVolume>())
        {
            await store.MustRemoveAsync(act.DoAsync, volume, ct).ConfigureAwait(false);
            outcome = StepOutcome.Changed;
        }

        // What the listing still has is not gone, whatever was answered.
        if (outcome == StepOutcome.Changed && (await store.ListAsync(ct).ConfigureAwait(false)).FirstOrDefault(v => v.Name == name.Text + Own || v.Name == name.Text + Clone) is { } left)
        {
            throw new HostFaultException($"The volume {left.Name} was removed and is still listed.");
        }

        return outcome;
    }

    private static async Task<Refusal?> EachAsync(ByteSize size, Func<int, int, Task> act, CopyProgress progress, CancellationToken ct)
    {
        var parts = new DomainDisk("", size, size, isSwap: false).Parts;
        for (var first = 0; first < parts; first += Batch)
        {
            var count = Math.Min(Batch, parts - first);
            await act(first, count).ConfigureAwait(false);
            var done = new ByteSize(Math.Min(size.Bytes, (long)(first + count) * DomainDisk.PartSize));
            if (await progress(done, size, ct).ConfigureAwait(false) is { } enough)
            {
                return enough;
            }
        }

        return null;
    }

    // What was written is compared once more, from the disk: what arrived is not yet what is there.
    private async Task SameAsync(XenActing act, ThickStore store, DomainName name, int first, int count, CancellationToken ct)
    {
        if (await CatchUpAsync(act, store, name.Text, name, first, count, ct).ConfigureAwait(false) != ByteSize.Zero
            && await CatchUpAsync(act, store, name.Text, name, first, count, ct).ConfigureAwait(false) is { Bytes: > 0 } differs)
        {
            throw new HostFaultException($"{differs} of what was written to {name}{Own} is not what {name} holds. It is compared again.");
        }
    }

    private async Task<ByteSize> CatchUpAsync(XenActing act, ThickStore store, string from, DomainName name, int first, int count, CancellationToken ct) =>
        RemoteAnswers.CaughtUp(await act.OneOfManyAsync(PortalHostCommands.CatchUp(store.PathOf(from), store.PathOf(name.Text + Own), first, count), clock, ct).ConfigureAwait(false), count);

    private sealed record Names(StoredVolume? Disk, StoredVolume? Own, StoredVolume? Left);
}
