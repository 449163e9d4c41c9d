using System.Net.Sockets;
using Portal.Kernel;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Portal.Engine.Remote;

/// <summary>Looks at a machine's sshd from outside.</summary>
internal sealed class HostDoor : IHostDoor
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    public async Task<SshPublicKey> KeyOfAsync(string address, int port, SshPublicKey? pinned, CancellationToken ct)
    {
        // The key is shown before anybody signs in, and taking it for untrusted ends the connection there: no name of an account is ever said.
        var info = new ConnectionInfo(address, port, HostInstall.User, new NoneAuthenticationMethod(HostInstall.User)) { Timeout = s_patience };
        if (pinned is { } known)
        {
            SshLink.KeepOnly(info, known);
        }

        using var client = new SshClient(info);
        SshPublicKey? shown = null;
        client.HostKeyReceived += (_, offered) =>
        {
            offered.CanTrust = false;
            shown = SshPublicKey.TryParse($"{TypeOf(offered.HostKey)} {Convert.ToBase64String(offered.HostKey)}", out var key) ? key : null;
        };
        try
        {
            await client.ConnectAsync(ct).ConfigureAwait(false);
        }
        catch (Exception failed) when (failed is SshException or SocketException or ProxyException or OperationCanceledException)
        {
            ct.ThrowIfCancellationRequested();
            return shown ?? throw Explain(failed, address, port);
        }

        return shown ?? throw new HostFaultException($"{address}, port {port}, shows a key of a type that the portal does not know.");
    }

    public string Installation(string instance, IReadOnlyList<string> volumeGroups, SshPublicKey key, string? pool = null, IReadOnlyList<string>? devices = null, string? directory = null) => HostInstall.Script(instance, volumeGroups, key, pool, devices, directory);

    // RFC 4253, 6.6: a key's blob begins with its type, as a string with its length in four bytes.
    private static string TypeOf(byte[] blob)
    {
        var length = blob.Length < 4 ? 0 : System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(blob);
        return length > 0 && length <= blob.Length - 4 ? System.Text.Encoding.ASCII.GetString(blob, 4, length) : "";
    }

    private static HostFaultException Explain(Exception failed, string address, int port) => failed switch
    {
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => new HostFaultException($"There is no machine of the name {address}. Check the spelling, or give its IP address.", failed),
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => new HostFaultException($"{address} takes no connection on port {port}. Is sshd running there, and on this port?", failed),
        SocketException or OperationCanceledException or SshOperationTimeoutException => new HostFaultException($"{address}, port {port}, did not answer within {s_patience.TotalSeconds:0} s. Is the machine on, and does a firewall let the portal through?", failed),
        _ => new HostFaultException($"What answers at {address}, port {port}, does not speak SSH as the portal does. Is it an sshd, with an Ed25519, ECDSA or RSA key?", failed),
    };
}
