using System.Text.RegularExpressions;
using Portal.Engine.Lvm;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Says of domains that others made how each would be adopted, or what stands against it. Pure.</summary>
internal static partial class XenOffers
{
    /// <param name="volumes">Of the portal's volume group.</param>
    /// <param name="permits">What the host's administrator allows, line by line.</param>
    public static IReadOnlyList<ForeignSighting> With(IReadOnlyList<ForeignSighting> sightings, XenStorage storage, IReadOnlyList<LogicalVolume> volumes, IReadOnlyCollection<string> permits)
    {
        var users = sightings.SelectMany(s => s.Readings.SelectMany(r => r.Domain.Disks.Select(d => d.Target)).Distinct()).Where(t => t is not null).CountBy(t => t!).ToDictionary();
        return [.. sightings.Select(s => s with { Offer = Of(s, storage, volumes.ToDictionary(v => v.Name), users, permits) })];
    }

    private static AdoptionOffer Of(ForeignSighting sighting, XenStorage storage, Dictionary<string, LogicalVolume> volumes, Dictionary<string, int> users, IReadOnlyCollection<string> permits)
    {
        if (sighting.Name is null || !NameForm().IsMatch(sighting.Name) || sighting.Name.StartsWith('-'))
        {
            return No("Its name is none that the portal takes: up to 80 letters, digits, dots, hyphens and the signs _ and +. Give it another one.");
        }

        if (storage.Group is not { } group)
        {
            return No("This host's disks are files. The portal adopts domains with volumes of LVM, where its own lie in the same group.");
        }

        var files = sighting.Readings.Where(r => r.Source.StartsWith('/')).ToList();
        if (files is not [var file])
        {
            return No(files.Count == 0
                ? "No file in /etc/xen describes it, so it could not be started again if something goes wrong. Write one, named after it and ending in .cfg."
                : $"Several files describe it: {string.Join(", ", files.Select(f => f.Source))}. Leave one.");
        }

        var domain = file.Domain;
        List<string> obstacles = [];
        if (!FileForm().IsMatch(file.Source))
        {
            obstacles.Add($"The name of its file, {file.Source}, has signs that the portal does not take. Rename the file.");
        }

        obstacles.AddRange(OfMachine(domain));
        obstacles.AddRange(domain.Disks.SelectMany(d => OfDisk(d, storage, volumes, users)));
        obstacles.AddRange(OfNetwork(domain, storage));
        if (domain.Disks.Count is 0 or > 16)
        {
            obstacles.Add("It has no disk, or more than sixteen. The portal adopts a domain with its disks.");
        }

        if (sighting.Readings[0].Domain is { DomId: not null } running && !running.Disks.Select(d => (d.Target, d.GuestDevice)).ToHashSet().SetEquals(domain.Disks.Select(d => (d.Target, d.GuestDevice))))
        {
            obstacles.Add("It runs with other disks than its file names. Bring the file up to date.");
        }

        if (obstacles.Count > 0)
        {
            return new AdoptionOffer { Obstacles = obstacles };
        }

        var adopted = new AdoptedDomain(
            sighting.Name, file.Source, domain.Type, domain.Type == ForeignDomainType.Hvm ? null : domain.Kernel, domain.Type == ForeignDomainType.Hvm ? null : domain.Ramdisk, domain.CommandLine,
            [.. domain.Disks.Select(d => new AdoptedDisk(d.Volume!.Name, d.GuestDevice, d.ReadOnly))]);
        var permit = adopted.Permit(group);
        var card = domain.Vifs is [var first, ..] ? first : null;
        return new AdoptionOffer
        {
            Obstacles = [],
            Domain = adopted,
            Permit = permit,
            Permitted = permits.Contains(permit),
            Vcpus = domain.Vcpus,
            Memory = domain.Memory!.Value,
            Disk = new ByteSize(domain.Disks.Sum(d => volumes[d.Volume!.Name].Size.Bytes)),
            // What runs has one, also where its file leaves it to Xen.
            Mac = (sighting.Readings[0].Domain.Vifs is [var told, ..] ? told.Mac : null) ?? card?.Mac,
            Ip = card?.Ip?.Split(' ', '/')[0],
            Losses = [.. Losses(domain)],
        };
    }

    private static AdoptionOffer No(string obstacle) => new() { Obstacles = [obstacle] };

