using Portal.Engine.Shell;

namespace Portal.Engine.Images;

/// <summary>The commands that fetch Debian packages and take them apart, without installing anything.</summary>
internal static class PackageCommands
{
    private static readonly TimeSpan s_quick = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_slow = TimeSpan.FromMinutes(10);

    public static HostCommand DependsOf(string package) => new("apt-cache", ["depends", "--important", package], s_quick);

    /// <summary>The packages and all that they need to run.</summary>
    public static HostCommand AllDependsOf(IEnumerable<string> packages) => new(
        "apt-cache",
        [
            "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", .. packages,
        ],
        s_quick);

    /// <summary>Says which files <see cref="Download"/> would fetch.</summary>
    public static HostCommand Locate(IEnumerable<string> packages) =>
        new("apt-get", ["download", "--print-uris", .. packages], s_quick);

    /// <summary>Fetches and verifies against apt's signed lists; a file that is there already is not fetched again.</summary>
    public static HostCommand Download(IEnumerable<string> packages, string directory) =>
        new("apt-get", ["download", "-q", .. packages], s_slow) { Directory = directory };

    public static HostCommand Unpack(string package, string directory) => new("dpkg-deb", ["-x", package, directory], s_quick);

    /// <summary>Which modules need which; busybox's, so that the machine needs no kmod.</summary>
    public static HostCommand ModuleDepends(string busybox, string root, string kernel) => new(busybox, ["depmod", "-b", root, kernel], s_quick);

    public static HostCommand Applets(string busybox) => new(busybox, ["--list"], s_quick);

    /// <summary>Which libraries a program loads, asked of the unpacked loader itself.</summary>
    public static HostCommand LibrariesOf(string loader, IEnumerable<string> libraries, string program) =>
        new(loader, ["--library-path", string.Join(':', libraries), "--list", program], s_quick);

    /// <summary>An initial RAM disk, not compressed: unpacking costs an emulated processor more than reading.</summary>
    public static HostCommand Cpio(string directory, IEnumerable<string> names, string path) =>
        new("cpio", ["--create", "--quiet", "--format=newc", "--reproducible", "--owner=0:0", "--file=" + path], s_quick)
        {
            Directory = directory,
            Input = string.Join('\n', names) + "\n",
        };
}
