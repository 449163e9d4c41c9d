using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Portal.App.Audit;
using Portal.App.Outbox;

namespace Portal.App.Access;

/// <summary>
/// Passwords: checking, changing and setting them anew. What a stranger is answered does not tell which addresses have an account, in words or by the work
/// that it takes.
/// </summary>
public sealed class Accounts(PortalDb db, UserManager<PortalUser> users)
{
    /// <summary>A mailbox gets no more links than one in this time, however often somebody asks.</summary>
    public static readonly TimeSpan BetweenLinks = TimeSpan.FromMinutes(5);

    // Costs an unknown address as much time as a known one with a wrong password.
    private static string? s_nobody;

    /// <summary>The person whose password this is; null for everything else: a wrong one, no such account, one that is disabled or rests.</summary>
    public async Task<PortalUser?> CheckAsync(string email, string password, CancellationToken ct)
    {
        var user = await users.FindByEmailAsync(email.Trim());
        if (user is null || user.Disabled || await users.IsLockedOutAsync(user))
        {
            s_nobody ??= users.PasswordHasher.HashPassword(new PortalUser(), Guid.CreateVersion7().ToString());
            users.PasswordHasher.VerifyHashedPassword(new PortalUser(), s_nobody, password);
            await CountWrongAsync(new PortalUser(), ct);
            return null;
        }

        if (!await users.CheckPasswordAsync(user, password))
        {
            await CountWrongAsync(user, ct);
            return null;
        }

        await db.Users.Where(u => u.Id == user.Id && u.AccessFailedCount > 0).ExecuteUpdateAsync(s => s.SetProperty(u => u.AccessFailedCount, 0), ct);
        return user;
    }

    /// <summary>Changes a known password. Every other session of the person ends with its next click. A wrong present password counts like one at the door.</summary>
    public async Task<IdentityResult> ChangeAsync(PortalUser user, string old, string wanted, CancellationToken ct)
    {
        if (await CheckAsync(user.Email ?? "", old, ct) is null)
        {
            return IdentityResult.Failed(users.ErrorDescriber.PasswordMismatch());
        }

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var changed = await users.ChangePasswordAsync(user, old, wanted);
        if (changed.Succeeded)
        {
            await RecordAsync(user, "account.password_changed", ct);
            await transaction.CommitAsync(ct);
        }

        return changed;
    }

    /// <summary>Sets a new password with the token of a link. Works once; the account no longer rests, and every session that was open ends.</summary>
    public async Task<IdentityResult> SetAnewAsync(Guid id, string token, string wanted, CancellationToken ct)
    {
        if (await users.FindByIdAsync(id.ToString()) is not { Disabled: false } user)
        {
            return IdentityResult.Failed(users.ErrorDescriber.InvalidToken());
        }

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var changed = await users.ResetPasswordAsync(user, token, wanted);
        if (changed.Succeeded)
        {
            user.LockoutEnd = null;
            user.AccessFailedCount = 0;
            await RecordAsync(user, "account.password_set_anew", ct);
            await transaction.CommitAsync(ct);
        }

        return changed;
    }

    /// <summary>Mails a link for a new password, where there is such an account and it was sent none in the last minutes.</summary>
    /// <param name="portal">The portal's own address; never what a request says that it is.</param>
    public async Task MailLinkAsync(string email, Uri portal, CancellationToken ct)
    {
        var lately = await db.NowAsync(ct) - BetweenLinks;
        if (await users.FindByEmailAsync(email.Trim()) is { Disabled: false } user
            && !await db.AuditEntries.AnyAsync(e => e.ObjectId == user.Id && e.Verb == "account.password_link_asked" && e.At > lately, ct))
        {
            db.Add(PasswordLink.Mail(user, await PasswordLink.MakeAsync(users, user, portal), "Somebody, probably you, asked for a new password for this account. If it was not you, ignore this mail."));
            await RecordAsync(user, "account.password_link_asked", ct);
        }
    }

    /// <summary>A link with which the account's owner sets a new password; null where there is no such account, or it is disabled.</summary>
    public async Task<Uri?> MakeLinkAsync(string email, Uri portal, CancellationToken ct)
    {
        if (await users.FindByEmailAsync(email.Trim()) is not { Disabled: false } user)
        {
            return null;
        }

        await RecordAsync(user, "account.password_link_made", ct);
        return await PasswordLink.MakeAsync(users, user, portal);
    }

    // In one statement: however many try at the same moment, each is counted.
    private async Task CountWrongAsync(PortalUser user, CancellationToken ct)
    {
        var most = users.Options.Lockout.MaxFailedAccessAttempts;
        var until = await db.NowAsync(ct) + users.Options.Lockout.DefaultLockoutTimeSpan;
        await db.Users.Where(u => u.Id == user.Id).ExecuteUpdateAsync(
            s => s.SetProperty(u => u.LockoutEnd, u => u.AccessFailedCount + 1 >= most ? until : u.LockoutEnd)
                .SetProperty(u => u.AccessFailedCount, u => u.AccessFailedCount + 1 >= most ? 0 : u.AccessFailedCount + 1), ct);
        if (await db.Users.AnyAsync(u => u.Id == user.Id && u.LockoutEnd == until, ct))
        {
            await RecordAsync(user, "account.rests", ct);
        }
    }

    private async Task RecordAsync(PortalUser user, string verb, CancellationToken ct)
    {
        db.Add(AuditEntry.OfPlatform(Actor.Portal, verb, user.Id, user.Email ?? user.DisplayName));
        await db.SaveChangesAsync(ct);
    }
}

/// <summary>Where links lead.</summary>
/// <param name="Own">What the portal knows itself as: for links that are mailed.</param>
/// <param name="Seen">What the person who asks knows it as: for links that this person is shown, and nobody else gets.</param>
public sealed record PortalAddress(Uri Own, Uri Seen);

/// <summary>The link with which a person sets a new password: good for a day, and until the password changes.</summary>
internal static class PasswordLink
{
    public static async Task<Uri> MakeAsync(UserManager<PortalUser> users, PortalUser user, Uri portal) =>
        new(portal, $"/account/new-password?user={user.Id}&token={Uri.EscapeDataString(await users.GeneratePasswordResetTokenAsync(user))}");

    public static OutboxMessage Mail(PortalUser user, Uri link, string why) =>
        new(default, user.Email ?? "", "A new password for the portal", $"{why}\n\nSet a new password within a day:\n{link}\n");
}
