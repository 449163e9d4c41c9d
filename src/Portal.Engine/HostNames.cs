using System.Text.RegularExpressions;
using Portal.Engine.Lvm;

namespace Portal.Engine;

/// <summary>Names on hosts that go into commands and configurations as they are. Pure.</summary>
public static partial class HostNames
{
    /// <summary>As LVM takes them for groups and volumes.</summary>
    public static bool IsLvm(string name) => LvmName.IsValid(name);

    /// <summary>IFNAMSIZ leaves 15 characters; of those that Linux would allow, the ones that portal-host does.</summary>
    public static bool IsBridge(string name) => Bridge().IsMatch(name);

    /// <summary>A block device by its path, each part of which is a plain name: /dev/sdb1, /dev/disk/by-id/ata-X.</summary>
    public static bool IsDevice(string path) => path.Length <= 200 && Device().IsMatch(path);

    /// <summary>A directory in which disks lie as files, by its path, which goes into configurations: no part of it is hidden, or of what the system itself lives in.</summary>
    public static bool IsDirectory(string path) => path.Length <= 100 && Directory().IsMatch(path);

    [GeneratedRegex("^(?!/(?:dev|etc|proc|run|sys)(?:/|\\z))(?:/[A-Za-z0-9_+][A-Za-z0-9_.+-]*)+\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Directory();

    [GeneratedRegex("^/dev(/[A-Za-z0-9_+][A-Za-z0-9_.+:-]*)+\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Device();

    [GeneratedRegex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Bridge();
}
