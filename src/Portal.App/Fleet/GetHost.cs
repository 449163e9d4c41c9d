using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Hosts;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Fleet;

/// <summary>One host with all that its page shows.</summary>
public static class GetHost
{
    public sealed record Request(HostId Host);

    /// <param name="Remote">How it is reached; null for the portal's own machine.</param>
    /// <param name="Instance">The portal's mark on it.</param>
    /// <param name="Guests">The addresses that its guests get, and how many of them are free.</param>
    /// <param name="SeesForeign">Whether domains that no portal made are found on it.</param>
    public sealed record Details(HostRow Row, string Instance, HostReserve Reserve, int MaxOperations, IReadOnlyList<GuestNetwork> Guests, RemoteHost? Remote, bool SeesForeign);

    /// <param name="Shared">Whether its guests are on a wire with others.</param>
    public sealed record GuestNetwork(string Network, string First, string Last, string Gateway, string Dns, int Free, int Count, bool Shared);

    /// <param name="ForeignKey">The fingerprint that it shows in place of <paramref name="Fingerprint"/>; null where it shows that one.</param>
    /// <param name="VolumeGroup">Null where its disks are files in <paramref name="Directory"/>.</param>
    /// <param name="PortalFingerprint">The portal's own key.</param>
    /// <param name="Installation">The script for its root.</param>
    public sealed record RemoteHost(string Address, int Port, string KeyType, string Fingerprint, string? ForeignKey, StorageKind Storage, string? VolumeGroup, string? Directory, string? ThinPool, bool ExtendsPool, string? SwapGroup, IReadOnlyList<string> Devices, string Bridge, KernelGuests Guests, string PortalFingerprint, string Installation);

    public sealed class Handler(PortalDbs dbs, AccessRules access, PortalKeys keys, IHostDoor door, IVmEngines engines)
    {
        public async Task<Result<Details>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeHosts) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            if (await db.Hosts.AsNoTracking().SingleOrDefaultAsync(h => h.Id == request.Host && h.Mode != HostMode.WrittenOff, ct) is not { } host)
            {
                return new NotFound("host");
            }

            var row = (await db.ReadHostRowsAsync([host], ct))[0];
            List<GuestNetwork> guests = [];
            foreach (var network in await db.Networks.AsNoTracking().Where(n => n.HostId == host.Id).ToListAsync(ct))
            {
                var free = await db.Addresses.CountAsync(a => a.NetworkId == network.Id && a.VmId == null, ct);
                var count = await db.Addresses.CountAsync(a => a.NetworkId == network.Id, ct);
                guests.Add(new GuestNetwork(network.Cidr, network.FirstIp.ToString(), network.LastIp.ToString(), network.Gateway.ToString(), network.Dns.ToString(), free, count, network.Shared));
            }

            var reserve = new HostReserve(host.ReservedMemory, host.ReservedDisk, host.ReservedCpus, host.VcpusPerCpu);
            return new Details(row, host.Instance, reserve, host.MaxOperations, guests, host.Xen is { } xen ? await RemoteAsync(host, xen, ct) : null, engines.For(host.Connection).SeesForeign);
        }

        private async Task<RemoteHost> RemoteAsync(Host host, XenAccess xen, CancellationToken ct)
        {
            var mine = await keys.PublicAsync(ct);
            return new RemoteHost(
                xen.Address, xen.Port, xen.Key.Line.Split(' ')[0], xen.Key.Fingerprint, host.ForeignKey, xen.StorageKind, xen.Group, xen.Directory, xen.Pool, xen.ExtendsPool, xen.SwapGroup, host.Devices, xen.Bridge, xen.Guests, mine.Fingerprint, door.Installation(host.Instance, xen.Groups, mine, xen.ExtendsPool ? xen.Pool : null, host.Devices, xen.Directory));
        }
    }
}
