using System.Security.Cryptography;
using System.Text;
using Portal.Kernel;
using Renci.SshNet;
using Renci.SshNet.Security;

namespace Portal.Engine;

/// <summary>The key with which the portal signs in on hosts.</summary>
/// <param name="PrivatePem">SEC 1, in PEM. A secret.</param>
/// <param name="Public">What hosts are told.</param>
public sealed record PortalKeyPair(string PrivatePem, SshPublicKey Public)
{
    /// <summary>A new pair: ECDSA on P-256, which .NET makes by itself and every sshd takes.</summary>
    public static PortalKeyPair New()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = key.ExportECPrivateKeyPem();
        using var file = new PrivateKeyFile(new MemoryStream(Encoding.ASCII.GetBytes(pem)));
        var algorithm = file.HostKeyAlgorithms.OfType<KeyHostAlgorithm>().First();
        return SshPublicKey.TryParse($"{algorithm.Name} {Convert.ToBase64String(algorithm.Data)} portal", out var mine)
            ? new PortalKeyPair(pem, mine)
            : throw new InvalidOperationException($"The key that was made cannot be read back as {algorithm.Name}.");
    }

    // The private half does not belong into a log.
    public override string ToString() => Public.Fingerprint;
}
