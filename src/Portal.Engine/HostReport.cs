using Portal.Kernel;

namespace Portal.Engine;

/// <summary>A host's facts as it reports them now.</summary>
public sealed record HostReport
{
    /// <summary>For people: <c>QEMU 7.2.17 through libvirt 9.0.0, software emulation (TCG)</c>.</summary>
    public required string Hypervisor { get; init; }

    /// <summary>Whether guests run on the processor itself.</summary>
    public required bool HardwareVirtualisation { get; init; }

    public required int Cpus { get; init; }

    public required ByteSize Memory { get; init; }

    public required ByteSize PoolSize { get; init; }

    public required ByteSize PoolFree { get; init; }

    /// <summary>What the root disks of this portal's VMs take of the pool now: of a disk that fills slowly less than its size.</summary>
    public required ByteSize PoolTaken { get; init; }

    /// <summary>How guests can run here.</summary>
    public GuestKinds Guests { get; init; }

    /// <summary>Another after each boot of the machine; empty where that is not known.</summary>
    public string BootId { get; init; } = "";

    /// <summary>What keeps the host from working or will soon, each with its remedy; empty when all is well.</summary>
    public required IReadOnlyList<HostFinding> Findings { get; init; }
}

/// <summary>How guests can run on a host.</summary>
[Flags]
public enum GuestKinds
{
    None = 0,

    /// <summary>Paravirtualised, started with a kernel.</summary>
    Pv = 1,

    /// <summary>In the processor's own virtualisation, without a PC around it, started with a kernel.</summary>
    Pvh = 2,

    /// <summary>As a whole PC with a firmware, which starts a guest's own disk, see <see cref="ImageBoot.Disk"/>.</summary>
    Hvm = 4,
}

/// <summary>Something about a host that a person should know.</summary>
/// <param name="Blocks">Whether no domain can be made while it is so.</param>
public sealed record HostFinding(string Code, string Message, string Remedy, bool Blocks);

/// <summary>How something that a host needs is.</summary>
public enum CheckLevel
{
    Good,

    /// <summary>It works, and soon may not.</summary>
    Warning,

    /// <summary>No domain can be made while it is so.</summary>
    Bad,
}

/// <summary>One thing that a host needs, looked at.</summary>
/// <param name="Code">Stable, dotted.</param>
/// <param name="Subject">What was looked at: <c>Bridge xenbr0</c>.</param>
/// <param name="Found">How it was found, for people.</param>
/// <param name="Remedy">What to do on the host; empty where all is good.</param>
public sealed record HostCheck(string Code, string Subject, string Found, CheckLevel Level, string Remedy)
{
    public static HostCheck Good(string code, string subject, string found) => new(code, subject, found, CheckLevel.Good, "");

    public static HostCheck Warning(string code, string subject, string found, string remedy) => new(code, subject, found, CheckLevel.Warning, remedy);

    public static HostCheck Bad(string code, string subject, string found, string remedy) => new(code, subject, found, CheckLevel.Bad, remedy);

    /// <summary>What a report says, as checks: for drivers that look at everything each time.</summary>
    public static IReadOnlyList<HostCheck> Of(HostReport report) =>
    [
        Good("hypervisor", "Hypervisor", report.Hypervisor),
        Good("cpus", "Processors", $"{report.Cpus}"),
        Good("memory", "Memory", $"{report.Memory}"),
        Good("pool", "Pool", $"{report.PoolFree} free of {report.PoolSize}"),
        .. report.Findings.Select(f => new HostCheck(f.Code, "Host", f.Message, f.Blocks ? CheckLevel.Bad : CheckLevel.Warning, f.Remedy)),
    ];
}
