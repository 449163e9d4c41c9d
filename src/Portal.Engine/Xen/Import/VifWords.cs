using System.Globalization;
using System.Text.RegularExpressions;
using Portal.Kernel;

namespace Portal.Engine.Xen.Import;

/// <summary>Reads one entry of a configuration's list of network interfaces: xl-network-configuration(5), which xm's differs little from.</summary>
internal static partial class VifWords
{
    /// <param name="vif">Null where the entry is not understood.</param>
    public static Reading Read(string text, out ForeignVif? vif)
    {
        vif = null;
        var read = new ForeignVif();
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (part.Split('=', 2, StringSplitOptions.TrimEntries) is not [var name, { Length: > 0 } value] || With(read, name, value) is not { } more)
            {
                return Reading.Not($"'{part}' is no part of a network interface that is known here.");
            }

            read = more;
        }

        vif = read;
        return Reading.Means(Meaning(read), read.Script is { } script ? $"A network interface is set up by the script {script}. The portal connects interfaces in its own way." : null);
    }

    public static string Meaning(ForeignVif vif) =>
        $"A network interface on {(vif.Bridge is { } bridge ? $"the bridge {bridge}" : "the host's usual bridge")}, with {(vif.Mac is { } mac ? $"the MAC address {mac}" : "a MAC address that Xen chooses")}"
        + $"{(vif.Ip is { } ip ? $", the address {ip}" : "")}{(vif.RatePerSecond is { } rate ? $" and at most {rate.Bytes.ToString(CultureInfo.InvariantCulture)} bytes a second" : "")}.";

    private static ForeignVif? With(ForeignVif vif, string name, string value) => name switch
    {
        "mac" => MacAddress.TryParse(value, out var mac) ? vif with { Mac = mac } : null,
        "bridge" => vif with { Bridge = value },
        "ip" => vif with { Ip = value },
        "script" => vif with { Script = value },
        "vifname" => vif with { HostDevice = value },
        "model" => vif with { Model = value },
        "rate" => RateOf(value) is { } rate ? vif with { RatePerSecond = rate } : null,
        // Beside the model it says only whether a full PC also emulates the card.
        "type" => value is "vif" or "ioemu" ? vif : null,
        _ => null,
    };

    // libxlu_vif.c: powers of 1000; a small b is bits. How often the credit is renewed, behind @, changes no rate.
    private static ByteSize? RateOf(string text)
    {
        if (Rate().Match(text) is not { Success: true } rate)
        {
            return null;
        }

        var number = long.Parse(rate.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
        var unit = rate.Groups["unit"].Value switch
        {
            "G" => 1_000_000_000L,
            "M" => 1_000_000,
            "K" => 1_000,
            _ => 1,
        };
        return new ByteSize(number * unit / (rate.Groups["of"].Value == "b" ? 8 : 1));
    }

    [GeneratedRegex("^(?<number>[0-9]{1,9})(?<unit>[GMK]?)(?<of>[Bb])/s(?:@[0-9]{1,9}[mu]?s?)?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Rate();
}
