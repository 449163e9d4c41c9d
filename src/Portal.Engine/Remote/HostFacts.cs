using System.Globalization;
using Portal.Kernel;

namespace Portal.Engine.Remote;

/// <summary>What `portal-host` tells of its machine.</summary>
/// <param name="Pools">The thin pools that its root lets the portal make larger.</param>
/// <param name="Devices">Its own block devices that its root lets the portal give to guests.</param>
/// <param name="Directories">Those in which its root lets the portal keep disks as files, there or not.</param>
/// <param name="Parts">What of a whole PC is there: device_model, hvmloader, seabios.</param>
/// <param name="Groups">The volume groups that its root lets the portal use, there or not.</param>
internal sealed record HostFacts(DateTimeOffset Time, string Boot, string Kernel, string Processor, string Load, TimeSpan Uptime, string ConsoleDaemon, bool GuardsFail, IReadOnlyList<string> Bridges, IReadOnlyList<string> Tools, IReadOnlyList<string> Parts, IReadOnlyList<string> Groups, IReadOnlyList<string> Pools, IReadOnlyList<string> Devices, IReadOnlyList<string> Directories)
{
    /// <summary>The second number of df's second line.</summary>
    /// <exception cref="HostFaultException">There is none.</exception>
    public static ByteSize Room(string df) =>
        df.Split('\n', StringSplitOptions.RemoveEmptyEntries) is [_, var line] && line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var free] && long.TryParse(free, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? new ByteSize(bytes)
            : throw new HostFaultException($"df answered what cannot be understood: {df}");

    /// <exception cref="HostFaultException">It leaves out what every portal-host says.</exception>
    public static HostFacts Parse(string output)
    {
        var facts = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', 2)).ToLookup(words => words[0], words => words.Length == 2 ? words[1] : "");
        return new HostFacts(
            DateTimeOffset.FromUnixTimeMilliseconds((long)(Number("time") * 1000)), One("boot"), One("kernel"), One("processor"), One("load"), TimeSpan.FromSeconds(Number("uptime")), One("consoled"), One("guards") != "fine", [.. facts["bridge"]], [.. facts["tool"]], [.. facts["part"]], [.. facts["vg"]], [.. facts["pool"]], [.. facts["device"]], [.. facts["directory"]]);

        string One(string name) => facts[name].FirstOrDefault() ?? throw new HostFaultException($"portal-host does not say {name}.");
        double Number(string name) => double.TryParse(One(name), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : throw new HostFaultException($"portal-host says {name} {One(name)}, which is no number.");
    }
}
