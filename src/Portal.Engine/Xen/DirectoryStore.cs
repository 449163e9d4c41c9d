using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>
/// A directory, on whatever file system: each volume is a file that holds its blocks as they are, with holes where nothing was written, and Xen's own script
/// gives it to a guest through a loop device. No file shows the old blocks of another, so nothing is overwritten when one is made, grows or goes.
/// </summary>
internal sealed class DirectoryStore(XenHost host, string directory) : VolumeStore(host, directory)
{
    // A snapshot of a file that a guest writes to would be torn; files stand alone from the start.
    private static readonly HashSet<DomainAbility> s_lacks = [DomainAbility.Snapshots, DomainAbility.Detach];

    // As LVM's extents: a disk keeps its size to the byte when it is moved to a volume group, and back.
    private const int Rounding = 4 << 20;

    // Percent of the file system.
    private const int Nearly = 85;

    public override string Name => Place;

    protected override string Subject => SubjectOf(Place);

    public override IReadOnlySet<DomainAbility> Lacks => s_lacks;

    public override string PathOf(string volume) => $"{Place}/{volume}.raw";

    public override async Task<IReadOnlyList<StoredVolume>> ListAsync(CancellationToken ct) => (await ReadAsync(ct).ConfigureAwait(false)).Files;

    public override async Task<StoreRoom?> RoomAsync(IReadOnlyList<StoredVolume> volumes, CancellationToken ct) => RoomOf(await ReadAsync(ct).ConfigureAwait(false));

    public override async Task<Refusal?> MakeAsync(RunOnHost run, string name, ByteSize size, CancellationToken ct)
    {
        var answer = await run(PortalHostCommands.MakeVolume(PathOf(name), Rounded(size)), ct).ConfigureAwait(false);
        return answer.Succeeded ? null : NoVolume(answer, size);
    }

    public override async Task<Result<StepOutcome>> CloneAsync(XenActing act, StoredVolume template, StoredVolume? there, DomainSpec spec, CancellationToken ct)
    {
        if (there is { IsOwn: false })
        {
            return new Occupied(there.Where);
        }

        if (there is { IsWhole: true })
        {
            return await GrowAsync(act, spec.Name, there, spec.Disk, ct).ConfigureAwait(false);
        }

        if (there is not null)
        {
            // A copy that was cut off.
            await MustRemoveAsync(act.DoAsync, there, ct).ConfigureAwait(false);
        }

        var cloned = await act.DoAsync(Clone(template.Name, spec.Name.Text, spec.Disk), ct).ConfigureAwait(false);
        if (!cloned.Succeeded)
        {
            return NoVolume(cloned, template.Taken);
        }

        await act.MustAsync(Tag(spec.Name.Text, StoredVolume.Whole), ct).ConfigureAwait(false);
        return StepOutcome.Changed;
    }

    public override async Task<Result<StepOutcome>> GrowAsync(XenActing act, DomainName owner, StoredVolume volume, ByteSize size, CancellationToken ct)
    {
        if (volume.Size >= size && !volume.IsOpen)
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        // Also where the file is large enough: its loop device may not have followed when somebody was cut off.
        var grown = await act.DoAsync(PortalHostCommands.GrowVolume(PathOf(volume.Name), Rounded(size)), ct).ConfigureAwait(false);
        return !grown.Succeeded ? NoVolume(grown, size)
            : volume.Size >= size ? StepOutcome.AlreadyThere
            : StepOutcome.Changed;
    }

    public override Task<HostAnswer> RemoveAsync(RunOnHost run, StoredVolume volume, CancellationToken ct) => run(PortalHostCommands.RemoveVolume(PathOf(volume.Name)), ct);

    public override async Task<ByteSize> SizeAsync(string volume, CancellationToken ct) =>
        (await ReadAsync(ct).ConfigureAwait(false)).Files.FirstOrDefault(f => f.Name == volume)?.Size ?? throw new HostFaultException($"The file {PathOf(volume)} is not there.");

