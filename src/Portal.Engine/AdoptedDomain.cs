namespace Portal.Engine;

/// <summary>What a domain was before the portal adopted it, and what it keeps of that for its life. Rows hold it as JSON and outlive code: these words never change.</summary>
/// <param name="Name">Its name on the host until then.</param>
/// <param name="File">The file that it was started from.</param>
/// <param name="Kernel">A file of the host, of which the VM has a copy of its own, like the RAM disk; null for a whole PC, which brings its own.</param>
/// <param name="CommandLine">What its kernel is told; null for nothing.</param>
/// <param name="Disks">The first is the VM's root disk.</param>
public sealed record AdoptedDomain(string Name, string File, ForeignDomainType Type, string? Kernel, string? Ramdisk, string? CommandLine, IReadOnlyList<AdoptedDisk> Disks)
{
    /// <summary>The name that a disk's volume has from then on, counted from 0.</summary>
    internal static string VolumeOf(DomainName name, int disk) => disk == 0 ? name.Text : FormattableString.Invariant($"{name.Text}-ad{disk + 1}");

    /// <summary>What the host's administrator writes into /etc/portal-host.conf to let the portal adopt it.</summary>
    internal string Permit(string group) =>
        string.Join(' ', ["adopt", Name, $"config={File}", .. Kernel is null ? [] : new[] { $"kernel={Kernel}" }, .. Ramdisk is null ? [] : new[] { $"ramdisk={Ramdisk}" }, .. Disks.Select(d => $"volume={group}/{d.Volume}")]);
}

/// <summary>A disk of an adopted domain.</summary>
/// <param name="Volume">The name that its volume had in the portal's volume group.</param>
/// <param name="GuestDevice">As the guest calls it, before and after.</param>
public sealed record AdoptedDisk(string Volume, string GuestDevice, bool ReadOnly);
