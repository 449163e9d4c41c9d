using System.Text.RegularExpressions;

namespace Portal.Engine.Xen.Import;

/// <summary>A disk's text, cut into its parts but not yet judged. Named parts and those that are told by their place are the same thing.</summary>
internal sealed partial class DiskParts
{
    // xl-disk-configuration(5): a part that is not named is the first of these that is not there yet. xm had no format of its own.
    private static readonly string[] s_xl = ["target", "format", "vdev", "access"];
    private static readonly string[] s_xm = ["target", "vdev", "access", "backend"];
    private static readonly string[] s_named = ["target", "format", "vdev", "access", "backend", "backendtype", "devtype", "script", "specification"];
    private static readonly string[] s_hints = ["direct-io-safe", "discard", "no-discard", "trusted", "untrusted"];

    private readonly Dictionary<string, string> _parts = new(StringComparer.Ordinal);

    /// <summary>What stands before the first colon: <c>phy</c>, <c>file</c>, <c>tap:aio</c>; null in today's form.</summary>
    public string? Prefix { get; private set; }

    /// <summary>Whether colons stand where commas belong.</summary>
    public bool ByColons { get; private set; }

    /// <summary>Null where the part is missing or empty.</summary>
    public string? this[string name] => _parts.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    /// <param name="why">What is wrong with the text; null where nothing is.</param>
    public static DiskParts Cut(string text, out string? why)
    {
        var parts = new DiskParts();
        var rest = text.Trim();
        if (OfPrefix().Match(rest) is { Success: true } prefix)
        {
            parts.Prefix = prefix.Groups[1].Value;
            rest = rest[prefix.Length..];
            parts.ByColons = !rest.Contains(',', StringComparison.Ordinal) && rest.Contains(':', StringComparison.Ordinal);
            rest = parts.ByColons ? rest.Replace(':', ',') : rest;
        }

        why = null;
        while (rest.Length > 0 && why is null)
        {
            // The target, when named, is all the rest, commas included.
            var end = rest.StartsWith("target=", StringComparison.Ordinal) || rest.IndexOf(',', StringComparison.Ordinal) is not (>= 0 and var comma) ? rest.Length : comma;
            why = parts.Take(rest[..end].Trim());
            rest = rest[Math.Min(end + 1, rest.Length)..].TrimStart();
        }

        return parts;
    }

    private string? Take(string part)
    {
        if (s_hints.Contains(part))
        {
            return null;
        }

        if (part == "cdrom")
        {
            return Put("devtype", part);
        }

        if (part.Split('=', 2) is [var name, var value])
        {
            return s_named.Contains(name) ? Put(name, value) : $"'{name}' is no part of a disk that is known here.";
        }

        var place = (Prefix is null ? s_xl : s_xm).FirstOrDefault(p => !_parts.ContainsKey(p));
        return place is null ? $"'{part}' is one part too many." : Put(place, part);
    }

    private string? Put(string name, string value)
    {
        if (this[name] is { } before && before != value)
        {
            return $"The disk's {name} is given twice.";
        }

        _parts[name] = value;
        return null;
    }

    [GeneratedRegex(@"^((?:tap2?|tapdisk):[a-z0-9]+|[a-z][a-z0-9]*):", RegexOptions.CultureInvariant)]
    private static partial Regex OfPrefix();
}
