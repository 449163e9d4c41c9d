using Portal.Kernel;

namespace Portal.Engine;

/// <summary>
/// Makes virtual machines exist on one host. Every verb that changes the host looks first, acts only if needed, and looks again, so it is
/// safe to repeat at any moment; it carries a <see cref="Fence"/>, and a lower epoch than the highest seen for that VM is refused on the host.
/// An expected "no" (no space, foreign file in the way) is a <see cref="Refusal"/>; a host that cannot be asked is a <see cref="HostFaultException"/>.
/// </summary>
public interface IVmEngine
{
    /// <summary>Asks the host what it is and how it is. Changes nothing.</summary>
    Task<HostReport> ProbeAsync(CancellationToken ct);

    /// <summary>Looks at all that a host needs to be one, good or bad. Slower than <see cref="ProbeAsync"/>; for a person who looks. Changes nothing.</summary>
    Task<IReadOnlyList<HostCheck>> SurveyAsync(CancellationToken ct);

    /// <summary>The names of what <see cref="ReadPaperAsync"/> gives.</summary>
    IReadOnlyList<string> Papers { get; }

    /// <summary>What the host says in its own words, such as the hypervisor's messages. Changes nothing.</summary>
    /// <exception cref="ArgumentException">The name is not among <see cref="Papers"/>.</exception>
    Task<string> ReadPaperAsync(string paper, CancellationToken ct);

    /// <summary>The end of what was written down about a domain, at most 64 KiB; empty where nothing was. Changes nothing.</summary>
    Task<string> ReadLogAsync(DomainName name, DomainLog log, CancellationToken ct);

    /// <summary>All domains on the host that this portal's instance made, in one command. Changes nothing.</summary>
    Task<IReadOnlyList<DomainReport>> ListDomainsAsync(CancellationToken ct);

    /// <summary>One domain; <see cref="DomainState.Absent"/> where the host does not know it. Changes nothing.</summary>
    Task<DomainReport> LookAsync(DomainName name, CancellationToken ct);

    /// <summary>The volumes in the pool that this portal's instance made (root disks and seeds), for the search for orphans. Changes nothing.</summary>
    Task<IReadOnlyList<VolumeReport>> ListVolumesAsync(CancellationToken ct);

    /// <summary>What the names of a guest's disks begin with; a letter follows, a for the root disk, b for the seed, c to p for what is given to it later.</summary>
    string DiskNames { get; }

    /// <summary>Whether domains that others made are found and read here. Where not, the host is not asked for them.</summary>
    bool SeesForeign { get; }

    /// <summary>The domains on the host that this portal's instance did not make, running or only described by a file. Changes nothing.</summary>
    Task<IReadOnlyList<ForeignSighting>> FindForeignAsync(CancellationToken ct);

    /// <summary>Reads a configuration as this host would, with the names that it has. Changes nothing. <see cref="ForeignNotSeen"/> where the driver cannot.</summary>
    Task<Result<ForeignDomain>> ReadForeignAsync(string config, CancellationToken ct);

    /// <summary>Makes a nearly full pool larger out of what is left around it, where the host's root lets the portal. Safe to repeat.</summary>
    /// <returns>Whether it is larger now; a refusal where nothing is left to make it larger from.</returns>
    Task<Result<StepOutcome>> ExtendPoolAsync(CancellationToken ct);

    /// <summary>What a domain that others made does now; Off where the host has none of that name running. Changes nothing.</summary>
    Task<DomainState> LookForeignAsync(string name, CancellationToken ct);

    /// <summary>Asks the guest of the domain that the spec adopts to shut down, and returns at once. <see cref="AdoptionNotPermitted"/> where the host's administrator did not allow it. Safe to repeat.</summary>
    Task<Result<StepOutcome>> AskForeignShutdownAsync(Fence fence, DomainSpec spec, CancellationToken ct);

    /// <summary>Makes sure that the disks and the kernel of the domain that the spec adopts are the VM's. Refuses while that domain runs. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureTakenOverAsync(Fence fence, DomainSpec spec, CancellationToken ct);

    /// <summary>Makes sure that what was taken over has its old names again and nothing of the portal's on it. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureGivenBackAsync(Fence fence, DomainSpec spec, CancellationToken ct);

    /// <summary>Starts the domain that the spec would have adopted again, from its own file. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureForeignRunningAsync(Fence fence, DomainSpec spec, CancellationToken ct);

    /// <summary>Makes sure the image of a template is in the host's pool, building it where it is not. May take minutes. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureTemplateAsync(TemplateImage image, CancellationToken ct);

    /// <summary>Makes sure that the root disk exists as a clone of the template's image, with the size of the spec. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureRootDiskAsync(Fence fence, DomainSpec spec, CancellationToken ct);

    /// <summary>Makes sure the NoCloud seed (label cidata) with host name, keys and address exists. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureSeedAsync(Fence fence, DomainSpec spec, CancellationToken ct);

    /// <summary>Makes the domain known to the host, not running. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureDefinedAsync(Fence fence, DomainSpec spec, CancellationToken ct);

    /// <summary>Starts a defined domain, from which moment its console is kept from the first byte on. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureRunningAsync(Fence fence, DomainName name, CancellationToken ct);

