using Portal.Engine.Shell;

namespace Portal.Engine.Images;

/// <summary>The commands that build a Debian.</summary>
internal static class DebianCommands
{
    private static readonly TimeSpan s_quick = TimeSpan.FromSeconds(60);

    // Over a slow line, on a busy machine.
    private static readonly TimeSpan s_build = TimeSpan.FromHours(2);

    // dbus: without it nobody hears the power button, which is how KVM asks a guest to shut down.
    private static readonly string[] s_packages = ["systemd-sysv", "dbus", "udev", "kmod", "procps", "iproute2", "iputils-ping", "openssh-server", "e2fsprogs"];

    private static readonly string[] s_fetching = ["Acquire::Check-", "Acquire::http", "Acquire::Retries"];

    /// <summary>All that the machine's apt has sources of: address, codename, component and origin of each.</summary>
    public static HostCommand Targets() => new("apt-get", ["indextargets", "--format", "$(REPO_URI)|$(CODENAME)|$(COMPONENT)|$(ORIGIN)", "Created-By: Packages"], s_quick);

    public static HostCommand Config() => new("apt-config", ["dump"], s_quick);

    /// <summary>Fetches one file as apt does it, without waiting long for who does not answer.</summary>
    public static HostCommand Fetch(string address, string path) => new(
        "/usr/lib/apt/apt-helper",
        ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10", "download-file", address, path],
        s_quick);

    /// <summary>What of apt's configuration says how to fetch; without it a machine behind a proxy fetches nothing.</summary>
    public static string Fetching(string config) => string.Concat(config.Split('\n')
        .Where(line => s_fetching.Any(name => line.StartsWith(name, StringComparison.Ordinal)))
        .Select(line => line + "\n"));

    /// <summary>
    /// A directory tree of a release, with only what a VM needs. What may hold a password (a proxy's, a mirror's) comes from files: arguments are readable by all.
    /// </summary>
    /// <param name="busy">A lock that it holds: a killed portal does not take its build with it, and the next one waits for its end.</param>
    public static HostCommand Bootstrap(string release, string work, string busy, Action<string> heard) => new(
        "flock",
        [
            // Its mounts are its own: one that is killed leaves none behind, and whoever removes the tree never walks into the machine's /dev.
            // It takes minutes of a processor on a machine whose work is the portal and its guests.
            busy, "nice", "--adjustment=10", "unshare", "--mount", "mmdebstrap", "--mode=root", "--format=directory", "--variant=minbase",
            // bookworm would merge /usr by a package that brings the whole of Perl along.
            "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr",
            "--include=" + string.Join(',', release == "bookworm" ? [.. s_packages, "usr-is-merged"] : s_packages),
            "--aptopt=" + Path.Combine(work, "apt.conf"), "--aptopt=APT::Install-Recommends \"false\"", "--dpkgopt=force-unsafe-io",
            "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
            "--customize-hook=" + Path.Combine(work, "finish"), release, Path.Combine(work, "root"), Path.Combine(work, "sources"),
        ],
        s_build)
    {
        Heard = heard,
        Environment = new Dictionary<string, string> { ["PORTAL_PARTS"] = Path.Combine(work, "parts") },
    };

    /// <summary>Waits for a build that outlived its portal.</summary>
    public static HostCommand Wait(string busy) => new("flock", [busy, "true"], s_build);

    public static HostCommand Taken(string directory) => new("du", ["--summarize", "--block-size=1", directory], s_quick);
}
