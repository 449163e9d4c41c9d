using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Portal.Web.Tests.Api;

/// <summary>Policies over REST: read, tried, written, taken back; an order's steps, and deciding on one of two.</summary>
public sealed class PolicyTests(PortalServer portal) : IClassFixture<PortalServer>
{
    private static readonly object s_owners = new
    {
        automatic = new { perMonth = 1.5m, currency = "EUR", withinDays = 7 },
        steps = new[] { new { name = "Finance", stage = 1, votes = 1, who = new[] { new { tenantRole = "Owner" } }, fourEyes = false } },
        expiresAfterDays = 5,
    };

    [Fact]
    public async Task A_tenants_policy_is_written_asked_and_taken_back()
    {
        var ct = TestContext.Current.CancellationToken;
        var (owner, approver) = (await portal.SignedInAsync(PortalServer.Owner), await portal.SignedInAsync(PortalServer.Approver));
        var policy = $"/api/v1/tenants/{portal.Tenant}/policies/tenant";

        var before = await owner.GetFromJsonAsync<JsonElement>(policy, ct);
        Assert.Equal((0, JsonValueKind.Null, true), (before.GetProperty("version").GetInt32(), before.GetProperty("inForce").ValueKind, before.GetProperty("canEdit").GetBoolean()));
        Assert.Equal(HttpStatusCode.OK, (await owner.PostAsJsonAsync($"{policy}/try", s_owners, ct)).StatusCode);
        Assert.Equal(1, (await PortalServer.JsonAsync(await owner.PutAsJsonAsync(policy, new { policy = s_owners, baseVersion = 0, note = "Spend less." }, ct))).GetProperty("version").GetInt32());
        Assert.Equal(HttpStatusCode.Conflict, (await owner.PutAsJsonAsync(policy, new { policy = s_owners, baseVersion = 0 }, ct)).StatusCode);

        var preview = await PortalServer.JsonAsync(await owner.PostAsJsonAsync($"/api/v1/tenants/{portal.Tenant}/orders/preview", OrderOf("asked"), ct));
        Assert.Equal(["Finance", "Approver"], preview.GetProperty("questions").EnumerateArray().Select(q => q.GetProperty("name").GetString()));
        var order = (await PortalServer.JsonAsync(await owner.PostAsJsonAsync($"/api/v1/tenants/{portal.Tenant}/orders", OrderOf("asked"), ct))).GetProperty("id").GetGuid();
        Assert.Equal(HttpStatusCode.Forbidden, (await approver.PostAsJsonAsync($"/api/v1/orders/{order}/decision", new { verdict = "Approve" }, ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await owner.PostAsJsonAsync($"/api/v1/orders/{order}/decision", new { verdict = "Approve", stage = 1 }, ct)).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await approver.PostAsJsonAsync($"/api/v1/orders/{order}/decision", new { verdict = "Approve", stage = 1 }, ct)).StatusCode);
        var steps = (await owner.GetFromJsonAsync<JsonElement>($"/api/v1/orders/{order}", ct)).GetProperty("steps");
        Assert.Equal([("Tenant", "Finance", "Approved", 1), ("Provider", "Approver", "Open", 0)], steps.EnumerateArray().Select(s => (s.GetProperty("side").GetString(), s.GetProperty("name").GetString(), s.GetProperty("state").GetString(), s.GetProperty("yes").GetInt32())));
        Assert.Contains(order.ToString(), await approver.GetStringAsync("/api/v1/approvals", ct), StringComparison.Ordinal);
        Assert.DoesNotContain(order.ToString(), await owner.GetStringAsync("/api/v1/approvals", ct), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await owner.GetAsync(new Uri("/api/v1/approvals?list=Waiting", UriKind.Relative), ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await approver.PostAsJsonAsync($"/api/v1/orders/{order}/comments", new { text = "What for?", question = true }, ct)).StatusCode);
        Assert.Equal("an answer of Tenant", (await owner.GetFromJsonAsync<JsonElement>($"/api/v1/orders/{order}", ct)).GetProperty("order").GetProperty("waitsFor").GetString());
        Assert.Equal(HttpStatusCode.Forbidden, (await owner.PostAsJsonAsync($"/api/v1/orders/{order}/comments", new { text = "Why not?", question = true }, ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await owner.PostAsJsonAsync($"/api/v1/orders/{order}/comments", new { text = "For tests." }, ct)).StatusCode);
        Assert.Equal(["Question", "Answer"], (await approver.GetFromJsonAsync<JsonElement>($"/api/v1/orders/{order}", ct)).GetProperty("comments").EnumerateArray().Select(c => c.GetProperty("kind").GetString()));
        Assert.Equal(HttpStatusCode.NoContent, (await approver.PostAsJsonAsync($"/api/v1/orders/{order}/decision", new { verdict = "Deny", reason = "Enough." }, ct)).StatusCode);

        Assert.Equal(2, (await PortalServer.JsonAsync(await owner.DeleteAsync($"{policy}?baseVersion=1", ct))).GetProperty("version").GetInt32());
        var after = await owner.GetFromJsonAsync<JsonElement>(policy, ct);
        Assert.Equal((2, JsonValueKind.Null, 2), (after.GetProperty("version").GetInt32(), after.GetProperty("inForce").ValueKind, after.GetProperty("history").GetArrayLength()));
        Assert.Contains("Spend less.", await owner.GetStringAsync($"/t/acme/policy", ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_providers_policies_are_its_administrators_to_write_and_what_is_wrong_is_said_by_its_field()
    {
        var ct = TestContext.Current.CancellationToken;
        var (owner, approver, administrator) = (await portal.SignedInAsync(PortalServer.Owner), await portal.SignedInAsync(PortalServer.Approver), await portal.SignedInAsync(PortalServer.Administrator));
        const string Platform = "/api/v1/policies/platform";

        Assert.Equal(HttpStatusCode.Forbidden, (await owner.GetAsync(new Uri(Platform, UriKind.Relative), ct)).StatusCode);
        var read = await approver.GetFromJsonAsync<JsonElement>(Platform, ct);
        Assert.Equal(("It asks about every order.", false), (read.GetProperty("words")[0].GetString(), read.GetProperty("canEdit").GetBoolean()));
        Assert.Equal(HttpStatusCode.Forbidden, (await approver.PutAsJsonAsync(Platform, new { policy = read.GetProperty("inForce"), baseVersion = 0 }, ct)).StatusCode);
        var wrong = await administrator.PutAsJsonAsync(Platform, new { policy = new { automatic = (object?)null, steps = Array.Empty<object>() }, baseVersion = 0 }, ct);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "steps"), (wrong.StatusCode, (await PortalServer.JsonAsync(wrong)).GetProperty("field").GetString()));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await administrator.PostAsJsonAsync($"{Platform}/try", new { automatic = new { zone = "Nowhere/Land" }, steps = Array.Empty<object>() }, ct)).StatusCode);
        Assert.Equal(1, (await PortalServer.JsonAsync(await administrator.PutAsJsonAsync(Platform, new { policy = read.GetProperty("inForce"), baseVersion = 0 }, ct))).GetProperty("version").GetInt32());
        Assert.Equal(1, (await approver.GetFromJsonAsync<JsonElement>("/api/v1/policies", ct))[1].GetProperty("version").GetInt32());
        Assert.Equal(HttpStatusCode.OK, (await administrator.GetAsync(new Uri("/admin/policies/platform", UriKind.Relative), ct)).StatusCode);
        Assert.Contains("ACME", await administrator.GetStringAsync("/admin/policies", ct), StringComparison.Ordinal);
        Assert.Contains("It asks about every order.", await administrator.GetStringAsync("/admin/policies/of/acme", ct), StringComparison.Ordinal);
    }

    private static object OrderOf(string name) => new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name } } };
}