    /// <summary>Asks the guest to shut down (ACPI) and returns at once; whether it did is seen by <see cref="LookAsync"/>. Safe to repeat.</summary>
    Task<Result<StepOutcome>> AskShutdownAsync(Fence fence, DomainName name, CancellationToken ct);

    /// <summary>Takes the power away. The disk stays. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureOffAsync(Fence fence, DomainName name, CancellationToken ct);

    /// <summary>Makes sure the host does not know the domain any more; powers it off where it runs. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureUndefinedAsync(Fence fence, DomainName name, CancellationToken ct);

    /// <summary>What <see cref="ChangeAsync"/> can do here; what is not among it is not offered to people.</summary>
    IReadOnlySet<DomainAbility> Abilities { get; }

    /// <summary>Changes something of a domain that exists. Safe to repeat, see <see cref="DomainChange"/>. <see cref="NotOffered"/> where the driver cannot.</summary>
    Task<Result<StepOutcome>> ChangeAsync(Fence fence, DomainName name, DomainChange change, CancellationToken ct);

    /// <summary>
    /// Makes sure root disk, seed and console log of a domain are gone, the blocks made unreadable for the next owner first. Refuses while the
    /// domain is running. Safe to repeat.
    /// </summary>
    Task<Result<StepOutcome>> EnsureDisksGoneAsync(Fence fence, DomainName name, CancellationToken ct);

    /// <summary>What of a domain would have to come along to another host, and what could not. Changes nothing.</summary>
    Task<DiskListing> ListDisksAsync(DomainName name, CancellationToken ct);

    /// <summary>
    /// Makes sure that disks like these exist for a domain that is to come here: they read as zeros, or hold what was copied to them since. Refuses while it
    /// runs. Safe to repeat. <see cref="NotOffered"/> where the driver cannot, as are the four that follow.
    /// </summary>
    Task<Result<StepOutcome>> EnsureEmptyDisksAsync(Fence fence, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct);

    /// <summary>What so many parts of a disk hold, from one on. Refuses while the domain runs. Changes nothing.</summary>
    Task<Result<IReadOnlyList<PartDigest>>> DigestPartsAsync(Fence fence, DomainName name, DomainDisk disk, int first, int count, CancellationToken ct);

    /// <summary>One part of a disk. Changes nothing.</summary>
    Task<Result<ReadOnlyMemory<byte>>> ReadPartAsync(Fence fence, DomainName name, DomainDisk disk, int part, CancellationToken ct);

    /// <summary>Writes one part of a disk of <see cref="EnsureEmptyDisksAsync"/>. Safe to repeat.</summary>
    /// <param name="overZeros">Whether it reads as zeros there now, so that zeros need not be written.</param>
    Task<Result<StepOutcome>> WritePartAsync(Fence fence, DomainName name, DomainDisk disk, int part, ReadOnlyMemory<byte> content, bool overZeros, CancellationToken ct);

    /// <summary>Says of disks of <see cref="EnsureEmptyDisksAsync"/> that all that should be in them is. Safe to repeat.</summary>
    Task<Result<StepOutcome>> EnsureDisksWholeAsync(Fence fence, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct);

    /// <summary>
    /// Does one stage of making a root disk, which <see cref="ListDisksAsync"/> says is a clone, one of its own. Safe to repeat: what was cut off goes on with what
    /// differs, and one that stands alone is done. <see cref="NotOffered"/> where the driver makes no such clones.
    /// </summary>
    /// <param name="progress">Of the first two stages.</param>
    Task<Result<StepOutcome>> DetachAsync(Fence fence, DomainName name, DetachStage stage, CopyProgress progress, CancellationToken ct);

    /// <summary>Attaches to the serial console. Many may be open at once; each gets every byte.</summary>
    /// <exception cref="HostFaultException">The domain does not run, or its console cannot be reached.</exception>
    Task<IGuestConsole> OpenConsoleAsync(DomainName name, CancellationToken ct);

    /// <summary>What a build of this spec will do on the host, one line per step, as a person would type it. Pure; secrets left out.</summary>
    IReadOnlyList<string> Plan(DomainSpec spec);
}

/// <summary>One attachment to a guest's serial line.</summary>
public interface IGuestConsole : IAsyncDisposable
{
    /// <summary>
    /// The output: first what the console kept (the last 256 KiB at most, from the first byte of the boot where that is less), then live, with no
    /// gap and no repetition. Ends when the domain goes.
    /// </summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(CancellationToken ct);

    /// <summary>Sends what was typed. Waits while the guest does not take it.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken ct);
}

/// <summary>Who may act on a VM now. A worker that was cut off carries a lower epoch than its successor and can change nothing.</summary>
public readonly record struct Fence(VmId Vm, long Epoch);

/// <summary>What is written down about a domain on its host.</summary>
public enum DomainLog
{
    /// <summary>What the hypervisor's own tools say of it: why it started, and why it ended.</summary>
    Hypervisor,

    /// <summary>What its guest printed on the serial console.</summary>
    Console,
}

/// <summary>Whether a step changed anything.</summary>
public enum StepOutcome
{
    /// <summary>It was so already.</summary>
    AlreadyThere,

    /// <summary>It was made so now.</summary>
    Changed,
}

/// <summary>The host could not be asked, or answered what cannot be understood: what was being done may or may not have happened.</summary>
public class HostFaultException : Exception
{
    public HostFaultException(string message)
        : base(message)
    {
    }

    public HostFaultException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
