using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.App;
using Portal.Testing;
using Portal.Testing.Worlds;

namespace Portal.Web.Tests.Api;

/// <summary>A VM is taken to another host, over REST and as the pages show it.</summary>
public sealed class MoveTests(PortalServer portal) : IClassFixture<PortalServer>
{
    [Fact]
    public async Task A_VM_goes_to_the_host_that_was_chosen_and_nobody_but_an_operator_can_ask_for_it()
    {
        var ct = TestContext.Current.CancellationToken;
        var operators = await portal.SignedInAsync(PortalServer.Administrator);
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        var pool = Directory.CreateTempSubdirectory("portal-pool-").FullName;
        try
        {
            await using var db = portal.Services.GetRequiredService<PortalDbs>().ForSystem();
            var here = await db.Hosts.AsNoTracking().SingleAsync(ct);
            var vm = await portal.RunningVmAsync("mover", ct);
            var there = await OtherHost.AddAsync(db, "elsewhere", "0badcafd", pool, ct);
            var address = $"/api/v1/tenants/{portal.Tenant}/vms/{vm}";
            var page = $"/ops/tenants/{portal.Tenant}/vms/{vm}/move";

            Assert.Equal(HttpStatusCode.Forbidden, (await owner.GetAsync(new Uri($"{address}/move-targets", UriKind.Relative), ct)).StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, (await owner.PostAsJsonAsync($"{address}/move", new { host = there.Id.Value }, ct)).StatusCode);
            await Eventually.IsAsync(async () => (await TargetsAsync()).GetProperty("targets")[0].GetProperty("whyNot").ValueKind == JsonValueKind.Null, ct);
            Assert.Equal((here.Name, true), ((await TargetsAsync()).GetProperty("from").GetString(), (await TargetsAsync()).GetProperty("runs").GetBoolean()));
            Assert.Contains("elsewhere", await operators.GetStringAsync(page, ct), StringComparison.Ordinal);

            var asked = await PortalServer.JsonAsync(await operators.PostAsJsonAsync($"{address}/move", new { host = there.Id.Value }, ct));

            var operation = $"/api/v1/operations/{asked.GetProperty("operation").GetGuid()}";
            await Eventually.IsAsync(async () => (await operators.GetFromJsonAsync<JsonElement>(operation, ct)).GetProperty("state").GetString() == "Succeeded", ct);
            var move = (await operators.GetFromJsonAsync<JsonElement>(operation, ct)).GetProperty("move");
            Assert.Equal((here.Name, "elsewhere", true), (move.GetProperty("from").GetString(), move.GetProperty("to").GetString(), move.GetProperty("copiedBytes").GetInt64() > 0));
            Assert.Equal(JsonValueKind.Null, (await owner.GetFromJsonAsync<JsonElement>(operation, ct)).GetProperty("move").GetProperty("to").ValueKind);
            Assert.Equal("elsewhere", (await TargetsAsync()).GetProperty("from").GetString());
            Assert.Equal("Running", await portal.StatusAsync(owner, vm, ct));
            Assert.Contains("From", await operators.GetStringAsync($"/operations/{asked.GetProperty("operation").GetGuid()}", ct), StringComparison.Ordinal);

            async Task<JsonElement> TargetsAsync() => await operators.GetFromJsonAsync<JsonElement>($"{address}/move-targets", ct);
        }
        finally
        {
            Directory.Delete(pool, recursive: true);
        }
    }
}
