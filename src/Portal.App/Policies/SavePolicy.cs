using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Kernel;

namespace Portal.App.Policies;

/// <summary>Writes the next version of a policy, which is in force from then on. Orders that wait keep the one that they came under.</summary>
public static class SavePolicy
{
    /// <param name="Tenant">Null for the platform's own, which answers for every tenant without one of its own.</param>
    /// <param name="Body">Null takes the policy back: the platform's answers again, or, on a tenant's own side, nobody is asked.</param>
    /// <param name="BaseVersion">The version that was edited; 0 where there was none.</param>
    public sealed record Request(TenantId? Tenant, PolicySide Side, PolicyBody? Body, string Note, int BaseVersion);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Not safe to repeat: the second time says that it was changed meanwhile.</summary>
        /// <returns>The version that was written.</returns>
        public async Task<Result<int>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var note = request.Note.Trim();
            var wrong = (request.Body is { } given ? PolicyShape.Check(given, request.Side) : []).ToList();
            if (note.Length > ApprovalPolicy.MaxNote)
            {
                wrong.Add(new Invalid("note", $"A note has at most {ApprovalPolicy.MaxNote} characters."));
            }

            if (wrong is [var first, .. var others])
            {
                return Result<int>.Of(first with { Also = others });
            }

            if (PolicyAccess.CheckEdit(access, actor, request.Tenant, request.Side) is { } refusal)
            {
                return Result<int>.Of(refusal);
            }

            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (request.Tenant is { } id && !await db.Tenants.AnyAsync(t => t.Id == id, ct))
            {
                return new NotFound("tenant");
            }

            var scope = request.Tenant ?? default;
            var newest = await db.NewestPolicyAsync(scope, request.Side, ct);
            if ((newest?.Version ?? 0) != request.BaseVersion)
            {
                return new ChangedMeanwhile("policy");
            }

            if (request.Body is null && newest?.Written is null)
            {
                return request.BaseVersion;
            }

            PolicyBody? body = null;
            if (request.Body is not null && !(await NameAsync(db, request.Tenant, request.Side, request.Body, ct)).TryGet(out body, out var unknown))
            {
                return Result<int>.Of(unknown);
            }

            var policy = new ApprovalPolicy(scope, request.Side, request.BaseVersion + 1, body, actor, note, await db.NowAsync(ct));
            db.Add(policy);
            db.Add(AuditEntry.Of(
                actor, scope, body is null ? "policy.withdrawn" : "policy.saved", policy.Id.Value, $"{(request.Side == PolicySide.Tenant ? "The tenant's policy" : "The provider's policy")}, version {policy.Version}",
                string.Join(" ", (body is null ? [] : PolicyWords.Of(body)).Append(note)).Trim()));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return new ChangedMeanwhile("policy");
            }

            await transaction.CommitAsync(ct);
            return policy.Version;
        }

        // Names are the accounts', not the sender's; and who is named has to be there.
        private static async Task<Result<PolicyBody>> NameAsync(PortalDb db, TenantId? tenant, PolicySide side, PolicyBody body, CancellationToken ct)
        {
            var steps = new List<PolicyStep>(body.Steps.Count);
            var people = (await db.ReadVotersAsync(tenant, side, ct)).ToDictionary(p => p.Person!.Value, p => p.Name);
            foreach (var step in body.Steps)
            {
                if (step.Who.FirstOrDefault(v => v.Person is { } id && !people.ContainsKey(id)) is { } stranger)
                {
                    return new Invalid("who", $"{stranger.Name ?? "One of those named"} has no account that could vote here any more. Name somebody else.") { Within = $"steps[{steps.Count}]" };
                }

                steps.Add(step with { Name = step.Name.Trim(), Who = [.. step.Who.Select(v => v.Person is { } id ? v with { Name = people[id] } : v with { Name = null })] });
            }

            return body with { Steps = steps };
        }
    }
}

internal static class PolicyAccess
{
    /// <summary>The provider's side is its administrators' to write; a tenant's own side its owners', and theirs.</summary>
    public static Refusal? CheckEdit(AccessRules access, Actor actor, TenantId? tenant, PolicySide side) =>
        side == PolicySide.Provider ? access.Check(actor, Permission.ManagePolicies)
        : tenant is { } id ? access.Check(actor, Permission.ManagePolicies, id)
        : new Invalid("side", "The platform has no tenant's side.");

    /// <summary>The provider's side is for those who see its orders; a tenant's own for everybody in it.</summary>
    public static Refusal? CheckSee(AccessRules access, Actor actor, TenantId? tenant, PolicySide side) =>
        side == PolicySide.Provider ? access.Check(actor, Permission.SeeOrders)
        : tenant is { } id ? access.Check(actor, Permission.SeeTenant, id)
        : new Invalid("side", "The platform has no tenant's side.");

    /// <summary>The persons whom a policy may name: a tenant's members, or the provider's own people.</summary>
    public static async Task<IReadOnlyList<Voter>> ReadVotersAsync(this PortalDb db, TenantId? tenant, PolicySide side, CancellationToken ct)
    {
        var ids = side == PolicySide.Tenant
            ? await db.Memberships.Where(m => m.TenantId == tenant).Select(m => m.UserId).ToListAsync(ct)
            : await db.StaffRoles.Select(r => r.UserId).Distinct().ToListAsync(ct);
        var users = ids.Select(i => i.Value).ToList();
        return await db.Users.AsNoTracking().Where(u => !u.Disabled && users.Contains(u.Id)).OrderBy(u => u.DisplayName).Select(u => new Voter(null, null, u.Id, u.DisplayName)).ToListAsync(ct);
    }
}
