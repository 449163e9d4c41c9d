using System.Net;
using System.Text.RegularExpressions;
using Portal.Kernel;

namespace Portal.Engine;

/// <summary>
/// The name that a VM's domain has on its host: <c>p{instance}-{vm id}-g{generation}</c>. The instance marks what is this portal's own on a
/// host that it may share with another; the generation keeps a dying domain from blocking its successor's name.
/// </summary>
public readonly partial record struct DomainName
{
    private readonly string? _text;

    /// <param name="instance">Eight hexadecimal digits, the portal's own mark.</param>
    /// <exception cref="ArgumentException">The instance is not eight lower-case hexadecimal digits.</exception>
    public DomainName(string instance, VmId vm, int generation)
    {
        if (!Mark().IsMatch(instance))
        {
            throw new ArgumentException("An instance mark is eight hexadecimal digits.", nameof(instance));
        }

        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(generation);
        _text = $"p{instance}-{vm.Value:N}-g{generation}";
        Instance = instance;
        Vm = vm;
        Generation = generation;
    }

    public string Instance { get; }

    public VmId Vm { get; }

    public int Generation { get; }

    public string Text => _text ?? throw new InvalidOperationException("A default DomainName has no text.");

    /// <summary>Reads a name as <see cref="Text"/> writes it; anything else is another's domain.</summary>
    public static bool TryParse(string? text, out DomainName name)
    {
        name = default;
        if (text is null || Whole().Match(text) is not { Success: true } match)
        {
            return false;
        }

        name = new DomainName(
            match.Groups[1].Value,
            new VmId(Guid.ParseExact(match.Groups[2].ValueSpan, "N")),
            int.Parse(match.Groups[3].ValueSpan, System.Globalization.CultureInfo.InvariantCulture));
        return true;
    }

    public override string ToString() => Text;

    [GeneratedRegex("^[0-9a-f]{8}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Mark();

    [GeneratedRegex("^p([0-9a-f]{8})-([0-9a-f]{32})-g([1-9][0-9]{0,8})\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Whole();
}

/// <summary>Everything the host needs to know to make a domain.</summary>
public sealed record DomainSpec
{
    public required DomainName Name { get; init; }

    public required int Vcpus { get; init; }

    public required ByteSize Memory { get; init; }

    public required ByteSize Disk { get; init; }

    public required TemplateImage Template { get; init; }

    public required VmName HostName { get; init; }

    public required MacAddress Mac { get; init; }

    public required GuestAddress Address { get; init; }

    /// <summary>Keys that may sign in as the template's user.</summary>
    public required IReadOnlyList<SshPublicKey> SshKeys { get; init; }

    /// <summary>What its owner gave along for its first boot; null where nothing.</summary>
    public UserData? UserData { get; init; }

    /// <summary>What it was before the portal adopted it; null where the portal made it from its template.</summary>
    public AdoptedDomain? Adopted { get; init; }
}

/// <summary>A guest's IPv4 address as the seed tells it, reserved by the caller.</summary>
public sealed record GuestAddress(IPAddress Address, int PrefixLength, IPAddress Gateway, IPAddress Dns);

/// <summary>An image from which root disks are made. Its name and version together never mean another content.</summary>
public sealed partial record TemplateImage
{
    /// <param name="name">File-name safe: lower-case letters, digits, inner hyphens.</param>
    /// <param name="version">File-name safe: digits and inner dots.</param>
    /// <exception cref="ArgumentException">One of them is not: files and volumes are called by them.</exception>
    public TemplateImage(string name, string version)
    {
        if (!NameForm().IsMatch(name))
        {
            throw new ArgumentException($"An image's name is lower-case letters, digits and hyphens, not '{name}'.", nameof(name));
        }

        if (!VersionForm().IsMatch(version))
        {
            throw new ArgumentException($"An image's version is digits and dots, not '{version}'.", nameof(version));
        }

        Name = name;
        Version = version;
    }

    /// <summary>The small Linux that ships with the portal: Debian's cloud kernel (on Xen its general one) and a busybox userland.</summary>
    public static TemplateImage TinyLinux { get; } = new("tiny-linux", "4");

    /// <summary>Stands where a domain was adopted, and so made from nothing of the portal's.</summary>
    public static TemplateImage None { get; } = new("adopted", "0");

    public string Name { get; }

    public string Version { get; }

    /// <summary>How guests of it start.</summary>
    public ImageBoot Boot { get; init; }

    /// <summary>Where its guests have their root file system; null where on a disk of their own. Then there is no image to copy: what lies on hosts is the same for all of these.</summary>
    public NfsRoot? Nfs { get; init; }

    /// <summary>Kernel and initial RAM disk of guests whose root is on an NFS server, whichever.</summary>
    internal static TemplateImage NfsBoot { get; } = new("nfs-boot", "1");

    /// <summary>What of it lies on hosts.</summary>
    internal TemplateImage Stored => Nfs is null ? this : NfsBoot;

    [GeneratedRegex("^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex NameForm();

    [GeneratedRegex("^(?=.{1,30}\\z)[0-9]+(?:\\.[0-9]+)*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex VersionForm();
}

/// <summary>What the hypervisor says of a domain.</summary>
public enum DomainState
{
    /// <summary>The host does not know it.</summary>
    Absent,

    /// <summary>Known, not running.</summary>
    Off,
    Running,
    Paused,

    /// <summary>On its way down.</summary>
    Stopping,
    Crashed,
}

/// <summary>A domain as the host listed it.</summary>
/// <param name="ByGuest">It is off because its guest shut itself down. A reboot of the host, or a power taken away, is not that.</param>
/// <param name="Saved">Whether its memory is kept while it is off, so that its next start goes on from there; null where that was not looked at.</param>
public sealed record DomainReport(DomainName Name, DomainState State, bool ByGuest = false, bool? Saved = null);

/// <summary>A file or volume in the pool that carries one of our domain names.</summary>
public sealed record VolumeReport(DomainName Domain, string Name, ByteSize Size);
