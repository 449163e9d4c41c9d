using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Portal.Kernel;

/// <summary>An Ethernet address, normalised: lower case, colons.</summary>
public readonly record struct MacAddress
{
    private readonly long _value;

    /// <param name="value">The 48 bits.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than 48 bits.</exception>
    public MacAddress(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 0xFFFF_FFFF_FFFF);
        _value = value;
    }

    public long Value => _value;

    /// <summary>
    /// The n-th address of the portal's own range, 02:70:00:00:00:00 upwards: locally administered and unicast (IEEE 802, bits 1 and 0 of
    /// the first octet), so no maker's address can meet it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The range (2^32 addresses) is used up.</exception>
    public static MacAddress OfSequence(long n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(n, uint.MaxValue);
        return new MacAddress(0x0270_0000_0000 | n);
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out MacAddress mac)
    {
        mac = default;
        if (text is not { Length: 17 })
        {
            return false;
        }

        var separator = text[2];
        if (separator is not (':' or '-') || !Enumerable.Range(0, 5).All(i => text[(i * 3) + 2] == separator))
        {
            return false;
        }

        var digits = text.Replace(separator.ToString(), "", StringComparison.Ordinal);
        if (digits.Length != 12 || !long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        mac = new MacAddress(value);
        return true;
    }

    public override string ToString()
    {
        var value = _value;
        return string.Join(':', Enumerable.Range(0, 6).Select(i => ((value >> (40 - (8 * i))) & 0xFF).ToString("x2", CultureInfo.InvariantCulture)));
    }
}
