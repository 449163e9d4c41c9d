using Portal.Kernel;

namespace Portal.Engine;

/// <summary>What is needed of a machine before it is a host.</summary>
public interface IHostDoor
{
    /// <summary>Asks a machine's sshd for its key, without signing in. Changes nothing.</summary>
    /// <param name="address">A host name or an IP address.</param>
    /// <param name="pinned">Where a key is known, one of the same type is asked for: a machine has several.</param>
    /// <exception cref="HostFaultException">Nothing answers there, or it is no sshd.</exception>
    Task<SshPublicKey> KeyOfAsync(string address, int port, SshPublicKey? pinned, CancellationToken ct);

    /// <summary>The script by which a machine's root makes it a host of this portal. Pure; nothing in it is secret.</summary>
    /// <param name="instance">The portal's mark on that host, eight hexadecimal digits.</param>
    /// <param name="volumeGroups">Which volume groups the portal may use.</param>
    /// <param name="key">The portal's public key.</param>
    /// <param name="pool">The thin pool in the first of them, where the portal may make it larger.</param>
    /// <param name="devices">The machine's own block devices that it may give to guests.</param>
    /// <param name="directory">The directory in which it may keep disks as files.</param>
    /// <exception cref="ArgumentException">The mark or a name is none.</exception>
    string Installation(string instance, IReadOnlyList<string> volumeGroups, SshPublicKey key, string? pool = null, IReadOnlyList<string>? devices = null, string? directory = null);
}
