using System.Globalization;
using Portal.Engine.Lvm;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>What a Xen host is and how it is: briefly for the watch that looks every few seconds, in full for the host's page.</summary>
internal sealed class XenProbe(XenHost host, TimeProvider clock)
{
    private static readonly TimeSpan s_clockMayDiffer = TimeSpan.FromSeconds(10);

    private static readonly Dictionary<string, HostCommand> s_papers = new()
    {
        ["xl info"] = XlCommands.Info(),
        ["xl dmesg"] = XlCommands.Dmesg(),
        ["xl list"] = XlCommands.List(),
        ["Memory"] = PortalHostCommands.Read("/proc/meminfo"),
        ["Processors"] = PortalHostCommands.Read("/proc/cpuinfo"),
    };

    // What xl and LVM need on a Debian host, and the packages that they come with.
    private static readonly (string Tool, string Package)[] s_tools = [("lvcreate", "lvm2"), ("thin_check", "thin-provisioning-tools"), ("xl", "xen-utils-common"), ("xenstore-read", "xenstore-utils")];

    public static IReadOnlyList<string> Papers => [.. s_papers.Keys];

    public async Task<HostReport> ReportAsync(CancellationToken ct)
    {
        var info = XlAnswers.Info(await host.AskAsync(XlCommands.Info(), ct).ConfigureAwait(false));
        var facts = HostFacts.Parse(await host.AskAsync(PortalHostCommands.Facts(), ct).ConfigureAwait(false));
        var volumes = await host.RunAsync(LvmCommands.List(host.Storage.Group), ct).ConfigureAwait(false);
        var listed = volumes.Succeeded ? LvmAnswers.Volumes(volumes.Output) : [];
        var pool = listed.FirstOrDefault(v => v.Name == host.Storage.Pool && v.IsThinPool);
        return new HostReport
        {
            Hypervisor = $"Xen {info.Version}, {info.Scheduler}",
            HardwareVirtualisation = true, // PV guests run on the processor itself, with or without its extensions for it
            Cpus = info.Cpus,
            Memory = info.Memory,
            BootId = facts.Boot,
            PoolSize = pool?.Size ?? ByteSize.Zero,
            PoolFree = pool is null ? ByteSize.Zero : XenVolumes.Free(pool),
            PoolTaken = new ByteSize(listed.Where(v => v.Pool == host.Storage.Pool && XenVolumes.DomainOf(v.Name) is { } of && of.Instance == host.Instance).Sum(v => v.Taken.Bytes)),
            Findings = [.. PoolChecks(volumes, pool).Concat([BridgeCheck(facts), GuardCheck(facts)]).Where(c => c.Level != CheckLevel.Good).Select(c => new HostFinding(c.Code, $"{c.Subject}: {c.Found}.", c.Remedy, c.Level == CheckLevel.Bad))],
        };
    }

    public async Task<IReadOnlyList<HostCheck>> SurveyAsync(CancellationToken ct)
    {
        var asked = clock.GetUtcNow();
        var facts = HostFacts.Parse(await host.AskAsync(PortalHostCommands.Facts(), ct).ConfigureAwait(false));
        var answered = clock.GetUtcNow();
        var info = XlAnswers.Info(await host.AskAsync(XlCommands.Info(), ct).ConfigureAwait(false));
        var groups = LvmAnswers.Groups(await host.AskAsync(LvmCommands.Groups(), ct).ConfigureAwait(false));
        var volumes = await host.RunAsync(LvmCommands.List(host.Storage.Group), ct).ConfigureAwait(false);
        var pool = volumes.Succeeded ? LvmAnswers.Volumes(volumes.Output).FirstOrDefault(v => v.Name == host.Storage.Pool && v.IsThinPool) : null;
        return
        [
            HostCheck.Good("hypervisor", "Hypervisor", $"Xen {info.Version}, scheduler {info.Scheduler}, capabilities {info.Capabilities}"),
            HostCheck.Good("kernel", "Kernel of the host", facts.Kernel),
            HostCheck.Good("cpus", "Processors", $"{info.Cpus} x {facts.Processor}"),
            HostCheck.Good("memory", "Memory", $"{info.Memory}, {info.FreeMemory} free for guests"),
            HostCheck.Good("load", "Load", $"{facts.Load}, up for {Said(facts.Uptime)}"),
            GroupCheck(groups),
            .. PoolChecks(volumes, pool),
            BridgeCheck(facts),
            GuardCheck(facts),
            ToolCheck(facts),
            ConsoleCheck(facts),
            ClockCheck(facts, asked, answered),
        ];
    }

    /// <exception cref="ArgumentException">There is no such paper.</exception>
    public async Task<string> ReadPaperAsync(string paper, CancellationToken ct) =>
        s_papers.TryGetValue(paper, out var command) ? await host.AskAsync(command, ct).ConfigureAwait(false) : throw new ArgumentException($"There is no {paper}.", nameof(paper));

