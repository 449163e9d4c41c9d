using System.Globalization;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Images.Import;

/// <summary>
/// The commands that take an image apart, and the sandbox around each. What they are about has fixed names in there: no word of it was ever typed by a person, or stands
/// in the image.
/// </summary>
internal static class SandboxCommands
{
    /// <summary>Where the image is in the sandbox, to be read only.</summary>
    public const string Source = "/source";

    // Debian's policy (9.2.2) keeps 65000 to 65533 free of everybody's accounts.
    private const string Nobody = "65533";

    private const long Memory = 2L << 30;

    private static readonly TimeSpan s_slow = TimeSpan.FromHours(1);

    // Of what /usr needs at the top to be found: all of Debian's releases that are supported have it merged.
    private static readonly string[] s_system =
        ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--perms", "0755", "--dir", "/etc", "--ro-bind-try", "/etc/mke2fs.conf", "/etc/mke2fs.conf"];

    /// <summary>What has to be there for an import, by the package that has it.</summary>
    public static IReadOnlyList<(string Program, string Package)> Needed { get; } =
    [
        ("bwrap", "bubblewrap"), ("setpriv", "util-linux"), ("prlimit", "util-linux"), ("unshare", "util-linux"), ("flock", "util-linux"), ("qemu-img", "qemu-utils"), ("mke2fs", "e2fsprogs"),
        ("debugfs", "e2fsprogs"), ("tar", "tar"), ("gzip", "gzip"), ("xz", "xz-utils"), ("zstd", "zstd"),
    ];

    /// <summary>
    /// A command in the sandbox: no network, of the machine's files only its programs, one directory to write in, another user, no rights, and limits on what it takes.
    /// </summary>
    /// <param name="root">Whether the portal is root. Then the sandbox is made as root, works where others may make no user namespace, and its programs are somebody else.</param>
    /// <param name="busy">A lock that it holds: a killed portal does not take its last command with it, and the next one waits for its end.</param>
    /// <param name="box">The directory to write in, which is where it runs.</param>
    /// <param name="source">A file that it may read; null for none.</param>
    /// <param name="most">No file gets larger.</param>
    public static HostCommand Inside(HostCommand inner, bool root, bool files, string busy, string box, string? source, ByteSize most)
    {
        List<string> words =
        [
            busy, "prlimit", $"--as={Number(Memory)}", $"--fsize={Number(most.Bytes)}", $"--cpu={Number((long)s_slow.TotalSeconds)}", "--core=0", "--nofile=256",
            // Counted by user: where the portal's own user does it, all of its threads would count.
            .. root ? ["--nproc=64"] : (string[])[],
            "bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try", "--new-session", "--die-with-parent",
            "--clearenv", "--setenv", "PATH", "/usr/sbin:/usr/bin", "--setenv", "LC_ALL", "C",
            .. s_system, "--proc", "/proc", "--dev", "/dev", "--bind", box, "/box", "--chdir", "/box",
            .. source is null ? (string[])[] : ["--ro-bind", source, Source],
            // What bwrap made for these lies in memory, which nothing bounds as it does a file.
            "--remount-ro", "/dev", "--remount-ro", "/",
        ];

        // What unpacks files and what makes a file system of them has to believe that it is root, so that they are root's in there: in a user namespace of its own, with the rights
        // over files alone.
        if (root)
        {
            words.AddRange("--", "setpriv", "--reuid=" + Nobody, "--regid=" + Nobody, "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all");
            if (files)
            {
                words.AddRange("unshare", "--user", "--map-root-user", "setpriv", "--inh-caps=-all", "--bounding-set=-all,+dac_override,+fowner,+fsetid");
            }
        }
        else
        {
            words.AddRange("--unshare-user", "--uid", "0", "--gid", "0", "--cap-drop", "ALL");
            if (files)
            {
                words.AddRange("--cap-add", "CAP_DAC_OVERRIDE", "--cap-add", "CAP_FOWNER", "--cap-add", "CAP_FSETID");
            }

            words.Add("--");
        }

        return new HostCommand("flock", [.. words, inner.Program, .. inner.Arguments], inner.Timeout);
    }

    public static HostCommand Nothing() => Of("true");

    /// <summary>Waits for an import that outlived its portal.</summary>
    public static HostCommand Wait(string busy) => new("flock", [busy, "true"], s_slow);

    public static HostCommand Unpack(ImagePacking packing) => Script(packing switch
    {
        ImagePacking.Gzip => "exec gzip -dc </source >image",
        ImagePacking.Xz => "exec xz -dc --memlimit-decompress=1GiB </source >image",
        ImagePacking.Zstd => "exec zstd -dcq --memory=1024MB </source >image",
        ImagePacking.None => throw new ArgumentOutOfRangeException(nameof(packing)),
    });

    /// <summary>Opens no other file than the image: formats are given, and the header was looked at before.</summary>
    public static HostCommand Qcow2ToRaw() => Of("qemu-img", "convert", "-f", "qcow2", "-O", "raw", Source, "disk.raw");

    public static HostCommand RawToQcow2() => Of("qemu-img", "convert", "-f", "raw", "-O", "qcow2", Source, "disk.qcow2");

    /// <summary>What the tarball says of its entries, one line each, into a file; names in quotes, what is not plain in them as in C.</summary>
    public static HostCommand ListTar() => Script("exec tar --list --verbose --numeric-owner --quoting-style=c --file=/source >listing");

    /// <summary>Into the directory root, all of it the sandbox's own user's; what stands in the file left-out is passed over.</summary>
    public static HostCommand Untar() => Script(
        "mkdir root && exec tar --extract --file=/source --directory=root --no-same-owner --preserve-permissions --no-acls --no-selinux --no-xattrs --anchored --no-wildcards --exclude-from=/box/left-out");

    public static HostCommand Taken() => Of("du", "--summarize", "--block-size=1", "root");

    /// <param name="files">For each there is to be an inode.</param>
    public static HostCommand Ext4(ByteSize size, int files) => Of(
        "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-L", "portal-root", "-N", Number(Math.Max(size.Bytes >> 14, files + (files / 4) + 4096)), "-d", "root", "-E", "root_owner=0:0", "disk.raw", $"{size.CeilingMiB}M");

    /// <summary>Does what the file owners says: whose files are whose.</summary>
    public static HostCommand Own() => Of("debugfs", "-w", "-f", "owners", "disk.raw");

    /// <summary>What lies in /boot, one line each: /inode/mode/uid/gid/name/size/.</summary>
    public static HostCommand ListBoot() => Of("debugfs", "-R", "ls -p /boot", Source);

    /// <param name="file">A name in /boot of the plain kind, see <see cref="BootFiles"/>.</param>
    public static HostCommand TakeOut(string file, string to) => Of("debugfs", "-R", $"dump /boot/{file} {to}", Source);

    /// <summary>Removes all that the sandbox's directory holds, also what only its own user may enter.</summary>
    public static HostCommand Empty() => Of("find", ".", "-mindepth", "1", "-delete");

    /// <summary>What a thing in a sandbox's directory is, itself and not what it points to.</summary>
    public static HostCommand KindOf(string path) => new("stat", ["--format=%F", path], s_slow);

    public static HostCommand GiveToRoot(string path) => new("chown", ["--no-dereference", "0:0", path], s_slow);

    private static HostCommand Of(string program, params string[] arguments) => new(program, arguments, s_slow);

    private static HostCommand Script(string text) => Of("sh", "-c", text);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
