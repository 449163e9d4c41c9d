using Portal.Engine.Lvm;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Runs a command on the host: under a VM's fence, or for the host itself.</summary>
internal delegate Task<HostAnswer> RunOnHost(HostCommand command, CancellationToken ct);

/// <summary>
/// A place for volumes on a Xen host. What is made in it reads as zeros, and what is removed from it is never read by whoever gets its blocks next. A volume is
/// made in several commands and may be left half made: only its caller's mark says that it is whole.
/// </summary>
/// <param name="group">The volume group.</param>
internal abstract class VolumeStore(XenHost host, string group)
{
    /// <summary>On a volume with all that should be in it.</summary>
    public const string Whole = "portal.whole";

    public static VolumeStore Of(XenHost host) => host.Storage.Pool is { } pool ? new ThinStore(host, host.Storage.Group, pool) : new ThickStore(host, host.Storage.Group);

    public string Group => group;

    /// <summary>What it is called in messages and checks.</summary>
    public abstract string Name { get; }

    /// <summary>What disks here cannot do.</summary>
    public abstract IReadOnlySet<DomainAbility> Lacks { get; }

    protected XenHost Host => host;

    public string DeviceOf(string volume) => $"/dev/{group}/{volume}";

    /// <param name="volumes">All of the host's, as they were listed now.</param>
    /// <returns>Null where the place itself is not there.</returns>
    public abstract Task<StoreRoom?> RoomAsync(IReadOnlyList<LogicalVolume> volumes, CancellationToken ct);

    /// <summary>Its room, and what is the matter with it, good or bad.</summary>
    /// <param name="listing">What lvs answered.</param>
    public abstract Task<StoreLook> LookAsync(HostAnswer listing, CancellationToken ct);

    /// <summary>Makes the place itself larger where it is nearly full.</summary>
    public virtual Task<Result<StepOutcome>> ExtendAsync(IReadOnlyList<LogicalVolume> volumes, CancellationToken ct) => Task.FromResult<Result<StepOutcome>>(StepOutcome.AlreadyThere);

    /// <summary>Makes a volume that reads as zeros; on failure something without a mark may be left.</summary>
    public abstract Task<Refusal?> MakeAsync(RunOnHost run, string name, ByteSize size, CancellationToken ct);

    /// <summary>Makes a root disk out of a template. Safe to repeat.</summary>
    /// <param name="there">The volume of that name; null where there is none.</param>
    public abstract Task<Result<StepOutcome>> CloneAsync(XenActing act, LogicalVolume template, LogicalVolume? there, DomainSpec spec, CancellationToken ct);

    /// <summary>Makes a volume larger. Safe to repeat.</summary>
    public abstract Task<Result<StepOutcome>> GrowAsync(XenActing act, DomainName owner, LogicalVolume volume, ByteSize size, CancellationToken ct);

    /// <summary>Whether a growth of it was cut off: blocks of its new part may show what others wrote there.</summary>
    public virtual bool IsGrowing(LogicalVolume volume) => false;

    /// <summary>Ends a growth that was cut off. Before anybody sees the volume; safe to repeat.</summary>
    public virtual Task EndGrowthAsync(XenActing act, LogicalVolume volume, CancellationToken ct) => Task.CompletedTask;

    /// <summary>Makes a volume's content unreadable and removes it. Safe to repeat: what was cut off is done anew.</summary>
    /// <returns>The answer of the command that failed, or of the last one.</returns>
    public abstract Task<HostAnswer> RemoveAsync(RunOnHost run, LogicalVolume volume, CancellationToken ct);

    /// <summary>What makes a root disk, as a person would type it.</summary>
    public abstract IReadOnlyList<HostCommand> Plan(string template, string name, ByteSize disk);

    /// <summary>What makes an empty volume, as a person would type it.</summary>
    public abstract IReadOnlyList<HostCommand> PlanEmpty(string name, ByteSize size);

    /// <summary>Like <see cref="RemoveAsync"/>, of what nobody has any more.</summary>
    /// <exception cref="HostFaultException">It could not be removed.</exception>
    public async Task MustRemoveAsync(RunOnHost run, LogicalVolume volume, CancellationToken ct)
    {
        var answer = await RemoveAsync(run, volume, ct).ConfigureAwait(false);
        if (!answer.Succeeded && !LvmAnswers.IsAbsent(answer))
        {
            throw new HostFaultException($"The volume {volume.Name} could not be removed: {XlAnswers.Complaint(answer)}");
        }
    }

    /// <summary>Null where so much is free.</summary>
    public async Task<PoolFull?> NoRoomAsync(IReadOnlyList<LogicalVolume> volumes, ByteSize asked, CancellationToken ct) =>
        await RoomAsync(volumes, ct).ConfigureAwait(false) is { } room && room.Free < asked ? new PoolFull(asked, room.Free) : null;

    protected static async Task MustAsync(RunOnHost run, HostCommand command, CancellationToken ct)
    {
        var answer = await run(command, ct).ConfigureAwait(false);
        if (!answer.Succeeded)
        {
            throw new HostFaultException($"`{command}` failed: {XlAnswers.Complaint(answer)}");
        }
    }

    public static Refusal NoVolume(HostAnswer answer, ByteSize asked) =>
        LvmAnswers.IsFull(answer) ? new PoolFull(asked, ByteSize.Zero) : new HostSaidNo("make the volume", XlAnswers.Complaint(answer));
}

/// <summary>How large a place is and what is free in it.</summary>
internal sealed record StoreRoom(ByteSize Size, ByteSize Free);

/// <summary>How a place for volumes is.</summary>
/// <param name="Room">Null where it is not there.</param>
/// <param name="Volumes">All that are in its group.</param>
internal sealed record StoreLook(StoreRoom? Room, IReadOnlyList<LogicalVolume> Volumes, IReadOnlyList<HostCheck> Checks);
