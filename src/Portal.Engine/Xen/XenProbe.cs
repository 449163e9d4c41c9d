using Portal.Engine.Lvm;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>What a Xen host is and how it is: briefly for the watch that looks every few seconds, in full for the host's page.</summary>
internal sealed class XenProbe(XenHost host, TimeProvider clock)
{
    public const string InstallAgain = "Run the installation script of this host once more; it is on the host's page.";

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
    private static readonly (string Tool, string Package)[] s_tools = [("lvcreate", "lvm2"), ("thin_check", "thin-provisioning-tools"), ("losetup", "mount"), ("xl", "xen-utils-common"), ("xenstore-read", "xenstore-utils")];

    public static IReadOnlyList<string> Papers => [.. s_papers.Keys];

    public async Task<HostReport> ReportAsync(CancellationToken ct)
    {
        var info = XlAnswers.Info(await host.AskAsync(XlCommands.Info(), ct).ConfigureAwait(false));
        var facts = HostFacts.Parse(await host.AskAsync(PortalHostCommands.Facts(), ct).ConfigureAwait(false));
        var (stores, kinds) = (await LookAsync(facts, ct).ConfigureAwait(false), XenKinds.Of(info, facts));
        return new HostReport
        {
            Hypervisor = $"Xen {info.Version}, {info.Scheduler}",
            Guests = kinds.Kinds,
            HardwareVirtualisation = true, // PV guests run on the processor itself, with or without its extensions for it
            Cpus = info.Cpus,
            Memory = info.Memory,
            BootId = facts.Boot,
            PoolSize = stores[0].Room?.Size ?? ByteSize.Zero,
            PoolFree = stores[0].Room?.Free ?? ByteSize.Zero,
            PoolTaken = new ByteSize(stores[0].Volumes.Where(v => v.Pool == host.Storage.Pool && DomainName.TryParse(XenDetach.DiskOf(v.Name), out var of) && of.Instance == host.Instance).Sum(v => v.Taken.Bytes)),
            Findings = [.. stores.SelectMany(s => s.Checks).Concat([BridgeCheck(facts), GuardCheck(facts), kinds.KernelCheck(host.Guests)]).Where(c => c.Level != CheckLevel.Good).Select(c => new HostFinding(c.Code, $"{c.Subject}: {c.Found}.", c.Remedy, c.Level == CheckLevel.Bad))],
        };
    }

    public async Task<IReadOnlyList<HostCheck>> SurveyAsync(CancellationToken ct)
    {
        var asked = clock.GetUtcNow();
        var facts = HostFacts.Parse(await host.AskAsync(PortalHostCommands.Facts(), ct).ConfigureAwait(false));
        var answered = clock.GetUtcNow();
        var info = XlAnswers.Info(await host.AskAsync(XlCommands.Info(), ct).ConfigureAwait(false));
        var groups = await host.GroupsAsync(facts, ct).ConfigureAwait(false);
        return
        [
            HostCheck.Good("hypervisor", "Hypervisor", $"Xen {info.Version}, scheduler {info.Scheduler}, capabilities {info.Capabilities}"),
            HostCheck.Good("kernel", "Kernel of the host", facts.Kernel),
            HostCheck.Good("cpus", "Processors", $"{info.Cpus} x {facts.Processor}"),
            HostCheck.Good("memory", "Memory", $"{info.Memory}, {info.FreeMemory} free for guests"),
            HostCheck.Good("load", "Load", $"{facts.Load}, up for {Said(facts.Uptime)}"),
            .. host.Storage is { Pool: not null, Group: { } group } ? (HostCheck[])[GroupCheck(group, groups)] : [],
            .. (await LookAsync(facts, ct).ConfigureAwait(false)).SelectMany(s => s.Checks),
            BridgeCheck(facts),
            GuardCheck(facts),
            XenKinds.Of(info, facts).KernelCheck(host.Guests),
            XenKinds.Of(info, facts).PcCheck,
            ToolCheck(facts),
            ConsoleCheck(facts),
            ClockCheck(facts, asked, answered),
        ];
    }

