using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.App;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.Web.Tests.Api;

/// <summary>Passwords: lost, changed, guessed.</summary>
public sealed partial class AccountTests(PortalServer portal) : IClassFixture<PortalServer>
{
    private static readonly Uri s_here = new("http://localhost");

    [Fact]
    public async Task A_changed_password_ends_every_session_that_was_open()
    {
        var ct = TestContext.Current.CancellationToken;
        var password = await portal.PasswordAsync(PortalServer.Owner);
        var before = await portal.SignedInAsync(PortalServer.Owner);
        Assert.Equal(HttpStatusCode.OK, await MeAsync(before, ct));
        await using var scope = portal.Services.CreateAsyncScope();
        var (accounts, users) = (scope.ServiceProvider.GetRequiredService<Accounts>(), scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>());
        var user = (await users.FindByEmailAsync(PortalServer.Owner))!;

        Assert.False((await accounts.ChangeAsync(user, "not it", "another good password", ct)).Succeeded);
        Assert.Equal(HttpStatusCode.OK, await MeAsync(before, ct));
        Assert.True((await accounts.ChangeAsync(user, password, "another good password", ct)).Succeeded);

        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(before, ct));
        Assert.Equal(HttpStatusCode.OK, await MeAsync(await portal.SignedInAsync(PortalServer.Owner, "another good password"), ct));
        Assert.Equal(1, await CountAsync("account.password_changed", ct));
        Assert.True((await accounts.ChangeAsync(user, "another good password", password, ct)).Succeeded);
    }

    [Fact]
    public async Task A_lost_password_is_set_anew_with_a_link_that_works_once_and_wakes_an_account_that_rests()
    {
        var ct = TestContext.Current.CancellationToken;
        var client = portal.Anonymous();
        var password = await portal.PasswordAsync(PortalServer.Approver);
        var before = await portal.SignedInAsync(PortalServer.Approver);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => client.PostAsJsonAsync("/api/v1/sign-in", new { email = PortalServer.Approver, password = "wrong" }, ct)));
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.PostAsJsonAsync("/api/v1/sign-in", new { email = PortalServer.Approver, password }, ct)).StatusCode);
        Assert.Equal(1, await CountAsync("account.rests", ct));
        await using var scope = portal.Services.CreateAsyncScope();
        var administrator = await ActorAsync(scope.ServiceProvider, PortalServer.Administrator, ct);
        var approver = (await ActorAsync(scope.ServiceProvider, PortalServer.Approver, ct)).User!.Value;

        var made = await scope.ServiceProvider.GetRequiredService<MakePasswordLink.Handler>().HandleAsync(new(approver, new(s_here, s_here)), administrator, ct);
        Assert.Contains("at least", (await SetAsync(client, made.Value.Link!, "short", ct)).ToLowerInvariant(), StringComparison.Ordinal);
        Assert.Contains("Your new password holds.", await SetAsync(client, made.Value.Link!, "a new good password", ct), StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(before, ct));
        Assert.Equal(HttpStatusCode.OK, await MeAsync(await portal.SignedInAsync(PortalServer.Approver, "a new good password"), ct));
        Assert.Contains("This link is not valid", await SetAsync(client, made.Value.Link!, "yet another password", ct), StringComparison.Ordinal);
        Assert.Equal((1, 1), (await CountAsync("account.password_link_made", ct), await CountAsync("account.password_set_anew", ct)));
    }

    [Fact]
    public async Task Only_an_administrator_makes_links_and_wakes_accounts()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var scope = portal.Services.CreateAsyncScope();
        var owner = await ActorAsync(scope.ServiceProvider, PortalServer.Owner, ct);
        var administrator = await ActorAsync(scope.ServiceProvider, PortalServer.Administrator, ct);
        var (links, unlocking) = (scope.ServiceProvider.GetRequiredService<MakePasswordLink.Handler>(), scope.ServiceProvider.GetRequiredService<UnlockPerson.Handler>());

        Assert.Equal(RefusalKind.Forbidden, (await links.HandleAsync(new(administrator.User!.Value, new(s_here, s_here)), owner, ct)).Refusal?.Kind);
        Assert.Equal(RefusalKind.Forbidden, (await unlocking.HandleAsync(new(owner.User!.Value), owner, ct)).Refusal?.Kind);
        await portal.Database.ExecuteAsync("UPDATE users SET lockout_end = clock_timestamp() + interval '1 hour' WHERE email = $1", ct, PortalServer.Owner);
        Assert.Null((await unlocking.HandleAsync(new(owner.User!.Value), administrator, ct)).Refusal);
        Assert.Equal(HttpStatusCode.OK, await MeAsync(await portal.SignedInAsync(PortalServer.Owner), ct));
    }

    [Fact]
    public async Task A_mail_with_a_link_goes_to_accounts_only_and_leads_to_the_portal_itself()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var scope = portal.Services.CreateAsyncScope();
        var accounts = scope.ServiceProvider.GetRequiredService<Accounts>();

        await accounts.MailLinkAsync("nobody@example.org", s_here, ct);
        await accounts.MailLinkAsync(PortalServer.Administrator, s_here, ct);
        // However often it is asked for: a mailbox is not flooded.
        await accounts.MailLinkAsync(PortalServer.Administrator, s_here, ct);

        await using var db = portal.Services.GetRequiredService<PortalDbs>().ForSystem();
        var mail = await db.Outbox.SingleAsync(m => m.Subject == "A new password for the portal", ct);
        Assert.Equal(PortalServer.Administrator, mail.Recipient);
        Assert.Contains("\nhttp://localhost/account/new-password?user=", mail.Body, StringComparison.Ordinal);
        // Without a mail server the page says whom to ask, and has no form that would pretend.
        var page = await portal.Anonymous().GetStringAsync(new Uri("/account/lost-password", UriKind.Relative), ct);
        Assert.Contains("Ask one of its administrators", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<form", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_tries_many_accounts_from_one_address_is_slowed_down_and_nobody_else_is()
    {
        var ct = TestContext.Current.CancellationToken;

        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 40; i++)
        {
            answers.Add(await TryAsync("203.0.113.9", $"nobody-{i}@example.org", ct));
        }

        Assert.Equal(30, answers.Count(a => a == HttpStatusCode.Unauthorized));
        Assert.Equal(10, answers.Count(a => a == HttpStatusCode.TooManyRequests));
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync("203.0.113.10", "nobody@example.org", ct));
    }

    private async Task<HttpStatusCode> TryAsync(string from, string email, CancellationToken ct)
    {
        // The test server has no address of its own, which counts as the portal's own machine: what it says of the origin is believed.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/sign-in") { Content = JsonContent.Create(new { email, password = "wrong" }) };
        request.Headers.Add("X-Forwarded-For", from);
        using var answer = await portal.Anonymous().SendAsync(request, ct);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> MeAsync(HttpClient client, CancellationToken ct) => (await client.GetAsync(new Uri("/api/v1/me", UriKind.Relative), ct)).StatusCode;

    /// <summary>Fills the page in as a browser without scripts does.</summary>
    private static async Task<string> SetAsync(HttpClient client, Uri link, string password, CancellationToken ct)
    {
        var page = await client.GetStringAsync(link.PathAndQuery, ct);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["__RequestVerificationToken"] = Verification().Match(page).Groups[1].Value,
            ["_handler"] = "new-password",
            ["Form.New"] = password,
            ["Form.Again"] = password,
        });
        using var answer = await client.PostAsync(link.PathAndQuery, form, ct);
        return WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(ct));
    }

    private async Task<int> CountAsync(string verb, CancellationToken ct)
    {
        await using var db = portal.Services.GetRequiredService<PortalDbs>().ForSystem();
        return await db.AuditEntries.CountAsync(e => e.Verb == verb, ct);
    }

    private static async Task<Actor> ActorAsync(IServiceProvider services, string email, CancellationToken ct)
    {
        await using var db = services.GetRequiredService<PortalDbs>().ForSystem();
        var id = await db.Users.Where(u => u.Email == email).Select(u => u.Id).SingleAsync(ct);
        return (await services.GetRequiredService<ActorSource>().LoadAsync(new UserId(id), ct))!;
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Verification();
}
