namespace Portal.Engine.Xen.Import;

/// <summary>What a kernel is told at its start. xl has one line for it; xm put it together from many keys.</summary>
internal sealed class KernelArguments
{
    /// <summary>The whole line (cmdline). Beside it the others count for nothing.</summary>
    public string? Whole { get; set; }

    public string? Root { get; set; }

    public string? Extra { get; set; }

    public string? Ip { get; set; }

    public string? Gateway { get; set; }

    public string? Netmask { get; set; }

    public string? HostName { get; set; }

    public string? Interface { get; set; }

    public string? Dhcp { get; set; }

    public string? NfsServer { get; set; }

    public string? NfsRoot { get; set; }

    private bool HasNetwork => Ip is not null || Dhcp is not (null or "off");

    /// <summary>The line; null where the kernel is told nothing.</summary>
    public string? Compose()
    {
        if (Whole is not null)
        {
            return Whole;
        }

        // As xm of Xen 2.0 does it: ip, root, the NFS root, the rest (tools/python/xen/xm/create.py, configure_image, preprocess_ip and
        // preprocess_nfs). Where no NFS server is named, xm made up 1.2.3.4, which is left out: it only kept old kernels from waiting for one.
        string?[] parts =
        [
            HasNetwork ? $"ip={Without("ip=", Ip)}:{NfsServer}:{Gateway}:{Netmask}:{HostName}:{Interface ?? "eth0"}:{Dhcp ?? "off"}" : null,
            Root is null ? null : $"root={Without("root=", Root)}",
            NfsRoot is null ? null : $"nfsroot={NfsServer}:{NfsRoot}",
            Extra,
        ];
        return string.Join(' ', parts.Where(part => !string.IsNullOrEmpty(part))) is { Length: > 0 } line ? line : null;
    }

    public IEnumerable<string> Doubts()
    {
        if (Whole is not null && (Root ?? Extra ?? Ip ?? Dhcp ?? NfsRoot) is not null)
        {
            yield return "The file has cmdline, and beside it parts of a command line (root, extra or the like). Xen takes cmdline alone, and so does the portal.";
        }

        if (NfsRoot is not null && NfsServer is null)
        {
            yield return "The root file system is on an NFS server (nfs_root), but no server is named (nfs_server).";
        }

        if (!HasNetwork && (Gateway ?? Netmask ?? HostName) is not null)
        {
            yield return "gateway, netmask and hostname count only beside ip or dhcp, and the file has neither.";
        }
    }

    private static string? Without(string prefix, string? text) => text?.StartsWith(prefix, StringComparison.Ordinal) == true ? text[prefix.Length..] : text;
}
