using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portal.App.Audit;
using Portal.App.Outbox;
using Portal.Kernel;

namespace Portal.App.Access;

/// <summary>A person as administrators see it.</summary>
public sealed record PersonRow(UserId Id, string Name, string Email, bool Disabled, bool LockedOut, IReadOnlyList<PlatformRole> Roles, int Tenants, DateTimeOffset CreatedAt);

/// <summary>Everybody with an account.</summary>
public static class ListPeople
{
    public sealed record Request;

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<PersonRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManagePeople) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var now = await db.NowAsync(ct);
            var roles = (await db.StaffRoles.AsNoTracking().ToListAsync(ct)).ToLookup(r => r.UserId, r => r.Role);
            var tenants = await db.Memberships.GroupBy(m => m.UserId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, ct);
            var people = await db.Users.AsNoTracking().OrderBy(u => u.DisplayName).ToListAsync(ct);
            return Result<IReadOnlyList<PersonRow>>.Of(
                [.. people.Select(u => new PersonRow(u.UserId, u.DisplayName, u.Email ?? "", u.Disabled, u.LockoutEnd > now, [.. roles[u.UserId].Order()], tenants.GetValueOrDefault(u.UserId), u.CreatedAt))]);
        }
    }
}

/// <summary>The platform always has an administrator who can sign in.</summary>
public sealed record LastAdministrator()
    : Refusal("access.last_administrator", "The portal needs an administrator. Make somebody else one first.");

/// <summary>Sets which platform roles a person holds, and whether the account may be used.</summary>
public static class ChangePerson
{
    public sealed record Request(UserId User, IReadOnlyList<PlatformRole> Roles, bool Disabled);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Holds from the person's next call on. Safe to repeat.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManagePeople) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            // All of them, so that two administrators cannot take each other's role at the same moment.
            var all = await db.StaffRoles.FromSql($"SELECT * FROM staff_roles ORDER BY user_id, role FOR UPDATE").ToListAsync(ct);
            var user = await db.Users.SingleOrDefaultAsync(u => u.Id == request.User.Value, ct);
            if (user is null)
            {
                return new NotFound("person");
            }

            var held = all.Where(r => r.UserId == request.User).ToList();
            var disabled = await db.Users.Where(u => u.Disabled).Select(u => u.Id).ToListAsync(ct);
            var staysAdministrator = request.Roles.Contains(PlatformRole.Administrator) && !request.Disabled;
            if (!staysAdministrator && !all.Any(r => r.Role == PlatformRole.Administrator && r.UserId != request.User && !disabled.Contains(r.UserId.Value)))
            {
                return new LastAdministrator();
            }

            db.RemoveRange(held.Where(r => !request.Roles.Contains(r.Role)));
            db.AddRange(request.Roles.Distinct().Where(r => held.All(h => h.Role != r)).Select(r => new StaffRole(request.User, r)));
            if (user.Disabled != request.Disabled || held.Count != request.Roles.Count || held.Any(h => !request.Roles.Contains(h.Role)))
            {
                db.Add(AuditEntry.OfPlatform(actor, "person.changed", user.Id, user.DisplayName, $"{string.Join(" ", held.Select(h => h.Role))} -> {string.Join(" ", request.Roles)}{(request.Disabled ? ", disabled" : "")}"));
            }

            user.Disabled = request.Disabled;
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
            return default(Done);
        }
    }
}

/// <summary>Lets an account be used again at once that rests after wrong passwords.</summary>
public static class UnlockPerson
{
    public sealed record Request(UserId User);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Safe to repeat.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManagePeople) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var user = await db.Users.SingleOrDefaultAsync(u => u.Id == request.User.Value, ct);
            if (user is null)
            {
                return new NotFound("person");
            }

            user.LockoutEnd = null;
            user.AccessFailedCount = 0;
            db.Add(AuditEntry.OfPlatform(actor, "account.unlocked", user.Id, user.DisplayName));
            await db.SaveChangesAsync(ct);
            return default(Done);
        }
    }
}

/// <summary>Makes a link with which a person sets a new password, for those who lost theirs. It goes by mail; where no mail is set up, it is shown once.</summary>
public static class MakePasswordLink
{
    public sealed record Request(UserId User, PortalAddress Portal);

    /// <param name="Link">Null where it was mailed: only the person is to have it.</param>
    public sealed record Made(string Email, Uri? Link);

    public sealed class Handler(PortalDbs dbs, AccessRules access, UserManager<PortalUser> users, IOptions<MailOptions> mail)
    {
        /// <summary>Safe to repeat: links hold for a day, and until the password changes. The present password holds until then.</summary>
        public async Task<Result<Made>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManagePeople) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var user = await db.Users.SingleOrDefaultAsync(u => u.Id == request.User.Value, ct);
            if (user is null)
            {
                return new NotFound("person");
            }

            var link = await PasswordLink.MakeAsync(users, user, mail.Value.IsSet ? request.Portal.Own : request.Portal.Seen);
            if (mail.Value.IsSet)
            {
                db.Add(PasswordLink.Mail(user, link, $"{actor.Name} made this link for you."));
            }

            db.Add(AuditEntry.OfPlatform(actor, "account.password_link_made", user.Id, user.DisplayName));
            await db.SaveChangesAsync(ct);
            return new Made(user.Email ?? "", mail.Value.IsSet ? null : link);
        }
    }
}
