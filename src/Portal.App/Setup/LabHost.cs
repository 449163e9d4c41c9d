using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Fleet;
using Portal.App.Hosts;
using Portal.Kernel;

namespace Portal.App.Setup;

/// <summary>
/// Makes the Xen host of `./portal lab` a host of the portal. Its key needs no person to compare it: it was made on this machine, together with the lab.
/// </summary>
public sealed class LabHost(PortalDbs dbs, AddHost.Handler adding, GetHost.Handler reading)
{
    public const string Name = "xen-lab";

    // As tests/lab/ builds it.
    private static HostForm Form(string address, int port) => new()
    {
        Name = Name,
        Address = address,
        Port = port,
        VolumeGroup = "vgdisk",
        ThinPool = "thin",
        SwapGroup = "vgswap",
        Bridge = "xenbr0",
        Network = "10.0.2.0/24",
        FirstIp = "10.0.2.32",
        LastIp = "10.0.2.199",
        Gateway = "10.0.2.2",
        Dns = "10.0.2.3",
        ReservedMemoryMiB = 1280,
    };

    /// <summary>Gives the script that its root has to run. Safe to repeat: where it is a host already, only its port and key are brought up to date.</summary>
    /// <exception cref="SetupException">It cannot be added; the message says why.</exception>
    public async Task<string> EnsureAsync(string address, int port, string hostKey, CancellationToken ct)
    {
        if (!SshPublicKey.TryParse(hostKey, out var key))
        {
            throw new SetupException("The lab's host key cannot be read. Build the lab anew.");
        }

        var host = await FindAsync(address, port, key, ct) ?? Value(await adding.HandleAsync(new AddHost.Request(Form(address, port), hostKey), Actor.Portal, ct));
        return Value(await reading.HandleAsync(new GetHost.Request(host), Actor.Portal, ct)).Remote!.Installation;
    }

    private async Task<HostId?> FindAsync(string address, int port, SshPublicKey key, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var host = await db.Hosts.SingleOrDefaultAsync(h => h.Name == Name && h.Mode != HostMode.WrittenOff, ct);
        if (host?.Xen is { } xen && (xen.Address != address || xen.Port != port || xen.Key.Fingerprint != key.Fingerprint))
        {
            host.ReachBy(xen with { Address = address, Port = port, Key = key });
            db.Add(AuditEntry.OfPlatform(Actor.Portal, "host.moved", host.Id.Value, host.Name, $"{address}:{port}, key {key.Fingerprint}"));
            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Hosts, ct);
        }

        return host?.Id;
    }

    private static T Value<T>(Result<T> result) => result.TryGet(out var value, out var refusal) ? value : throw new SetupException($"The lab cannot be added as a host: {refusal.Message}");
}
