using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.App.Audit;

/// <summary>An entry as lists show it.</summary>
public sealed record AuditRow(long Id, DateTimeOffset At, string Actor, string Verb, string ObjectName, string Details);

/// <summary>Lists a chain's entries, the newest first.</summary>
public static class ListAudit
{
    public const int PageSize = 100;

    /// <param name="Tenant">Null for the platform's own chain.</param>
    public sealed record Request(TenantId? Tenant, long? Before = null);

    /// <param name="Intact">Whether every hash of the chain fits its entry and the hash before it.</param>
    public sealed record Page(IReadOnlyList<AuditRow> Rows, bool Older, bool Intact, DateTimeOffset VerifiedAt);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Page>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var refusal = request.Tenant is { } tenant ? access.Check(actor, Permission.SeeTenantAudit, tenant) : access.Check(actor, Permission.SeePlatformAudit);
            if (refusal is not null)
            {
                return Result<Page>.Of(refusal);
            }

            await using var db = dbs.ForSystem();
            var chain = request.Tenant ?? default;
            var rows = await db.AuditEntries.AsNoTracking().Where(e => e.TenantId == chain && (request.Before == null || e.Id < request.Before))
                .OrderByDescending(e => e.Id).Take(PageSize + 1)
                .Select(e => new AuditRow(e.Id, e.At, e.ActorName, e.Verb, e.ObjectName, e.Details)).ToListAsync(ct);
            var broken = await db.Database.SqlQuery<long?>($"SELECT audit_first_broken({chain.Value}) AS \"Value\"").SingleAsync(ct);
            return new Page([.. rows.Take(PageSize)], rows.Count > PageSize, broken is null, await db.NowAsync(ct));
        }
    }
}
