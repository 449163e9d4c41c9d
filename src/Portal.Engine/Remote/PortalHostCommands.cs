using System.Globalization;
using System.IO.Compression;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Remote;

/// <summary>What `portal-host` does itself, without a program: files of the portal's own, volumes' content, consoles.</summary>
internal static class PortalHostCommands
{
    /// <summary>Where its files lie on a host.</summary>
    public const string Files = "/var/lib/portal-host";

    private static readonly TimeSpan s_quick = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_slow = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_copy = TimeSpan.FromHours(2);

    /// <summary>For as long as somebody looks; ended and begun again where somebody looks for longer.</summary>
    private static readonly TimeSpan s_long = TimeSpan.FromHours(24);

    /// <summary>What it tells of its machine.</summary>
    public static HostCommand Facts() => new("facts", [], s_quick);

    /// <summary>The configurations of domains that others keep on the host.</summary>
    public static HostCommand Configs() => new("configs", [], s_quick);

    /// <summary>Copies the kernel of a domain that the host's administrator lets the portal adopt to where the portal's own lie.</summary>
    public static HostCommand Adopt(string domain, string name) => new("adopt", [domain, name], s_slow) { Shown = $"cp the kernel of {name} to {Files}/images/{domain}.kernel" };

    /// <summary>Overwrites all of a volume with zeros.</summary>
    public static HostCommand Wipe(string device) => new("wipe", [device], s_slow) { Shown = $"blkdiscard --zeroout {device}" };

    /// <summary>How much its own files have room for.</summary>
    public static HostCommand Room() => new("df", ["--block-size=1", "--output=size,avail", Files], s_quick);

    /// <summary>A file of the kernel's or a log, of the few that may be read.</summary>
    public static HostCommand Read(string file) => new("cat", [file], s_quick);

    /// <summary>The last bytes of a log that belongs to a domain.</summary>
    public static HostCommand Tail(string file, int bytes) => new("tail", ["--bytes", bytes.ToString(CultureInfo.InvariantCulture), file], s_quick);

    /// <summary>Where xenconsoled writes what a guest prints.</summary>
    public static string ConsoleLog(string domain) => $"/var/log/xen/console/guest-{domain}.log";

    /// <summary>Where the device model of a whole PC writes what its guest prints on the serial line.</summary>
    public static string SerialLog(string domain) => $"/var/log/xen/console/serial-{domain}.log";

    public static HostCommand Put(string file, string text) => new("put", [file], s_quick) { Input = text, Shown = $"cat > {Files}/{file}" };

    public static HostCommand Put(string file, ReadOnlyMemory<byte> content) => new("put", [file], s_slow) { Content = content, Shown = $"cat > {Files}/{file}" };

    public static HostCommand Get(string file) => new("get", [file], s_quick);

    public static HostCommand Remove(string file) => new("remove", [file], s_quick) { Shown = $"rm -f {Files}/{file}" };

    public static HostCommand List(string directory) => new("list", [directory], s_quick);

    /// <summary>Writes a volume that reads as zeros; blocks of zeros are passed over.</summary>
    public static HostCommand Fill(string device, ReadOnlyMemory<byte> content) => new("fill", [device, "sparse"], s_slow) { Content = content, Shown = $"dd of={device} conv=sparse" };

    /// <summary>Writes all of a template's volume into the start of a VM's.</summary>
    public static HostCommand Copy(string template, string device) => new("copy", [template, device], s_copy) { Shown = $"dd if={template} of={device} bs=1M" };

    /// <summary>The same for a part, from an offset on, packed by gzip on its way.</summary>
    public static HostCommand FillPart(string device, long offset, ReadOnlyMemory<byte> content) =>
        new("fill", [device, "sparse", offset.ToString(CultureInfo.InvariantCulture), "gzip"], s_slow) { Content = Packed(content), Shown = $"gzip -d | dd of={device} conv=sparse oseek={offset}B" };

    /// <summary>A part of a VM's disk that is copied here, packed.</summary>
    /// <param name="overZeros">It lies on zeros, so its own are passed over.</param>
    public static HostCommand CopyPart(string device, long offset, ReadOnlyMemory<byte> content, bool overZeros) =>
        new("fill", [device, overZeros ? "sparse" : "all", offset.ToString(CultureInfo.InvariantCulture), "gzip"], s_slow) { Content = Packed(content), Shown = $"gzip -d | dd of={device} bs=16M seek=PART # each part that differs" };

    /// <summary>The SHA-256 of each of some parts of a VM's disk, in lines.</summary>
    public static HostCommand PartDigests(string device, int first, int count) =>
        new("digests", [device, first.ToString(CultureInfo.InvariantCulture), count.ToString(CultureInfo.InvariantCulture)], s_slow);

