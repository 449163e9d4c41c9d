using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Makes the names of several VMs from one: <c>web-{n}</c> becomes web-1, web-2 ...; what is taken is passed over.</summary>
public static class NamePattern
{
    private const string Number = "{n}";

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
}
