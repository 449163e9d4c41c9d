using System.Globalization;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Images;

/// <summary>The commands that make and read disk images.</summary>
internal static class ImageCommands
{
    private static readonly TimeSpan s_quick = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_slow = TimeSpan.FromMinutes(10);

    /// <summary>An empty layer over a template's image. Formats are given: one that is probed is one that a guest can forge.</summary>
    public static HostCommand Overlay(string backing, string path, ByteSize size) => new(
        "qemu-img",
        ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", backing, path, size.Bytes.ToString(CultureInfo.InvariantCulture)],
        s_quick);

    /// <summary>--force-share: also while a guest has the image open.</summary>
    public static HostCommand Info(string path, string format = "qcow2") => new("qemu-img", ["info", "-f", format, "--output=json", "--force-share", path], s_quick);

    /// <summary>A raw disk that takes nothing of the file system until it is written to.</summary>
    public static HostCommand Zeros(string path, ByteSize size) => new("qemu-img", ["create", "-q", "-f", "raw", path, size.Bytes.ToString(CultureInfo.InvariantCulture)], s_quick);

    public static HostCommand FormatExt4(string path) => new("mke2fs", ["-q", "-F", "-t", "ext4", path], s_slow);

    public static HostCommand FormatSwap(string path) => new("mkswap", [path], s_quick);

    /// <summary>For a disk that nobody has open.</summary>
    public static HostCommand Resize(string path, string format, ByteSize size) => new("qemu-img", ["resize", "-q", "-f", format, path, size.Bytes.ToString(CultureInfo.InvariantCulture)], s_quick);

    /// <summary>For a disk that nobody has open, as are the two that follow.</summary>
    public static HostCommand TakeSnapshot(string path, string tag) => Snapshot("-c", path, tag);

    public static HostCommand RevertToSnapshot(string path, string tag) => Snapshot("-a", path, tag);

    public static HostCommand RemoveSnapshot(string path, string tag) => Snapshot("-d", path, tag);

    public static HostCommand RawToQcow2(string raw, string path) => new("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, path], s_slow);

    public static HostCommand Qcow2ToRaw(string disk, string raw) => new("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", disk, raw], s_slow);

    /// <summary>Unpacks in place of the file.</summary>
    public static HostCommand Unxz(string packed) => new("xz", ["--decompress", "--force", packed], s_slow);

    public static HostCommand Unzstd(string packed) => new("zstd", ["--decompress", "--quiet", "--force", "--rm", packed], s_slow);

    public static HostCommand Iso(string directory, string path, string application) =>
        new("genisoimage", ["-quiet", "-V", "cidata", "-A", application, "-r", "-J", "-o", path, directory], s_quick);

    /// <summary>An ext4 file system with a directory's content, without mounting anything.</summary>
    public static HostCommand Ext4(string directory, string path, ByteSize size, string label = "") => new(
        "mke2fs",
        ["-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-L", label, "-d", directory, "-E", "root_owner=0:0", path, $"{size.CeilingMiB}M"],
        s_slow);

    /// <summary>What each file of a directory takes in the file system, holes left out.</summary>
    public static HostCommand Taken(string directory) => new("du", ["--all", "--block-size=1", directory], s_quick);

    /// <summary>The sum over the disks of one instance in what <see cref="Taken"/> answers; another's are not ours to sell.</summary>
    /// <exception cref="HostFaultException">A line is none of du's.</exception>
    public static ByteSize Sum(string output, string instance) => new(output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Sum(line =>
        line.Split('\t') is [var size, var path] && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? PoolLayout.DomainOf(path) is { } name && name.Instance == instance ? bytes : 0
            : throw new HostFaultException($"du answered what cannot be understood: {line}")));

    // It takes no format, and would probe it; options of an image say which, and in them a comma is written twice.
    private static HostCommand Snapshot(string verb, string path, string tag) =>
        new("qemu-img", ["snapshot", "-q", verb, tag, "--image-opts", $"driver=qcow2,file.driver=file,file.filename={path.Replace(",", ",,", StringComparison.Ordinal)}"], s_slow);

    /// <summary>Gives the start of a file back to the file system; what follows stays where it is, also for who has it open.</summary>
    public static HostCommand PunchHole(string path, long length) =>
        new("fallocate", ["--punch-hole", "--offset", "0", "--length", length.ToString(CultureInfo.InvariantCulture), path], s_quick);
}