    /// <summary>Writes of so many parts, from one on, what differs into the volume that is to take a clone's place.</summary>
    /// <param name="from">The clone, or the template's volume that it is a clone of.</param>
    public static HostCommand CatchUp(string from, string device, int first, int count) =>
        new("catch-up", [from, device, first.ToString(CultureInfo.InvariantCulture), count.ToString(CultureInfo.InvariantCulture)], s_copy) { Shown = $"dd if={from} of={device} bs=1M seek=PART skip=PART # each part that differs" };

    /// <summary>One part of a VM's disk, packed by gzip.</summary>
    public static HostCommand ReadPart(string device, int part) => new("read", [device, part.ToString(CultureInfo.InvariantCulture)], s_slow);

    /// <summary>A kernel or a RAM disk, packed by gzip on its way.</summary>
    public static HostCommand PutImage(string name, ReadOnlyMemory<byte> content) =>
        new("put", [$"images/{name}", "gzip"], s_slow) { Content = Packed(content), Shown = $"gzip -d > {Files}/images/{name}" };

    /// <summary>What a directory has of the portal's names, and how much room.</summary>
    public static HostCommand Volumes(string directory) => new("volumes", [directory], s_quick);

    /// <summary>A file of that size with nothing written in it, which reads as zeros.</summary>
    public static HostCommand MakeVolume(string file, ByteSize size) => new("volume-make", [file, Bytes(size)], s_quick) { Shown = $"truncate --size {size.Bytes} {file}" };

    /// <summary>A template's file as the start of a VM's, at once where the file system shares blocks.</summary>
    public static HostCommand CloneVolume(string template, string file, ByteSize size) =>
        new("volume-clone", [template, file, Bytes(size)], s_copy) { Shown = $"cp --reflink=auto --sparse=always {template} {file} && truncate --size {size.Bytes} {file}" };

    /// <summary>Never smaller. Whoever has it sees it grow.</summary>
    public static HostCommand GrowVolume(string file, ByteSize size) => new("volume-grow", [file, Bytes(size)], s_quick) { Shown = $"truncate --size {size.Bytes} {file}" };

    /// <summary>Fails while somebody has it open.</summary>
    public static HostCommand RemoveVolume(string file) => new("volume-remove", [file], s_slow) { Shown = $"rm {file}" };

    public static HostCommand TagVolume(string file, string tag) => new("volume-tag", [file, tag], s_slow) { Shown = $"echo {tag} >> {Path.ChangeExtension(file, "tags")}" };

    public static HostCommand UntagVolume(string file, string tag) => new("volume-untag", [file, tag], s_slow) { Shown = $"sed -i /^{tag}$/d {Path.ChangeExtension(file, "tags")}" };

    /// <summary>The SHA-256 of all of a volume.</summary>
    public static HostCommand Digest(string device) => new("sha256sum", [device], s_slow);

    /// <summary>How many bytes a volume has: whole extents of its group.</summary>
    public static HostCommand SizeOf(string device) => new("blockdev", ["--getsize64", device], s_quick);

    /// <summary>What a guest prints, from an offset on; in a first line <c>at N</c> the offset from which it really comes, because older may be gone.</summary>
    /// <param name="most">How much of what is there already comes at most, in bytes; null for all of it.</param>
    public static HostCommand Follow(string domain, long offset, long? most = null) =>
        new("follow", [domain, offset.ToString(CultureInfo.InvariantCulture), .. most is { } bytes ? [bytes.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>()], s_long);

    public static HostCommand Type(string domain) => new("type", [domain], s_long);

    /// <summary>Removes a console's log, before the next boot writes it anew.</summary>
    public static HostCommand Forget(string domain) => new("forget", [domain], s_quick) { Shown = $"rm -f {ConsoleLog(domain)}" };

    /// <summary>Keeps a guest to the MAC and the addresses of its configuration, from its next start on.</summary>
    public static HostCommand Guard(string domain) => new("guard", [domain], s_quick) { Shown = $"nft -f {Files}/guards.nft" };

    /// <summary>The same for a card that it gets while it runs, which has no address of its own yet.</summary>
    public static HostCommand Guard(string domain, MacAddress mac) => new("guard", [domain, mac.ToString()], s_quick) { Shown = $"nft -f {Files}/guards.nft" };

    public static HostCommand Unguard(string domain, MacAddress mac) => new("unguard", [domain, mac.ToString()], s_quick) { Shown = $"nft -f {Files}/guards.nft" };

    /// <summary>A question under a fence: whoever is late is told so by it.</summary>
    public static HostCommand AskedUnder(this HostCommand command, Fence fence) => command with { Fence = fence };

    /// <summary>The command under a fence: the host refuses it where a higher epoch was seen.</summary>
    public static HostCommand Under(this HostCommand command, Fence fence) => command with { Fence = fence, Changes = true };

    private static string Bytes(ByteSize size) => size.Bytes.ToString(CultureInfo.InvariantCulture) + "b";

    // The quick way: more costs the portal more than it saves the line.
    private static ReadOnlyMemory<byte> Packed(ReadOnlyMemory<byte> content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content.Span);
        }

        return packed.ToArray();
    }
}
