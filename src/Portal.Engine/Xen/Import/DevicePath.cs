namespace Portal.Engine.Xen.Import;

/// <summary>The ways in which a host's device may be written, and the one in which the portal writes it.</summary>
internal static class DevicePath
{
    private const string Mapper = "/dev/mapper/";

    // What lies two deep in /dev and is no logical volume: names of device-mapper, of arrays, of old RAID controllers, of remote block devices.
    private static readonly HashSet<string> s_noGroups = ["mapper", "disk", "block", "md", "loop", "cciss", "ida", "rd", "etherd", "drbd", "nbd", "rbd", "zvol", "shm", "pts"];

    /// <summary>The device's whole path; null where a step leads upwards, so that it might be anything.</summary>
    /// <param name="target">As xm and xl take it: what does not begin with a slash lies in /dev.</param>
    public static string? Whole(string target, KnownOnHost known)
    {
        var steps = (target.StartsWith('/') ? target : $"/dev/{target}").Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (steps.Length == 0 || steps.Any(step => step is "." or ".."))
        {
            return null;
        }

        var path = "/" + string.Join('/', steps);
        return path.StartsWith(Mapper, StringComparison.Ordinal) && VolumeOfMapper(path[Mapper.Length..]) is { } volume && known.VolumeGroups.Contains(volume.Group)
            ? $"/dev/{volume.Group}/{volume.Name}"
            : path;
    }

    /// <summary>The logical volume that a whole path names; null where it is another device.</summary>
    public static ForeignVolume? VolumeOf(string path) =>
        path.Split('/') is ["", "dev", var group, var name] && !s_noGroups.Contains(group) ? new ForeignVolume(group, name) : null;

    // device-mapper writes group-volume and doubles the hyphens within both. Its other devices, such as encrypted ones, may look alike, so the group has to be known.
    private static ForeignVolume? VolumeOfMapper(string name) =>
        name.Replace("--", "\0", StringComparison.Ordinal).Split('-') is [var group, var volume]
            ? new ForeignVolume(group.Replace('\0', '-'), volume.Replace('\0', '-'))
            : null;
}
