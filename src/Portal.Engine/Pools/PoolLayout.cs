using System.Security.Cryptography;
using System.Text;
using Portal.Kernel;

namespace Portal.Engine.Pools;

/// <summary>Where things lie in a pool's directory. Files carry their domain's name, so a listing tells whose they are.</summary>
internal sealed class PoolLayout
{
    /// <summary>A unix socket's path, with its final zero, has 108 bytes (unix(7)).</summary>
    private const int MaxSocketPath = 107;

    private const string VolumeExtension = ".raw";

    private const UnixFileMode Passable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <exception cref="ArgumentException">The path is not absolute, or has a control character: XML cannot hold each of them.</exception>
    public PoolLayout(string root)
    {
        if (!Path.IsPathFullyQualified(root) || root.Any(char.IsControl))
        {
            throw new ArgumentException("A pool's path is absolute, and has no control characters.", nameof(root));
        }

        Root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
    }

    public string Root { get; }

    public string Templates => Path.Combine(Root, "templates");

    /// <summary>What was downloaded; may be removed at any time.</summary>
    public string Cache => Path.Combine(Root, "cache");

    public string Disks => Path.Combine(Root, "disks");

    public string Seeds => Path.Combine(Root, "seeds");

    public string Consoles => Path.Combine(Root, "consoles");

    public string Fences => Path.Combine(Root, "fences");

    /// <summary>Whether a console's socket fits below this pool's path.</summary>
    public bool SocketsFit => Encoding.UTF8.GetByteCount(Root) + "/consoles/".Length + 16 + ".sock".Length <= MaxSocketPath;

    public string TemplateDisk(TemplateImage image) => Path.Combine(Templates, $"{image.Name}-{image.Version}.qcow2");

    public string TemplateKernel(TemplateImage image) => Path.Combine(Templates, $"{image.Name}-{image.Version}.vmlinuz");

    /// <summary>The kernel unpacked, as Xen starts it; not there where the other one is so already.</summary>
    public string TemplateElf(TemplateImage image) => Path.Combine(Templates, $"{image.Name}-{image.Version}.vmlinux");

    public string TemplateInitrd(TemplateImage image) => Path.Combine(Templates, $"{image.Name}-{image.Version}.initrd");

    public string Disk(DomainName name) => Path.Combine(Disks, name.Text + ".qcow2");

    /// <summary>A volume beside the root disk: raw, for it is a layer over nothing.</summary>
    public string Volume(DomainName name, VolumeLabel label) => Path.Combine(Disks, $"{name.Text}-v{label.Text}{VolumeExtension}");

    public string Seed(DomainName name) => Path.Combine(Seeds, name.Text + ".iso");

    public string ConsoleLog(DomainName name) => Path.Combine(Consoles, name.Text + ".log");

    /// <summary>Sixteen digits of a digest instead of the name: the whole name would leave 46 bytes for the pool's path.</summary>
    public string ConsoleSocket(DomainName name) =>
        Path.Combine(Consoles, Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(name.Text)))[..16] + ".sock");

    /// <summary>Makes the directories. Safe to repeat.</summary>
    public void Create()
    {
        // 0711: QEMU runs as another user and has to pass through to its files, but nobody else may list whose machines there are.
        Directory.CreateDirectory(Root, Passable);
        Directory.CreateDirectory(Templates, Passable);
        Directory.CreateDirectory(Disks, Passable);
        Directory.CreateDirectory(Seeds, Passable);
        Directory.CreateDirectory(Consoles, Passable);
        Directory.CreateDirectory(Cache, Private);
        Directory.CreateDirectory(Fences, Private);
    }

    /// <summary>Whose a disk, volume or seed is, by its file's name; null for what is none.</summary>
    public static DomainName? DomainOf(string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        return DomainName.TryParse(Path.GetExtension(path) == VolumeExtension ? name[..Math.Max(0, name.IndexOf("-v", StringComparison.Ordinal))] : name, out var domain) ? domain : null;
    }

    /// <summary>The root disks, volumes and seeds that an instance made.</summary>
    public IReadOnlyList<VolumeReport> Volumes(string instance)
    {
        List<VolumeReport> volumes = [];
        foreach (var (directory, extension) in new[] { (Disks, ".qcow2"), (Disks, VolumeExtension), (Seeds, ".iso") })
        {
            if (!Directory.Exists(directory))
            {
                continue;
            }

            foreach (var file in new DirectoryInfo(directory).EnumerateFiles("*" + extension))
            {
                if (DomainOf(file.Name) is { } name && name.Instance == instance)
                {
                    volumes.Add(new VolumeReport(name, file.Name, LengthOf(file)));
                }
            }
        }

        return volumes;
    }

    /// <summary>Removes disks, seed and console of a domain. Safe to repeat.</summary>
    /// <remarks>
    /// The blocks go back to the file system, which never hands out a block before it was overwritten or reads as zeros; so no other file, and
    /// no other guest's disk, can show what was in them.
    /// </remarks>
    public StepOutcome RemoveFilesOf(DomainName name)
    {
        var outcome = StepOutcome.AlreadyThere;
        // Half made ones among them, by the name that they would have had.
        var volumes = Directory.Exists(Disks) ? Directory.GetFiles(Disks, $"{name.Text}-v*") : [];
        foreach (var path in (string[])[Disk(name), .. volumes, Seed(name), ConsoleLog(name), ConsoleSocket(name), ConsoleSocket(name) + ".lock"])
        {
            File.Delete(WholeFile.PartialOf(path));
            if (Directory.Exists(WholeFile.PartialOf(path) + ".d"))
            {
                Directory.Delete(WholeFile.PartialOf(path) + ".d", recursive: true);
            }

            if (File.Exists(path))
            {
                File.Delete(path);
                outcome = StepOutcome.Changed;
            }
        }

        return outcome;
    }

    private static ByteSize LengthOf(FileInfo file)
    {
        try
        {
            return new ByteSize(file.Length);
        }
        catch (FileNotFoundException)
        {
            // Removed between the listing and the look.
            return ByteSize.Zero;
        }
    }
}
