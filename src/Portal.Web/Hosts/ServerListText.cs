using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;
using Portal.App.Ordering;
using Portal.Kernel;

namespace Portal.Web.Hosts;

/// <summary>Servers as people write them down or copy them out of a table: a line each, <c>5 x Apache, 256 MB, 5 GB</c>, with commas, semicolons or tabs between.</summary>
internal static partial class ServerListText
{
    /// <summary>The article's ten servers.</summary>
    public const string TenServers = "5 x Apache, 256 MB, 5 GB\n1 x MySQL, 256 MB, 3 GB\n1 x PostgreSQL, 512 MB, 2 GB\n1 x SMTP, 512 MB, 3 GB\n1 x POP3 and IMAP, 512 MB, 10 GB\n1 x LDAP, 256 MB, 2 GB";

    private static readonly char[] s_between = [',', ';', '\t'];

    /// <param name="problem">What is wrong with which line; null where nothing is.</param>
    public static bool TryParse(string text, out IReadOnlyList<ServerKind> servers, [NotNullWhen(false)] out string? problem)
    {
        var kinds = new List<ServerKind>();
        servers = kinds;
        problem = null;
        foreach (var (line, number) in text.Split('\n').Select((l, i) => (l.Trim(), i + 1)).Where(l => l.Item1.Length > 0))
        {
            if (ParseLine(line) is not { } kind)
            {
                problem = $"Line {number} is not understood. Write a count, a name, memory and disk: 5 x Apache, 256 MB, 5 GB; for more than one vCPU add: 2 vCPU.";
                return false;
            }

            kinds.Add(kind);
        }

        return true;
    }

    private static ServerKind? ParseLine(string line)
    {
        var parts = line.Split(s_between, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var head = Head().Match(parts.FirstOrDefault() ?? "");
        var counted = head.Groups["count"].Success;
        var name = head.Groups["name"].Value;
        var (count, vcpus) = (1, 1);
        if (counted && !int.TryParse(head.Groups["count"].Value, CultureInfo.InvariantCulture, out count))
        {
            return null;
        }

        var sizes = new List<ByteSize>();
        foreach (var part in parts.Skip(1))
        {
            if (Processors().Match(part) is { Success: true } processors && int.TryParse(processors.Groups[1].Value, CultureInfo.InvariantCulture, out var given))
            {
                vcpus = given;
            }
            else if (Size().Match(part) is { Success: true } size && ToSize(size) is { } bytes)
            {
                sizes.Add(bytes);
            }
            else if (name.Length == 0 && sizes.Count == 0)
            {
                name = part;
            }
            else
            {
                return null;
            }
        }

        return sizes is [var memory, var disk] ? new ServerKind(name, count, vcpus, memory, disk) : null;
    }

    private static ByteSize? ToSize(Match match)
    {
        var unit = char.ToUpperInvariant(match.Groups["unit"].Value[0]) switch { 'M' => 1L << 20, 'G' => 1L << 30, _ => 1L << 40 };
        return decimal.TryParse(match.Groups["number"].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number <= 1_000_000 ? new ByteSize((long)(number * unit)) : null;
    }

    [GeneratedRegex(@"^(?:(?<count>[0-9]+)(?:\s*[x×]\s*|\s+|$))?(?<name>.*)$", RegexOptions.IgnoreCase)]
    private static partial Regex Head();

    // As everybody writes memory and volumes: 256 MB are 256 MiB here.
    [GeneratedRegex(@"^(?<number>[0-9]+(?:\.[0-9]+)?)\s*(?<unit>[MGT])(?:i?B)?(?:\s+(?:RAM|memory|disk))?$", RegexOptions.IgnoreCase)]
    private static partial Regex Size();

    [GeneratedRegex(@"^([0-9]+)\s*(?:v?CPUs?|cores?)$", RegexOptions.IgnoreCase)]
    private static partial Regex Processors();
}
