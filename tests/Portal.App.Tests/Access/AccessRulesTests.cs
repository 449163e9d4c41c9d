using System.Text;
using Portal.App.Access;
using Portal.Kernel;
using Portal.Testing;

namespace Portal.App.Tests.Access;

public sealed class AccessRulesTests
{
    private static readonly TenantId s_tenant = TenantId.New();

    /// <summary>Refresh the file with PORTAL_REFRESH_GOLDEN=1, and read what changed: it is who may do what.</summary>
    [Fact]
    public void Who_may_do_what()
    {
        var rules = new AccessRules();
        var text = new StringBuilder();
        text.AppendLine("In a tenant: members of it by their role, members of another, staff by their role, people without any.");
        Table(text, People(), (who, permission) => rules.Allows(who, permission, s_tenant));
        text.AppendLine().AppendLine("For the whole platform.");
        Table(text, People(), rules.Allows);

        Golden.Matches("access-rules.txt", text.ToString());
    }

    [Fact]
    public void A_tenant_that_one_may_not_see_does_not_exist_for_one()
    {
        var rules = new AccessRules();
        foreach (var permission in Enum.GetValues<Permission>())
        {
            Assert.IsType<NotFound>(rules.Check(Member(TenantId.New(), TenantRole.Owner), permission, s_tenant));
        }

        Assert.IsType<NotAllowed>(rules.Check(Member(s_tenant, TenantRole.Viewer), Permission.OrderVms, s_tenant));
    }

    private static IReadOnlyList<(string Name, Actor Actor)> People() =>
    [
        .. Enum.GetValues<TenantRole>().Select(r => (r.ToString(), Member(s_tenant, r))),
        ("Stranger", Member(TenantId.New(), TenantRole.Owner)),
        .. Enum.GetValues<PlatformRole>().Select(r => (r.ToString(), Actor.Person(new PortalUser(), [r], []))),
        ("Nobody", Actor.Person(new PortalUser(), [], [])),
        ("Portal", Actor.Portal),
    ];

    private static Actor Member(TenantId tenant, TenantRole role)
    {
        var user = new PortalUser();
        return Actor.Person(user, [], [new Membership(tenant, user.UserId, role, "Ada", "ada@example.org", default)]);
    }

    private static void Table(StringBuilder text, IReadOnlyList<(string Name, Actor Actor)> people, Func<Actor, Permission, bool> allows)
    {
        text.Append(' ', 18).AppendJoin(' ', people.Select(p => p.Name)).AppendLine();
        foreach (var permission in Enum.GetValues<Permission>())
        {
            text.Append(permission.ToString().PadRight(18)).AppendJoin(' ', people.Select(p => (allows(p.Actor, permission) ? "yes" : "-").PadRight(p.Name.Length)));
            while (text[^1] == ' ')
            {
                text.Length--;
            }

            text.AppendLine();
        }
    }
}
