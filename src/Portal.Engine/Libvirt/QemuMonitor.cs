using System.Text.Json;
using System.Text.Json.Nodes;

namespace Portal.Engine.Libvirt;

/// <summary>
/// What is said to a running QEMU behind libvirt's back (https://qemu-project.gitlab.io/qemu/interop/qemu-qmp-ref.html): libvirt has no word for a snapshot of one
/// disk inside its own file. It changes nothing that libvirt keeps account of.
/// </summary>
internal static class QemuMonitor
{
    public static string QueryDisks { get; } = Command("query-block", []);

    /// <summary>Keeps a disk as it is at this moment; what the guest has written and not been told is on the disk, is in it or not.</summary>
    public static string TakeSnapshot(string node, string tag) => Command("blockdev-snapshot-internal-sync", new() { ["device"] = node, ["name"] = tag });

    public static string RemoveSnapshot(string node, string tag) => Command("blockdev-snapshot-delete-internal-sync", new() { ["device"] = node, ["name"] = tag });

    /// <summary>What it complains of; null where it did as it was told.</summary>
    /// <exception cref="HostFaultException">It is not QEMU's answer.</exception>
    public static string? Complaint(string answer) => Read(answer, root => root.TryGetProperty("error", out var error) ? error.GetProperty("desc").GetString() : null);

    /// <summary>The disks that it has open.</summary>
    /// <exception cref="HostFaultException">It is not QEMU's answer.</exception>
    public static IReadOnlyList<QemuDisk> Disks(string answer) => Read(answer, root => root.GetProperty("return").EnumerateArray()
        .Where(device => device.TryGetProperty("inserted", out _))
        .Select(device => device.GetProperty("inserted"))
        .Select(disk => new QemuDisk(
            disk.GetProperty("node-name").GetString()!,
            disk.GetProperty("file").GetString()!,
            disk.GetProperty("image").TryGetProperty("snapshots", out var snapshots) ? [.. snapshots.EnumerateArray().Select(s => s.GetProperty("name").GetString()!)] : []))
        .ToList());

    private static string Command(string verb, JsonObject arguments) => new JsonObject { ["execute"] = verb, ["arguments"] = arguments }.ToJsonString();

    private static T Read<T>(string answer, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            return read(document.RootElement);
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new HostFaultException($"QEMU answered what cannot be understood: {answer[..Math.Min(answer.Length, 500)]}", broken);
        }
    }
}

/// <param name="Node">QEMU's name for it.</param>
internal sealed record QemuDisk(string Node, string File, IReadOnlyList<string> Snapshots);
