using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Portal.Web.Tests.Api;

/// <summary>What is paused or out of stock says so over REST.</summary>
public sealed class CatalogueTests(PortalServer portal) : IClassFixture<PortalServer>
{
    [Fact]
    public async Task A_paused_plan_and_one_that_is_out_of_stock_refuse_with_words()
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        var biller = await portal.SignedInAsync(PortalServer.Administrator);
        var plan = (await owner.GetFromJsonAsync<JsonElement>("/api/v1/plans", ct)).EnumerateArray().Single(p => p.GetProperty("name").GetString() == "S").GetProperty("id").GetGuid();

        await SaveAsync(new { name = "S", vcpus = 1, memoryMiB = 512, diskGiB = 5, pausedBecause = "New hosts come on Monday." });
        Assert.Equal(("catalogue.paused", "S cannot be ordered for now: New hosts come on Monday."), await RefusedAsync());
        await SaveAsync(new { name = "S", vcpus = 1, memoryMiB = 512, diskGiB = 5, stock = 1 });
        Assert.Equal(HttpStatusCode.Created, (await OrderAsync("last")).StatusCode);
        Assert.Equal("catalogue.out_of_stock", (await RefusedAsync()).Code);
        var row = (await owner.GetFromJsonAsync<JsonElement>("/api/v1/plans", ct)).EnumerateArray().Single(p => p.GetProperty("id").GetGuid() == plan);
        Assert.Equal((1, 0L), (row.GetProperty("stock").GetInt32(), row.GetProperty("left").GetInt64()));
        Assert.Equal(["plan.changed", "plan.changed", "plan.created"], (await biller.GetFromJsonAsync<JsonElement>($"/api/v1/plans/{plan}/history", ct)).EnumerateArray().Select(c => c.GetProperty("verb").GetString()));

        var template = (await owner.GetFromJsonAsync<JsonElement>("/api/v1/templates", ct))[0];
        (await biller.PutAsJsonAsync($"/api/v1/templates/{template.GetProperty("id").GetGuid()}", new { name = "Tiny Linux", offered = false, deprecated = true }, ct)).EnsureSuccessStatusCode();
        Assert.Empty((await owner.GetFromJsonAsync<JsonElement>($"/api/v1/templates?tenant={portal.Tenant}", ct)).EnumerateArray());
        Assert.True((await biller.GetFromJsonAsync<JsonElement>("/api/v1/templates?all=true", ct))[0].GetProperty("deprecated").GetBoolean());

        async Task SaveAsync(object body) => (await biller.PutAsJsonAsync($"/api/v1/plans/{plan}", body, ct)).EnsureSuccessStatusCode();

        Task<HttpResponseMessage> OrderAsync(string name) => owner.PostAsJsonAsync($"/api/v1/tenants/{portal.Tenant}/orders", new { lines = new[] { new { template = "tiny-linux", plan = "S", name } } }, ct);

        async Task<(string? Code, string? Detail)> RefusedAsync()
        {
            var answer = await OrderAsync("more");
            Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
            var problem = await PortalServer.JsonAsync(answer);
            return (problem.GetProperty("code").GetString(), problem.GetProperty("detail").GetString());
        }
    }
}
