using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Portal.Engine;

/// <summary>A root file system that is a directory of an NFS server, and no disk. It reaches a kernel's command line, so it holds nothing that could end a word or an option there.</summary>
public sealed partial record NfsRoot
{
    public const int MaxServer = 15;
    public const int MaxPath = 200;

    /// <summary>Stands in a path for the guest's address, as in Linux's own nfsroot.</summary>
    public const string OwnAddress = "%s";

    /// <exception cref="ArgumentException"><see cref="Complaint"/> has something to say.</exception>
    public NfsRoot(string server, string path, bool writable)
    {
        if (Complaint(server, path, writable) is { } complaint)
        {
            throw new ArgumentException(complaint.Text, complaint.Field);
        }

        (Server, Path, Writable) = (server, path, writable);
    }

    /// <summary>An IPv4 address: nfsroot takes no name, for who mounts a root file system has nobody to ask yet.</summary>
    public string Server { get; }

    /// <summary>Absolute; may hold <see cref="OwnAddress"/> once.</summary>
    public string Path { get; }

    /// <summary>Whether each guest writes to a directory of its own. Where not, all have the same one, and what they write stays in their memory until they are off.</summary>
    public bool Writable { get; }

    /// <summary>What stands against a server and a path as they were typed, and against which of them. Pure: nothing is looked up.</summary>
    public static (string Field, string Text)? Complaint(string server, string path, bool writable) =>
        // As it is written and no other way: 010.0.0.1 is another machine to some.
        !IPAddress.TryParse(server, out var address) || address.AddressFamily != AddressFamily.InterNetwork || address.ToString() != server || !IsHost(address)
            ? (nameof(server), "The server's own IPv4 address, such as 192.0.2.10. A name cannot be looked up while there is no root file system.")
            : path.Length > MaxPath || !PathForm().IsMatch(path) || path.Split(OwnAddress).Length > 2
                ? (nameof(path), $"An absolute path of at most {MaxPath} letters, digits, dots, hyphens and underscores, such as /srv/roots/debian; {OwnAddress} once for the VM's address.")
            : writable && !path.Contains(OwnAddress, StringComparison.Ordinal)
                ? (nameof(path), $"Two VMs must not write to one directory: a path that is written to has {OwnAddress} in it, which stands for the VM's address, such as /srv/roots/{OwnAddress}.")
            : null;

    /// <summary>Where the root of the guest with that address is.</summary>
    public string PathOf(IPAddress guest) => Path.Replace(OwnAddress, guest.ToString(), StringComparison.Ordinal);

    /// <summary>What the guest's kernel is told, in the words that Linux has for it (Documentation/admin-guide/nfs/nfsroot.rst).</summary>
    internal string CommandLine(DomainSpec spec) => string.Join(
        ' ',
        "root=/dev/nfs",
        $"nfsroot={Server}:{PathOf(spec.Address.Address)}",
        $"ip={spec.Address.Address}::{spec.Address.Gateway}:{MaskOf(spec.Address.PrefixLength)}:{spec.HostName.Text}:eth0:off",
        Writable ? "rw" : "ro",
        // Otherwise a server takes guests of one name for one client, and the state of each away from the other.
        $"nfs.nfs4_unique_id={spec.Name.Text}");

    private static bool IsHost(IPAddress address) => address.GetAddressBytes()[0] is > 0 and < 224 and not 127;

    private static IPAddress MaskOf(int prefixLength) => new([.. Enumerable.Range(0, 4).Select(i => (byte)(0xFF00 >> Math.Clamp(prefixLength - (8 * i), 0, 8)))]);

    [GeneratedRegex(@"^(?:/(?!\.{1,2}(?:/|\z))(?:[A-Za-z0-9._-]|%s)+)+\z", RegexOptions.CultureInvariant)]
    private static partial Regex PathForm();
}
