using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Outbox;
using Portal.Kernel;

namespace Portal.App.Tenants;

/// <summary>A member as lists show it.</summary>
public sealed record MemberRow(UserId User, string Name, string Email, TenantRole Role, DateTimeOffset Since);

/// <summary>An invitation that is still open.</summary>
public sealed record InvitationRow(InvitationId Id, string Email, TenantRole Role, string InvitedBy, DateTimeOffset ExpiresAt);

/// <summary>Who is in a tenant, and who is invited.</summary>
public static class ListMembers
{
    public sealed record Request(TenantId Tenant);

    public sealed record People(IReadOnlyList<MemberRow> Members, IReadOnlyList<InvitationRow> Invitations, bool CanManage);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<People>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeTenant, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var now = await db.NowAsync(ct);
            var members = await db.Memberships.AsNoTracking().Where(m => m.TenantId == request.Tenant).OrderBy(m => m.Name)
                .Select(m => new MemberRow(m.UserId, m.Name, m.Email, m.Role, m.Since)).ToListAsync(ct);
            var invitations = await db.Invitations.AsNoTracking()
                .Where(i => i.TenantId == request.Tenant && i.AcceptedAt == null && i.WithdrawnAt == null && i.ExpiresAt > now).OrderBy(i => i.Email)
                .Select(i => new InvitationRow(i.Id, i.Email, i.Role, i.InvitedBy, i.ExpiresAt)).ToListAsync(ct);
            return new People(members, invitations, access.Allows(actor, Permission.ManageMembers, request.Tenant));
        }
    }
}

/// <summary>Invites somebody by mail address. The link goes by mail; where no mail is set up, it is shown once.</summary>
public static class InviteMember
{
    public sealed record Request(TenantId Tenant, string Email, TenantRole Role, PortalAddress Portal);

    /// <param name="Link">Null where it was mailed: only the invited is to have it.</param>
    public sealed record Invited(InvitationId Invitation, string Email, Uri? Link, DateTimeOffset ExpiresAt);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IOptions<MailOptions> mail)
    {
        private static readonly TimeSpan s_life = TimeSpan.FromDays(7);

        /// <summary>Each call makes another invitation.</summary>
        public async Task<Result<Invited>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (!MailAddress.IsValid(request.Email))
            {
                return new Invalid("email", "That is not a mail address.");
            }

            if (access.Check(actor, Permission.ManageMembers, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == request.Tenant, ct);
            var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
            var expires = await db.NowAsync(ct) + s_life;
            var email = request.Email.Trim();
            var members = await db.Memberships.Where(m => m.TenantId == request.Tenant).Select(m => m.Email).ToListAsync(ct);
            if (members.Contains(email, StringComparer.OrdinalIgnoreCase))
            {
                return new Invalid("email", $"{email} is a member already. Roles are changed in the list.");
            }

            var invitation = new Invitation(request.Tenant, email, request.Role, AcceptInvitation.HashOf(token), actor.Name, expires);
            var link = new Uri(mail.Value.IsSet ? request.Portal.Own : request.Portal.Seen, $"/account/invitation/{token}");
            db.Add(invitation);
            if (mail.Value.IsSet)
            {
                db.Add(new OutboxMessage(request.Tenant, email, $"{actor.Name} invites you to {tenant.Name}", $"{actor.Name} invites you to {tenant.Name} as {request.Role.ToString().ToLowerInvariant()}.\n\nAccept within 7 days:\n{link}\n"));
            }

            db.Add(AuditEntry.Of(actor, request.Tenant, "member.invited", invitation.Id.Value, email, request.Role.ToString()));
            await db.SaveChangesAsync(ct);
            return new Invited(invitation.Id, email, mail.Value.IsSet ? null : link, expires);
        }
    }
}

/// <summary>Takes an invitation back.</summary>
public static class WithdrawInvitation
{
    public sealed record Request(TenantId Tenant, InvitationId Invitation);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageMembers, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var invitation = await db.Invitations.SingleOrDefaultAsync(i => i.Id == request.Invitation && i.TenantId == request.Tenant, ct);
            var now = await db.NowAsync(ct);
            if (invitation is null || !invitation.IsOpen(now))
            {
                return new NotFound("open invitation");
            }

            invitation.Withdraw(now);
            db.Add(AuditEntry.Of(actor, request.Tenant, "member.invitation_withdrawn", invitation.Id.Value, invitation.Email));
            await db.SaveChangesAsync(ct);
            return default(Done);
        }
    }
}

