using System.Globalization;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Libvirt;

/// <summary>The commands that libvirt is asked with.</summary>
internal static class VirshCommands
{
    private static readonly TimeSpan s_ask = TimeSpan.FromSeconds(20);

    // A start asks QEMU for its capabilities first, where the cache of them is stale: seconds on a busy machine.
    private static readonly TimeSpan s_act = TimeSpan.FromSeconds(90);

    /// <summary>What libvirt tells people of the host, by name.</summary>
    public static IReadOnlyDictionary<string, HostCommand> Papers { get; } = new Dictionary<string, HostCommand>
    {
        ["virsh version"] = Ask("version", "--daemon"),
        ["virsh nodeinfo"] = Ask("nodeinfo"),
        ["virsh list"] = Ask("list", "--all"),
    };

    public static HostCommand Version() => Ask("version", "--daemon");

    /// <summary>All domains with their states, in one command; --nowait: also while one of them is busy with a job.</summary>
    public static HostCommand States() => Ask("domstats", "--state", "--nowait");

    public static HostCommand StateOf(string name) => Ask("domstats", "--state", "--nowait", name);

    public static HostCommand Describe(string name) => Ask("dumpxml", "--inactive", name);

    /// <summary>As it runs now, with what was attached since it started.</summary>
    public static HostCommand DescribeRunning(string name) => Ask("dumpxml", name);

    public static HostCommand Define(string xml) => Act("define", "/dev/stdin") with { Input = xml };

    public static HostCommand CreateTransient(string xml) => Act("create", "/dev/stdin") with { Input = xml };

    public static HostCommand Start(string name) => Act("start", name);

    public static HostCommand Resume(string name) => Act("resume", name);

    public static HostCommand Suspend(string name) => Act("suspend", name);

    /// <summary>Writes the guest's memory to libvirt's own place; the next start takes it from there.</summary>
    public static HostCommand ManagedSave(string name) => Virsh(["managedsave", name], TimeSpan.FromMinutes(15));

    public static HostCommand RemoveManagedSave(string name) => Act("managedsave-remove", name);

    /// <summary>The names of those whose memory was kept.</summary>
    public static HostCommand Saved() => Ask("list", "--all", "--name", "--with-managed-save");

    /// <summary>Alt, SysRq and a letter on the keyboard that every such machine has, whether somebody looks at it or not.</summary>
    public static HostCommand SysRq(string name, char key) => Act("send-key", name, "KEY_LEFTALT", "KEY_SYSRQ", $"KEY_{char.ToUpperInvariant(key)}");

    public static HostCommand Balloon(string name) => Ask("domstats", "--balloon", "--nowait", name);

    /// <summary>Says what the guest is to keep; it follows when it can.</summary>
    public static HostCommand SetMemory(string name, ByteSize memory) => Act("setmem", name, $"{memory.CeilingMiB * 1024}KiB", "--live");

    public static HostCommand Pins(string name) => Ask("vcpupin", name, "--live");

    /// <param name="cpus">As in 0-3,7; r for any.</param>
    public static HostCommand Pin(string name, int vcpu, string cpus) => Act("vcpupin", name, Number(vcpu), cpus, "--live");

    public static HostCommand Cpus() => Ask("nodecpumap");

    public static HostCommand Share(string name) => Ask("schedinfo", name, "--live");

    public static HostCommand SetShare(string name, CpuShare share) => Act(
        "schedinfo", name, "--live", "--set", $"cpu_shares={Number(share.Shares)}", "--set", $"global_period={Number(CpuShare.Period)}", "--set", $"global_quota={Number(share.Quota)}");

    /// <summary>With XML, so that the format is said and never probed.</summary>
    public static HostCommand Attach(string name, string xml) => Act("attach-device", name, "/dev/stdin", "--live") with { Input = xml };

    public static HostCommand Detach(string name, string device) => Act("detach-disk", name, device, "--live");

    /// <param name="device">The name by which the domain has it.</param>
    public static HostCommand BlockResize(string name, string device, ByteSize size) => Act("blockresize", name, device, $"{size.Bytes.ToString(CultureInfo.InvariantCulture)}B");

    /// <summary>What libvirt has no word for, see <see cref="QemuMonitor"/>.</summary>
    public static HostCommand Monitor(string name, string command) => Act("qemu-monitor-command", name, command);

    public static HostCommand Shutdown(string name) => Act("shutdown", name, "--mode", "acpi");

    public static HostCommand Destroy(string name) => Act("destroy", name);

    public static HostCommand Undefine(string name) => Act("undefine", name, "--managed-save", "--snapshots-metadata");

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static HostCommand Ask(params string[] words) => Virsh(words, s_ask);

    private static HostCommand Act(params string[] words) => Virsh(words, s_act);

    private static HostCommand Virsh(string[] words, TimeSpan timeout) => new("virsh", ["--connect", "qemu:///system", "--quiet", .. words], timeout);
}
