using System.Globalization;
using System.Text.RegularExpressions;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Libvirt;

/// <summary>Reads what virsh answers, with LC_ALL=C.</summary>
internal static partial class VirshAnswers
{
    /// <summary>libvirtd is not there, or went away while it was asked.</summary>
    public static bool IsUnreachable(HostAnswer answer) => !answer.Succeeded && s_gone.Any(answer.Error.Contains);

    public static bool IsAbsent(HostAnswer answer) => !answer.Succeeded && s_absent.Any(answer.Error.Contains);

    public static bool IsNotRunning(HostAnswer answer) => !answer.Succeeded && answer.Error.Contains("domain is not running", StringComparison.Ordinal);

    public static bool IsAlreadyRunning(HostAnswer answer) =>
        !answer.Succeeded && (answer.Error.Contains("is already active", StringComparison.Ordinal) || answer.Error.Contains("is already running", StringComparison.Ordinal));

    /// <summary>The daemon could not do it now for want of a lock or of time; later it may.</summary>
    public static bool IsBusy(HostAnswer answer) => !answer.Succeeded && answer.Error.Contains("Timed out during operation", StringComparison.Ordinal);

    /// <summary>Names and states out of `virsh domstats --state`, and whether the guest itself shut down.</summary>
    /// <exception cref="HostFaultException">A state without its domain, or one that is no number.</exception>
    public static IReadOnlyList<(string Name, DomainState State, bool ByGuest)> States(string output)
    {
        List<(string, DomainState, bool)> states = [];
        string? name = null;
        int? state = null;
        int? reason = null;
        foreach (var line in output.Split('\n'))
        {
            if (Header().Match(line) is { Success: true } header)
            {
                Close();
                name = header.Groups[1].Value;
            }
            else if (line.TrimStart() is var fact && fact.StartsWith("state.state=", StringComparison.Ordinal))
            {
                state = Number(fact);
            }
            else if (fact.StartsWith("state.reason=", StringComparison.Ordinal))
            {
                reason = Number(fact);
            }
        }

        Close();
        return states;

        void Close()
        {
            if (name is not null && state is not null)
            {
                states.Add((name, StateOf(state.Value, reason ?? 0), (state, reason) is (5, 1)));
            }
            else if (state is not null)
            {
                throw new HostFaultException($"virsh domstats named no domain before its state: {output[..Math.Min(output.Length, 200)]}");
            }

            (name, state, reason) = (null, null, null);
        }
    }

    /// <summary>What the guest keeps of its memory, out of `virsh domstats --balloon`.</summary>
    /// <exception cref="HostFaultException">It does not say.</exception>
    public static ByteSize Memory(string output) => One(BalloonCurrent(), output) is { } kib
        ? new ByteSize(checked(long.Parse(kib, CultureInfo.InvariantCulture) * 1024))
        : throw Odd("domstats --balloon", output);