    private HostCheck GroupCheck(IReadOnlyList<VolumeGroup> groups) =>
        groups.FirstOrDefault(g => g.Name == host.Storage.Group) is { } group
            ? HostCheck.Good("group", $"Volume group {group.Name}", $"{group.Size}, {group.Free} not given to any volume")
            : HostCheck.Bad("group.missing", $"Volume group {host.Storage.Group}", $"it is not there; the host has {Said(groups.Select(g => g.Name))}", $"vgcreate {host.Storage.Group} DEVICE, or name another volume group for this host.");

    private IEnumerable<HostCheck> PoolChecks(HostAnswer volumes, LogicalVolume? pool)
    {
        var name = $"{host.Storage.Group}/{host.Storage.Pool}";
        if (pool is null)
        {
            yield return HostCheck.Bad("pool.missing", $"Thin pool {name}", volumes.Succeeded ? "it is not there" : XlAnswers.Complaint(volumes), $"lvcreate --type thin-pool --name {host.Storage.Pool} --size SIZE {host.Storage.Group}");
            yield break;
        }

        yield return pool.Zeroes
            ? HostCheck.Good("pool.zeroes", $"Thin pool {name}, new blocks", "are zeroed before anybody sees them")
            : HostCheck.Bad("pool.not_zeroing", $"Thin pool {name}, new blocks", "are given out as they are: a VM could read what a deleted one has left", $"lvchange --zero y {name}");
        foreach (var (what, percent, option) in new[] { ("data", pool.DataPercent, ""), ("metadata", pool.MetadataPercent, " --poolmetadatasize") })
        {
            var found = $"{percent?.ToString("0.#", CultureInfo.InvariantCulture) ?? "?"} % full{(what == "data" ? $" of {pool.Size}" : "")}";
            var remedy = $"lvextend{(option.Length == 0 ? " --size" : option)} +SIZE {name}";
            yield return percent switch
            {
                > 95 => HostCheck.Bad("pool.full", $"Thin pool {name}, {what}", found, remedy),
                > 85 => HostCheck.Warning("pool.full", $"Thin pool {name}, {what}", found, remedy),
                _ => HostCheck.Good("pool", $"Thin pool {name}, {what}", found),
            };
        }
    }

    private HostCheck BridgeCheck(HostFacts facts) =>
        facts.Bridges.Contains(host.Storage.Bridge)
            ? HostCheck.Good("bridge", $"Bridge {host.Storage.Bridge}", "is there")
            : HostCheck.Bad("bridge.missing", $"Bridge {host.Storage.Bridge}", $"it is not there; the host has {Said(facts.Bridges)}", "Make it in the host's network configuration, or name another bridge for this host.");

    // Its own check and not one of the tools: no guest is started without it.
    private static HostCheck GuardCheck(HostFacts facts) =>
        facts.Tools.Contains("nft")
            ? HostCheck.Good("guard", "Guests' addresses", "each guest sends only from its own")
            : HostCheck.Bad("guard.missing", "Guests' addresses", "a guest could send from another's: there is no nft", "apt install nftables");

    private static HostCheck ToolCheck(HostFacts facts)
    {
        var missing = s_tools.Where(t => !facts.Tools.Contains(t.Tool)).ToList();
        return missing.Count == 0
            ? HostCheck.Good("tools", "Programs", "all are there")
            : HostCheck.Bad("tools.missing", "Programs", $"missing: {string.Join(", ", missing.Select(t => t.Tool))}", $"apt install {string.Join(' ', missing.Select(t => t.Package).Distinct())}");
    }

    // Without it a console shows nothing of what was printed before somebody looked.
    private static HostCheck ConsoleCheck(HostFacts facts) =>
        facts.ConsoleDaemon.Contains("--log=guest", StringComparison.Ordinal) || facts.ConsoleDaemon.Contains("--log=all", StringComparison.Ordinal)
            ? HostCheck.Good("consoles", "Consoles of guests", "are logged by xenconsoled")
            : HostCheck.Bad("consoles.unlogged", "Consoles of guests", facts.ConsoleDaemon.Length == 0 ? "xenconsoled does not run" : "xenconsoled keeps no logs", "echo 'XENCONSOLED_ARGS=--log=guest' >> /etc/default/xen, then systemctl restart xen");

    private static HostCheck ClockCheck(HostFacts facts, DateTimeOffset asked, DateTimeOffset answered)
    {
        // As far off as it is at least: its answer was given between the two.
        var off = facts.Time < asked ? asked - facts.Time : facts.Time > answered ? facts.Time - answered : TimeSpan.Zero;
        return off <= s_clockMayDiffer
            ? HostCheck.Good("clock", "Clock", "agrees with the portal's")
            : HostCheck.Warning("clock.off", "Clock", $"{off.TotalSeconds:0} s {(facts.Time < asked ? "behind" : "ahead of")} the portal's", "timedatectl set-ntp true");
    }

    private static string Said(TimeSpan time) => time.TotalHours < 1 ? $"{time.Minutes} min" : time.TotalDays < 1 ? $"{time.Hours} h {time.Minutes} min" : $"{time.Days} d {time.Hours} h";

    private static string Said(IEnumerable<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal)) is { Length: > 0 } text ? text : "none";
}
