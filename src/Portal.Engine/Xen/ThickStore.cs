using System.Globalization;
using Portal.Engine.Lvm;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>
/// A volume group without a thin pool: each volume has all its blocks from the start, and LVM gives out a group's blocks as they are. So they are overwritten with
/// zeros twice: before whoever removed a volume gives them back, and again in each new volume, because others than the portal have used the group.
/// A root disk of its template's size is a classic snapshot of it, every other one a copy.
/// </summary>
internal sealed class ThickStore(XenHost host, string group) : LvmStore(host, group)
{
    // A snapshot of a snapshot is not known to device-mapper's classic kind, and one of a copy would slow each write of its origin down.
    private static readonly HashSet<DomainAbility> s_lacks = [DomainAbility.Snapshots];

    // Up to which byte a volume that grows is its owner's; what is behind it was not overwritten yet.
    public const string Grows = "portal.grows.";

    public override string Name => Group;

    public override IReadOnlySet<DomainAbility> Lacks => s_lacks;

    public override async Task<StoreRoom?> RoomAsync(IReadOnlyList<StoredVolume> volumes, CancellationToken ct) => await FindAsync(ct).ConfigureAwait(false) is { } there ? new StoreRoom(there.Size, there.Free) : null;

    protected override async Task<StoreLook> LookAsync(HostAnswer listing, IReadOnlyList<LogicalVolume> volumes, CancellationToken ct)
    {
        var subject = $"Volume group {Group}, room";
        return await FindAsync(ct).ConfigureAwait(false) is not { } there
            ? new StoreLook(null, [], [HostCheck.Bad("pool.missing", $"Volume group {Group}", listing.Succeeded ? "it is not there" : XlAnswers.Complaint(listing), $"vgcreate {Group} DEVICE, or name another volume group for this host.")])
            : new StoreLook(new StoreRoom(there.Size, there.Free), volumes, [there.Free.Bytes < there.Size.Bytes / 20
                // No alarm: what is sold of a group is all there, and a group that is sold out is as it should be.
                ? HostCheck.Warning("group.full", subject, $"{there.Free} left of {there.Size}", $"vgextend {Group} DEVICE")
                : HostCheck.Good("pool", subject, $"{there.Free} left of {there.Size}")]);
    }

    public override Task<Refusal?> MakeAsync(RunOnHost run, string name, ByteSize size, CancellationToken ct) => MakeAsync(run, name, size, ByteSize.Zero, ct);

    public override async Task<Result<StepOutcome>> CloneAsync(XenActing act, StoredVolume template, StoredVolume? there, DomainSpec spec, CancellationToken ct)
    {
        if (there is not null && (!there.IsOwn || (there.Origin ?? template.Name) != template.Name))
        {
            return new Occupied(there.Where);
        }

        if (there is not null && (there.Origin is not null || there.IsWhole))
        {
            return await GrowAsync(act, spec.Name, there, spec.Disk, ct).ConfigureAwait(false);
        }

        if (there is not null)
        {
            // A copy that was cut off.
            await MustRemoveAsync(act.DoAsync, there, ct).ConfigureAwait(false);
        }

        var asked = spec.Disk > template.Size ? spec.Disk : template.Size;
        if (await NoRoomAsync([], asked, ct).ConfigureAwait(false) is { } full)
        {
            return full;
        }

        if (asked == template.Size)
        {
            var cloned = await act.DoAsync(LvmCommands.ClassicSnapshot(Group, template.Name, spec.Name.Text), ct).ConfigureAwait(false);
            return cloned.Succeeded ? StepOutcome.Changed : NoVolume(cloned, asked);
        }

        if (await MakeAsync(act.DoAsync, spec.Name.Text, asked, template.Size, ct).ConfigureAwait(false) is { } no)
        {
            return no;
        }

        await act.MustAsync(PortalHostCommands.Copy(PathOf(template.Name), PathOf(spec.Name.Text)), ct).ConfigureAwait(false);
        await act.MustAsync(Tag(spec.Name.Text, StoredVolume.Whole), ct).ConfigureAwait(false);
        return StepOutcome.Changed;
    }

