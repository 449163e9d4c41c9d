using Portal.Kernel;

namespace Portal.Engine.Xen.Import;

/// <summary>What a person should look at before a foreign domain is adopted.</summary>
internal static class Doubts
{
    // The range that is set aside for Xen's guests, 00:16:3e (xl-network-configuration(5), mac).
    private const long XensRange = 0x0016_3E;
    private const long OfGroups = 1L << 40;
    private const long OfNoMaker = 1L << 41;

    /// <summary>Complete sentences, the gravest first.</summary>
    public static IEnumerable<string> Of(ForeignDomain domain, KnownOnHost known)
    {
        if (domain.Name is null)
        {
            yield return "The domain has no name.";
        }

        if (domain.Memory is null)
        {
            yield return "It is not said how much memory the domain has.";
        }
        else if (domain.Memory > domain.MaxMemory)
        {
            yield return $"The domain starts with {domain.Memory} of memory, but may have {domain.MaxMemory} at most.";
        }

        if (domain.Type != ForeignDomainType.Hvm && (domain.Kernel ?? domain.Bootloader) is null)
        {
            yield return "Neither a kernel nor a boot loader is named, so Xen does not know what to start.";
        }

        foreach (var group in domain.Disks.Select(disk => disk.Volume?.Group).OfType<string>())
        {
            if (!known.VolumeGroups.Contains(group))
            {
                yield return Absent("volume group", group, known.VolumeGroups);
            }
        }

        foreach (var bridge in domain.Vifs.Select(vif => vif.Bridge).OfType<string>())
        {
            if (!known.Bridges.Contains(bridge))
            {
                yield return Absent("bridge", bridge, known.Bridges);
            }
        }

        foreach (var mac in domain.Vifs.Select(vif => vif.Mac).OfType<MacAddress>())
        {
            if (DoubtOf(mac) is { } doubt)
            {
                yield return doubt;
            }
        }
    }

    private static string Absent(string what, string name, IReadOnlyList<string> known) =>
        $"The {what} {name} is not on this host{(NearName.Among(known, name) is { } meant ? $"; did you mean {meant}?" : ".")}";

    private static string? DoubtOf(MacAddress mac) =>
        mac.Value >> 24 == XensRange ? null
        : (mac.Value & OfGroups) != 0 ? $"The MAC address {mac} is one of a group; no network card can have it."
        : (mac.Value & OfNoMaker) != 0 ? $"The MAC address {mac} is not from Xen's range, 00:16:3e. No maker has it either, so it can stay."
        : $"The MAC address {mac} is not from Xen's range, 00:16:3e, but from a maker's: a card in the network may have the same one.";
}
