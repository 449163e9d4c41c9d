using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Operations;

/// <summary>All that there is of a VM, in the database and on its host, as text without ids and instants: two VMs of one history look the same.</summary>
internal static class Picture
{
    public static async Task<string> OfAsync(PortalWorld world, VmId id, CancellationToken ct)
    {
        var text = new StringBuilder();
        await using var db = world.Main.Dbs.ForSystem();
        var vm = await db.Vms.AsNoTracking().SingleAsync(v => v.Id == id, ct);
        Line($"vm: {vm.Stage}, wanted {vm.Wanted}, seen {vm.Seen}, saved {vm.Saved}, generation {vm.Generation}, problem {vm.Problem ?? "none"}");
        foreach (var operation in await db.Operations.AsNoTracking().Include(o => o.Steps.OrderBy(s => s.Ordinal)).Where(o => o.VmId == id).OrderBy(o => o.CreatedAt).ToListAsync(ct))
        {
            Line($"operation: {operation.Kind} {operation.State} {operation.ProblemCode} {operation.Problem}, owned {operation.Owner is not null}, {operation.Copied.Bytes} of {operation.Total.Bytes}: {string.Join(" ", operation.Steps.Select(s => $"{s.Kind}={s.State}"))}");
        }

        foreach (var volume in await db.Volumes.AsNoTracking().Where(v => v.VmId == id).ToListAsync(ct))
        {
            Line($"volume: {volume.State}");
        }

        Line($"addresses: {await db.Addresses.CountAsync(a => a.VmId == id, ct)} taken, {(await db.Addresses.SingleAsync(a => a.NetworkId == vm.NetworkId && a.Ip == vm.Ip, ct)).ReleasedAt is not null} released");
        foreach (var usage in await db.UsageIntervals.AsNoTracking().Where(u => u.VmId == id).OrderBy(u => u.Meter).ThenBy(u => u.From).ToListAsync(ct))
        {
            Line($"usage: {usage.Meter} {(usage.To is null ? "goes on" : "ended")}");
        }

        foreach (var entry in await db.AuditEntries.AsNoTracking().Where(e => e.ObjectId == id.Value).OrderBy(e => e.Id).ToListAsync(ct))
        {
            Line($"audit: {entry.ActorName} {entry.Verb}");
        }

        foreach (var move in await db.VmMoves.AsNoTracking().Where(m => m.VmId == id).OrderBy(m => m.ToGeneration).ToListAsync(ct))
        {
            Line($"move: {move.FromGeneration} to {move.ToGeneration}, {move.Copied.Bytes} of {move.Total.Bytes}, left {move.LeftOnId is not null}");
        }

        foreach (var host in await db.Hosts.AsNoTracking().OrderBy(h => h.Id).ToListAsync(ct))
        {
            var engine = world.EngineOf(host);
            foreach (var domain in (await engine.ListDomainsAsync(ct)).Where(d => d.Name.Vm == id))
            {
                Line($"domain: generation {domain.Name.Generation} {domain.State}{(vm.HostId == host.Id ? "" : $", on {host.Name}")}");
            }

            if (host.Id == vm.HostId && vm.DeletedAt is null && (await engine.ListDisksAsync(vm.DomainOn(host), ct)).Cloned is { } clone)
            {
                Line($"clone: of {clone.Of}, replaced {clone.Replaced}");
            }

            foreach (var volume in (await engine.ListVolumesAsync(ct)).Where(v => v.Domain.Vm == id).OrderBy(v => v.Name, StringComparer.Ordinal))
            {
                Line($"on the host: {volume.Name.Replace(id.Value.ToString("N"), "VM", StringComparison.Ordinal)}");
            }
        }

        return text.ToString();

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>What holds whatever happened: sums, chains, and stretches of use without a gap or an overlap.</summary>
    public static async Task CheckBooksAsync(PortalWorld world, VmId id, CancellationToken ct)
    {
        await using var db = world.Main.Dbs.ForSystem();
        var vm = await db.Vms.AsNoTracking().SingleAsync(v => v.Id == id, ct);
        Assert.Null(await db.Database.SqlQuery<long?>($"SELECT audit_first_broken({vm.TenantId.Value}) AS \"Value\"").SingleAsync(ct));
        var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == vm.TenantId, ct);
        var quota = await App.Quotas.QuotaGuard.ReadQuotaAsync(db, tenant, ct);
        Assert.Equal(await db.Vms.CountAsync(v => v.TenantId == vm.TenantId && v.DeletedAt == null, ct), quota.Used.Vms);
        Assert.Equal(0, quota.InOrders.Vms);
        Assert.True(await db.Addresses.CountAsync(a => a.VmId == id, ct) == (vm.DeletedAt is null ? 1 : 0), "A VM has its address from the yes to its end, and no longer.");

        var usage = await db.UsageIntervals.AsNoTracking().Where(u => u.VmId == id).OrderBy(u => u.From).ToListAsync(ct);
        var allocated = usage.Where(u => u.Meter == App.Metering.Meter.VmAllocated).ToList();
        Assert.True(allocated.Count <= 1, "What exists without a break is one stretch.");
        var running = usage.Where(u => u.Meter == App.Metering.Meter.VmRunning).ToList();
        foreach (var stretch in running)
        {
            Assert.Contains(allocated, a => a.From <= stretch.From && (a.To is null || stretch.To <= a.To));
        }

        foreach (var (earlier, later) in running.Zip(running.Skip(1)))
        {
            Assert.True(earlier.To <= later.From);
        }

        var finished = await db.Operations.AsNoTracking().Where(o => o.VmId == id).ToListAsync(ct);
        foreach (var operation in finished)
        {
            var asked = $"operation.{operation.Kind}.asked".ToLowerInvariant();
            var ended = $"operation.{operation.Kind}.{operation.State}".ToLowerInvariant();
            Assert.Equal(finished.Count(o => o.Kind == operation.Kind), await db.AuditEntries.CountAsync(e => e.ObjectId == id.Value && e.Verb == asked, ct));
            Assert.Equal(finished.Count(o => o.Kind == operation.Kind && o.State == operation.State), await db.AuditEntries.CountAsync(e => e.ObjectId == id.Value && e.Verb == ended, ct));
        }
    }
}
