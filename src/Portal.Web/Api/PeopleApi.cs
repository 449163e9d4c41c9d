using Portal.App.Access;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <summary>Accounts for administrators, places in a tenant for its owners.</summary>
internal static class PeopleApi
{
    public static void Map(RouteGroupBuilder api)
    {
        var people = api.MapGroup("/people").WithTags("People");
        people.MapGet("/", async (ListPeople.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(), http.Actor(), ct)).Answer(rows => rows.Select(PersonJson.Of)))
            .WithName("ListPeople").WithSummary("Everybody with an account. For administrators.").Produces<IEnumerable<PersonJson>>().ProducesProblem(403);
        people.MapPut("/{user:guid}", async (Guid user, PersonBody body, ChangePerson.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new UserId(user), body.Roles, body.Disabled), http.Actor(), ct)).Answer())
            .WithName("ChangePerson").WithSummary("Sets a person's platform roles, and whether the account may be used. For administrators.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409);
        people.MapPost("/{user:guid}/unlock", async (Guid user, UnlockPerson.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new UserId(user)), http.Actor(), ct)).Answer())
            .WithName("UnlockPerson").WithSummary("Lets an account be used again at once that rests after wrong passwords. For administrators.").Produces(204).ProducesProblem(403).ProducesProblem(404);
        people.MapPost("/{user:guid}/password-link", async (Guid user, MakePasswordLink.Handler handler, Hosting.PublicAddress address, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new UserId(user), address.For(Here(http))), http.Actor(), ct)).Answer(made => new PasswordLinkJson(made.Email, made.Link)))
            .WithName("MakePasswordLink").WithSummary("Makes a link for a new password. It goes by mail; where no mail is set up, it is shown once, here. For administrators.").Produces<PasswordLinkJson>().ProducesProblem(403).ProducesProblem(404);

        var tenant = api.MapGroup("/tenants/{tenant:guid}").WithTags("Tenants");
        tenant.MapGet("/members", async (Guid tenant, ListMembers.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant)), http.Actor(), ct)).Answer(MembersJson.Of))
            .WithName("ListMembers").WithSummary("Who is in the tenant, and who is invited.").Produces<MembersJson>().ProducesProblem(404);
        tenant.MapPut("/members/{user:guid}", async (Guid tenant, Guid user, MemberBody body, ChangeMember.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new UserId(user), body.Role), http.Actor(), ct)).Answer())
            .WithName("ChangeMember").WithSummary("Gives a member another role. For owners.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409);
        tenant.MapDelete("/members/{user:guid}", async (Guid tenant, Guid user, ChangeMember.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new UserId(user), null), http.Actor(), ct)).Answer())
            .WithName("RemoveMember").WithSummary("Takes a member out of the tenant. For owners.").Produces(204).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409);
        tenant.MapPost("/invitations", async (Guid tenant, InviteBody body, InviteMember.Handler handler, Hosting.PublicAddress address, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), body.Email, body.Role, address.For(Here(http))), http.Actor(), ct))
                    .Answer(i => new InvitedJson(i.Invitation.Value, i.Link, i.ExpiresAt)))
            .WithName("InviteMember").WithSummary("Invites somebody. The link goes by mail; where no mail is set up, it is shown once, here.").Produces<InvitedJson>().ProducesProblem(403).ProducesProblem(422);
        tenant.MapDelete("/invitations/{invitation:guid}", async (Guid tenant, Guid invitation, WithdrawInvitation.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(new TenantId(tenant), new InvitationId(invitation)), http.Actor(), ct)).Answer())
            .WithName("WithdrawInvitation").WithSummary("Takes an open invitation back. For owners.").Produces(204).ProducesProblem(403).ProducesProblem(404);
        api.MapPost("/invitations/accept", async (AcceptBody body, AcceptInvitation.Handler handler, HttpContext http, CancellationToken ct) =>
                (await handler.HandleAsync(new(body.Token), http.Actor(), ct)).Answer(o => new JoinedJson(o.TenantSlug, o.TenantName, o.Role.ToString())))
            .WithTags("Tenants").WithName("AcceptInvitation").WithSummary("Takes the place in a tenant that an invitation offers; its token is the last part of the link.").Produces<JoinedJson>().ProducesProblem(404).ProducesProblem(409);
    }

    private static Uri Here(HttpContext http) => new($"{http.Request.Scheme}://{http.Request.Host}");
}

internal sealed record PersonJson(Guid Id, string Name, string Email, bool Disabled, bool LockedOut, IReadOnlyList<string> Roles, int Tenants, DateTimeOffset CreatedAt)
{
    public static PersonJson Of(PersonRow p) => new(p.Id.Value, p.Name, p.Email, p.Disabled, p.LockedOut, [.. p.Roles.Select(r => r.ToString())], p.Tenants, p.CreatedAt);
}

internal sealed record PersonBody(IReadOnlyList<PlatformRole> Roles, bool Disabled = false);

/// <param name="Link">Null where it was mailed.</param>
internal sealed record PasswordLinkJson(string Email, Uri? Link);

internal sealed record MemberBody(TenantRole Role);

internal sealed record AcceptBody(string Token);

internal sealed record JoinedJson(string Tenant, string Name, string Role);
