using Portal.Kernel;

namespace Portal.Engine;

/// <summary>A Xen domain that this portal did not make, as its configuration file or its host describes it: what could be adopted, and what was said on the way.</summary>
public sealed record ForeignDomain
{
    /// <summary>Null where the source gives none; such a domain cannot be started.</summary>
    public required string? Name { get; init; }

    /// <summary>The number that a running domain has on its host; null where it was read from a file.</summary>
    public required int? DomId { get; init; }

    public required ForeignDomainType Type { get; init; }

    public required Guid? Uuid { get; init; }

    /// <summary>A file of the host, as are the RAM disk and the boot loader.</summary>
    public required string? Kernel { get; init; }

    public required string? Ramdisk { get; init; }

    public required string? Bootloader { get; init; }

    /// <summary>What the kernel is told at its start; null where it is told nothing.</summary>
    public required string? CommandLine { get; init; }

    /// <summary>What it has when it starts; null where the source does not say.</summary>
    public required ByteSize? Memory { get; init; }

    /// <summary>How far its memory may grow while it runs; null where the source does not say.</summary>
    public required ByteSize? MaxMemory { get; init; }

    public required int Vcpus { get; init; }

    public required int MaxVcpus { get; init; }

    /// <summary>Its share of busy processors, 256 being everybody's; null where the source does not say.</summary>
    public required int? CpuWeight { get; init; }

    /// <summary>Per cent of one processor, so 200 is two whole ones.</summary>
    public required Limit CpuCap { get; init; }

    /// <summary>Which of the host's processors it may run on; empty where on any.</summary>
    public required IReadOnlyList<CpuPin> Pins { get; init; }

    public required IReadOnlyList<ForeignDisk> Disks { get; init; }

    public required IReadOnlyList<ForeignVif> Vifs { get; init; }

    public required ShutdownAction OnPowerOff { get; init; }

    public required ShutdownAction OnReboot { get; init; }

    public required ShutdownAction OnCrash { get; init; }

    public required IReadOnlyList<UnderstoodSetting> Understood { get; init; }

    /// <summary>In the order of the lines.</summary>
    public required IReadOnlyList<NotUnderstoodSetting> NotUnderstood { get; init; }

    /// <summary>What a person should look at before the domain is adopted; complete sentences.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }
}

/// <summary>How much of a machine the guest believes to have.</summary>
public enum ForeignDomainType
{
    /// <summary>Its kernel talks to Xen and starts without firmware.</summary>
    Pv,

    /// <summary>As <see cref="Pv"/>, with the processor's help for memory.</summary>
    Pvh,

    /// <summary>A whole PC with firmware.</summary>
    Hvm,
}

/// <summary>What Xen does with a domain when its guest has ended.</summary>
public enum ShutdownAction
{
    Destroy,
    Restart,

    /// <summary>Keeps the ended domain under another name and starts a new one.</summary>
    RestartRenamed,
    Preserve,
    CoreDumpAndDestroy,
    CoreDumpAndRestart,
    SoftReset,
}

/// <summary>Processors of the host to which a virtual one is bound.</summary>
/// <param name="Vcpu">Counted from 0; null for all of the domain's.</param>
/// <param name="Cpus">In xl's words: <c>0-3,^1</c>.</param>
public sealed record CpuPin(int? Vcpu, string Cpus);

/// <summary>A disk of a foreign domain.</summary>
/// <param name="Backend"><c>phy</c> for a block device of the host, <c>file</c>, <c>qdisk</c>, or <c>tap</c> with its driver, as <c>tap:aio</c>.</param>
/// <param name="Target">A device or a file of the host with its whole path, a logical volume always as <c>/dev/group/volume</c>; null for an empty CD drive.</param>
/// <param name="GuestDevice">As the guest calls it: <c>xvda</c>, <c>sda1</c>.</param>
/// <param name="Format"><c>raw</c>, <c>qcow</c>, <c>qcow2</c>, <c>qed</c> or <c>vhd</c>.</param>
/// <param name="Volume">The logical volume that the target is; null where it is none.</param>
public sealed record ForeignDisk(string Backend, string? Target, string GuestDevice, bool ReadOnly, string Format, bool Cdrom, ForeignVolume? Volume);

/// <summary>A logical volume by its names.</summary>
public sealed record ForeignVolume(string Group, string Name);

/// <summary>A network interface of a foreign domain. What is null Xen chooses.</summary>
public sealed record ForeignVif
{
    public MacAddress? Mac { get; init; }

    public string? Bridge { get; init; }

    /// <summary>As written: it may be several, with blanks between.</summary>
    public string? Ip { get; init; }

    public string? Script { get; init; }

    /// <summary>The interface's name on the host.</summary>
    public string? HostDevice { get; init; }

    public string? Model { get; init; }

    /// <summary>What the guest may send in a second; null for as much as it can.</summary>
    public ByteSize? RatePerSecond { get; init; }
}

/// <summary>A setting that was read.</summary>
/// <param name="Value">As it was written; one entry where the setting is a list of disks or interfaces.</param>
/// <param name="Meaning">For people; a complete sentence.</param>
public sealed record UnderstoodSetting(string Key, string Value, string Meaning);

/// <summary>A part of the source that was not read. Everything else was.</summary>
/// <param name="Line">Counted from 1; null where the source has no lines.</param>
/// <param name="Key">Null where no key is at fault.</param>
/// <param name="Text">What stands there, shortened.</param>
/// <param name="Why">For people; a complete sentence.</param>
public sealed record NotUnderstoodSetting(int? Line, string? Key, string Text, string Why);

/// <summary>What a host has, so that a name which it does not have is noticed.</summary>
public sealed record KnownOnHost(IReadOnlyList<string> VolumeGroups, IReadOnlyList<string> Bridges);

/// <summary>A text that is too long to be a domain's configuration.</summary>
public sealed record ForeignConfigTooLarge(int Bytes, int LargestBytes)
    : Refusal("engine.config_too_large", $"A domain's configuration has at most {LargestBytes / 1024} KiB; this one has {(Bytes + 1023) / 1024} KiB.")
{
    public override RefusalKind Kind => RefusalKind.Invalid;
}
