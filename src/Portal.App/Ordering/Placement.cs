using Microsoft.EntityFrameworkCore;
using Portal.App.Catalogue;
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

/// <summary>What a line of an order wants of hosts.</summary>
internal sealed record LineSize(TemplateVersionId Template, string Plan, int Count, VmSize Size);

/// <summary>Some equal VMs that want room.</summary>
/// <param name="Rooms">Of the hosts that have what they start from.</param>
/// <param name="Plan">What they are called where there is no room for them.</param>
public sealed record Party(TemplateVersionId Template, IReadOnlyList<HostRoom> Rooms, string Plan, int Count, int Vcpus, ByteSize Memory, ByteSize Disk)
{
    /// <summary>The hosts that have room for one of them.</summary>
    public IEnumerable<HostRoom> Fitting => Rooms.Where(r => r.Fits(Vcpus, Memory, Disk));
}

/// <summary>No host can hold it now.</summary>
/// <param name="Beside">Whether other lines of the same order want room too.</param>
public sealed record NoHostFits(string Plan, int Count, int HostsLookedAt, bool Beside = false)
    : Refusal("ordering.no_host_fits", HostsLookedAt == 0
        ? "No host is ready: none is online with this template built. An operator can see why on the hosts page."
        : $"No host has room for {Count} x {Plan}{(Beside ? " beside the rest of this order" : "")}. Take a smaller plan or fewer, or ask the provider for capacity.");

/// <summary>The template's guests start from their own disk, and no host that is in use does that.</summary>
public sealed record NoHostBootsDisks()
    : Refusal("ordering.no_host_boots_disks", "This template's guests start from their own disk, and no host that is in use can do that: it takes KVM, or Xen with hardware virtualisation. An operator sees on a host's page what it lacks.");

/// <summary>The template's guests have their root on an NFS server, and no host that is in use lets them reach it as themselves.</summary>
public sealed record NoHostBootsNfs()
    : Refusal("ordering.no_host_boots_nfs", "This template's guests have their root on an NFS server, which takes a Xen host, and no such host is in use.");

/// <summary>Finds hosts for VMs: the one with the most free memory first, which spreads them.</summary>
public static class Placement
{
    /// <summary>
    /// A host for each VM of each party, in their order; null where not all fit, and then <paramref name="misfit"/> is the place of the party that did not. The largest
    /// are placed first: what is small finds room between them. Pure.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<HostRoom>>? Choose(IReadOnlyList<Party> parties, out int misfit)
    {
        var chosen = new IReadOnlyList<HostRoom>[parties.Count];
        // By host, so that what one party takes is gone for the others, whatever templates a host has.
        var left = new Dictionary<HostId, HostRoom>();
        foreach (var i in Enumerable.Range(0, parties.Count).OrderByDescending(i => parties[i].Memory).ThenByDescending(i => parties[i].Disk))
        {
            if (TryPlace(parties[i], left) is not { } placed)
            {
                misfit = i;
                return null;
            }

            chosen[i] = placed;
        }

        misfit = -1;
        return chosen;
    }

    private static List<HostRoom>? TryPlace(Party party, Dictionary<HostId, HostRoom> left)
    {
        var placed = new List<HostRoom>(party.Count);
        for (var i = 0; i < party.Count; i++)
        {
            var best = party.Rooms.Select(r => left.GetValueOrDefault(r.Host.Id, r)).Where(r => r.Fits(party.Vcpus, party.Memory, party.Disk)).MaxBy(r => r.Memory);
            if (best is null)
            {
                return null;
            }

            placed.Add(best);
            left[best.Host.Id] = best.Less(party.Vcpus, party.Memory, party.Disk);
        }

        return placed;
    }

    /// <summary>Why <see cref="Choose"/> found none: where addresses alone are missing, that. Pure.</summary>
    public static Refusal WhyNot(IReadOnlyList<Party> parties)
    {
        var wanted = parties.Sum(p => p.Count);
        return Choose([.. parties.Select(p => p with { Rooms = [.. p.Rooms.Select(r => r with { Addresses = wanted })] })], out var misfit) is null
            ? new NoHostFits(parties[misfit].Plan, parties[misfit].Count, parties[misfit].Rooms.Count, parties.Count > 1)
            : new NoAddressLeft();
    }

    /// <summary>The same, with a look at what a template wants of a host where none was looked at.</summary>
    public static async Task<Refusal> ReadWhyNotAsync(this PortalDb db, IReadOnlyList<Party> parties, CancellationToken ct)
    {
        var homeless = parties.Where(p => p.Rooms.Count == 0).Select(p => p.Template).ToList();
        if (homeless.Count > 0)
        {
            var hosts = await db.Hosts.AsNoTracking().Where(h => h.Mode == HostMode.InUse).ToListAsync(ct);
            var images = (await db.TemplateVersions.AsNoTracking().Where(v => homeless.Contains(v.Id)).ToListAsync(ct)).Select(v => v.Image).Where(i => !hosts.Any(h => h.Starts(i))).ToList();
            if (images.Any(i => i.Nfs is not null))
            {
                return new NoHostBootsNfs();
            }

            if (images.Any(i => i.Boot == ImageBoot.Disk))
            {
                return new NoHostBootsDisks();
            }
        }

        return WhyNot(parties);
    }

    /// <summary>The parties of an order, each with the rooms that it may choose from; see <see cref="ReadHostRoomsAsync"/>.</summary>
    internal static async Task<IReadOnlyList<Party>> ReadPartiesAsync(this PortalDb db, TenantId tenant, IReadOnlyList<LineSize> lines, bool lockHosts, CancellationToken ct)
    {
        var rooms = new Dictionary<TemplateVersionId, IReadOnlyList<HostRoom>>();
        foreach (var template in lines.Select(l => l.Template).Distinct())
        {
            rooms[template] = await db.ReadHostRoomsAsync(template, tenant, lockHosts, ct);
        }

        return [.. lines.Select(l => new Party(l.Template, rooms[l.Template], l.Plan, l.Count, l.Size.Vcpus, l.Size.Memory, l.Size.Disk))];
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
        var version = template is null ? null : await db.TemplateVersions.AsNoTracking().SingleOrDefaultAsync(v => v.Id == template, ct);
        var sold = await db.ReadSoldAsync(ct);
        var addresses = await db.CountFreeAddressesAsync(tenant, ct);
        return
        [
            .. from host in usable
               where host.Mode == HostMode.InUse && host.Problem is null && host.SeenAt is not null && (version is null || host.Starts(version.Image))
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
