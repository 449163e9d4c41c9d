using System.Globalization;
using System.Text.Json;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Lvm;

/// <summary>A logical volume as lvs lists it.</summary>
/// <param name="ThinPool">The thin pool that it takes its blocks from; null where it has blocks of its own.</param>
/// <param name="SnapshotOf">What it is a snapshot of; null where of nothing.</param>
/// <param name="DataPercent">How full a pool is, or how much of a thin volume has blocks; null where LVM does not say.</param>
internal sealed record LogicalVolume(
    string Group, string Name, ByteSize Size, string Attributes, IReadOnlyList<string> Tags, string? ThinPool, string? SnapshotOf, decimal? DataPercent, decimal? MetadataPercent, ByteSize? MetadataSize)
    : StoredVolume(Group, Name, Size, Tags)
{
    public override string? Pool => ThinPool;

    public override string? Origin => SnapshotOf;

    public override bool IsOpen => Attributes.Length > 5 && Attributes[5] == 'o';

    public bool IsThinPool => Attributes.StartsWith('t');

    /// <summary>Whether a pool gives out blocks that read as zeros: what a deleted volume held is never seen by the next (lvs(8), the eighth attribute).</summary>
    public bool Zeroes => Attributes.Length > 7 && Attributes[7] == 'z';

    /// <summary>What it takes of its pool now; of a group, all of its size, also where it is a snapshot and says how full that is.</summary>
    public override ByteSize Taken => (Pool is not null || IsThinPool) && DataPercent is { } percent ? new ByteSize((long)(Size.Bytes * percent / 100)) : Size;
}

/// <summary>A volume group as vgs lists it.</summary>
/// <param name="Free">In no volume.</param>
internal sealed record VolumeGroup(string Name, ByteSize Size, ByteSize Free);

/// <summary>Reads what LVM answers. Its exit code is 5 for every failure; only its words tell why.</summary>
internal static class LvmAnswers
{
    /// <exception cref="HostFaultException">That is no report.</exception>
    public static IReadOnlyList<LogicalVolume> Volumes(string report) =>
        [.. Rows(report, "lv").Select(row => new LogicalVolume(
            Text(row, "vg_name"), Text(row, "lv_name"), Bytes(row, "lv_size"), Text(row, "lv_attr"), Text(row, "lv_tags").Split(',', StringSplitOptions.RemoveEmptyEntries), OrNull(row, "pool_lv"), OrNull(row, "origin"),
            Percent(row, "data_percent"), Percent(row, "metadata_percent"), OrNull(row, "lv_metadata_size") is null ? null : Bytes(row, "lv_metadata_size")))];

    /// <exception cref="HostFaultException">That is no report.</exception>
    public static IReadOnlyList<VolumeGroup> Groups(string report) =>
        [.. Rows(report, "vg").Select(row => new VolumeGroup(Text(row, "vg_name"), Bytes(row, "vg_size"), Bytes(row, "vg_free")))];

    public static bool IsAbsent(HostAnswer answer) => Says(answer, "Failed to find logical volume") || Says(answer, "not found");

    public static bool IsInUse(HostAnswer answer) => Says(answer, "in use") || Says(answer, "is used by") || Says(answer, "resource busy");

    /// <summary>It was to be made larger, and is so already.</summary>
    public static bool IsThatLarge(HostAnswer answer) => Says(answer, "matches existing size") || Says(answer, "not larger than existing size");

    public static bool IsFull(HostAnswer answer) =>
        Says(answer, "insufficient free space") || Says(answer, "Insufficient free space") || Says(answer, "Cannot create new thin volume, free space in thin pool") || Says(answer, "reached threshold");

    private static bool Says(HostAnswer answer, string words) => !answer.Succeeded && answer.Error.Contains(words, StringComparison.Ordinal);

    private static List<JsonElement> Rows(string report, string kind)
    {
        try
        {
            using var document = JsonDocument.Parse(report);
            return [.. document.RootElement.GetProperty("report").EnumerateArray().SelectMany(part => part.GetProperty(kind).EnumerateArray()).Select(row => row.Clone())];
        }
        catch (Exception foreign) when (foreign is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new HostFaultException($"LVM answered what cannot be understood: {report[..Math.Min(report.Length, 200)]}", foreign);
        }
    }

    private static string Text(JsonElement row, string column) =>
        row.TryGetProperty(column, out var value) && value.GetString() is { } text ? text : throw new HostFaultException($"LVM left out the column {column}.");

    private static string? OrNull(JsonElement row, string column) => Text(row, column) is { Length: > 0 } text ? text : null;

    private static ByteSize Bytes(JsonElement row, string column) =>
        long.TryParse(Text(row, column), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? new ByteSize(bytes) : throw new HostFaultException($"LVM says {column}={Text(row, column)}, which is no size.");

    private static decimal? Percent(JsonElement row, string column) =>
        decimal.TryParse(Text(row, column), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) ? percent : null;
}
