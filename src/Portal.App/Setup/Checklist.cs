using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Hosts;
using Portal.App.Outbox;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Setup;

/// <summary>What has to be there before anything can be sold.</summary>
public enum SetupStep
{
    Host,
    Pool,
    Template,
    Plan,
    Price,
    Tenant,
    Approver,
    Mail,
}

/// <summary>How a step of the set-up stands, looked at now.</summary>
/// <param name="Fact">What was found, or what is missing.</param>
public sealed record SetupRow(SetupStep Step, bool Done, bool Skipped, string Fact);

/// <summary>Looks at every step of the set-up.</summary>
public static class GetChecklist
{
    public sealed record Request;

    public sealed class Handler(PortalDbs dbs, AccessRules access, IOptions<MailOptions> mail)
    {
        public async Task<Result<IReadOnlyList<SetupRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SetUp) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var skipped = (await db.Settings.AsNoTracking().SingleOrDefaultAsync(s => s.Key == SkipSetupStep.Key, ct))?.Value.Split(',') ?? [];
            var hosts = await db.Hosts.AsNoTracking().Where(h => h.Mode != HostMode.WrittenOff).ToListAsync(ct);
            var pools = (await db.Pools.AsNoTracking().ToListAsync(ct)).Where(p => hosts.Any(h => h.Id == p.HostId)).ToList();
            var images = (await db.PoolImages.AsNoTracking().ToListAsync(ct)).Where(i => pools.Any(p => p.Id == i.PoolId)).ToList();
            var plans = await db.Plans.CountAsync(p => p.Offered, ct);
            var priced = await db.PlanPrices.Select(p => p.PlanId).Distinct().CountAsync(ct);
            var tenants = await db.Tenants.CountAsync(ct);
            var approvers = await db.StaffRoles.CountAsync(r => r.Role == PlatformRole.Approver, ct);
            var working = hosts.Where(h => h.SeenAt is not null && h.Problem is null).ToList();
            var failed = images.FirstOrDefault(i => i.State == PoolImageState.Failed);
            List<SetupRow> rows =
            [
                Row(SetupStep.Host, working.Count > 0, working.Count > 0 ? $"{working[0].Name}: {working[0].Hypervisor}" : hosts.FirstOrDefault()?.Problem ?? (hosts.Count == 0 ? "No host is registered." : "Waiting for the host's first answer.")),
                Row(SetupStep.Pool, pools.Any(p => p.Free > ByteSize.Zero), pools.FirstOrDefault() is { } pool ? $"{pool.Free} free of {pool.Size}" : "No pool yet: it comes with a host."),
                Row(SetupStep.Template, images.Any(i => i.State == PoolImageState.Ready), images.Any(i => i.State == PoolImageState.Ready) ? "Built and ready." : failed?.Problem ?? "The image is being built."),
                Row(SetupStep.Plan, plans > 0, plans > 0 ? $"{plans} on offer" : "No plan is on offer."),
                Row(SetupStep.Price, priced > 0, priced > 0 ? $"{priced} plans have a price" : "No plan has a price."),
                Row(SetupStep.Tenant, tenants > 0, tenants > 0 ? $"{tenants} so far" : "No tenant yet."),
                Row(SetupStep.Approver, approvers > 0, approvers > 0 ? $"{approvers} {(approvers == 1 ? "person" : "people")}" : "Nobody may decide on orders."),
                Row(SetupStep.Mail, mail.Value.IsSet, mail.Value.IsSet ? $"Through {mail.Value.Host}" : "No mail server is set: mails wait in the outbox. Set Mail__Host, Mail__From (and Mail__User, Mail__Password), then restart."),
            ];
            return Result<IReadOnlyList<SetupRow>>.Of(rows);

            SetupRow Row(SetupStep step, bool done, string fact) => new(step, done, !done && skipped.Contains(step.ToString()), fact);
        }
    }
}

/// <summary>Leaves a step of the set-up out, or takes it up again.</summary>
public static class SkipSetupStep
{
    internal const string Key = "setup.skipped";

    public sealed record Request(SetupStep Step, bool Skip);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Safe to repeat.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SetUp) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var setting = await db.Settings.SingleOrDefaultAsync(s => s.Key == Key, ct);
            var skipped = setting?.Value.Split(',', StringSplitOptions.RemoveEmptyEntries).ToHashSet() ?? [];
            if (request.Skip ? !skipped.Add(request.Step.ToString()) : !skipped.Remove(request.Step.ToString()))
            {
                return default(Done);
            }

            var value = string.Join(',', skipped.Order(StringComparer.Ordinal));
            if (setting is null)
            {
                db.Add(new PlatformSetting(Key, value));
            }
            else
            {
                setting.Change(value);
            }

            db.Add(AuditEntry.OfPlatform(actor, request.Skip ? "setup.skipped" : "setup.resumed", Guid.Empty, request.Step.ToString()));
            await db.SaveChangesAsync(ct);
            return default(Done);
        }
    }
}
