using Portal.Engine.Shell;

namespace Portal.Engine.Xen;

/// <summary>The commands that Xen's xl is asked with.</summary>
internal static class XlCommands
{
    private static readonly TimeSpan s_ask = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_act = TimeSpan.FromMinutes(3);

    public static HostCommand Info() => Ask("info");

    /// <summary>The hypervisor's own messages.</summary>
    public static HostCommand Dmesg() => Ask("dmesg");

    public static HostCommand List() => Ask("list");

    public static HostCommand ListOne(string domain) => Ask("list", domain);

    /// <summary>Gives back once the domain runs; its configuration stays on the host.</summary>
    public static HostCommand Create(string config) => Act("create", "-q", config);

    /// <summary>Asks the guest through its own driver, or where it has none by ACPI; does not wait.</summary>
    public static HostCommand Shutdown(string domain) => Act("shutdown", "-F", domain);

    public static HostCommand Destroy(string domain) => Act("destroy", domain);

    public static HostCommand Unpause(string domain) => Act("unpause", domain);

    /// <summary>The log of the process that watches a domain, in which the reason of its end stands.</summary>
    public static HostCommand Log(string domain) => new("cat", [$"/var/log/xen/xl-{domain}.log"], s_ask);

    private static HostCommand Ask(params string[] words) => new("xl", words, s_ask);

    private static HostCommand Act(params string[] words) => new("xl", words, s_act);
}
