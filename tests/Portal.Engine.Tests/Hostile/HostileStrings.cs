using System.Text.RegularExpressions;

namespace Portal.Engine.Tests.Hostile;

/// <summary>Ten thousand strings that nobody types by mistake: those of Recorded/hostile.txt, and what a fixed seed makes of them.</summary>
internal static class HostileStrings
{
    public const int Count = 10_000;

    /// <summary>What stands in them for the file that a shell would make which runs one of them.</summary>
    public const string Canary = "CANARY";

    private const int MaxLength = 6_000; // beyond all limits of fields and of portal-host's words
    private static readonly string[] s_special =
        ["'", "\"", "\\", "`", "$", "\n", "\r", "\t", "\0", " ", ";", "|", "&", "<", ">", "(", ")", "[", "]", "{", "}", "#", "*", "?", "!", "~", "%", "=", ",", ":", "/", "../", "-", "--", ".", "\u00e9", "\u2028", "\ud83d\ude00", "\ud800"];

    private static readonly (string Open, string Close)[] s_quotes = [("'", "'"), ("\"", "\""), ("`", "`"), ("$(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ("\n", "\n")];

    public static IReadOnlyList<string> All { get; } = Expand();

    public static IReadOnlyList<string> Expand()
    {
        string[] seeds =
        [
            .. RecordedShell.File("hostile.txt").Split('\n').Where(line => line.Length > 0 && !line.StartsWith("# ", StringComparison.Ordinal)).Select(Regex.Unescape),
        ];
        List<string> all = ["", .. seeds];
        var there = all.ToHashSet(StringComparer.Ordinal);
        var random = new Random(20_417);
        while (all.Count < Count)
        {
            var text = seeds[random.Next(seeds.Length)];
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                text = Change(text, seeds[random.Next(seeds.Length)], random);
            }

            if (text.Length <= MaxLength && there.Add(text))
            {
                all.Add(text);
            }
        }

        return all;
    }

    private static string Change(string text, string other, Random random)
    {
        var at = random.Next(text.Length + 1);
        switch (random.Next(10))
        {
            case 0:
                return text + other;
            case 1:
                return other + text;
            case 2:
                return text.Insert(at, other);
            case 3 or 4:
                return text.Insert(at, s_special[random.Next(s_special.Length)]);
            case 5 when at < text.Length:
                return text.Remove(at, 1);
            case 6 when at < text.Length:
                return text.Remove(at, 1).Insert(at, s_special[random.Next(s_special.Length)]);
            case 7:
                // Mostly short: a few long ones are enough to meet every limit.
                return string.Concat(Enumerable.Repeat(text, random.Next(20) == 0 ? random.Next(100) : random.Next(2, 5)));
            case 8:
                return random.Next(2) == 0 ? text.ToUpperInvariant() : text.ToLowerInvariant();
            default:
                var (open, close) = s_quotes[random.Next(s_quotes.Length)];
                return open + text + close;
        }
    }
}
