using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>Says when a VM is started and shut down, week by week, or that it is left alone.</summary>
public static class SetSchedule
{
    /// <param name="Week">Null leaves it alone.</param>
    public sealed record Request(TenantId Tenant, VmId Vm, WeekSchedule? Week);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Holds from the next turn on: it is neither started nor shut down now. Safe to repeat.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (request.Week?.Problem is { } wrong)
            {
                return new Invalid(wrong.Field, wrong.Problem);
            }

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

            var there = await db.VmSchedules.SingleOrDefaultAsync(s => s.VmId == vm.Id, ct);
            if (request.Week is null && there is null)
            {
                return default(Done);
            }

            var now = await db.NowAsync(ct);
            if (request.Week is not { } week)
            {
                db.Remove(there!);
            }
            else if (there is null)
            {
                db.Add(new VmSchedule(vm, week, now));
            }
            else
            {
                there.Change(week, now);
            }

            db.Add(AuditEntry.Of(actor, vm.TenantId, "vm.schedule_set", vm.Id.Value, vm.Name, request.Week?.InWords ?? "none"));
            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Of(vm.Id), ct);
            await transaction.CommitAsync(ct);
            return default(Done);
        }
    }
}
