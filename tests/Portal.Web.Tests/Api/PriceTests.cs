using System.Net.Http.Json;
using System.Text.Json;

namespace Portal.Web.Tests.Api;

/// <summary>Prices and tax over REST: what a biller sets is what a tenant sees.</summary>
public sealed class PriceTests(PortalServer portal) : IClassFixture<PortalServer>
{
    [Fact]
    public async Task A_tenants_own_price_setup_and_tax_show_wherever_it_looks()
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        var biller = await portal.SignedInAsync(PortalServer.Administrator);
        var plan = (await owner.GetFromJsonAsync<JsonElement>("/api/v1/plans", ct)).EnumerateArray().Single(p => p.GetProperty("name").GetString() == "Nano").GetProperty("id").GetGuid();

        (await biller.PutAsJsonAsync($"/api/v1/plans/{plan}/price", new { currency = "EUR", runningPerHour = 0.02m, allocatedPerHour = 0.01m, setup = 4.5m, tenant = portal.Tenant }, ct)).EnsureSuccessStatusCode();
        (await biller.PutAsJsonAsync($"/api/v1/plans/{plan}/price", new { currency = "EUR", runningPerHour = 0.05m, allocatedPerHour = 0.01m, from = "2036-01-01T00:00:00Z" }, ct)).EnsureSuccessStatusCode();
        (await biller.PutAsJsonAsync($"/api/v1/tenants/{portal.Tenant}/tax", new { percent = 19 }, ct)).EnsureSuccessStatusCode();

        Assert.Equal(0.02m, await RunningAsync(owner, $"?tenant={portal.Tenant}"));
        Assert.Equal(0.003m, await RunningAsync(owner, ""));
        var preview = await PortalServer.JsonAsync(await owner.PostAsJsonAsync($"/api/v1/tenants/{portal.Tenant}/orders/preview", new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name = "priced" } } }, ct));
        // 0.03 x 730 is 21.90; 19 % of it 4.161.
        Assert.Equal((21.90m, 4.16m, 26.06m), Taxed(preview.GetProperty("perMonth")));
        Assert.Equal((4.50m, 0.86m, 5.36m), Taxed(preview.GetProperty("setup")));

        var rows = (await biller.GetFromJsonAsync<JsonElement>($"/api/v1/plans/{plan}/prices", ct)).EnumerateArray().ToList();
        Assert.Equal(["Scheduled", "Now", "Now"], rows.Select(r => r.GetProperty("state").GetString()));
        await ApiTests.IsProblemAsync(await biller.PutAsJsonAsync($"/api/v1/plans/{plan}/price", new { currency = "EUR", runningPerHour = 1, allocatedPerHour = 1, from = "2036-01-01T00:00:00Z" }, ct), 409, ct);
        (await biller.PostAsync(new Uri($"/api/v1/plans/{plan}/prices/{rows[0].GetProperty("id").GetGuid()}/withdraw", UriKind.Relative), null, ct)).EnsureSuccessStatusCode();

        var vm = await portal.RunningVmAsync("priced", ct);
        var effects = (await PortalServer.JsonAsync(await biller.PostAsJsonAsync($"/api/v1/plans/{plan}/prices/preview", new { currency = "EUR", runningPerHour = 1, allocatedPerHour = 0 }, ct))).EnumerateArray().Single();
        Assert.Equal((portal.Tenant, 21.9m, true), (effects.GetProperty("tenant").GetGuid(), effects.GetProperty("now").GetDecimal(), effects.GetProperty("ownPrice").GetBoolean()));
        var usage = await owner.GetFromJsonAsync<JsonElement>($"/api/v1/tenants/{portal.Tenant}/usage", ct);
        var setup = usage.GetProperty("setups").EnumerateArray().Single();
        Assert.Equal((vm, 4.5m), (setup.GetProperty("vm").GetGuid(), setup.GetProperty("amount").GetDecimal()));
        Assert.Equal(19m, usage.GetProperty("sum").GetProperty("percent").GetDecimal());
        var overview = await owner.GetFromJsonAsync<JsonElement>($"/api/v1/tenants/{portal.Tenant}/overview", ct);
        Assert.Equal(overview.GetProperty("monthTaxed").GetProperty("net").GetDecimal(), overview.GetProperty("month").GetDecimal());

        (await biller.PostAsJsonAsync($"/api/v1/plans/{plan}/prices/end", new { tenant = portal.Tenant }, ct)).EnsureSuccessStatusCode();
        Assert.Equal(0.003m, await RunningAsync(owner, $"?tenant={portal.Tenant}"));
        Assert.Equal([("EUR", 2)], (await biller.GetFromJsonAsync<JsonElement>("/api/v1/currencies", ct)).EnumerateArray().Select(c => (c.GetProperty("code").GetString(), c.GetProperty("minorUnits").GetInt32())));

        async Task<decimal> RunningAsync(HttpClient client, string query) =>
            (await client.GetFromJsonAsync<JsonElement>($"/api/v1/plans{query}", ct)).EnumerateArray().Single(p => p.GetProperty("id").GetGuid() == plan).GetProperty("price").GetProperty("runningPerHour").GetDecimal();

        static (decimal Net, decimal Tax, decimal Gross) Taxed(JsonElement json) => (json.GetProperty("net").GetDecimal(), json.GetProperty("tax").GetDecimal(), json.GetProperty("gross").GetDecimal());
    }
}
