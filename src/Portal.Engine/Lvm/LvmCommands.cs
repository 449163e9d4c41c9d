using System.Globalization;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Lvm;

/// <summary>The commands that LVM is asked with. Sizes in bytes, answers in JSON.</summary>
internal static class LvmCommands
{
    private static readonly TimeSpan s_ask = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_act = TimeSpan.FromSeconds(90);

    // A terabyte on a slow disk.
    private static readonly TimeSpan s_long = TimeSpan.FromHours(12);

    /// <summary>All volumes of a group.</summary>
    public static HostCommand List(string group) => Report("lvs", "vg_name,lv_name,lv_size,lv_attr,lv_tags,pool_lv,origin,data_percent,metadata_percent,lv_metadata_size", group);

    /// <summary>All volume groups of the host, the portal's or not.</summary>
    public static HostCommand Groups() => new("vgs", ["--reportformat=json", "--units=b", "--nosuffix", "--options", "vg_name,vg_size,vg_free"], s_ask);

    /// <summary>A thin volume that reads as zeros.</summary>
    public static HostCommand Thin(string group, string pool, string name, ByteSize size) =>
        Act("lvcreate", ["--yes", "--virtualsize", Bytes(size), "--thinpool", pool, "--name", name, "--addtag", StoredVolume.Own, group]);

    /// <summary>A thin snapshot: it is active at once, and as large as its origin.</summary>
    public static HostCommand ThinSnapshot(string group, string origin, string name) =>
        Act("lvcreate", ["--yes", "--snapshot", "--name", name, "--setactivationskip", "n", "--addtag", StoredVolume.Own, $"{group}/{origin}"]);

    /// <summary>A volume with blocks of its own, which hold whatever was in them: not even its first bytes are touched, because the caller overwrites all of it.</summary>
    public static HostCommand Thick(string group, string name, ByteSize size) =>
        Act("lvcreate", ["--yes", "--wipesignatures", "n", "--zero", "n", "--size", Bytes(size), "--name", name, "--addtag", StoredVolume.Own, group]);

    /// <summary>A classic snapshot that cannot overflow: it has room for every block of its origin, and for the list of them.</summary>
    public static HostCommand ClassicSnapshot(string group, string origin, string name) =>
        Act("lvcreate", ["--yes", "--snapshot", "--extents", "100%ORIGIN", "--name", name, "--addtag", StoredVolume.Own, $"{group}/{origin}"]);

    /// <summary>Makes a classic snapshot a volume of its own, in which lies what was written to it. Fails while it is in use.</summary>
    public static HostCommand SplitSnapshot(string group, string name) => Act("lvconvert", ["--splitsnapshot", "--yes", $"{group}/{name}"]);

    /// <summary>Overwrites a volume from an offset on; where the disk can do that by itself, with no data on the way.</summary>
    public static HostCommand Zero(string device, ByteSize from) =>
        new("blkdiscard", ["--zeroout", "--offset", from.Bytes.ToString(CultureInfo.InvariantCulture), device], s_long);

    public static HostCommand Activate(string group, string name, bool active) => Act("lvchange", ["--activate", active ? "y" : "n", $"{group}/{name}"]);

    public static HostCommand Extend(string group, string name, ByteSize size) => Act("lvextend", ["--size", Bytes(size), $"{group}/{name}"]);

    /// <summary>Of a thin pool.</summary>
    public static HostCommand ExtendMetadata(string group, string pool, ByteSize size) => Act("lvextend", ["--poolmetadatasize", Bytes(size), $"{group}/{pool}"]);

    public static HostCommand AddTag(string group, string name, string tag) => Act("lvchange", ["--addtag", tag, $"{group}/{name}"]);

    public static HostCommand RemoveTag(string group, string name, string tag) => Act("lvchange", ["--deltag", tag, $"{group}/{name}"]);

    /// <summary>An empty ext4 file system over all of a volume.</summary>
    public static HostCommand MakeExt4(string device) => Act("mkfs.ext4", ["-q", "-F", device]);

    public static HostCommand MakeSwap(string device) => Act("mkswap", [device]);

    public static HostCommand Rename(string group, string name, string other) => Act("lvrename", [group, name, other]);

    public static HostCommand Remove(string group, string name) => Act("lvremove", ["--yes", $"{group}/{name}"]);

    private static HostCommand Report(string program, string columns, string group) =>
        new(program, ["--reportformat=json", "--units=b", "--nosuffix", "--options", columns, group], s_ask);

    private static HostCommand Act(string program, IReadOnlyList<string> words) => new(program, words, s_act);

    private static string Bytes(ByteSize size) => size.Bytes.ToString(CultureInfo.InvariantCulture) + "b";
}
