using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Portal.App;
using Portal.App.Tenants;
using Portal.Testing;
using Portal.Testing.Postgres;

namespace Portal.Web.Tests.Api;

public sealed class ApiTests(PortalServer portal) : IClassFixture<PortalServer>
{
    [Fact]
    public async Task A_wrong_password_an_unknown_address_and_a_locked_account_say_no_without_saying_which()
    {
        var ct = TestContext.Current.CancellationToken;
        var client = portal.Anonymous();
        await (await portal.SignedInAsync(PortalServer.Administrator)).GetAsync(new Uri("/api/v1/me", UriKind.Relative), ct);

        var wrong = await client.PostAsJsonAsync("/api/v1/sign-in", new { email = PortalServer.Approver, password = "wrong" }, ct);
        var unknown = await client.PostAsJsonAsync("/api/v1/sign-in", new { email = "nobody@example.org", password = "wrong" }, ct);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (wrong.StatusCode, unknown.StatusCode));
        var no = await DetailAsync(unknown);
        Assert.Equal(no, await DetailAsync(wrong));

        for (var i = 1; i < 10; i++)
        {
            wrong = await client.PostAsJsonAsync("/api/v1/sign-in", new { email = PortalServer.Approver, password = "wrong" }, ct);
        }

        Assert.Equal(no, await DetailAsync(wrong));
        var right = await client.PostAsJsonAsync("/api/v1/sign-in", new { email = PortalServer.Approver, password = await portal.PasswordAsync(PortalServer.Approver) }, ct);
        Assert.Equal(HttpStatusCode.Unauthorized, right.StatusCode);
        await portal.Database.ExecuteAsync("UPDATE users SET lockout_end = NULL, access_failed_count = 0", ct);
        Assert.NotNull(await portal.SignedInAsync(PortalServer.Approver));
    }

    [Fact]
    public async Task Without_a_token_there_is_nothing_and_a_role_that_was_taken_is_gone_at_once()
    {
        var ct = TestContext.Current.CancellationToken;
        Assert.Equal(HttpStatusCode.Unauthorized, (await portal.Anonymous().GetAsync(new Uri("/api/v1/me", UriKind.Relative), ct)).StatusCode);
        var administrator = await portal.SignedInAsync(PortalServer.Administrator);
        Assert.Equal(HttpStatusCode.OK, (await administrator.GetAsync(new Uri("/api/v1/hosts", UriKind.Relative), ct)).StatusCode);
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        Assert.Equal(HttpStatusCode.Forbidden, (await owner.GetAsync(new Uri("/api/v1/hosts", UriKind.Relative), ct)).StatusCode);

        await portal.Database.ExecuteAsync("UPDATE users SET disabled = true WHERE email = $1", ct, PortalServer.Owner);
        Assert.Equal(HttpStatusCode.Unauthorized, (await owner.GetAsync(new Uri("/api/v1/me", UriKind.Relative), ct)).StatusCode);
        await portal.Database.ExecuteAsync("UPDATE users SET disabled = false WHERE email = $1", ct, PortalServer.Owner);
    }

    [Theory]
    [InlineData("not json", 400)]
    [InlineData("", 400)]
    [InlineData("{\"template\":", 400)]
    [InlineData("[]", 400)]
    [InlineData("{}", 400)]
    [InlineData("{\"lines\":null}", 400)]
    [InlineData("{\"lines\":[]}", 422)]
    [InlineData("{\"lines\":[null]}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":null}]}", 400)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":\"x\",\"count\":\"many\"}]}", 400)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":\"x\",\"count\":99999999999}]}", 400)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":\"x\",\"count\":0}]}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":\"x\",\"count\":-5}]}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":\"x\",\"count\":2147483647}]}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":\"Ä\"}]}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"no-such\",\"plan\":\"Nano\",\"name\":\"x\"}]}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Huge\",\"name\":\"x\"}]}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":\"x\",\"sshKeys\":[\"-----BEGIN\"]}]}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":\"x\",\"sshKeys\":[null]}]}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":\"x\"}],\"note\":\"\\u0000\"}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"Nano\",\"name\":\"x\",\"userData\":\"#!/bin/sh\\u0000\"}]}", 422)]
    [InlineData("{\"lines\":[{\"template\":\"tiny-linux\",\"plan\":\"L\",\"name\":\"x\",\"count\":20}]}", 409)]
    public async Task A_bad_body_is_a_problem_in_words(string body, int status)
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        var answer = await owner.PostAsync(new Uri($"/api/v1/tenants/{portal.Tenant}/orders", UriKind.Relative), content, ct);

        await IsProblemAsync(answer, status, ct);
        Assert.Equal(0, await portal.Database.ReadAsync<long>("SELECT count(*) FROM order_lines WHERE 'x' = ANY (names)", ct));
    }

    [Theory]
    [InlineData("GET", "/api/v1/tenants/{0}/vms", 404)]
    [InlineData("GET", "/api/v1/tenants/{0}/usage", 404)]
    [InlineData("GET", "/api/v1/tenants/{0}/audit", 404)]
    [InlineData("GET", "/api/v1/orders/{0}", 404)]
    [InlineData("GET", "/api/v1/operations/{0}", 404)]
    [InlineData("GET", "/api/v1/tenants/{1}/vms/{0}", 404)]
    [InlineData("POST", "/api/v1/tenants/{1}/vms/{0}/start", 404)]
    [InlineData("POST", "/api/v1/tenants/{1}/vms/{0}/console", 404)]
    [InlineData("DELETE", "/api/v1/tenants/{1}/vms/{0}?confirmName=x", 404)]
    [InlineData("POST", "/api/v1/tenants/{1}/orders/{0}/cancel", 404)]
    [InlineData("POST", "/api/v1/tenants/{1}/operations/{0}/cancel", 404)]
    [InlineData("DELETE", "/api/v1/tenants/{1}/ssh-keys/{0}", 404)]
    [InlineData("GET", "/api/v1/tenants/{1}/usage?month=soon", 422)]
    [InlineData("GET", "/api/v1/plans?currency=euro", 422)]
    [InlineData("GET", "/api/v1/plans?tenant={0}", 404)]
    [InlineData("GET", "/api/v1/plans/{0}/prices", 403)]
    [InlineData("GET", "/api/v1/currencies", 403)]
    [InlineData("GET", "/api/v1/templates?tenant={0}", 404)]
    [InlineData("GET", "/api/v1/templates/{0}/history", 403)]
    [InlineData("GET", "/api/v1/plans/{0}/history", 403)]
    [InlineData("POST", "/api/v1/plans/{0}/prices/{0}/withdraw", 403)]
    [InlineData("GET", "/api/v1/tenants/{0}/tax", 404)]
    [InlineData("POST", "/api/v1/tenants/{1}/tax/{0}/withdraw", 403)]
    [InlineData("GET", "/api/v1/nowhere", 404)]
    [InlineData("GET", "/api/v1/tenants/not-an-id/vms", 404)]
    [InlineData("GET", "/api/v1/approvals?list=Waiting", 403)]
    [InlineData("GET", "/api/v1/setup", 403)]
    [InlineData("GET", "/api/v1/audit", 403)]
    public async Task What_is_not_ones_own_or_not_there_is_a_problem_in_words(string method, string path, int status)
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        using var request = new HttpRequestMessage(new HttpMethod(method), string.Format(System.Globalization.CultureInfo.InvariantCulture, path, Guid.CreateVersion7(), portal.Tenant));

        await IsProblemAsync(await owner.SendAsync(request, ct), status, ct);
    }

    [Fact]
    public async Task An_idempotency_key_makes_a_repetition_harmless()
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        owner.DefaultRequestHeaders.Add("Idempotency-Key", "once");
        var path = $"/api/v1/tenants/{portal.Tenant}/orders";

        var first = await PortalServer.JsonAsync(await owner.PostAsJsonAsync(path, new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name = "once" } } }, ct));
        var second = await PortalServer.JsonAsync(await owner.PostAsJsonAsync(path, new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name = "once" } } }, ct));
        var other = await owner.PostAsJsonAsync(path, new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name = "twice" } } }, ct);

        Assert.Equal(first.GetProperty("id").GetGuid(), second.GetProperty("id").GetGuid());
        Assert.Equal((false, true), (first.GetProperty("repeated").GetBoolean(), second.GetProperty("repeated").GetBoolean()));
        await IsProblemAsync(other, 422, ct);
        owner.DefaultRequestHeaders.Remove("Idempotency-Key");
        Assert.Equal(HttpStatusCode.NoContent, (await owner.PostAsync(new Uri($"{path}/{first.GetProperty("id").GetGuid()}/cancel", UriKind.Relative), null, ct)).StatusCode);
    }

    [Fact]
    public async Task Another_tenants_things_are_not_there()
    {
        var ct = TestContext.Current.CancellationToken;
        var administrator = await portal.SignedInAsync(PortalServer.Administrator);
        var made = await administrator.PostAsJsonAsync("/api/v1/tenants", new { slug = "other", name = "Other", currency = "EUR", approval = "Approvers", limits = new { vms = 3 } }, ct);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var other = (await PortalServer.JsonAsync(made)).GetProperty("id").GetGuid();
        var owner = await portal.SignedInAsync(PortalServer.Owner);

        foreach (var list in new[] { "vms", "orders", "operations", "members", "ssh-keys", "usage", "audit" })
        {
            await IsProblemAsync(await owner.GetAsync(new Uri($"/api/v1/tenants/{other}/{list}", UriKind.Relative), ct), 404, ct);
        }

        await IsProblemAsync(await administrator.PostAsJsonAsync("/api/v1/tenants", new { slug = "other", name = "Again", currency = "EUR", approval = "Approvers", limits = new { } }, ct), 409, ct);
    }

    [Fact]
    public async Task Health_says_live_and_ready_with_its_reasons()
    {
        var ct = TestContext.Current.CancellationToken;
        var client = portal.Anonymous();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/health/live", UriKind.Relative), ct)).StatusCode);
        await Eventually.IsAsync(async () => (await client.GetAsync(new Uri("/health/ready", UriKind.Relative), ct)).StatusCode == HttpStatusCode.OK, ct);
        var checks = (await client.GetFromJsonAsync<JsonElement>("/health/ready", ct)).GetProperty("checks");
        foreach (var check in new[] { "database", "jobs", "hosts" })
        {
            Assert.Equal("Healthy", checks.GetProperty(check).GetProperty("status").GetString());
        }
    }

    /// <summary>Refresh the file with PORTAL_REFRESH_GOLDEN=1, and read what changed: programs of others depend on it.</summary>
    [Fact]
    public async Task All_that_is_wrong_with_a_form_is_said_at_once()
    {
        var ct = TestContext.Current.CancellationToken;
        var administrator = await portal.SignedInAsync(PortalServer.Administrator);

        var answer = await administrator.PostAsJsonAsync("/api/v1/plans", new { name = "", vcpus = 0, memoryMiB = 1, diskGiB = 10 }, ct);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var problem = await PortalServer.JsonAsync(answer);
        Assert.Equal("name", problem.GetProperty("field").GetString());
        Assert.Equal(["name", "vcpus", "memoryMiB"], problem.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("field").GetString()));
    }

    /// <summary>What a page can do, a program can.</summary>
    [Fact]
    public void Every_use_case_has_an_address()
    {
        var served = portal.Services.GetRequiredService<EndpointDataSource>().Endpoints
            .Select(e => e.Metadata.GetMetadata<MethodInfo>()).Where(m => m is not null)
            .SelectMany(m => m!.GetParameters()).Select(p => p.ParameterType).ToHashSet();

        // A page's way from a short name to an id; programs have it from /tenants.
        Assert.Equal([typeof(FindTenant.Handler)], AppServices.Handlers.Where(h => !served.Contains(h)));
    }

    [Fact]
    public async Task People_and_places_are_kept_over_rest_too()
    {
        var ct = TestContext.Current.CancellationToken;
        var administrator = await portal.SignedInAsync(PortalServer.Administrator);
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        var people = await administrator.GetFromJsonAsync<JsonElement>("/api/v1/people", ct);
        var approver = people.EnumerateArray().Single(p => p.GetProperty("email").GetString() == PortalServer.Approver).GetProperty("id").GetGuid();
        Assert.Equal(HttpStatusCode.Forbidden, (await owner.GetAsync(new Uri("/api/v1/people", UriKind.Relative), ct)).StatusCode);

        var invited = await PortalServer.JsonAsync(await owner.PostAsJsonAsync($"/api/v1/tenants/{portal.Tenant}/invitations", new { email = PortalServer.Approver, role = "Viewer" }, ct));
        var token = invited.GetProperty("link").GetString()!.Split('/')[^1];
        var asApprover = await portal.SignedInAsync(PortalServer.Approver);
        Assert.Equal("Viewer", (await PortalServer.JsonAsync(await asApprover.PostAsJsonAsync("/api/v1/invitations/accept", new { token }, ct))).GetProperty("role").GetString());
        var member = $"/api/v1/tenants/{portal.Tenant}/members/{approver}";
        Assert.Equal(HttpStatusCode.NoContent, (await owner.PutAsJsonAsync(member, new { role = "Billing" }, ct)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await asApprover.GetAsync(new Uri($"/api/v1/tenants/{portal.Tenant}/overview", UriKind.Relative), ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await owner.DeleteAsync(new Uri(member, UriKind.Relative), ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await owner.DeleteAsync(new Uri(member, UriKind.Relative), ct)).StatusCode);
    }

    [Fact]
    public async Task Templates_are_built_by_operators_and_only_those_that_are_known()
    {
        var ct = TestContext.Current.CancellationToken;
        var administrator = await portal.SignedInAsync(PortalServer.Administrator);
        var owner = await portal.SignedInAsync(PortalServer.Owner);

        Assert.Equal(HttpStatusCode.Forbidden, (await owner.PostAsJsonAsync("/api/v1/templates/builds", new { release = "bookworm" }, ct)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await owner.GetAsync(new Uri("/api/v1/templates/builds", UriKind.Relative), ct)).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await administrator.PostAsJsonAsync("/api/v1/templates/builds", new { release = "../sid" }, ct)).StatusCode);
        Assert.DoesNotContain((await administrator.GetFromJsonAsync<JsonElement>("/api/v1/templates/builds", ct)).EnumerateArray(), b => b.GetProperty("name").GetString()!.StartsWith("Debian", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_image_is_uploaded_imported_and_refused_for_what_it_is_and_tenants_bring_none()
    {
        var ct = TestContext.Current.CancellationToken;
        var administrator = await portal.SignedInAsync(PortalServer.Administrator);
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        // Larger than what other requests may be: 30 MB.
        using var bytes = new ByteArrayContent(new byte[32 << 20]);
        bytes.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");

        Assert.Equal(HttpStatusCode.Forbidden, (await owner.PostAsync(new Uri("/api/v1/templates/uploads", UriKind.Relative), bytes, ct)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await owner.PostAsJsonAsync("/api/v1/templates/imports", Import(null, "https://images.example/a"), ct)).StatusCode);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await administrator.PostAsJsonAsync("/api/v1/templates/uploads", new { }, ct)).StatusCode);
        await IsProblemAsync(await administrator.PostAsJsonAsync("/api/v1/templates/imports", Import(null, "http://images.example/a"), ct), 422, ct);
        await IsProblemAsync(await administrator.PostAsJsonAsync("/api/v1/templates/imports", Import(Guid.CreateVersion7(), null), ct), 409, ct);

        var uploaded = await PortalServer.JsonAsync(await administrator.PostAsync(new Uri("/api/v1/templates/uploads", UriKind.Relative), bytes, ct));
        Assert.Equal(32 << 20, uploaded.GetProperty("sizeBytes").GetInt64());
        var build = await PortalServer.JsonAsync(await administrator.PostAsJsonAsync("/api/v1/templates/imports", Import(uploaded.GetProperty("id").GetGuid(), null), ct));

        JsonElement seen = default;
        await Eventually.IsAsync(async () => (seen = (await administrator.GetFromJsonAsync<JsonElement>("/api/v1/templates/builds", ct)).EnumerateArray().Single(b => b.GetProperty("id").GetGuid() == build.GetProperty("id").GetGuid())).GetProperty("state").GetString() is "Failed" or "Done", ct);
        Assert.Contains("It is no qcow2 image.", seen.GetProperty("problem").GetString(), StringComparison.Ordinal);

        static object Import(Guid? upload, string? address) => new { slug = "brought", name = "Brought", signIn = "With your key.", minMemoryMiB = 512, minDiskGiB = 1, format = "Qcow2", boot = "Disk", address, upload };
    }

    [Fact]
    public async Task A_root_on_a_server_is_added_and_told_to_the_providers_people_alone()
    {
        var ct = TestContext.Current.CancellationToken;
        var administrator = await portal.SignedInAsync(PortalServer.Administrator);
        var owner = await portal.SignedInAsync(PortalServer.Owner);

        Assert.Equal(HttpStatusCode.Forbidden, (await owner.PostAsJsonAsync("/api/v1/templates/nfs", Body("/srv/roots/debian"), ct)).StatusCode);
        await IsProblemAsync(await administrator.PostAsJsonAsync("/api/v1/templates/nfs", Body("/srv/../etc"), ct), 422, ct);
        var id = (await PortalServer.JsonAsync(await administrator.PostAsJsonAsync("/api/v1/templates/nfs", Body("/srv/roots/debian"), ct))).GetProperty("id").GetGuid();

        Assert.Equal("/srv/roots/debian", (await ReadAsync(administrator)).GetProperty("nfs").GetProperty("path").GetString());
        var shown = await ReadAsync(owner);
        Assert.Equal((true, JsonValueKind.Null), (shown.GetProperty("onNfs").GetBoolean(), shown.GetProperty("nfs").ValueKind));

        // Other tests of the class take the one template there is.
        Assert.Equal(HttpStatusCode.NoContent, (await administrator.PutAsJsonAsync($"/api/v1/templates/{id}", new { name = "Diskless", offered = false }, ct)).StatusCode);

        async Task<JsonElement> ReadAsync(HttpClient client) => (await client.GetFromJsonAsync<JsonElement>("/api/v1/templates", ct)).EnumerateArray().Single(t => t.GetProperty("id").GetGuid() == id);

        static object Body(string path) => new { slug = "diskless", name = "Diskless", signIn = "As root.", minMemoryMiB = 256, nfs = new { server = "192.0.2.10", path, writable = false } };
    }

    [Fact]
    public async Task The_document_is_the_one_that_was_agreed_on()
    {
        var text = await portal.Anonymous().GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken);

        Golden.Matches("../openapi.v1.json", text.ReplaceLineEndings("\n").TrimEnd() + "\n");
    }

    internal static async Task IsProblemAsync(HttpResponseMessage answer, int status, CancellationToken ct)
    {
        var text = await answer.Content.ReadAsStringAsync(ct);
        Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode} instead of {status}: {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.False(string.IsNullOrWhiteSpace(JsonDocument.Parse(text).RootElement.GetProperty("detail").GetString()), text);
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
    }

    private static async Task<string?> DetailAsync(HttpResponseMessage answer) => (await PortalServer.JsonAsync(answer)).GetProperty("detail").GetString();
}

