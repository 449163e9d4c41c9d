using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>The commands that Xen's xl is asked with.</summary>
internal static class XlCommands
{
    private static readonly TimeSpan s_ask = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_act = TimeSpan.FromMinutes(3);

    // As much as the guest's memory takes to be written.
    private static readonly TimeSpan s_slow = TimeSpan.FromMinutes(30);

    public static HostCommand Info() => Ask("info");

    /// <summary>The hypervisor's own messages.</summary>
    public static HostCommand Dmesg() => Ask("dmesg");

    public static HostCommand List() => Ask("list");

    /// <summary>How each domain was configured, as JSON.</summary>
    public static HostCommand ListLong() => Ask("list", "--long");

    public static HostCommand ListLong(string domain) => Ask("list", "--long", domain);

    public static HostCommand ListOne(string domain) => Ask("list", domain);

    /// <summary>Gives back once the domain runs; its configuration stays on the host.</summary>
    public static HostCommand Create(string config) => Act("create", "-q", config);

    /// <summary>Asks the guest through its own driver, or where it has none by ACPI; does not wait.</summary>
    public static HostCommand Shutdown(string domain) => Act("shutdown", "-F", domain);

    public static HostCommand Destroy(string domain) => Act("destroy", domain);

    public static HostCommand Pause(string domain) => Act("pause", domain);

    public static HostCommand Unpause(string domain) => Act("unpause", domain);

    /// <summary>Writes the guest's memory to a file and ends the domain once all of it is there.</summary>
    public static HostCommand Save(string domain, string file) => new("xl", ["save", domain, file], s_slow);

    /// <summary>Gives back once the domain is there as it was saved, and paused. Its configuration is in the file, with what was attached since its start.</summary>
    public static HostCommand Restore(string file) => new("xl", ["restore", "-p", file], s_slow);

    public static HostCommand SysRq(string domain, char key) => Act("sysrq", domain, key.ToString());

    /// <summary>Tells the guest's balloon how much memory is left to it; it takes its time.</summary>
    public static HostCommand MemorySet(string domain, ByteSize memory) => Act("mem-set", domain, Invariant($"{memory.CeilingMiB}m"));

    public static HostCommand VcpuSet(string domain, int vcpus) => Act("vcpu-set", domain, Invariant($"{vcpus}"));

    public static HostCommand VcpuList(string domain) => Ask("vcpu-list", domain);

    /// <param name="cpus">As xl writes them: <c>0,2</c> or <c>all</c>.</param>
    public static HostCommand VcpuPin(string domain, int? vcpu, string cpus) => Act("vcpu-pin", domain, vcpu is { } one ? Invariant($"{one}") : "all", cpus);

    /// <param name="scheduler">The host's: credit or credit2.</param>
    public static HostCommand Share(string scheduler, string domain) => Ask($"sched-{scheduler}", "-d", domain);

    public static HostCommand SetShare(string scheduler, string domain, int weight, int cap) => Act($"sched-{scheduler}", "-d", domain, "-w", Invariant($"{weight}"), "-c", Invariant($"{cap}"));

    public static HostCommand BlockList(string domain) => Ask("block-list", domain);

    public static HostCommand BlockAttach(string domain, string device, string guestDevice, bool readOnly) => Act("block-attach", domain, XenStorage.Disk(device, guestDevice, readOnly));

    public static HostCommand BlockDetach(string domain, string guestDevice) => Act("block-detach", domain, guestDevice);

    public static HostCommand NetworkList(string domain) => Ask("network-list", domain);

    public static HostCommand NetworkAttach(string domain, MacAddress mac, string bridge) => Act("network-attach", domain, $"mac={mac}", $"bridge={bridge}", $"vifname={XenConfig.CardOf(mac)}");

    /// <param name="index">As <see cref="NetworkList"/> counts them.</param>
    public static HostCommand NetworkDetach(string domain, int index) => Act("network-detach", domain, Invariant($"{index}"));

    /// <summary>The log of the process that watches a domain, in which the reason of its end stands.</summary>
    public static HostCommand Log(string domain) => new("cat", [$"/var/log/xen/xl-{domain}.log"], s_ask);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private static HostCommand Ask(params string[] words) => new("xl", words, s_ask);

    private static HostCommand Act(params string[] words) => new("xl", words, s_act);
}
