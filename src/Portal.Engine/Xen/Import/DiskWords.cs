using System.Text.RegularExpressions;

namespace Portal.Engine.Xen.Import;

/// <summary>Reads one entry of a configuration's list of disks, in the forms of xl-disk-configuration(5) and in those of xm.</summary>
internal static partial class DiskWords
{
    private static readonly string[] s_formats = ["raw", "qcow", "qcow2", "qed", "vhd"];

    /// <param name="disk">Null where the entry is not understood.</param>
    public static Reading Read(string text, KnownOnHost known, out ForeignDisk? disk)
    {
        disk = null;
        var parts = DiskParts.Cut(text, out var why);
        if (why is not null)
        {
            return Reading.Not(why);
        }

        if (parts["script"] is not null || parts["backend"] is not null || parts["specification"] is not (null or "xen"))
        {
            return Reading.Not("The disk comes by a script, from another domain or through virtio; the portal has no such disks.");
        }

        if (parts["devtype"] is not (null or "disk" or "cdrom") || parts["access"] is not (null or "r" or "ro" or "w" or "rw" or "w!") || parts["backendtype"] is not (null or "phy" or "qdisk" or "tap"))
        {
            return Reading.Not("The disk's devtype, access or backendtype has a value that Xen does not have.");
        }

        // Once the kind of device stood behind its name: hdc:cdrom.
        var (device, kind) = parts["vdev"]?.Split(':', 2) is [var name, var behind] ? (name, behind) : (parts["vdev"], parts["devtype"]);
        if (device is null || !GuestDevice().IsMatch(device) || kind is not (null or "disk" or "cdrom"))
        {
            return Reading.Not("It does not say as which device the guest sees the disk.");
        }

        var (backend, format) = FormatOf(parts);
        if (format is null || !s_formats.Contains(format))
        {
            return Reading.Not($"'{parts.Prefix ?? parts["format"]}' is no kind of disk that is known here.");
        }

        var cdrom = kind == "cdrom";
        string? target = null;
        if (parts["target"] is { } written)
        {
            target = backend == "phy" || written.StartsWith('/') || parts.Prefix is null ? DevicePath.Whole(written, known) : null;
            if (target is null)
            {
                return Reading.Not("The disk is no whole path: it begins nowhere, or a step of it leads upwards.");
            }
        }
        else if (!cdrom)
        {
            return Reading.Not("It does not say where on the host the disk is.");
        }

        backend ??= target?.StartsWith("/dev/", StringComparison.Ordinal) == true ? "phy" : "file";
        disk = Make(backend, target, device, cdrom || parts["access"] is "r" or "ro", format, cdrom);
        return Reading.Means(Meaning(disk), WarningOf(text, parts));
    }

    /// <summary>A disk whose parts are judged.</summary>
    public static ForeignDisk Make(string backend, string? target, string device, bool readOnly, string format, bool cdrom) =>
        new(backend, target, device, readOnly, format, cdrom, target is null ? null : DevicePath.VolumeOf(target));

    public static string Meaning(ForeignDisk disk) =>
        $"The guest's {(disk.Cdrom ? "CD drive" : "disk")} {disk.GuestDevice} is {disk.Target ?? "empty"}, {(disk.ReadOnly ? "read only" : "writable")}{(disk.Format == "raw" ? "" : $", in the format {disk.Format}")}.";

    // A prefix says how the disk is reached (phy, file, tap with its driver) or, by itself, its format.
    private static (string? Backend, string? Format) FormatOf(DiskParts parts) => parts.Prefix switch
    {
        null => (parts["backendtype"], parts["format"] ?? "raw"),
        "phy" or "file" => (parts.Prefix, "raw"),
        "raw" or "qcow" or "qcow2" or "vhd" => (null, parts.Prefix),
        _ when parts.Prefix.Split(':') is ["tap" or "tap2" or "tapdisk", var driver] => ($"tap:{driver}", driver is "aio" or "sync" ? "raw" : driver),
        _ => (null, null),
    };

    private static string? WarningOf(string text, DiskParts parts) =>
        parts.ByColons ? $"In the disk {text} colons stand where commas belong. Xen would not start that; it is read as if they were commas."
        : parts["access"] == "w!" ? $"The disk {text} may be written by several domains at a time (w!). The portal gives a disk to one."
        : null;

    [GeneratedRegex(@"^(?:xvd|sd|hd|vd)[a-z]{1,3}\d{0,3}\z|^d\d{1,4}(?:p\d{1,3})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex GuestDevice();
}
