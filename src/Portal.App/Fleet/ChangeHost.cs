using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Hosts;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Fleet;

/// <summary>The disks of its VMs are where they are.</summary>
public sealed record HostHasDisks(string Host, string At)
    : Refusal("hosts.has_disks", $"VMs on {Host} have their disks in its present pool. Delete them or add another host, then change the pool.")
{
    public override string? Field { get; } = At;
}

/// <summary>It was looked at, and cannot run guests so.</summary>
public sealed record HostCannotRun(string Host, KernelGuests Guests)
    : Refusal("hosts.cannot_run", Guests == KernelGuests.Pvh
        ? $"{Host} cannot run guests as PVH: its processor's virtualisation is missing or switched off, as its checks say. Switch it on in the machine's firmware (VT-x, AMD-V), then choose PVH."
        : $"{Host} cannot run guests paravirtualised: its Xen was built without that. Leave it at PVH.")
{
    public override string? Field => "guests";
}

/// <summary>Changes where a Xen host is, what the portal uses there, and what is not sold. Its addresses stay: VMs have them.</summary>
public static class ChangeHost
{
    /// <param name="Form">The name and the network are not looked at.</param>
    public sealed record Request(HostId Host, HostForm Form);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Safe to repeat.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            var form = request.Form;
            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var host = (await db.Hosts.FromSql($"SELECT *, xmin FROM hosts WHERE id = {request.Host.Value} FOR UPDATE").ToListAsync(ct)).SingleOrDefault();
            if (host?.Xen is not { } xen || host.Mode == HostMode.WrittenOff)
            {
                return new NotFound("host");
            }

            if (AddHost.CheckHost(form with { Name = host.Name }) is { } wrong)
            {
                return wrong;
            }

            var wanted = AddHost.AccessOf(form, xen.Key);
            var moves = (wanted.Group, wanted.Pool, wanted.Directory) != (xen.Group, xen.Pool, xen.Directory);
            // Where there was none, swap volumes that are there stay with the other disks, and are found there.
            var movesSwap = xen.SwapGroup is not null && wanted.SwapGroup != xen.SwapGroup;
            if ((moves || movesSwap) && await db.Vms.AnyAsync(v => (v.HostId == host.Id && v.DeletedAt == null) || db.VmMoves.Any(m => m.VmId == v.Id && m.LeftOnId == host.Id), ct))
            {
                return new HostHasDisks(host.Name, movesSwap ? "swapGroup" : wanted.Directory is not null ? "directory" : wanted.Pool is null || wanted.Group != xen.Group ? "volumeGroup" : "thinPool");
            }

            // What was never looked at says so itself once it is.
            if (wanted.Guests != xen.Guests && host.Guests != GuestKinds.None && !host.Guests.HasFlag(wanted.Guests == KernelGuests.Pvh ? GuestKinds.Pvh : GuestKinds.Pv))
            {
                return new HostCannotRun(host.Name, wanted.Guests);
            }

            host.ReachBy(wanted);
            host.Keep(AddHost.ReserveOf(form));
            host.Allow(form.MaxOperations);
            host.GiveAway(form.Devices);
            if (moves)
            {
                // Another pool has none of the images yet.
                var pool = await db.Pools.SingleAsync(p => p.HostId == host.Id, ct);
                pool.Rename(AddHost.PoolOf(form));
                await db.PoolImages.Where(i => i.PoolId == pool.Id).ExecuteDeleteAsync(ct);
            }

            db.Add(AuditEntry.OfPlatform(actor, "host.changed", host.Id.Value, host.Name, $"{wanted.Address}:{wanted.Port}, {wanted.Storage}, swap in {wanted.SwapGroup ?? "the same"}{(wanted.ExtendsPool ? ", extended when nearly full" : "")}, {wanted.Bridge}, kernels start {wanted.Guests}{(form.Devices.Count == 0 ? "" : $", gives {string.Join(' ', form.Devices)}")}; keeps {host.ReservedMemory}, {host.ReservedDisk}, {host.ReservedCpus} processors; {host.VcpusPerCpu} vCPUs a processor; {host.MaxOperations} operations at a time"));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException postgres && AddHost.Taken(postgres, form) is { } taken)
            {
                return taken;
            }

            await db.AnnounceAsync(Topic.Hosts, ct);
            await transaction.CommitAsync(ct);
            return default(Done);
        }
    }
}
