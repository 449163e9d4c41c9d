using System.IO.Compression;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Disks of domains on their way from one host to another: listed, made empty, read and written in parts.</summary>
internal sealed class XenDisks(XenHost host, XenDomains domains, TimeProvider clock)
{
    // Made for a copy and reads as zeros where nothing was copied to it yet.
    private const string Receives = "portal.receives";

    // Incompressible parts grow by a little where they are packed.
    private const int MostPacked = DomainDisk.PartSize + (1 << 20);

    public async Task<DiskListing> ListAsync(DomainName name, CancellationToken ct)
    {
        var volumes = await host.VolumesAsync(ct).ConfigureAwait(false);
        var ours = volumes.Where(v => XenVolumes.DomainOf(v.Name) == name).ToList();
        List<string> obstacles = [];
        obstacles.AddRange(ours.Where(v => !v.IsOwn).Select(v => $"{v.Where} has its name and was not made by the portal. An operator has to look at it."));
        if (ours.Count(v => SuffixOf(v).StartsWith("-s", StringComparison.Ordinal) && !DomainDisk.IsSuffix(SuffixOf(v))) is > 0 and var snapshots)
        {
            obstacles.Add($"It has {snapshots} {(snapshots == 1 ? "snapshot, which is" : "snapshots, which are")} not copied. Remove {(snapshots == 1 ? "it" : "them")} first.");
        }

        if (ours.FirstOrDefault(v => host.StoreOf(v).IsGrowing(v) || SuffixOf(v) is "-next" or XenDetach.Own or XenDetach.Clone) is { } half)
        {
            obstacles.Add($"{half.Where} is being changed, or was when somebody was cut off. Do that again first.");
        }

        if (ours.Any(v => SuffixOf(v).StartsWith("-ad", StringComparison.Ordinal)))
        {
            obstacles.Add("Its disks are those of a domain that was adopted here.");
        }

        if (await domains.IsSavedAsync(name, ct).ConfigureAwait(false))
        {
            obstacles.Add("Its memory is saved on this host. Start it, or force it off to give that memory up.");
        }

        if (await HasDeviceAsync(name, ours, ct).ConfigureAwait(false))
        {
            obstacles.Add("One of the host's own disks is given to it. Take it away first.");
        }

        var disks = ours.Where(v => DomainDisk.IsSuffix(SuffixOf(v)) && (!SuffixOf(v).StartsWith("-v", StringComparison.Ordinal) || v.IsWhole));
        return new DiskListing([.. disks.OrderBy(v => v.Name, StringComparer.Ordinal).Select(v => new DomainDisk(SuffixOf(v), XenDetach.SizeOf(v, volumes), v.Taken, host.Swap != host.Store && host.StoreOf(v) == host.Swap))], obstacles) { Cloned = XenDetach.CloneAmong(volumes, name) };

        string SuffixOf(StoredVolume volume) => volume.Name[name.Text.Length..];
    }

    public async Task<Result<StepOutcome>> MakeAsync(XenActing act, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct)
    {
        var outcome = await act.LookOnlyAsync(ct).ConfigureAwait(false);
        if (await host.StateAsync(name, ct).ConfigureAwait(false) is not (DomainState.Off or DomainState.Absent))
        {
            return new WrongState(name.Text, "off");
        }

        var volumes = await host.VolumesAsync(ct).ConfigureAwait(false);
        foreach (var disk in disks)
        {
            var (store, volume) = (StoreOf(disk), disk.VolumeOf(name));
            var there = volumes.FirstOrDefault(v => v.Name == volume && v.Place == store.Place);
            if (there is { IsOwn: false })
            {
                return new Occupied(there.Where);
            }

            if (there is not null && (there.Tags.Contains(Receives) || there.IsWhole))
            {
                continue;
            }

            // One without a mark was being made when somebody was cut off: it may show what was in its blocks before.
            if (there is not null)
            {
                await store.MustRemoveAsync(act.DoAsync, there, ct).ConfigureAwait(false);
            }

            if ((await store.NoRoomAsync(volumes, disk.Taken, ct).ConfigureAwait(false) ?? await store.MakeAsync(act.DoAsync, volume, disk.Size, ct).ConfigureAwait(false)) is { } no)
            {
                return no;
            }

            await act.MustAsync(store.Tag(volume, Receives), ct).ConfigureAwait(false);
            outcome = StepOutcome.Changed;
        }

        return outcome;
    }

