using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Hosts;
using Portal.App.Metering;
using Portal.App.Networks;
using Portal.App.Operations;
using Portal.App.Outbox;
using Portal.App.Vms;
using Portal.Kernel;
using Host = Portal.App.Hosts.Host;

namespace Portal.App.Control;

/// <summary>The host is there: what is on it can be deleted one by one, and must not be called lost.</summary>
public sealed record HostAnswers(string Host)
    : Refusal("hosts.answers", $"{Host} answered when it was asked last, and has VMs. A host is written off when it is gone for good and has not answered for {Shown.Silence.TotalSeconds:0} seconds: switch it off first, or delete its VMs.");

/// <summary>People keep asking for things on the host while it is written off.</summary>
public sealed record HostBusy(string Host)
    : Refusal("hosts.busy", $"Things are being asked for on {Host} at this moment. Take nothing new on it, then write it off again.");

/// <summary>
/// Gives up a host that will not come back: what was under way on it fails, its VMs are lost and cost nothing from the moment that the host was seen
/// last, their names, quota and addresses are free again. The one way out where neither retry nor delete can ever end.
/// </summary>
public static class WriteOffHost
{
    /// <param name="ConfirmName">The host's name, typed.</param>
    public sealed record Request(HostId Host, string ConfirmName);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        private const int Tries = 5;

        /// <summary>Gives how many VMs were lost. Safe to repeat. Should the host come back, its domains run on without anybody: nobody asks it any more.</summary>
        public async Task<Result<int>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            // An operation that is asked for between the two locks below is not seen by the first: then all of it is done again.
            for (var i = 0; i < Tries; i++)
            {
                if (await TryAsync(request, actor, ct) is { } result)
                {
                    return result;
                }
            }

            return new HostBusy(request.ConfirmName.Trim());
        }

        private async Task<Result<int>?> TryAsync(Request request, Actor actor, CancellationToken ct)
        {
            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var host = (await db.Hosts.FromSql($"SELECT *, xmin FROM hosts WHERE id = {request.Host.Value} FOR UPDATE").ToListAsync(ct)).SingleOrDefault();
            if (host is null)
            {
                return new NotFound("host");
            }

            if (host.Mode == HostMode.WrittenOff)
            {
                return 0;
            }

            if (!string.Equals(request.ConfirmName.Trim(), host.Name, StringComparison.Ordinal))
            {
                return new Invalid("confirmName", $"Type the host's name, {host.Name}, to write it off: the disks on it are given up for good.");
            }

            var now = await db.NowAsync(ct);
            // One that has no VMs is just let go, whether it answers or not.
            if (host.SeenAt is { } seen && (host.Problem is null || now - seen < Shown.Silence) && await db.Vms.AnyAsync(v => v.HostId == host.Id && v.DeletedAt == null, ct))
            {
                return new HostAnswers(host.Name);
            }

            var ended = await EndOperationsAsync(db, host, now, ct);
            var lost = await LoseVmsAsync(db, host, actor, now, ct);
            if (await db.Operations.AsNoTracking().AnyAsync(o => o.FinishedAt == null && !ended.Contains(o.Id) && db.Vms.Any(v => v.Id == o.VmId && v.HostId == host.Id), ct))
            {
                return null;
            }

            host.WriteOff();
            // VMs that were moved away keep their addresses; the last of them gives its network up.
            foreach (var network in await db.Networks.Where(n => n.HostId == host.Id && !db.Vms.Any(v => v.NetworkId == n.Id && v.HostId != host.Id && v.DeletedAt == null)).ToListAsync(ct))
            {
                network.Retire();
            }

            db.Add(AuditEntry.OfPlatform(actor, "host.written_off", host.Id.Value, host.Name, $"{lost.Count} VMs lost"));
            await TellAsync(db, host, lost, ct);
            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Hosts, ct);
            foreach (var tenant in lost.Select(v => v.TenantId).Distinct())
            {
                await db.AnnounceAsync(Topic.Of(tenant), ct);
            }

            await transaction.CommitAsync(ct);
            return lost.Count;
        }

        // Whoever is at one of them at this moment finds it taken over at his next write.
        private static async Task<IReadOnlyList<OperationId>> EndOperationsAsync(PortalDb db, Host host, DateTimeOffset now, CancellationToken ct)
        {
            var live = await db.Operations.FromSql(
                $"SELECT o.*, o.xmin FROM operations o JOIN vms v ON v.id = o.vm_id WHERE v.host_id = {host.Id.Value} AND o.finished_at IS NULL ORDER BY o.id FOR UPDATE OF o").ToListAsync(ct);
            foreach (var operation in live)
            {
                operation.Finish(OperationState.Failed, now, "hosts.written_off", "The host was lost with all that was on it.");
            }

            return [.. live.Select(o => o.Id)];
        }

        private static async Task<IReadOnlyList<Vm>> LoseVmsAsync(PortalDb db, Host host, Actor actor, DateTimeOffset now, CancellationToken ct)
        {
            var vms = await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE host_id = {host.Id.Value} AND deleted_at IS NULL ORDER BY id FOR UPDATE").ToListAsync(ct);
            // Audit chains are locked in the order of their entries: by tenant, so that two who write off never wait for each other.
            foreach (var vm in vms.OrderBy(v => v.TenantId.Value).ThenBy(v => v.Id.Value))
            {
                // Nobody knows what was there after the last sight, so nobody pays for it.
                await db.SettleUsageAsync(vm, allocated: false, running: false, host.SeenAt ?? now, ct);
                await db.ReleaseAddressAsync(vm.Id, now, ct);
                foreach (var volume in await db.Volumes.Where(v => v.VmId == vm.Id && v.State != VolumeState.Removed).ToListAsync(ct))
                {
                    volume.Lost(now);
                }

                vm.LostWithHost(now);
                db.Add(AuditEntry.Of(actor, vm.TenantId, "vm.lost", vm.Id.Value, vm.Name, "its host was written off"));
            }

            return vms;
        }

        // The owners of a tenant hear of it in one mail.
        private static async Task TellAsync(PortalDb db, Host host, IReadOnlyList<Vm> lost, CancellationToken ct)
        {
            foreach (var tenant in lost.GroupBy(v => v.TenantId))
            {
                var names = string.Join(", ", tenant.Select(v => v.Name).Order(StringComparer.Ordinal).Take(100));
                var owners = await db.Memberships.Where(m => m.TenantId == tenant.Key && m.Role == TenantRole.Owner).Select(m => m.Email).ToListAsync(ct);
                db.AddRange(owners.Select(owner => new OutboxMessage(
                    tenant.Key,
                    owner,
                    "VMs were lost with their host",
                    $"The machine that these VMs ran on is lost, and their disks with it: {names}. They cost nothing from {host.SeenAt?.ToString("u", System.Globalization.CultureInfo.InvariantCulture) ?? "their start"} on. To have them again, order them again; data has to come from a backup.")));
            }
        }
    }
}
