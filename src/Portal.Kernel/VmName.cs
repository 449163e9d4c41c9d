using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Portal.Kernel;

/// <summary>A VM's name, which is also its host name: a DNS label (RFC 1123) of 1 to 63 characters, lower case.</summary>
public readonly partial record struct VmName
{
    private readonly string? _text;

    private VmName(string text) => _text = text;

    public const int MaxLength = 63;

    public string Text => _text ?? throw new InvalidOperationException("A default VmName has no text.");

    public static bool TryParse([NotNullWhen(true)] string? text, out VmName name)
    {
        if (text is not null && Label().IsMatch(text))
        {
            name = new VmName(text);
            return true;
        }

        name = default;
        return false;
    }

    /// <exception cref="FormatException">Not a DNS label.</exception>
    public static VmName Parse(string text) =>
        TryParse(text, out var name) ? name : throw new FormatException("Not a VM name: lower-case letters, digits and inner hyphens, 1 to 63.");

    public override string ToString() => Text;

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Label();
}
