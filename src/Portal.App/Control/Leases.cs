using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>A VM whose lease ends.</summary>
/// <param name="DeletedAt">When it is deleted, if nobody has more time for it by then.</param>
/// <param name="Over">Whether the end is past.</param>
public sealed record LeaseRow(VmId Vm, string Name, DateTimeOffset EndsAt, DateTimeOffset DeletedAt, bool Over);

/// <summary>A tenant's leases, what ends first first.</summary>
public static class ListLeases
{
    public sealed record Request(TenantId Tenant);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<LeaseRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeTenant, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var now = await db.NowAsync(ct);
            var leased = await db.Vms.AsNoTracking().Where(v => v.TenantId == request.Tenant && v.DeletedAt == null && v.LeaseEndsAt != null)
                .OrderBy(v => v.LeaseEndsAt).ThenBy(v => v.Name).Select(v => new { v.Id, v.Name, End = v.LeaseEndsAt!.Value }).ToListAsync(ct);
            return Result<IReadOnlyList<LeaseRow>>.Of([.. leased.Select(v => new LeaseRow(v.Id, v.Name, v.End, Lease.DeletedAt(v.End), v.End <= now))]);
        }
    }
}

/// <summary>More time than a VM has is not given for the asking.</summary>
public sealed record MoreTimeIsOrdered()
    : Refusal("control.more_time_is_ordered", "That is later than its lease ends now. More time is ordered: ask for it, and it is decided like every order.")
{
    public override RefusalKind Kind => RefusalKind.Invalid;

    public override string? Field => "endsAt";
}

/// <summary>Gives a VM an end, or an earlier one. More time is ordered: <see cref="Ordering.ExtendLease"/>.</summary>
public static class SetLease
{
    /// <param name="EndsAt">In the future, and not after the present end.</param>
    public sealed record Request(TenantId Tenant, VmId Vm, DateTimeOffset EndsAt);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Safe to repeat.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ControlVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {request.Vm.Value} AND tenant_id = {request.Tenant.Value} FOR UPDATE").ToListAsync(ct)).SingleOrDefault();
            if (vm is null || vm.Stage is VmStage.Deleting or VmStage.Deleted)
            {
                return new NotFound("VM");
            }

            var end = request.EndsAt.ToUniversalTime();
            if (end == vm.LeaseEndsAt)
            {
                return default(Done);
            }

            var now = await db.NowAsync(ct);
            if (end <= now || end > now + Lease.Longest)
            {
                return new Invalid("endsAt", end <= now ? "That day is over. Choose a later one, or shut the VM down and delete it." : "A lease has at most 5 years.");
            }

            if (end > vm.LeaseEndsAt)
            {
                return new MoreTimeIsOrdered();
            }

            vm.LeaseUntil(end);
            db.Add(AuditEntry.Of(actor, vm.TenantId, "vm.lease_set", vm.Id.Value, vm.Name, $"until {Lease.LastDayOf(end):yyyy-MM-dd}"));
            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Of(vm.Id), ct);
            await db.AnnounceAsync(Topic.Of(vm.TenantId), ct);
            await transaction.CommitAsync(ct);
            return default(Done);
        }
    }
}
