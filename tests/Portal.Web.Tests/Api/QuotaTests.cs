using System.Net.Http.Json;
using System.Text.Json;

namespace Portal.Web.Tests.Api;

/// <summary>Limits and what takes them, over REST.</summary>
public sealed class QuotaTests(PortalServer portal) : IClassFixture<PortalServer>
{
    [Fact]
    public async Task What_is_used_held_and_allowed_is_told_and_a_spending_limit_keeps_orders_back()
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        var administrator = await portal.SignedInAsync(PortalServer.Administrator);
        var tenant = $"/api/v1/tenants/{portal.Tenant}";
        var vm = await portal.RunningVmAsync("counted", ct);
        (await OrderAsync("waits")).EnsureSuccessStatusCode();

        var quota = await owner.GetFromJsonAsync<JsonElement>($"{tenant}/quota", ct);
        Assert.Equal((1, 1), (quota.GetProperty("quota").GetProperty("usedVms").GetInt32(), quota.GetProperty("quota").GetProperty("heldVms").GetInt32()));
        Assert.Equal((vm, true), (quota.GetProperty("biggest")[0].GetProperty("vm").GetGuid(), quota.GetProperty("biggest")[0].GetProperty("counts").GetBoolean()));
        Assert.Equal((2.555m, 2.555m), (quota.GetProperty("spending").GetProperty("now").GetDecimal(), quota.GetProperty("spending").GetProperty("inOrders").GetDecimal()));

        await ApiTests.IsProblemAsync(await owner.PutAsJsonAsync($"{tenant}/spending", new { limit = 6, rule = "BlockOrders" }, ct), 403, ct);
        (await administrator.PutAsJsonAsync($"{tenant}/spending", new { limit = 6, rule = "BlockOrders" }, ct)).EnsureSuccessStatusCode();
        var refused = await OrderAsync("dear");
        Assert.Equal("quota.spending", (await PortalServer.JsonAsync(refused)).GetProperty("code").GetString());

        var name = (await owner.GetFromJsonAsync<JsonElement>("/api/v1/tenants", ct))[0];
        (await administrator.PutAsJsonAsync(tenant, new { name = name.GetProperty("name").GetString(), limits = new { vms = 1, addresses = 5, waitingVms = 2, runningOnly = true } }, ct)).EnsureSuccessStatusCode();
        quota = await owner.GetFromJsonAsync<JsonElement>($"{tenant}/quota", ct);
        Assert.Equal(["VMs"], quota.GetProperty("beyond").EnumerateArray().Select(b => b.GetString()));
        var limits = quota.GetProperty("quota").GetProperty("limits");
        Assert.Equal((5, 2, true), (limits.GetProperty("addresses").GetInt32(), limits.GetProperty("waitingVms").GetInt32(), limits.GetProperty("runningOnly").GetBoolean()));

        Task<HttpResponseMessage> OrderAsync(string vmName) => owner.PostAsJsonAsync($"{tenant}/orders", new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name = vmName } } }, ct);
    }
}
