using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Tenants;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Tenants;

public sealed class MembersTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private static readonly PortalAddress s_portal = new(new Uri("http://own.example.org"), new Uri("https://portal.example.org"));

    private readonly PortalWorld _world = fixture.World;

    [Fact]
    public async Task Who_is_a_member_already_is_told_so_and_uses_no_invitation_up()
    {
        var ct = TestContext.Current.CancellationToken;
        var invited = await InviteAsync("somebody@example.org", TenantRole.Viewer, ct);
        var accepting = _world.Main.Get<AcceptInvitation.Handler>();

        var refused = await accepting.HandleAsync(new(TokenOf(invited)), _world.Owner, ct);

        Assert.Equal("tenants.member_already", refused.Refusal?.Code);
        Assert.Contains("as owner", refused.Refusal?.Message, StringComparison.Ordinal);
        Assert.Equal(TenantRole.Owner, (await _world.ActorAsync(_world.Owner.User!.Value, ct)).Memberships[_world.Tenant]);
        var newcomer = await _world.AddPersonAsync("newcomer", [], [], ct);
        var joined = await accepting.HandleAsync(new(TokenOf(invited)), newcomer, ct);
        Assert.Equal(TenantRole.Viewer, joined.Value.Role);
        Assert.Equal("tenants.invitation_gone", (await accepting.HandleAsync(new(TokenOf(invited)), await _world.AddPersonAsync("late", [], [], ct), ct)).Refusal?.Code);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal(["newcomer"], await db.AuditEntries.Where(e => e.Verb == "member.joined").Select(e => e.ObjectName).ToListAsync(ct));
    }

    [Fact]
    public async Task A_member_is_not_invited_again()
    {
        var ct = TestContext.Current.CancellationToken;

        var refused = await _world.Main.Get<InviteMember.Handler>().HandleAsync(new(_world.Tenant, "Tenant@Portal.example", TenantRole.Viewer, s_portal), _world.Owner, ct);

        Assert.Equal("email", refused.Refusal?.Field);
    }

    [Fact]
    public async Task Without_mail_the_link_is_shown_and_nothing_waits_to_be_sent()
    {
        var ct = TestContext.Current.CancellationToken;

        var invited = await InviteAsync("unsent@example.org", TenantRole.Member, ct);

        Assert.StartsWith("https://portal.example.org/account/invitation/", invited.Link?.ToString(), StringComparison.Ordinal);
        await using var db = _world.Main.Dbs.ForSystem();
        Assert.False(await db.Outbox.AnyAsync(m => m.Recipient == "unsent@example.org", ct));
    }

    private async Task<InviteMember.Invited> InviteAsync(string email, TenantRole role, CancellationToken ct) =>
        (await _world.Main.Get<InviteMember.Handler>().HandleAsync(new(_world.Tenant, email, role, s_portal), _world.Owner, ct)).Value;

    private static string TokenOf(InviteMember.Invited invited) => invited.Link!.Segments[^1];
}