/// <summary>PostgreSQL goes away for a while, under a portal that goes on.</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task Without_its_database_the_portal_says_so_and_recovers()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var postgres = new PostgresFixture();
        await postgres.InitializeAsync();
        await using var portal = new PortalServer(postgres);
        await portal.InitializeAsync();
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        var client = portal.Anonymous();

        await postgres.Cluster.StopAsync(ct);
        await ApiTests.IsProblemAsync(await owner.GetAsync(new Uri("/api/v1/me", UriKind.Relative), ct), 503, ct);
        await ApiTests.IsProblemAsync(await owner.PostAsJsonAsync($"/api/v1/tenants/{portal.Tenant}/orders", new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name = "x" } } }, ct), 503, ct);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/health/live", UriKind.Relative), ct)).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync(new Uri("/health/ready", UriKind.Relative), ct)).StatusCode);

        await postgres.Cluster.StartAsync(ct);
        await Eventually.IsAsync(async () => (await owner.GetAsync(new Uri("/api/v1/me", UriKind.Relative), ct)).StatusCode == HttpStatusCode.OK, ct);
        await Eventually.IsAsync(async () => (await client.GetAsync(new Uri("/health/ready", UriKind.Relative), ct)).StatusCode == HttpStatusCode.OK, ct);
        var vm = await portal.RunningVmAsync("after", ct);
        Assert.NotEqual(Guid.Empty, vm);
    }
}
