using Microsoft.EntityFrameworkCore;
using Portal.App.Hosts;
using Portal.Kernel;

namespace Portal.App.Networks;

/// <summary>Takes and gives back addresses inside the caller's transaction.</summary>
public static class AddressBook
{
    /// <summary>
    /// Takes the lowest free address of the host for a VM. Two takers never get the same: each locks its row, and passes over rows that another
    /// has locked. An address of another tenant rests for <see cref="Address.CoolDown"/> first.
    /// </summary>
    /// <returns>Null where none is free.</returns>
    public static async Task<Address?> TakeAddressAsync(this PortalDb db, HostId host, VmId vm, TenantId tenant, CancellationToken ct)
    {
        var coolDown = Address.CoolDown;
        var address = (await db.Addresses.FromSql(
            $"""
            SELECT a.* FROM addresses a JOIN networks n ON n.id = a.network_id
            WHERE n.host_id = {host.Value} AND a.vm_id IS NULL
              AND (a.released_at IS NULL OR a.last_tenant_id = {tenant.Value} OR a.released_at + {coolDown} <= clock_timestamp())
            ORDER BY a.released_at NULLS FIRST, a.ip LIMIT 1 FOR UPDATE OF a SKIP LOCKED
            """).ToListAsync(ct)).SingleOrDefault();
        address?.Take(vm, tenant);
        return address;
    }

    /// <summary>Takes just this address of the host, which a guest has already, so it rests for nobody.</summary>
    /// <returns>Null where it is none of the host's, or another VM has it.</returns>
    public static async Task<Address?> TakeAddressAsync(this PortalDb db, HostId host, Ipv4Address ip, VmId vm, TenantId tenant, CancellationToken ct)
    {
        var networks = await db.Networks.Where(n => n.HostId == host).Select(n => n.Id).ToListAsync(ct);
        foreach (var network in networks)
        {
            var address = (await db.Addresses.FromSql($"SELECT * FROM addresses WHERE network_id = {network.Value} AND ip = {ip.ToIPAddress()} AND vm_id IS NULL FOR UPDATE").ToListAsync(ct)).SingleOrDefault();
            if (address is not null)
            {
                address.Take(vm, tenant);
                return address;
            }
        }

        return null;
    }

    /// <summary>How many addresses a tenant could take now, by host; hosts that have none left are not in it.</summary>
    public static async Task<IReadOnlyDictionary<HostId, int>> CountFreeAddressesAsync(this PortalDb db, TenantId tenant, CancellationToken ct)
    {
        var coolDown = Address.CoolDown;
        return await db.Database.SqlQuery<Free>(
            $"""
            SELECT n.host_id AS host, count(*)::int AS addresses FROM addresses a JOIN networks n ON n.id = a.network_id
            WHERE a.vm_id IS NULL AND (a.released_at IS NULL OR a.last_tenant_id = {tenant.Value} OR a.released_at + {coolDown} <= clock_timestamp())
            GROUP BY n.host_id
            """).ToDictionaryAsync(f => new HostId(f.Host), f => f.Addresses, ct);
    }

    /// <summary>Gives back what a VM has. Safe to repeat.</summary>
    public static async Task ReleaseAddressAsync(this PortalDb db, VmId vm, DateTimeOffset at, CancellationToken ct)
    {
        if (await db.Addresses.SingleOrDefaultAsync(a => a.VmId == vm, ct) is not { } address)
        {
            return;
        }

        address.Release(at);
        // The last that had one of a host that is long gone: from now on its range is anybody's.
        if (await db.Networks.SingleOrDefaultAsync(n => n.Id == address.NetworkId && n.Shared && db.Hosts.Any(h => h.Id == n.HostId && h.Mode == HostMode.WrittenOff), ct) is { } network
            && !await db.Addresses.AnyAsync(a => a.NetworkId == network.Id && a.VmId != null && a.VmId != vm, ct))
        {
            network.Retire();
        }
    }

    private sealed record Free(Guid Host, int Addresses);
}
