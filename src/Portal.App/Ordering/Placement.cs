using Microsoft.EntityFrameworkCore;
using Portal.App.Hosts;
using Portal.App.Networks;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>What a host still has to give.</summary>
/// <param name="Addresses">How many of its addresses the tenant may have.</param>
public sealed record HostRoom(Host Host, PoolId Pool, int Vcpus, ByteSize Memory, ByteSize Disk, int Addresses)
{
    public bool Fits(int vcpus, ByteSize memory, ByteSize disk) => vcpus <= Vcpus && memory <= Memory && disk <= Disk && Addresses > 0;

    public HostRoom Less(int vcpus, ByteSize memory, ByteSize disk) => this with
    {
        Vcpus = Vcpus - vcpus,
        Memory = new ByteSize(Memory.Bytes - memory.Bytes),
        Disk = new ByteSize(Disk.Bytes - disk.Bytes),
        Addresses = Addresses - 1,
    };
}

/// <summary>No host can hold it now.</summary>
public sealed record NoHostFits(string Plan, int Count, int HostsLookedAt)
    : Refusal("ordering.no_host_fits", HostsLookedAt == 0
        ? "No host is ready: none is online with this template built. An operator can see why on the hosts page."
        : $"No host has room for {Count} x {Plan}. Take a smaller plan or fewer, or ask the provider for capacity.");

/// <summary>The template's guests start from their own disk, and no host that is in use does that.</summary>
public sealed record NoHostBootsDisks()
    : Refusal("ordering.no_host_boots_disks", "This template's guests start from their own disk, and no host that is in use can do that: it takes KVM, or Xen with hardware virtualisation. An operator sees on a host's page what it lacks.");

/// <summary>Finds hosts for VMs: the one with the most free memory first, which spreads them.</summary>
public static class Placement
{
    /// <summary>A host for each of <paramref name="count"/> equal VMs, in order; null where not all fit. Pure.</summary>
    public static IReadOnlyList<HostRoom>? Choose(IReadOnlyList<HostRoom> rooms, int count, int vcpus, ByteSize memory, ByteSize disk)
    {
        var left = rooms.ToList();
        var chosen = new List<HostRoom>(count);
        for (var i = 0; i < count; i++)
        {
            var best = -1;
            for (var r = 0; r < left.Count; r++)
            {
                if (left[r].Fits(vcpus, memory, disk) && (best < 0 || left[r].Memory > left[best].Memory))
                {
                    best = r;
                }
            }

            if (best < 0)
            {
                return null;
            }

            chosen.Add(left[best]);
            left[best] = left[best].Less(vcpus, memory, disk);
        }

        return chosen;
    }

    /// <summary>Why <see cref="Choose"/> found none: where addresses alone are missing, that. Pure.</summary>
    public static Refusal WhyNot(IReadOnlyList<HostRoom> rooms, string plan, int count, int vcpus, ByteSize memory, ByteSize disk) =>
        Choose([.. rooms.Select(r => r with { Addresses = count })], count, vcpus, memory, disk) is null ? new NoHostFits(plan, count, rooms.Count) : new NoAddressLeft();

    /// <summary>The same, with a look at what the template wants of a host where none was looked at.</summary>
    public static async Task<Refusal> ReadWhyNotAsync(this PortalDb db, TemplateVersionId template, IReadOnlyList<HostRoom> rooms, string plan, int count, int vcpus, ByteSize memory, ByteSize disk, CancellationToken ct)
    {
        if (rooms.Count == 0 && await db.TemplateVersions.AnyAsync(v => v.Id == template && v.Boot == ImageBoot.Disk, ct)
            && !(await db.Hosts.AsNoTracking().Where(h => h.Mode == HostMode.InUse).ToListAsync(ct)).Any(h => h.Starts(ImageBoot.Disk)))
        {
            return new NoHostBootsDisks();
        }

        return WhyNot(rooms, plan, count, vcpus, memory, disk);
    }

    /// <summary>
    /// The rooms of all hosts that are in use, work, have the template's image and can start it. Disks count in full, though a pool of overlays fills slowly: what
    /// is sold can be used. A pool has what is free and what our own volumes take already, less what is sold. With <paramref name="lockHosts"/> the
    /// hosts' rows are locked, so that two decisions cannot sell the same room.
    /// </summary>
    /// <param name="template">Null where no image is needed.</param>
    public static async Task<IReadOnlyList<HostRoom>> ReadHostRoomsAsync(this PortalDb db, TemplateVersionId? template, TenantId tenant, bool lockHosts, CancellationToken ct)
    {
        var usable = await (lockHosts ? db.Hosts.FromSql($"SELECT *, xmin FROM hosts ORDER BY id FOR UPDATE") : db.Hosts)
            .AsNoTracking().ToListAsync(ct);
        var ready = template is null
            ? await db.Pools.AsNoTracking().ToListAsync(ct)
            : await (from pool in db.Pools.AsNoTracking()
                     join image in db.PoolImages on pool.Id equals image.PoolId
                     where image.TemplateVersionId == template && image.State == PoolImageState.Ready
                     select pool).ToListAsync(ct);
        // A host may have the image and have lost since what its guests are started with.
        var boot = template is null ? ImageBoot.Kernel : await db.TemplateVersions.Where(v => v.Id == template).Select(v => v.Boot).SingleOrDefaultAsync(ct);
        var sold = await db.ReadSoldAsync(ct);
        var addresses = await db.CountFreeAddressesAsync(tenant, ct);
        return
        [
            .. from host in usable
               where host.Mode == HostMode.InUse && host.Problem is null && host.SeenAt is not null && host.Starts(boot)
               join pool in ready on host.Id equals pool.HostId
               let used = sold.GetValueOrDefault(host.Id) ?? SoldRoom.Nothing
               select new HostRoom(
                   host,
                   pool.Id,
                   Math.Max(0, host.SellableVcpus - used.Vcpus),
                   new ByteSize(Math.Max(0, host.SellableMemory.Bytes - used.Memory)),
                   new ByteSize(Math.Max(0, pool.Free.Bytes + pool.Taken.Bytes - host.ReservedDisk.Bytes - used.Disk)),
                   addresses.GetValueOrDefault(host.Id)),
        ];
    }
}
