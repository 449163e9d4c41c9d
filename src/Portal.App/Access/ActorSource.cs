using Microsoft.EntityFrameworkCore;
using Portal.Kernel;

namespace Portal.App.Access;

/// <summary>Loads who acts, with the roles held at this moment.</summary>
public sealed class ActorSource(PortalDbs dbs)
{
    /// <summary>The person; null where the account is gone or disabled.</summary>
    public async Task<Actor?> LoadAsync(UserId id, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var user = await db.Users.AsNoTracking().SingleOrDefaultAsync(u => u.Id == id.Value, ct);
        if (user is null || user.Disabled)
        {
            return null;
        }

        var roles = await db.StaffRoles.AsNoTracking().Where(r => r.UserId == id).Select(r => r.Role).ToListAsync(ct);
        var memberships = await db.Memberships.AsNoTracking().Where(m => m.UserId == id).ToListAsync(ct);
        return Actor.Person(user, roles, memberships);
    }
}