    /// <summary>Only while nobody sees it: new blocks are there before they are overwritten.</summary>
    public override async Task<Result<StepOutcome>> GrowAsync(XenActing act, DomainName owner, StoredVolume volume, ByteSize size, CancellationToken ct)
    {
        var began = GrowthOf(volume);
        if (volume.Size >= size && began is null)
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        if (volume.Origin is not null)
        {
            return new HostSaidNo("make the disk larger", "it is a snapshot of its template, and keeps that one's size.");
        }

        if (await Host.StateAsync(owner, ct).ConfigureAwait(false) is not (DomainState.Off or DomainState.Absent))
        {
            return new WrongState(owner.Text, "off");
        }

        if (began is null)
        {
            began = Grows + volume.Size.Bytes.ToString(CultureInfo.InvariantCulture);
            await act.MustAsync(LvmCommands.AddTag(Group, volume.Name, began), ct).ConfigureAwait(false);
        }

        if (volume.Size < size && await act.DoAsync(LvmCommands.Extend(Group, volume.Name, size), ct).ConfigureAwait(false) is { Succeeded: false } no)
        {
            return NoVolume(no, size);
        }

        await EndGrowthAsync(act, volume.Name, began, ct).ConfigureAwait(false);
        return StepOutcome.Changed;
    }

    public override bool ShowsOldBlocks => true;

    public override bool IsGrowing(StoredVolume volume) => GrowthOf(volume) is not null;

    public override Task EndGrowthAsync(XenActing act, StoredVolume volume, CancellationToken ct) =>
        GrowthOf(volume) is { } began ? EndGrowthAsync(act, volume.Name, began, ct) : Task.CompletedTask;

    public override async Task<HostAnswer> RemoveAsync(RunOnHost run, StoredVolume volume, CancellationToken ct)
    {
        HostCommand[] commands =
        [
            // Both fail while somebody has it open: Xen's back end does not open disks exclusively, so blkdiscard alone would not notice.
            .. volume.Origin is null
                ? (HostCommand[])[LvmCommands.Activate(Group, volume.Name, false), LvmCommands.Activate(Group, volume.Name, true)]
                // What its owner wrote lies in blocks that no device shows while it is a snapshot; on its own it has them all (lvconvert(8)).
                : [LvmCommands.SplitSnapshot(Group, volume.Name)],
            LvmCommands.Zero(PathOf(volume.Name), ByteSize.Zero),
            LvmCommands.Remove(Group, volume.Name),
        ];
        HostAnswer answer = default!;
        foreach (var command in commands)
        {
            answer = await run(command, ct).ConfigureAwait(false);
            if (!answer.Succeeded)
            {
                break;
            }
        }

        return answer;
    }

    public override IReadOnlyList<HostCommand> Plan(string template, string name, ByteSize disk) =>
        [LvmCommands.Thick(Group, name, disk), PortalHostCommands.Copy(PathOf(template), PathOf(name))];

    public override IReadOnlyList<HostCommand> PlanEmpty(string name, ByteSize size) => [LvmCommands.Thick(Group, name, size), LvmCommands.Zero(PathOf(name), ByteSize.Zero)];

    // The tag with the size that the volume had before.
    private static string? GrowthOf(StoredVolume volume) => volume.Tags.FirstOrDefault(t => t.StartsWith(Grows, StringComparison.Ordinal));

    private async Task EndGrowthAsync(XenActing act, string volume, string began, CancellationToken ct)
    {
        var from = new ByteSize(long.Parse(began[Grows.Length..], NumberStyles.None, CultureInfo.InvariantCulture));
        await act.MustAsync(LvmCommands.Zero(PathOf(volume), from), ct).ConfigureAwait(false);
        await act.MustAsync(LvmCommands.RemoveTag(Group, volume, began), ct).ConfigureAwait(false);
    }

    /// <param name="from">What comes before is written by the caller, all of it.</param>
    private async Task<Refusal?> MakeAsync(RunOnHost run, string name, ByteSize size, ByteSize from, CancellationToken ct)
    {
        var answer = await run(LvmCommands.Thick(Group, name, size), ct).ConfigureAwait(false);
        if (!answer.Succeeded)
        {
            return NoVolume(answer, size);
        }

        await MustAsync(run, LvmCommands.Zero(PathOf(name), from), ct).ConfigureAwait(false);
        return null;
    }

    private async Task<VolumeGroup?> FindAsync(CancellationToken ct) =>
        LvmAnswers.Groups(await Host.AskAsync(LvmCommands.Groups(), ct).ConfigureAwait(false)).FirstOrDefault(g => g.Name == Group);
}
