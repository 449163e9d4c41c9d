using System.Globalization;
using System.Text.RegularExpressions;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>A domain as `xl list` lists it.</summary>
/// <param name="Name">Null while it is being taken down: its name is gone first.</param>
internal sealed record XenDomain(string? Name, int DomId, long MemoryMiB, int Vcpus, DomainState State, decimal CpuSeconds);

/// <summary>What `xl info` says of a host.</summary>
/// <param name="Capabilities">Its virt_caps: words such as pv, hvm and hap.</param>
internal sealed record XenInfo(string Version, int Cpus, ByteSize Memory, ByteSize FreeMemory, string Capabilities, string Scheduler);

/// <summary>A vCPU as `xl vcpu-list` lists it.</summary>
/// <param name="Cpus">The processors that it may run on; null for all.</param>
internal sealed record XenVcpu(int Number, bool Online, IReadOnlySet<int>? Cpus);

/// <summary>A network interface as `xl network-list` lists it.</summary>
internal sealed record XenNic(int Index, MacAddress Mac);

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

    /// <summary>Why it failed, which xl and LVM say first. What xl says of its tidying up afterwards, and LVM's warnings, are left out.</summary>
    public static string Complaint(HostAnswer answer)
    {
        var lines = answer.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var told = lines.Where(line => !line.Contains(":libxl__destroy_domid:", StringComparison.Ordinal) && !line.Contains(":domain_destroy_c", StringComparison.Ordinal) && !line.StartsWith("WARNING:", StringComparison.Ordinal));
        var text = string.Join(' ', told.Take(3).Select(line => Origin().Replace(line, "")));
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

    /// <summary>The table of `xl vcpu-list` for one domain.</summary>
    /// <exception cref="HostFaultException">A line is none of its.</exception>
    public static IReadOnlyList<XenVcpu> Vcpus(string output) =>
        [.. Lines(output).Select(line => VcpuRow().Match(line) is { Success: true } row
            ? new XenVcpu(int.Parse(row.Groups["vcpu"].Value, CultureInfo.InvariantCulture), !row.Groups["state"].Value.Contains('p', StringComparison.Ordinal), Cpus(row.Groups["hard"].Value))
            : throw new HostFaultException($"xl vcpu-list answered what cannot be understood: {line}"))];

    /// <summary>Weight and cap as `xl sched-credit` and `sched-credit2` list them for one domain.</summary>
    /// <exception cref="HostFaultException">It lists no domain.</exception>
    public static (int Weight, int Cap) Share(string output) =>
        Lines(output).Select(line => ShareRow().Match(line)).FirstOrDefault(row => row.Success) is { } found
            ? (int.Parse(found.Groups["weight"].Value, CultureInfo.InvariantCulture), int.Parse(found.Groups["cap"].Value, CultureInfo.InvariantCulture))
            : throw new HostFaultException($"xl did not tell a domain's share: {output}");

    /// <summary>The guest's names of the disks in `xl block-list`: xvda and so on, whose number is 202 * 256 + 16 * n (xen-vbd-interface(7)).</summary>
    public static IReadOnlySet<string> Disks(string output) =>
        Lines(output).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0])
            .Where(first => int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out _)).Select(first => int.Parse(first, CultureInfo.InvariantCulture))
            .Where(number => number >> 8 == 202).Select(number => $"xvd{(char)('a' + ((number & 0xff) >> 4))}").ToHashSet();

    /// <summary>The table of `xl network-list`.</summary>
    public static IReadOnlyList<XenNic> Nics(string output) =>
        [.. from line in Lines(output)
            let words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            where words.Length > 2 && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out _) && MacAddress.TryParse(words[2], out _)
            select new XenNic(int.Parse(words[0], CultureInfo.InvariantCulture), MacAddress.TryParse(words[2], out var mac) ? mac : default)];

    /// <summary>Processors as xl writes them: <c>all</c>, <c>0-3,5</c>; null for all.</summary>
    public static IReadOnlySet<int>? Cpus(string text)
    {
        if (text == "all")
        {
            return null;
        }

        HashSet<int> cpus = [];
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-').Select(end => int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var cpu) ? cpu : throw new HostFaultException($"xl lists processors as '{text}'.")).ToList();
            cpus.UnionWith(Enumerable.Range(ends[0], ends[^1] - ends[0] + 1));
        }

        return cpus;
    }

    // Without the heading, whose first word is no name of a domain.
    private static IEnumerable<string> Lines(string output) =>
        output.Split('\n').Where(line => line.Trim().Length > 0 && !line.StartsWith("Name ", StringComparison.Ordinal) && !line.StartsWith("Vdev", StringComparison.Ordinal) && !line.StartsWith("Idx", StringComparison.Ordinal));

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

    [GeneratedRegex(@"^(?<name>.+?)\s+\d+\s+(?<vcpu>\d+)\s+(?:\d+|-)\s+(?<state>\S{3})\s+\d+\.\d\s+(?<hard>[\d,-]+|all) / (?:[\d,-]+|all)\s*$")]
    private static partial Regex VcpuRow();

    [GeneratedRegex(@"^.+?\s+\d+\s+(?<weight>\d+)\s+(?<cap>\d+)\s*$")]
    private static partial Regex ShareRow();

    [GeneratedRegex(@"^(?:(?:libxl|xc): error: )?(?:panic: )?(?:[\w/.]+\.c:\d+:(?:\w+:)? )?")]
    private static partial Regex Origin();

    [GeneratedRegex(@"^Domain \d+ (?:has shut down, reason code (?<reason>\d+)|has been destroyed)", RegexOptions.Multiline)]
    private static partial Regex Ends();
}
