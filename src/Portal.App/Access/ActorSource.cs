using Microsoft.EntityFrameworkCore;
using Portal.Kernel;

namespace Portal.App.Access;

/// <summary>Who signed in, as a cookie or a token says.</summary>
/// <param name="Stamp">The account's stamp at that moment: another password, another stamp.</param>
public sealed record SignedIn(UserId User, string? Stamp);

/// <summary>Loads who acts, with the roles held at this moment.</summary>
public sealed class ActorSource(PortalDbs dbs)
{
    /// <summary>The person; null where the account is gone or disabled, or its password was changed after this sign-in.</summary>
    public Task<Actor?> LoadAsync(SignedIn who, CancellationToken ct) => LoadAsync(who.User, user => user.SecurityStamp == who.Stamp, ct);

    /// <summary>The person; null where the account is gone or disabled.</summary>
    public Task<Actor?> LoadAsync(UserId id, CancellationToken ct) => LoadAsync(id, _ => true, ct);

    private async Task<Actor?> LoadAsync(UserId id, Func<PortalUser, bool> holds, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var user = await db.Users.AsNoTracking().SingleOrDefaultAsync(u => u.Id == id.Value, ct);
        if (user is null || user.Disabled || !holds(user))
        {
            return null;
        }

        var roles = await db.StaffRoles.AsNoTracking().Where(r => r.UserId == id).Select(r => r.Role).ToListAsync(ct);
        var memberships = await db.Memberships.AsNoTracking().Where(m => m.UserId == id).ToListAsync(ct);
        return Actor.Person(user, roles, memberships);
    }
}
