using System.Text.RegularExpressions;

namespace Portal.Engine.Images;

/// <summary>From where a release of Debian is fetched: from where this machine has its own.</summary>
internal static partial class DebianSources
{
    private const string Key = "/usr/share/keyrings/debian-archive-keyring.gpg";

    /// <summary>Lines of sources.list for a release: the release itself, its updates, its security. Empty where the machine's apt has no sources of Debian.</summary>
    /// <param name="targets">What <see cref="DebianCommands.Targets"/> printed.</param>
    public static IReadOnlyList<string> Lines(string targets, string release)
    {
        var known = targets.Split('\n').Select(line => Target().Match(line)).Where(match => match.Success).ToList();
        // A machine may have several releases: the wanted one's own sources, or those of the first with the name changed.
        var from = known.Any(match => match.Groups["base"].Value == release) ? release : known.FirstOrDefault()?.Groups["base"].Value;
        return [.. known.Where(match => match.Groups["base"].Value == from)
            .Select(match => $"deb [signed-by={Key}] {match.Groups["uri"].Value} {release}{match.Groups["part"].Value} main")
            .Distinct(StringComparer.Ordinal)];
    }

    /// <summary>
    /// The file by whose presence a release is known to be there, in words that may stand in an argument; null where there are no sources, or where their address has a
    /// password in it, which would be readable by all.
    /// </summary>
    /// <param name="targets">What <see cref="DebianCommands.Targets"/> printed.</param>
    public static string? Release(string targets, string release) =>
        Lines(targets, release).Select(line => line.Split(' ')).Where(words => words[3] == release && !words[2].Contains('@', StringComparison.Ordinal)).Select(words => $"{words[2].TrimEnd('/')}/dists/{release}/InRelease").FirstOrDefault();

    [GeneratedRegex(@"^(?<uri>[a-z+]+:[^\s|]+)\|(?<base>[a-z]+)(?<part>-updates|-security|)\|main\|Debian\z", RegexOptions.CultureInvariant)]
    private static partial Regex Target();
}
