using System.Text.RegularExpressions;
using Portal.Kernel;

namespace Portal.Engine;

/// <summary>How an image comes. Its operator says so; nothing is ever guessed from its content, for that is its maker's.</summary>
public enum ImageFormat
{
    /// <summary>A disk, byte for byte.</summary>
    Raw,

    /// <summary>QEMU's own, without a backing file.</summary>
    Qcow2,

    /// <summary>The files of a root file system, as tar packs them.</summary>
    Tar,
}

/// <summary>What an image is packed with on top of its format.</summary>
public enum ImagePacking
{
    None,
    Gzip,
    Xz,
    Zstd,
}

/// <summary>How guests of an image start.</summary>
public enum ImageBoot
{
    /// <summary>Their host starts a kernel that lies beside the disk; the disk is one file system without partitions.</summary>
    Kernel,

    /// <summary>The disk has a boot loader of its own, started by the firmware. Not on every host, see <see cref="GuestKinds.Hvm"/>.</summary>
    Disk,
}

/// <summary>An image that an operator brings, from an address or from a file that was uploaded before.</summary>
public sealed partial record ImageImport
{
    public const int MaxAddress = 1000;

    /// <exception cref="ArgumentException">There are both an address and an upload, or neither; or <see cref="Complaint"/> has something to say.</exception>
    public ImageImport(ImageFormat format, ImagePacking packing, ImageBoot boot, ByteSize disk, string? address, Guid? upload, string? sha256)
    {
        if ((address is null) == (upload is null))
        {
            throw new ArgumentException("An image comes from an address or from an upload.", nameof(address));
        }

        if (Complaint(address, sha256) is { } complaint)
        {
            throw new ArgumentException(complaint.Text, complaint.Field);
        }

        (Format, Packing, Boot, Disk, Address, Upload, Sha256) = (format, packing, boot, disk, address, upload, sha256);
    }

    public ImageFormat Format { get; }

    public ImagePacking Packing { get; }

    public ImageBoot Boot { get; }

    /// <summary>The least disk of VMs from it: the image is not larger.</summary>
    public ByteSize Disk { get; }

    public string? Address { get; }

    public Guid? Upload { get; }

    /// <summary>Of what comes, before it is unpacked: 64 lower-case hexadecimal digits. Null where nobody said it.</summary>
    public string? Sha256 { get; }

    /// <summary>What stands against an address and a checksum as they were typed, and against which of them. Pure: nothing is looked up.</summary>
    public static (string Field, string Text)? Complaint(string? address, string? sha256)
    {
        if (sha256 is not null && !Digest().IsMatch(sha256))
        {
            return (nameof(sha256), "A SHA-256 is 64 hexadecimal digits, as sha256sum prints them.");
        }

        if (address is null)
        {
            return null;
        }

        return address.Length > MaxAddress || !Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.Host.Length == 0
            ? (nameof(address), "An address begins with https:// and names a file.")
            // It would stand in the log and on the page, for all operators to read.
            : uri.UserInfo.Length > 0 ? (nameof(address), "An address has no user and no password in it. Upload the file instead.")
            : uri.Scheme == "http" && sha256 is null ? (nameof(address), "Over http anybody on the way could change the image: use https, or give its SHA-256.")
            : null;
    }

    [GeneratedRegex("^[0-9a-f]{64}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Digest();
}

/// <summary>How much an import may take of the portal's machine.</summary>
public sealed class ImportBounds
{
    /// <summary>What is fetched or uploaded, as it comes.</summary>
    public ByteSize Source { get; init; } = ByteSize.FromGiB(16);

    /// <summary>What it is when unpacked, and the disk in it.</summary>
    public ByteSize Disk { get; init; } = ByteSize.FromGiB(64);

    /// <summary>Files in a tarball.</summary>
    public int Files { get; init; } = 500_000;
}
