using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.App.Audit;

/// <summary>What was changed of a template or a plan, by whom, when: from the platform's audit, the newest first.</summary>
public static class ListHistory
{
    /// <summary>At most so many changes are shown.</summary>
    public const int Most = 100;

    public sealed record Request(Guid Of);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<AuditRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeCatalogue) is { } refusal)
            {
                return refusal;
            }

            // What a tenant has agreed on stands in there too.
            var prices = access.Allows(actor, Permission.ManagePlans) || access.Allows(actor, Permission.SeePlatformAudit);
            await using var db = dbs.ForSystem();
            return Result<IReadOnlyList<AuditRow>>.Of(await db.AuditEntries.AsNoTracking()
                .Where(e => e.TenantId == default(TenantId) && e.ObjectId == request.Of && (e.Verb.StartsWith("template.") || e.Verb.StartsWith("plan.") || (prices && e.Verb.StartsWith("price."))))
                .OrderByDescending(e => e.Id).Take(Most)
                .Select(e => new AuditRow(e.Id, e.At, e.ActorName, e.Verb, e.ObjectName, e.Details)).ToListAsync(ct));
        }
    }
}
