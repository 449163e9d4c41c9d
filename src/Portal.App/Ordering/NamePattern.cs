using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Makes the names of several VMs from one: <c>web-{n}</c> becomes web-1, web-2 ...; what is taken is passed over.</summary>
public static class NamePattern
{
    private const string Number = "{n}";
    private static readonly char[] s_digits = [.. "0123456789"];

    /// <summary>The pattern that some names look made from: web-1 and web-2 from <c>web-{n}</c>.</summary>
    public static string Of(IReadOnlyList<string> names)
    {
        var prefix = names.Aggregate(Common).TrimEnd(s_digits);
        var suffix = Reversed(names.Select(n => Reversed(n[prefix.Length..])).Aggregate(Common)).TrimStart(s_digits);
        return prefix + Number + suffix;
    }

    /// <summary>The names for <paramref name="count"/> VMs. One VM without <c>{n}</c> gets the name itself; several get <c>-1</c>, <c>-2</c> ... added.</summary>
    /// <returns>Null where the pattern makes no valid name.</returns>
    public static IReadOnlyList<VmName>? Expand(string pattern, int count, IReadOnlySet<string> taken)
    {
        var numbered = pattern.Contains(Number, StringComparison.Ordinal);
        if (count == 1 && !numbered)
        {
            return VmName.TryParse(pattern, out var single) ? [single] : null;
        }

        var with = numbered ? pattern : $"{pattern}-{Number}";
        var names = new List<VmName>(count);
        for (var n = 1; names.Count < count; n++)
        {
            var text = with.Replace(Number, n.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
            if (!VmName.TryParse(text, out var name))
            {
                return null;
            }

            if (!taken.Contains(text))
            {
                names.Add(name);
            }
        }

        return names;
    }

    private static string Common(string one, string other) => one[..one.AsSpan().CommonPrefixLength(other)];

    private static string Reversed(string text) => new([.. text.Reverse()]);
}