    /// <summary>How guests can run here. Changes nothing.</summary>
    public async Task<XenKinds> KindsAsync(CancellationToken ct) =>
        XenKinds.Of(XlAnswers.Info(await host.AskAsync(XlCommands.Info(), ct).ConfigureAwait(false)), HostFacts.Parse(await host.AskAsync(PortalHostCommands.Facts(), ct).ConfigureAwait(false)));

    /// <exception cref="ArgumentException">There is no such paper.</exception>
    public async Task<string> ReadPaperAsync(string paper, CancellationToken ct) =>
        s_papers.TryGetValue(paper, out var command) ? await host.AskAsync(command, ct).ConfigureAwait(false) : throw new ArgumentException($"There is no {paper}.", nameof(paper));

    // The first is where disks are.
    private async Task<IReadOnlyList<StoreLook>> LookAsync(HostFacts facts, CancellationToken ct)
    {
        List<StoreLook> looks = [];
        foreach (var store in host.Stores)
        {
            looks.Add(await store.LookAsync(facts, ct).ConfigureAwait(false));
        }

        return host.ExtendsPool && !facts.Pools.Contains(host.Store.Name)
            ? [looks[0] with { Checks = [.. looks[0].Checks, HostCheck.Warning("pool.not_extended", $"Thin pool {host.Store.Name}, extension", "the portal is to make it larger when it is nearly full, and this host does not let it", InstallAgain)] }, .. looks.Skip(1)]
            : looks;
    }

    private static HostCheck GroupCheck(string name, IReadOnlyList<VolumeGroup> groups) =>
        groups.FirstOrDefault(g => g.Name == name) is { } group
            ? HostCheck.Good("group", $"Volume group {name}", $"{group.Size}, {group.Free} not given to any volume")
            : HostCheck.Bad("group.missing", $"Volume group {name}", $"it is not there; the host has {Said(groups.Select(g => g.Name))}", $"vgcreate {name} DEVICE, or name another volume group for this host.");

    private HostCheck BridgeCheck(HostFacts facts) =>
        facts.Bridges.Contains(host.Storage.Bridge)
            ? HostCheck.Good("bridge", $"Bridge {host.Storage.Bridge}", "is there")
            : HostCheck.Bad("bridge.missing", $"Bridge {host.Storage.Bridge}", $"it is not there; the host has {Said(facts.Bridges)}", "Make it in the host's network configuration, or name another bridge for this host.");

    // Its own check and not one of the tools: no guest is started without it.
    private static HostCheck GuardCheck(HostFacts facts) =>
        !facts.Tools.Contains("nft") ? HostCheck.Bad("guard.missing", "Guests' addresses", "a guest could send from another's: there is no nft", "apt install nftables")
            : facts.GuardsFail ? HostCheck.Bad("guard.failing", "Guests' addresses", "nft did not take the rules that keep guests to their own", $"nft -f {PortalHostCommands.Files}/guards.nft, as root on the host, says why")
            : HostCheck.Good("guard", "Guests' addresses", "each guest sends only from its own");

    private HostCheck ToolCheck(HostFacts facts)
    {
        var missing = s_tools.Where(t => IsNeeded(t.Tool) && !facts.Tools.Contains(t.Tool)).ToList();
        return missing.Count == 0
            ? HostCheck.Good("tools", "Programs", "all are there")
            : HostCheck.Bad("tools.missing", "Programs", $"missing: {string.Join(", ", missing.Select(t => t.Tool))}", $"apt install {string.Join(' ', missing.Select(t => t.Package).Distinct())}");
    }

    private bool IsNeeded(string tool) => tool switch
    {
        "lvcreate" => host.Stores.Any(s => s is LvmStore),
        "thin_check" => host.Store is ThinStore,
        "losetup" => host.Store is DirectoryStore,
        _ => true,
    };

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

    internal static string Said(IEnumerable<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal)) is { Length: > 0 } text ? text : "none";
}