    public async Task<Result<IReadOnlyList<PartDigest>>> DigestsAsync(XenActing act, DomainName name, DomainDisk disk, int first, int count, CancellationToken ct) =>
        await host.StateAsync(name, ct).ConfigureAwait(false) is DomainState.Off or DomainState.Absent
            ? Result<IReadOnlyList<PartDigest>>.Of(RemoteAnswers.PartDigests(await act.AskAsync(PortalHostCommands.PartDigests(PathOf(disk, name), first, count), ct).ConfigureAwait(false), count))
            : new WrongState(name.Text, "off");

    public async Task<Result<ReadOnlyMemory<byte>>> ReadAsync(XenActing act, DomainName name, DomainDisk disk, int part, CancellationToken ct) =>
        Result<ReadOnlyMemory<byte>>.Of(Unpacked(await act.ReadAsync(PortalHostCommands.ReadPart(PathOf(disk, name), part), MostPacked, ct).ConfigureAwait(false)));

    public async Task<Result<StepOutcome>> WriteAsync(XenActing act, DomainName name, DomainDisk disk, int part, ReadOnlyMemory<byte> content, bool overZeros, CancellationToken ct)
    {
        await act.OneOfManyAsync(PortalHostCommands.CopyPart(PathOf(disk, name), (long)part * DomainDisk.PartSize, content, overZeros), clock, ct).ConfigureAwait(false);
        return StepOutcome.Changed;
    }

    public async Task<Result<StepOutcome>> SealAsync(XenActing act, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct)
    {
        var outcome = await act.LookOnlyAsync(ct).ConfigureAwait(false);
        var volumes = await host.VolumesAsync(ct).ConfigureAwait(false);
        foreach (var disk in disks)
        {
            var (store, volume) = (StoreOf(disk), disk.VolumeOf(name));
            var there = volumes.FirstOrDefault(v => v.Name == volume && v.Place == store.Place) ?? throw new HostFaultException($"The volume {store.Place}/{volume} was copied to and is not there.");
            if (!there.IsWhole)
            {
                await act.MustAsync(store.Tag(volume, StoredVolume.Whole), ct).ConfigureAwait(false);
                outcome = StepOutcome.Changed;
            }

            if (there.Tags.Contains(Receives))
            {
                await act.MustAsync(store.Untag(volume, Receives), ct).ConfigureAwait(false);
                outcome = StepOutcome.Changed;
            }
        }

        return outcome;
    }

    // Beside its root disk and its seed a guest has volumes of its own, which are then open; whatever else it has is the host's.
    private async Task<bool> HasDeviceAsync(DomainName name, List<StoredVolume> ours, CancellationToken ct)
    {
        if (await host.StateAsync(name, ct).ConfigureAwait(false) is DomainState.Off or DomainState.Absent)
        {
            return false;
        }

        var attached = XlAnswers.Disks(await host.AskAsync(XlCommands.BlockList(name.Text), ct).ConfigureAwait(false)).Count(d => d is not ("xvda" or "xvdb"));
        return attached > ours.Count(v => v.Name.StartsWith($"{name.Text}-v", StringComparison.Ordinal) && v.IsOpen);
    }

    private VolumeStore StoreOf(DomainDisk disk) => disk.IsSwap ? host.Swap : host.Store;

    private string PathOf(DomainDisk disk, DomainName name) => StoreOf(disk).PathOf(disk.VolumeOf(name));

    /// <exception cref="HostFaultException">It is not packed, or is more than a part.</exception>
    private static byte[] Unpacked(ReadOnlyMemory<byte> packed)
    {
        try
        {
            using var gzip = new GZipStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
            var content = new byte[DomainDisk.PartSize + 1];
            var length = gzip.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return length <= DomainDisk.PartSize ? content[..length] : throw new HostFaultException("The host sent more than one part of a disk.");
        }
        catch (InvalidDataException broken)
        {
            throw new HostFaultException("What the host sent of a disk cannot be unpacked.", broken);
        }
    }
}
