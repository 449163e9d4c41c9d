using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Portal.Testing;

namespace Portal.Web.Tests.Api;

/// <summary>Changes of a VM over REST.</summary>
public sealed class ChangeTests(PortalServer portal) : IClassFixture<PortalServer>
{
    [Fact]
    public async Task Pause_resume_save_and_start()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await portal.RunningVmAsync("changes", ct);
        var owner = await portal.SignedInAsync(PortalServer.Owner);

        foreach (var (kind, words, status) in new[] { ("pause", "Pause", "Paused"), ("Resume", "Resume", "Running"), ("save", "Save to disk", "Saved") })
        {
            var accepted = await owner.PostAsJsonAsync($"/api/v1/tenants/{portal.Tenant}/vms/{vm}/changes", new { kind }, ct);
            Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
            await Eventually.IsAsync(async () => await portal.StatusAsync(owner, vm, ct) == status, ct);
            var operation = await owner.GetFromJsonAsync<JsonElement>(accepted.Headers.Location, ct);
            Assert.Equal(("Change", words, "Succeeded"), (operation.GetProperty("kind").GetString(), operation.GetProperty("words").GetString(), operation.GetProperty("state").GetString()));
        }

        Assert.True((await owner.GetFromJsonAsync<JsonElement>($"/api/v1/tenants/{portal.Tenant}/vms/{vm}", ct)).GetProperty("saved").GetBoolean());
        Assert.Equal(HttpStatusCode.Accepted, (await owner.PostAsync(new Uri($"/api/v1/tenants/{portal.Tenant}/vms/{vm}/start", UriKind.Relative), null, ct)).StatusCode);
        await Eventually.IsAsync(async () => await portal.StatusAsync(owner, vm, ct) == "Running", ct);
    }

    // None of these is offered by the simulated host, so that none of them does anything.
    [Theory]
    [InlineData("", 400, null)]
    [InlineData("{}", 400, null)]
    [InlineData("[]", 400, null)]
    [InlineData("""{"kind":null}""", 400, null)]
    [InlineData("""{"kind":"explode"}""", 400, null)]
    [InlineData("""{"kind":"makeVolume","label":"data"}""", 400, null)]
    [InlineData("""{"kind":"pause","why":"because"}""", 400, null)]
    [InlineData("""{"kind":"sysRq","key":"reboot"}""", 400, null)]
    [InlineData("""{"kind":"memory","memoryMiB":"all"}""", 400, null)]
    [InlineData("""{"kind":"memory","memoryMiB":99999999999}""", 400, null)]
    [InlineData("""{"kind":"pin","cpus":[null]}""", 400, null)]
    [InlineData("""{"kind":99}""", 422, "kind")]
    [InlineData("""{"kind":"pause","memoryMiB":64}""", 422, "memoryMiB")]
    [InlineData("""{"kind":"resume","key":"b"}""", 422, "key")]
    [InlineData("""{"kind":"sysRq"}""", 422, "key")]
    [InlineData("""{"kind":"sysRq","key":"o"}""", 422, "key")]
    [InlineData("""{"kind":"memory"}""", 422, "memoryMiB")]
    [InlineData("""{"kind":"memory","memoryMiB":-1}""", 422, "memoryMiB")]
    [InlineData("""{"kind":"memory","memoryMiB":2147483647}""", 422, "memoryMiB")]
    [InlineData("""{"kind":"vcpus","memoryMiB":64}""", 422, "memoryMiB")]
    [InlineData("""{"kind":"vcpus","vcpus":0}""", 422, "vcpus")]
    [InlineData("""{"kind":"pin"}""", 422, "cpus")]
    [InlineData("""{"kind":"pin","cpus":[-1]}""", 422, "cpus")]
    [InlineData("""{"kind":"share","cap":10}""", 422, "weight")]
    [InlineData("""{"kind":"share","weight":256,"cap":-1}""", 422, "cap")]
    [InlineData("""{"kind":"sysRq","key":"s"}""", 409, null)]
    [InlineData("""{"kind":"memory","memoryMiB":64}""", 409, null)]
    [InlineData("""{"kind":"share","weight":256,"cap":0}""", 403, null)]
    [InlineData("""{"kind":"pin","cpus":[0]}""", 403, null)]
    public async Task What_is_not_a_change_that_can_be_made_is_a_problem_in_words(string body, int status, string? field)
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        var vm = await AnyVmAsync(owner, ct);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        var answer = await owner.PostAsync(new Uri($"/api/v1/tenants/{portal.Tenant}/vms/{vm}/changes", UriKind.Relative), content, ct);

        await ApiTests.IsProblemAsync(answer, status, ct);
        var problem = await PortalServer.JsonAsync(answer);
        Assert.Equal(field, problem.TryGetProperty("field", out var at) ? at.GetString() : null);
        Assert.Equal(0, await portal.Database.ReadAsync<long>("SELECT count(*) FROM operations WHERE vm_id = $1 AND kind = 'Change'", ct, vm));
    }

    [Fact]
    public async Task All_fields_that_are_wrong_are_named()
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);

        var answer = await owner.PostAsJsonAsync($"/api/v1/tenants/{portal.Tenant}/vms/{await AnyVmAsync(owner, ct)}/changes", new { kind = "share", key = "b" }, ct);

        var errors = (await PortalServer.JsonAsync(answer)).GetProperty("errors").EnumerateArray();
        Assert.Equal(["key", "weight", "cap"], errors.Select(e => e.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task A_vm_that_is_not_there_is_not_found()
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);

        await ApiTests.IsProblemAsync(await owner.PostAsJsonAsync($"/api/v1/tenants/{portal.Tenant}/vms/{Guid.CreateVersion7()}/changes", new { kind = "pause" }, ct), 404, ct);
        await ApiTests.IsProblemAsync(await owner.PostAsJsonAsync($"/api/v1/tenants/{Guid.CreateVersion7()}/vms/{Guid.CreateVersion7()}/changes", new { kind = "pause" }, ct), 404, ct);
    }

    private async Task<Guid> AnyVmAsync(HttpClient owner, CancellationToken ct)
    {
        var vms = (await owner.GetFromJsonAsync<JsonElement>($"/api/v1/tenants/{portal.Tenant}/vms?q=untouched", ct)).GetProperty("vms");
        return vms.GetArrayLength() > 0 ? vms[0].GetProperty("id").GetGuid() : await portal.RunningVmAsync("untouched", ct);
    }
}