    private static IEnumerable<string> OfMachine(ForeignDomain domain)
    {
        if (domain.Memory is null)
        {
            yield return "Its file does not say how much memory it has. Write it there.";
        }

        if (domain.Bootloader is not null)
        {
            yield return "A program of the host takes its kernel from its disk (bootloader), which the portal does not run. Name the kernel itself.";
        }
        else if (domain.Type != ForeignDomainType.Hvm && domain.Kernel is null)
        {
            yield return "Its file names no kernel. Name one.";
        }

        if (new[] { domain.Kernel, domain.Ramdisk }.OfType<string>().FirstOrDefault(path => !PathForm().IsMatch(path)) is { } strange)
        {
            yield return $"The path {strange} is not whole, or has signs that the portal does not take. Name another one.";
        }

        if (domain.CommandLine is { } words && !WordsForm().IsMatch(words))
        {
            yield return "What its kernel is told has quotes, backslashes or letters beyond ASCII in it, or is longer than 1000 signs. The portal cannot write that.";
        }
    }

    private static IEnumerable<string> OfDisk(ForeignDisk disk, XenStorage storage, Dictionary<string, LogicalVolume> volumes, Dictionary<string, int> users)
    {
        if (disk.Cdrom || disk.Volume is not { } of || disk.Format != "raw")
        {
            yield return $"Its disk {disk.GuestDevice} is no volume of LVM. The portal adopts volumes of {storage.Group} alone.";
        }
        else if (of.Group != storage.Group)
        {
            yield return $"Its disk {disk.GuestDevice} is in the volume group {of.Group}. The portal adopts volumes of {storage.Group} alone: move it there (lvcreate, dd), and write it into the file.";
        }
        else if (!volumes.TryGetValue(of.Name, out var volume))
        {
            yield return $"There is no volume {of.Group}/{of.Name} on the host.";
        }
        else if (volume.IsOwn || volume.IsThinPool || of.Name == storage.Pool)
        {
            yield return $"The volume {of.Group}/{of.Name} is the portal's own.";
        }
        else if (users[disk.Target!] > 1)
        {
            yield return $"Another domain has the volume {of.Group}/{of.Name}, too. Take it from one of them.";
        }
        else if (!DeviceForm().IsMatch(disk.GuestDevice))
        {
            yield return $"The guest calls a disk {disk.GuestDevice}. The portal knows xvda to xvdp, sda to sdp and hda to hdp, and parts of them.";
        }
    }

    private static IEnumerable<string> OfNetwork(ForeignDomain domain, XenStorage storage)
    {
        if (domain.Vifs.Count > 1)
        {
            yield return "It has several network cards. The portal adopts domains with one.";
        }

        if (domain.Vifs.Select(v => v.Bridge).OfType<string>().FirstOrDefault(b => b != storage.Bridge) is { } other)
        {
            yield return $"Its network card is on the bridge {other}, and the portal's VMs are on {storage.Bridge}. Connect it there.";
        }
    }

    private static IEnumerable<string> Losses(ForeignDomain domain)
    {
        foreach (var missed in domain.NotUnderstood)
        {
            yield return $"{missed.Key ?? missed.Text} is not taken over: {missed.Why}";
        }

        if (domain.Vifs.Any(v => v.Script is not null || v.RatePerSecond is not null || v.Model is not null))
        {
            yield return "Its network card gets no script, rate or model of its own.";
        }

        if (domain.CpuWeight is not null || domain.CpuCap is Limit.AtMost || domain.Pins.Count > 0)
        {
            yield return "Weight, cap and pins of its processors are not taken over. They can be set again once it is the portal's.";
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9_.+][A-Za-z0-9_.+-]{0,79}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NameForm();

    [GeneratedRegex(@"^/(?:[\w+:.-]+/)*(?:auto/)?[A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,100}\z", RegexOptions.CultureInvariant)]
    private static partial Regex FileForm();

    // As portal-host reads them from its configuration.
    [GeneratedRegex(@"^(?:/[A-Za-z0-9_+:-][A-Za-z0-9_.+:-]*)+\z", RegexOptions.CultureInvariant)]
    private static partial Regex PathForm();

    // What portal-host takes between quotes.
    [GeneratedRegex(@"^[\x20\x21\x23-\x26\x28-\x5b\x5d-\x7e]{0,1000}\z", RegexOptions.CultureInvariant)]
    private static partial Regex WordsForm();

    [GeneratedRegex(@"^(?:xvd|hd|sd)[a-p][0-9]{0,2}\z", RegexOptions.CultureInvariant)]
    private static partial Regex DeviceForm();
}