    /// <summary>On which of the host's processors each vCPU may run, out of `virsh vcpupin`.</summary>
    /// <exception cref="HostFaultException">A line is none of its own, or there is none.</exception>
    public static IReadOnlyList<(int Vcpu, IReadOnlySet<int> Cpus)> Pins(string output)
    {
        List<(int, IReadOnlySet<int>)> pins = [];
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            pins.Add(PinLine().Match(line) is { Success: true } match
                ? (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), CpuList(match.Groups[2].Value))
                : throw Odd("vcpupin", output));
        }

        return pins.Count > 0 ? pins : throw Odd("vcpupin", output);
    }

    /// <summary>The processors that the host uses, out of `virsh nodecpumap`.</summary>
    /// <exception cref="HostFaultException">It does not say.</exception>
    public static IReadOnlySet<int> Cpus(string output) => One(CpuMap(), output) is { } map
        ? Enumerable.Range(0, map.Length).Where(cpu => map[cpu] == 'y').ToHashSet()
        : throw Odd("nodecpumap", output);

    /// <summary>A domain's share of the processors, out of `virsh schedinfo`.</summary>
    /// <exception cref="HostFaultException">It does not say.</exception>
    public static CpuShare Share(string output) =>
        One(CpuShares(), output) is { } shares && One(GlobalPeriod(), output) is { } period && One(GlobalQuota(), output) is { } quota
            ? CpuShare.Read(long.Parse(shares, CultureInfo.InvariantCulture), long.Parse(period, CultureInfo.InvariantCulture), long.Parse(quota, CultureInfo.InvariantCulture))
            : throw Odd("schedinfo", output);

    /// <summary>The versions out of `virsh version --daemon`: of libvirt's daemon and of QEMU; null where it does not say.</summary>
    public static (string? Libvirt, string? Qemu) Versions(string output) =>
        (One(DaemonVersion(), output), One(HypervisorVersion(), output));

    /// <summary>The complaint in one line: without the prefix, and without the line that only says which command failed.</summary>
    public static string Complaint(HostAnswer answer)
    {
        var lines = answer.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => line.StartsWith("error: ", StringComparison.Ordinal) ? line["error: ".Length..] : line)
            .ToArray();
        var telling = lines.Length > 1 && lines[0].StartsWith("Failed to", StringComparison.Ordinal) ? lines[1..] : lines;
        var text = string.Join(' ', telling);
        return text.Length == 0 ? $"exit code {answer.ExitCode}" : text[..Math.Min(text.Length, 2048)];
    }

    private static readonly string[] s_gone =
    [
        "failed to connect to the hypervisor", "Failed to connect socket", "End of file while reading data", "Cannot recv data",
        "Cannot write data", "client socket is closed", "Connection reset by peer", "Disconnected from qemu:///system",
    ];

    private static readonly string[] s_absent = ["failed to get domain", "Domain not found", "no domain with matching name"];

    // virDomainState and virDomainShutoffReason of libvirt-domain.h; 5 is shut off, and 1 then says that the guest did it. After a reboot of the host the
    // reason is 0: unknown.
    private static DomainState StateOf(int state, int reason) => (state, reason) switch
    {
        (1 or 2, _) => DomainState.Running,
        (3 or 7, _) => DomainState.Paused,
        (4, _) => DomainState.Stopping,
        (5, 3) => DomainState.Crashed,
        (5, _) => DomainState.Off,
        (6, _) => DomainState.Crashed,
        (0, _) => DomainState.Running,
        _ => throw new HostFaultException($"libvirt reports the domain state {state}, which this portal does not know."),
    };

    // As in 0-3,7.
    private static HashSet<int> CpuList(string text)
    {
        HashSet<int> cpus = [];
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-').Select(end => int.Parse(end, NumberStyles.None, CultureInfo.InvariantCulture)).ToArray();
            cpus.UnionWith(Enumerable.Range(ends[0], ends[^1] - ends[0] + 1));
        }

        return cpus;
    }

    private static HostFaultException Odd(string question, string output) =>
        new($"virsh {question} answered what cannot be understood: {output[..Math.Min(output.Length, 500)]}");

    private static int Number(string fact) =>
        int.TryParse(fact[(fact.IndexOf('=', StringComparison.Ordinal) + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new HostFaultException($"virsh domstats answered what cannot be understood: {fact}");

    private static string? One(Regex pattern, string output) => pattern.Match(output) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex("^Domain: '(.*)'\\r?$")]
    private static partial Regex Header();

    [GeneratedRegex(@"^\s*balloon\.current=([0-9]{1,15})\s*$", RegexOptions.Multiline)]
    private static partial Regex BalloonCurrent();

    [GeneratedRegex(@"^([0-9]{1,5})\s+((?:[0-9]{1,5}(?:-[0-9]{1,5})?)(?:,[0-9]{1,5}(?:-[0-9]{1,5})?)*)\z")]
    private static partial Regex PinLine();

    [GeneratedRegex("^CPU map: +([y-]+)\\s*$", RegexOptions.Multiline)]
    private static partial Regex CpuMap();

    [GeneratedRegex(@"^cpu_shares *: *([0-9]{1,15})\s*$", RegexOptions.Multiline)]
    private static partial Regex CpuShares();

    [GeneratedRegex(@"^global_period *: *([0-9]{1,18})\s*$", RegexOptions.Multiline)]
    private static partial Regex GlobalPeriod();

    [GeneratedRegex(@"^global_quota *: *(-?[0-9]{1,18})\s*$", RegexOptions.Multiline)]
    private static partial Regex GlobalQuota();

    [GeneratedRegex("^Running against daemon: ([0-9.]+)", RegexOptions.Multiline)]
    private static partial Regex DaemonVersion();

    [GeneratedRegex("^Running hypervisor: QEMU ([0-9.]+)", RegexOptions.Multiline)]
    private static partial Regex HypervisorVersion();
}
