using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Fleet;
using Portal.App.Hosts;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>Asks a host what is on it, and says of each thing whether a VM is behind it. What has none behind it is a leftover.</summary>
public static class ReadInventory
{
    public sealed record Request(HostId Host);

    /// <param name="VmName">Null where the portal knows no VM on this host that this may belong to.</param>
    /// <param name="BootOrder">Its VM's place among those that are started after a boot of the host; null where none is.</param>
    /// <param name="Tenant">Its VM's tenant; the empty one where there is none.</param>
    public sealed record DomainRow(string Name, VmId Vm, string? VmName, string State, int? BootOrder, TenantId Tenant);

    /// <param name="VmName">Null where the portal knows no VM on this host that this may belong to.</param>
    public sealed record VolumeRow(string Name, VmId Vm, string? VmName, ByteSize Size);

    /// <param name="VmName">Null where the VM that it was given to is gone.</param>
    public sealed record AddressRow(Ipv4Address Ip, VmId Vm, string? VmName);

    /// <summary>Domains and volumes as the host lists them, addresses as the address book has them.</summary>
    public sealed record Inventory(IReadOnlyList<DomainRow> Domains, IReadOnlyList<VolumeRow> Volumes, IReadOnlyList<AddressRow> Addresses);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines)
    {
        /// <summary>What comes or goes at this very moment may be shown either way.</summary>
        public async Task<Result<Inventory>> HandleAsync(Request request, Actor actor, CancellationToken ct)
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

            IReadOnlyList<DomainReport> domains;
            IReadOnlyList<VolumeReport> volumes;
            try
            {
                var engine = engines.For(host.Connection);
                domains = await engine.ListDomainsAsync(ct);
                volumes = await engine.ListVolumesAsync(ct);
            }
            catch (HostFaultException fault)
            {
                return new HostSilent(host.Name, fault.Message);
            }

            var vms = await db.Vms.AsNoTracking().Where(v => v.HostId == host.Id && v.DeletedAt == null).ToListAsync(ct);
            // Of those that were moved away as well: they keep their addresses.
            var names = await db.Vms.AsNoTracking().Where(v => v.DeletedAt == null && (v.HostId == host.Id || db.Networks.Any(n => n.Id == v.NetworkId && n.HostId == host.Id))).ToDictionaryAsync(v => v.Id, v => v.Name, ct);
            var domainNames = vms.ToDictionary(v => v.DomainOn(host), v => v.Name);
            var tenants = vms.ToDictionary(v => v.DomainOn(host), v => v.TenantId);
            var orders = vms.ToDictionary(v => v.DomainOn(host), v => v.BootOrder);
            var addresses = await (from address in db.Addresses.AsNoTracking()
                                   join network in db.Networks on address.NetworkId equals network.Id
                                   where network.HostId == host.Id && address.VmId != null
                                   orderby address.Ip
                                   select new { address.Ip, address.VmId }).ToListAsync(ct);
            return new Inventory(
                [.. domains.Select(d => new DomainRow(d.Name.Text, d.Name.Vm, domainNames.GetValueOrDefault(d.Name), d.State.ToString().ToLowerInvariant(), orders.GetValueOrDefault(d.Name), tenants.GetValueOrDefault(d.Name)))],
                [.. volumes.Select(v => new VolumeRow(v.Name, v.Domain.Vm, domainNames.GetValueOrDefault(v.Domain), v.Size))],
                [.. addresses.Select(a => new AddressRow(a.Ip, a.VmId!.Value, names.GetValueOrDefault(a.VmId.Value)))]);
        }
    }
}
