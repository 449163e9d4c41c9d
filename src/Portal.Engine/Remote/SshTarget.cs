using Portal.Kernel;

namespace Portal.Engine.Remote;

/// <summary>Where a host's sshd is, and the one key that it is known by.</summary>
/// <param name="Key">The host's public key, pinned when the host was added. Another one is refused before anything is said of the portal's own.</param>
internal sealed record SshTarget(string Address, int Port, string User, SshPublicKey Key)
{
    public override string ToString() => $"{User}@{Address}:{Port}";
}