/// <summary>The invitation is used, withdrawn, expired, or never was.</summary>
public sealed record InvitationGone()
    : Refusal("tenants.invitation_gone", "This invitation is not valid (any more). Ask for a new one.")
{
    public override RefusalKind Kind => RefusalKind.NotFound;
}

/// <summary>Who holds the link is in the tenant; the invitation stays open for whom it was meant.</summary>
public sealed record MemberAlready(string Tenant, TenantRole Role)
    : Refusal("tenants.member_already", $"You are in {Tenant} already, as {Role.ToString().ToLowerInvariant()}. An owner changes that on the members page; this invitation was not used.");

/// <summary>Shows and takes an invitation.</summary>
public static class AcceptInvitation
{
    public sealed record Request(string Token);

    /// <summary>What an invitation offers.</summary>
    public sealed record Offer(string TenantName, string TenantSlug, string Email, TenantRole Role, string InvitedBy);

    public sealed class Handler(PortalDbs dbs)
    {
        /// <summary>The signed-in person takes the place. Once; who is a member already stays what it is, and is told so.</summary>
        public async Task<Result<Offer>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (actor.User is not { } user)
            {
                return new NotAllowed(Permission.SeeTenant);
            }

            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var hash = HashOf(request.Token);
            var invitation = (await db.Invitations.FromSql($"SELECT *, xmin FROM invitations WHERE token_hash = {hash} FOR UPDATE").ToListAsync(ct)).SingleOrDefault();
            var now = await db.NowAsync(ct);
            if (invitation is null || !invitation.IsOpen(now))
            {
                return new InvitationGone();
            }

            var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == invitation.TenantId, ct);
            if (actor.Memberships.TryGetValue(tenant.Id, out var role))
            {
                return new MemberAlready(tenant.Name, role);
            }

            invitation.Accept(now);
            db.Add(new Membership(tenant.Id, user, invitation.Role, actor.Name, actor.Email, now));
            db.Add(AuditEntry.Of(actor, tenant.Id, "member.joined", user.Value, actor.Name, invitation.Role.ToString()));
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
            return new Offer(tenant.Name, tenant.Slug, invitation.Email, invitation.Role, invitation.InvitedBy);
        }
    }

    /// <summary>What the link offers; for the page that a person sees before signing in. Whoever holds the link may read it.</summary>
    public static async Task<Offer?> FindAsync(PortalDbs dbs, string token, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var hash = HashOf(token);
        var now = await db.NowAsync(ct);
        var invitation = await db.Invitations.AsNoTracking().SingleOrDefaultAsync(i => i.TokenHash == hash, ct);
        if (invitation is null || !invitation.IsOpen(now))
        {
            return null;
        }

        var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == invitation.TenantId, ct);
        return new Offer(tenant.Name, tenant.Slug, invitation.Email, invitation.Role, invitation.InvitedBy);
    }

    internal static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}

/// <summary>A tenant always has an owner.</summary>
public sealed record LastOwner()
    : Refusal("tenants.last_owner", "A tenant needs an owner. Make somebody else an owner first.");

/// <summary>Changes a member's role, or takes the member out.</summary>
public static class ChangeMember
{
    /// <param name="Role">Null takes the member out of the tenant.</param>
    public sealed record Request(TenantId Tenant, UserId User, TenantRole? Role);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageMembers, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            // All owners at once, so that two of them cannot take each other out.
            var members = await db.Memberships.FromSql($"SELECT *, xmin FROM memberships WHERE tenant_id = {request.Tenant.Value} ORDER BY user_id FOR UPDATE").ToListAsync(ct);
            var member = members.SingleOrDefault(m => m.UserId == request.User);
            if (member is null)
            {
                return new NotFound("member");
            }

            if (member.Role == TenantRole.Owner && request.Role != TenantRole.Owner && members.Count(m => m.Role == TenantRole.Owner) == 1)
            {
                return new LastOwner();
            }

            var before = member.Role;
            if (request.Role is { } role)
            {
                member.ChangeRole(role);
            }
            else
            {
                db.Remove(member);
            }

            db.Add(AuditEntry.Of(actor, request.Tenant, request.Role is null ? "member.removed" : "member.changed", member.UserId.Value, member.Name, $"{before} -> {request.Role?.ToString() ?? "out"}"));
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
            return default(Done);
        }
    }
}

internal static class MailAddress
{
    public static bool IsValid(string text) =>
        text.Trim() is { Length: > 2 and <= 256 } trimmed
        && System.Net.Mail.MailAddress.TryCreate(trimmed, out var address)
        && address.Address == trimmed
        && !trimmed.Any(char.IsControl);
}
