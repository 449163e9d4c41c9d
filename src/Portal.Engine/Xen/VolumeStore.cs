using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Runs a command on the host: under a VM's fence, or for the host itself.</summary>
internal delegate Task<HostAnswer> RunOnHost(HostCommand command, CancellationToken ct);

/// <summary>
/// A place for volumes on a Xen host. What is made in it reads as zeros, and what is removed from it is never read by whoever gets its blocks next. A volume is
/// made in several commands and may be left half made: only its caller's mark says that it is whole.
/// </summary>
/// <param name="place">The volume group, or the directory.</param>
internal abstract class VolumeStore(XenHost host, string place)
{
    public static VolumeStore Of(XenHost host) => host.Storage switch
    {
        { Directory: { } directory } => new DirectoryStore(host, directory),
        { Group: { } group, Pool: { } pool } => new ThinStore(host, group, pool),
        var storage => new ThickStore(host, storage.Place),
    };

    public string Place => place;

    /// <summary>What it is called in messages and checks.</summary>
    public abstract string Name { get; }

    /// <summary>What disks here cannot do.</summary>
    public abstract IReadOnlySet<DomainAbility> Lacks { get; }

    /// <summary>Whether volumes here have blocks that were somebody else's before, for as long as they grow.</summary>
    public virtual bool ShowsOldBlocks => false;

    protected XenHost Host => host;

    /// <summary>Where a volume is, for the host's programs and for Xen.</summary>
    public abstract string PathOf(string volume);

    /// <summary>All that are here, somebody else's too.</summary>
    public abstract Task<IReadOnlyList<StoredVolume>> ListAsync(CancellationToken ct);

    /// <param name="volumes">All of the host's, as they were listed now.</param>
    /// <returns>Null where the place itself is not there.</returns>
    public abstract Task<StoreRoom?> RoomAsync(IReadOnlyList<StoredVolume> volumes, CancellationToken ct);

    /// <summary>Its room, and what is the matter with it, good or bad.</summary>
    /// <param name="facts">What the host's root lets the portal use is among them.</param>
    public async Task<StoreLook> LookAsync(HostFacts facts, CancellationToken ct) =>
        Forbidden(facts) is { } found
            ? new StoreLook(null, [], [HostCheck.Bad("group.forbidden", Subject, found, XenProbe.InstallAgain)])
            : await LookAsync(ct).ConfigureAwait(false);

    /// <summary>Makes the place itself larger where it is nearly full.</summary>
    public virtual Task<Result<StepOutcome>> ExtendAsync(IReadOnlyList<StoredVolume> volumes, CancellationToken ct) => Task.FromResult<Result<StepOutcome>>(StepOutcome.AlreadyThere);

    /// <summary>Makes a volume that reads as zeros; on failure something without a mark may be left.</summary>
    public abstract Task<Refusal?> MakeAsync(RunOnHost run, string name, ByteSize size, CancellationToken ct);

    /// <summary>Makes a root disk out of a template. Safe to repeat.</summary>
    /// <param name="there">The volume of that name; null where there is none.</param>
    public abstract Task<Result<StepOutcome>> CloneAsync(XenActing act, StoredVolume template, StoredVolume? there, DomainSpec spec, CancellationToken ct);

    /// <summary>Makes a volume larger. Safe to repeat.</summary>
    public abstract Task<Result<StepOutcome>> GrowAsync(XenActing act, DomainName owner, StoredVolume volume, ByteSize size, CancellationToken ct);

    /// <summary>Whether a growth of it was cut off: blocks of its new part may show what others wrote there.</summary>
    public virtual bool IsGrowing(StoredVolume volume) => false;

    /// <summary>Ends a growth that was cut off. Before anybody sees the volume; safe to repeat.</summary>
    public virtual Task EndGrowthAsync(XenActing act, StoredVolume volume, CancellationToken ct) => Task.CompletedTask;

    /// <summary>Makes a volume's content unreadable and removes it. Safe to repeat: what was cut off is done anew.</summary>
    /// <returns>The answer of the command that failed, or of the last one.</returns>
    public abstract Task<HostAnswer> RemoveAsync(RunOnHost run, StoredVolume volume, CancellationToken ct);

    /// <summary>How many bytes a volume has, which may be a few more than were asked for.</summary>
    public abstract Task<ByteSize> SizeAsync(string volume, CancellationToken ct);

    /// <summary>Notes something of a volume; all that is in it is on the host's disk before.</summary>
    public abstract HostCommand Tag(string volume, string tag);

    public abstract HostCommand Untag(string volume, string tag);

    /// <summary>What makes a root disk, as a person would type it.</summary>
    public abstract IReadOnlyList<HostCommand> Plan(string template, string name, ByteSize disk);

    /// <summary>What makes an empty volume, as a person would type it.</summary>
    public abstract IReadOnlyList<HostCommand> PlanEmpty(string name, ByteSize size);

    /// <summary>Whether the answer to a removal says that there was nothing to remove.</summary>
    public abstract bool IsAbsent(HostAnswer answer);

    /// <summary>Whether the answer to a removal says that somebody has the volume open.</summary>
    public abstract bool IsInUse(HostAnswer answer);

    /// <summary>Why a volume could not be made.</summary>
    public abstract Refusal NoVolume(HostAnswer answer, ByteSize asked);

    /// <summary>Like <see cref="RemoveAsync"/>, of what nobody has any more.</summary>
    /// <exception cref="HostFaultException">It could not be removed.</exception>
    public async Task MustRemoveAsync(RunOnHost run, StoredVolume volume, CancellationToken ct)
    {
        var answer = await RemoveAsync(run, volume, ct).ConfigureAwait(false);
        if (!answer.Succeeded && !IsAbsent(answer))
        {
            throw new HostFaultException($"The volume {volume.Name} could not be removed: {XlAnswers.Complaint(answer)}");
        }
    }

    /// <summary>Null where so much is free.</summary>
    public async Task<PoolFull?> NoRoomAsync(IReadOnlyList<StoredVolume> volumes, ByteSize asked, CancellationToken ct) =>
        await RoomAsync(volumes, ct).ConfigureAwait(false) is { } room && room.Free < asked ? new PoolFull(asked, room.Free) : null;

    /// <summary>What was looked at, in checks.</summary>
    protected abstract string Subject { get; }

    /// <summary>That the host's root does not let the portal use it; null where he does.</summary>
    protected abstract string? Forbidden(HostFacts facts);

    protected abstract Task<StoreLook> LookAsync(CancellationToken ct);

    protected static async Task MustAsync(RunOnHost run, HostCommand command, CancellationToken ct)
    {
        var answer = await run(command, ct).ConfigureAwait(false);
        if (!answer.Succeeded)
        {
            throw new HostFaultException($"`{command}` failed: {XlAnswers.Complaint(answer)}");
        }
    }
}

/// <summary>How large a place is and what is free in it.</summary>
internal sealed record StoreRoom(ByteSize Size, ByteSize Free);

/// <summary>How a place for volumes is.</summary>
/// <param name="Room">Null where it is not there.</param>
/// <param name="Volumes">All that are in its group or directory.</param>
internal sealed record StoreLook(StoreRoom? Room, IReadOnlyList<StoredVolume> Volumes, IReadOnlyList<HostCheck> Checks);