    public override HostCommand Tag(string volume, string tag) => PortalHostCommands.TagVolume(PathOf(volume), tag);

    public override HostCommand Untag(string volume, string tag) => PortalHostCommands.UntagVolume(PathOf(volume), tag);

    public override IReadOnlyList<HostCommand> Plan(string template, string name, ByteSize disk) => [Clone(template, name, disk)];

    public override IReadOnlyList<HostCommand> PlanEmpty(string name, ByteSize size) => [PortalHostCommands.MakeVolume(PathOf(name), size)];

    public override bool IsAbsent(HostAnswer answer) => RemoteAnswers.IsAbsent(answer);

    public override bool IsInUse(HostAnswer answer) => RemoteAnswers.IsInUse(answer);

    public override Refusal NoVolume(HostAnswer answer, ByteSize asked) =>
        DiskFull.Said(answer) ? new PoolFull(asked, ByteSize.Zero) : new HostSaidNo("make the volume", XlAnswers.Complaint(answer));

    protected override string? Forbidden(HostFacts facts) =>
        facts.Directories.Contains(Place) ? null : $"the portal may keep disks in {(facts.Directories.Count == 0 ? "no directory" : XenProbe.Said(facts.Directories))} on this host, and not in this one";

    protected override async Task<StoreLook> LookAsync(CancellationToken ct)
    {
        var answer = await Host.RunAsync(PortalHostCommands.Volumes(Place), ct).ConfigureAwait(false);
        if (!answer.Succeeded)
        {
            return new StoreLook(null, [], [IsAbsent(answer)
                ? HostCheck.Bad("pool.missing", Subject, XlAnswers.Complaint(answer), $"Mount its file system where it has one of its own, then: install -d -m 700 {Place}")
                : HostCheck.Bad("pool.unsafe", Subject, $"the portal keeps no disks in it: {XlAnswers.Complaint(answer)}", $"chown root: {Place} and chmod 700 {Place}; of what is above it, chown root: and chmod go-w; or name another directory for this host.")]);
        }

        return Look(Place, DirectoryListing.Parse(Place, answer.Output));
    }

    /// <summary>How a directory is that the portal can use. Pure.</summary>
    internal static StoreLook Look(string directory, DirectoryListing listing)
    {
        var (room, subject, found) = (RoomOf(listing), SubjectOf(directory), $"{listing.Free} free of {listing.Size}, of which {Floor(listing)} are kept free");
        const string Remedy = "Make its file system larger, or move VMs to another host.";
        return new StoreLook(room, listing.Files,
        [
            room.Free == ByteSize.Zero ? HostCheck.Bad("pool.full", subject, $"{found}; no disk is made here", Remedy)
                : listing.Free.Bytes < listing.Size.Bytes / 100 * (100 - Nearly) ? HostCheck.Warning("pool.full", subject, found, Remedy)
                : HostCheck.Good("pool", subject, found),
        ]);
    }

    private HostCommand Clone(string template, string name, ByteSize disk) => PortalHostCommands.CloneVolume(PathOf(template), PathOf(name), Rounded(disk));

    private async Task<DirectoryListing> ReadAsync(CancellationToken ct) => DirectoryListing.Parse(Place, await Host.AskAsync(PortalHostCommands.Volumes(Place), ct).ConfigureAwait(false));

    private static string SubjectOf(string directory) => $"Directory {directory}";

    // What is kept free is for the growth of the files that are there, and of whatever else lies beside them.
    private static StoreRoom RoomOf(DirectoryListing listing) => new(listing.Size, listing.Free > Floor(listing) ? new ByteSize(listing.Free.Bytes - Floor(listing).Bytes) : ByteSize.Zero);

    private static ByteSize Floor(DirectoryListing listing) => DiskFull.FloorOf(listing.Size);

    private static ByteSize Rounded(ByteSize size) => new((size.Bytes + Rounding - 1) / Rounding * Rounding);
}
