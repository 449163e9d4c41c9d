using System.Globalization;
using Portal.Engine.Lvm;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>A thin pool: volumes take blocks as they are written, and the pool gives out zeroed ones (lvmthin(7), --zero y; a pool that does not is refused).</summary>
internal sealed class ThinStore(XenHost host, string group, string pool) : LvmStore(host, group)
{
    // The pool counts who has which block: a snapshot stands alone once it is made, and its origin may go (lvmthin(7)).
    private static readonly HashSet<DomainAbility> s_lacks = [DomainAbility.Detach];

    // Percent of its data or of its metadata. A guest that finds a full pool has its writes fail, so there has to be time to act.
    private const decimal Nearly = 85;
    private const decimal Full = 95;

    public override string Name => $"{Group}/{pool}";

    public override IReadOnlySet<DomainAbility> Lacks => s_lacks;

    public override Task<StoreRoom?> RoomAsync(IReadOnlyList<StoredVolume> volumes, CancellationToken ct) => Task.FromResult(RoomOf(Find(volumes)));

    protected override Task<StoreLook> LookAsync(HostAnswer listing, IReadOnlyList<LogicalVolume> volumes, CancellationToken ct)
    {
        var there = Find(volumes);
        return Task.FromResult(new StoreLook(RoomOf(there), volumes, [.. Checks(listing, there)]));
    }

    public override async Task<Refusal?> MakeAsync(RunOnHost run, string name, ByteSize size, CancellationToken ct)
    {
        var answer = await run(LvmCommands.Thin(Group, pool, name, size), ct).ConfigureAwait(false);
        return answer.Succeeded ? null : NoVolume(answer, size);
    }

    public override async Task<Result<StepOutcome>> CloneAsync(XenActing act, StoredVolume template, StoredVolume? there, DomainSpec spec, CancellationToken ct)
    {
        if (there is not null && (there.Origin != template.Name || !there.IsOwn))
        {
            return new Occupied(there.Where);
        }

        if (there is not null && there.Size >= spec.Disk)
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        if (there is null && await act.DoAsync(LvmCommands.ThinSnapshot(Group, template.Name, spec.Name.Text), ct).ConfigureAwait(false) is { Succeeded: false } no)
        {
            return NoVolume(no, template.Size);
        }

        if (spec.Disk > template.Size && await act.DoAsync(LvmCommands.Extend(Group, spec.Name.Text, spec.Disk), ct).ConfigureAwait(false) is { Succeeded: false } full)
        {
            return NoVolume(full, spec.Disk);
        }

        return StepOutcome.Changed;
    }

    public override async Task<Result<StepOutcome>> GrowAsync(XenActing act, DomainName owner, StoredVolume volume, ByteSize size, CancellationToken ct)
    {
        if (volume.Size >= size)
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        var grown = await act.DoAsync(LvmCommands.Extend(Group, volume.Name, size), ct).ConfigureAwait(false);
        return grown.Succeeded ? StepOutcome.Changed : NoVolume(grown, size);
    }

    public override async Task<HostAnswer> RemoveAsync(RunOnHost run, StoredVolume volume, CancellationToken ct)
    {
        // A volume that was adopted may have blocks of its own beside the pool, and the next one that gets them may be anybody's.
        if (volume.Pool is null)
        {
            await MustAsync(run, PortalHostCommands.Wipe(PathOf(volume.Name)), ct).ConfigureAwait(false);
        }

        return await run(LvmCommands.Remove(Group, volume.Name), ct).ConfigureAwait(false);
    }

    public override IReadOnlyList<HostCommand> Plan(string template, string name, ByteSize disk) => [LvmCommands.ThinSnapshot(Group, template, name)];

    public override IReadOnlyList<HostCommand> PlanEmpty(string name, ByteSize size) => [LvmCommands.Thin(Group, pool, name, size)];

    private LogicalVolume? Find(IReadOnlyList<StoredVolume> volumes) => volumes.OfType<LogicalVolume>().FirstOrDefault(v => v.Group == Group && v.Name == pool && v.IsThinPool);

