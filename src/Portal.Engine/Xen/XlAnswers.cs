using System.Globalization;
using System.Text.RegularExpressions;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>A domain as `xl list` lists it.</summary>
/// <param name="Name">Null while it is being taken down: its name is gone first.</param>
internal sealed record XenDomain(string? Name, int DomId, long MemoryMiB, int Vcpus, DomainState State, decimal CpuSeconds);

/// <summary>What `xl info` says of a host.</summary>
internal sealed record XenInfo(string Version, int Cpus, ByteSize Memory, ByteSize FreeMemory, string Capabilities, string Scheduler);

/// <summary>Reads what xl answers, with LC_ALL=C.</summary>
internal static partial class XlAnswers
{
    /// <summary>The table of `xl list`.</summary>
    /// <exception cref="HostFaultException">A line is none of its.</exception>
    public static IReadOnlyList<XenDomain> Domains(string output)
    {
        List<XenDomain> domains = [];
        foreach (var line in output.Split('\n').Where(line => line.Trim().Length > 0))
        {
            if (Heading().IsMatch(line))
            {
                continue;
            }

            if (Row().Match(line) is not { Success: true } row)
            {
                throw new HostFaultException($"xl list answered what cannot be understood: {line}");
            }

            var name = row.Groups["name"].Value;
            domains.Add(new XenDomain(
                name == "(null)" ? null : name,
                int.Parse(row.Groups["id"].Value, CultureInfo.InvariantCulture),
                long.Parse(row.Groups["memory"].Value, CultureInfo.InvariantCulture),
                int.Parse(row.Groups["vcpus"].Value, CultureInfo.InvariantCulture),
                StateOf(row.Groups["state"].Value),
                decimal.Parse(row.Groups["time"].Value, CultureInfo.InvariantCulture)));
        }

        return domains;
    }

    public static bool IsAbsent(HostAnswer answer) => !answer.Succeeded && (answer.Error.Contains("is an invalid domain identifier", StringComparison.Ordinal) || answer.Error.Contains("does not exist", StringComparison.Ordinal));

    public static bool ExistsAlready(HostAnswer answer) => !answer.Succeeded && answer.Error.Contains("already exists", StringComparison.Ordinal);

    /// <summary>xl's last words: what it says first is only which call failed.</summary>
    public static string Complaint(HostAnswer answer)
    {
        var lines = answer.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var text = string.Join(' ', lines.TakeLast(3).Select(line => Origin().Replace(line, "")));
        return text.Length == 0 ? $"exit code {answer.ExitCode}" : text[..Math.Min(text.Length, 2048)];
    }

    /// <summary>Whether a domain's log says last that its guest shut itself down: reason 0 of Xen's SHUTDOWN_poweroff (public/sched.h).</summary>
    public static bool EndedByGuest(string log) =>
        Ends().Matches(log) is { Count: > 0 } ends && ends[^1].Groups["reason"].Value == "0";

    /// <exception cref="HostFaultException">It leaves out what every Xen says.</exception>
    public static XenInfo Info(string output)
    {
        var facts = output.Split('\n').Select(line => line.Split(':', 2)).Where(parts => parts.Length == 2).GroupBy(parts => parts[0].Trim()).ToDictionary(g => g.Key, g => g.First()[1].Trim());
        return new XenInfo(
            Fact("xen_version"),
            int.Parse(Fact("nr_cpus"), CultureInfo.InvariantCulture),
            ByteSize.FromMiB(long.Parse(Fact("total_memory"), CultureInfo.InvariantCulture)),
            ByteSize.FromMiB(long.Parse(Fact("free_memory"), CultureInfo.InvariantCulture)),
            Fact("virt_caps"),
            Fact("xen_scheduler"));

        string Fact(string name) => facts.GetValueOrDefault(name) ?? throw new HostFaultException($"xl info does not say {name}.");
    }

    // xl(1): r running, b blocked, p paused, s shut down, c crashed, d dying; none of them between two of the first.
    private static DomainState StateOf(string flags) =>
        flags.Contains('c', StringComparison.Ordinal) ? DomainState.Crashed
        : flags.Contains('d', StringComparison.Ordinal) || flags.Contains('s', StringComparison.Ordinal) ? DomainState.Stopping
        : flags.Contains('p', StringComparison.Ordinal) ? DomainState.Paused
        : DomainState.Running;

    [GeneratedRegex(@"^Name\s+ID\s+Mem\s+VCPUs\s+State\s+Time\(s\)\s*$")]
    private static partial Regex Heading();

    // A name may have blanks in it, so the columns are counted from the right.
    [GeneratedRegex(@"^(?<name>.+?)\s+(?<id>\d+)\s+(?<memory>\d+)\s+(?<vcpus>\d+)\s+(?<state>[rbpscd-]{6})\s+(?<time>\d+\.\d)\s*$")]
    private static partial Regex Row();

    [GeneratedRegex(@"^(?:libxl: error: )?(?:[\w/.]+\.c:\d+:\w+: )?")]
    private static partial Regex Origin();

    [GeneratedRegex(@"^Domain \d+ (?:has shut down, reason code (?<reason>\d+)|has been destroyed)", RegexOptions.Multiline)]
    private static partial Regex Ends();
}
