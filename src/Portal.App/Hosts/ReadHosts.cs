using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Hosts;

/// <summary>A template's image on a host.</summary>
public sealed record HostImageRow(string Template, PoolImageState State, string? Problem);

/// <summary>A host as lists show it.</summary>
/// <param name="Problem">Why it cannot work, with the remedy; null when all is well.</param>
/// <param name="Warning">That its storage is nearly full, with the remedy; null while it is not.</param>
/// <param name="PoolPlace">Where its pool is: a directory, a volume group, or a thin pool in one.</param>
/// <param name="Place">Where it is: an address with its port, or the portal's own machine.</param>
public sealed record HostRow(
    HostId Id,
    string Name,
    HostKind Kind,
    HostMode Mode,
    string Hypervisor,
    bool HardwareVirtualisation,
    int Cpus,
    int SellableVcpus,
    int SoldVcpus,
    ByteSize Memory,
    ByteSize SellableMemory,
    ByteSize SoldMemory,
    ByteSize PoolSize,
    ByteSize PoolFree,
    ByteSize SoldDisk,
    int Vms,
    DateTimeOffset? SeenAt,
    string? Problem,
    string? Warning,
    string PoolPlace,
    string Place,
    IReadOnlyList<HostImageRow> Images);

/// <summary>All hosts with their room and their troubles.</summary>
public static class ListHosts
{
    public sealed record Request;

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<HostRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeHosts) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            return Result<IReadOnlyList<HostRow>>.Of(await db.ReadHostRowsAsync(await db.Hosts.AsNoTracking().Where(h => h.Mode != HostMode.WrittenOff).OrderBy(h => h.Name).ToListAsync(ct), ct));
        }
    }
}

/// <summary>Reads hosts as lists show them.</summary>
internal static class HostRows
{
    public static async Task<IReadOnlyList<HostRow>> ReadHostRowsAsync(this PortalDb db, IReadOnlyList<Host> hosts, CancellationToken ct)
    {
        var ids = hosts.Select(h => h.Id).ToList();
        var pools = await db.Pools.AsNoTracking().Where(p => ids.Contains(p.HostId)).ToDictionaryAsync(p => p.HostId, ct);
        var images = (await (from image in db.PoolImages.AsNoTracking()
                             join pool in db.Pools on image.PoolId equals pool.Id
                             join version in db.TemplateVersions on image.TemplateVersionId equals version.Id
                             join template in db.Templates on version.TemplateId equals template.Id
                             where ids.Contains(pool.HostId)
                             select new { image.PoolId, Row = new HostImageRow(template.Name + " " + version.Version, image.State, image.Problem) }).ToListAsync(ct)).ToLookup(i => i.PoolId, i => i.Row);
        var sold = await db.ReadSoldAsync(ct);
        return [.. hosts.Select(h =>
        {
            var used = sold.GetValueOrDefault(h.Id) ?? SoldRoom.Nothing;
            var pool = pools[h.Id];
            return new HostRow(h.Id, h.Name, h.Kind, h.Mode, h.Hypervisor, h.HardwareVirtualisation, h.Cpus, h.SellableVcpus, used.Vcpus, h.Memory, h.SellableMemory,
                new ByteSize(used.Memory), pool.Size, pool.Free, new ByteSize(used.Disk), used.Vms, h.SeenAt, h.Problem, h.Warning, h.Xen is { } xen ? xen.Storage : h.PoolPath, h.Place, [.. images[pool.Id]]);
        })];
    }
}

/// <summary>Lets new VMs come to a host, or not.</summary>
public static class ChangeHostMode
{
    public sealed record Request(HostId Host, HostMode Mode);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Safe to repeat.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            if (request.Mode == HostMode.WrittenOff)
            {
                return new Invalid("mode", "To write a host off is a request of its own, which asks for the host's name.");
            }

            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var host = (await db.Hosts.FromSql($"SELECT *, xmin FROM hosts WHERE id = {request.Host.Value} FOR UPDATE").ToListAsync(ct)).SingleOrDefault();
            if (host is null || host.Mode == HostMode.WrittenOff)
            {
                return new NotFound("host");
            }

            if (host.Mode != request.Mode)
            {
                db.Add(AuditEntry.OfPlatform(actor, "host.mode", host.Id.Value, host.Name, $"{host.Mode} -> {request.Mode}"));
                host.ChangeMode(request.Mode);
                await db.SaveChangesAsync(ct);
                await db.AnnounceAsync(Topic.Hosts, ct);
                await transaction.CommitAsync(ct);
            }

            return default(Done);
        }
    }
}