    /// <summary>By a fifth, as LVM's own manual proposes, or by what the group has left. To a size and not by one: whoever repeats it, or does it at the same time, finds it done.</summary>
    public override async Task<Result<StepOutcome>> ExtendAsync(IReadOnlyList<StoredVolume> volumes, CancellationToken ct)
    {
        if (Find(volumes) is not { } there || (there.DataPercent <= Nearly && there.MetadataPercent <= Nearly))
        {
            return StepOutcome.AlreadyThere;
        }

        var left = LvmAnswers.Groups(await Host.AskAsync(LvmCommands.Groups(), ct).ConfigureAwait(false)).FirstOrDefault(g => g.Name == Group)?.Free ?? ByteSize.Zero;
        // Metadata first: it takes little, and without it the data could not be used.
        if (there.MetadataPercent > Nearly && there.MetadataSize is { } metadata && await ToAsync(LvmCommands.ExtendMetadata(Group, pool, Larger(metadata)), Larger(metadata), left).ConfigureAwait(false) is { } no)
        {
            return no;
        }

        return there.DataPercent > Nearly && await ToAsync(LvmCommands.Extend(Group, pool, Within(there.Size)), Within(there.Size), left).ConfigureAwait(false) is { } full ? full : StepOutcome.Changed;

        ByteSize Within(ByteSize size) => new(size.Bytes + Math.Min(Larger(size).Bytes - size.Bytes, left.Bytes));

        async Task<Refusal?> ToAsync(HostCommand command, ByteSize size, ByteSize free)
        {
            var answer = free == ByteSize.Zero ? null : await Host.RunAsync(command, ct).ConfigureAwait(false);
            return answer is null || LvmAnswers.IsFull(answer) ? new PoolFull(size, free)
                : answer.Succeeded || LvmAnswers.IsThatLarge(answer) ? null
                : new HostSaidNo("make the pool larger", XlAnswers.Complaint(answer));
        }
    }

    // To the next 4 MiB, which LVM would round up to itself.
    private static ByteSize Larger(ByteSize size) => new((((size.Bytes * 6 / 5) >> 22) + 1) << 22);

    private static StoreRoom? RoomOf(LogicalVolume? there) => there is null ? null : new StoreRoom(there.Size, new ByteSize(there.Size.Bytes - there.Taken.Bytes));

    private IEnumerable<HostCheck> Checks(HostAnswer listing, LogicalVolume? there)
    {
        if (there is null)
        {
            yield return HostCheck.Bad("pool.missing", $"Thin pool {Name}", listing.Succeeded ? "it is not there" : XlAnswers.Complaint(listing), $"lvcreate --type thin-pool --name {pool} --size SIZE {Group}");
            yield break;
        }

        yield return there.Zeroes
            ? HostCheck.Good("pool.zeroes", $"Thin pool {Name}, new blocks", "are zeroed before anybody sees them")
            : HostCheck.Bad("pool.not_zeroing", $"Thin pool {Name}, new blocks", "are given out as they are: a VM could read what a deleted one has left", $"lvchange --zero y {Name}");
        foreach (var (what, percent, option) in new[] { ("data", there.DataPercent, ""), ("metadata", there.MetadataPercent, " --poolmetadatasize") })
        {
            var found = $"{percent?.ToString("0.#", CultureInfo.InvariantCulture) ?? "?"} % full{(what == "data" ? $" of {there.Size}" : "")}";
            var remedy = $"lvextend{(option.Length == 0 ? " --size" : option)} +SIZE {Name}";
            yield return percent switch
            {
                > Full => HostCheck.Bad("pool.full", $"Thin pool {Name}, {what}", found, remedy),
                > Nearly => HostCheck.Warning("pool.full", $"Thin pool {Name}, {what}", found, remedy),
                _ => HostCheck.Good("pool", $"Thin pool {Name}, {what}", found),
            };
        }
    }
}
