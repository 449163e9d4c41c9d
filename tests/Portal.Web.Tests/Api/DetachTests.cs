using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.App;
using Portal.Engine.Simulated;
using Portal.Testing;

namespace Portal.Web.Tests.Api;

/// <summary>A VM is detached from its template, over REST and as the pages show it.</summary>
public sealed class DetachTests(PortalServer portal) : IClassFixture<PortalServer>
{
    [Fact]
    public async Task A_clone_gets_a_disk_of_its_own_and_nobody_but_an_operator_can_ask_for_it()
    {
        var ct = TestContext.Current.CancellationToken;
        var operators = await portal.SignedInAsync(PortalServer.Administrator);
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        await using var db = portal.Services.GetRequiredService<PortalDbs>().ForSystem();
        var here = await db.Hosts.AsNoTracking().SingleAsync(ct);
        var copy = await portal.RunningVmAsync("copied", ct);
        Assert.Equal(HttpStatusCode.Conflict, (await operators.PostAsync(new Uri($"/api/v1/tenants/{portal.Tenant}/vms/{copy}/detach", UriKind.Relative), null, ct)).StatusCode);
        var faults = new SimulatedFaults(here.PoolPath);
        faults.Shape = faults.Shape with { ClonesBySnapshot = true };
        var vm = await portal.RunningVmAsync("cloned", ct);
        var address = $"/api/v1/tenants/{portal.Tenant}/vms/{vm}";
        var page = $"/ops/tenants/{portal.Tenant}/vms/{vm}/detach";

        Assert.Equal(HttpStatusCode.Forbidden, (await owner.GetAsync(new Uri($"{address}/clone", UriKind.Relative), ct)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await owner.PostAsync(new Uri($"{address}/detach", UriKind.Relative), null, ct)).StatusCode);
        var clone = await CloneAsync();
        Assert.Equal((here.Name, true, JsonValueKind.Null), (clone.GetProperty("host").GetString(), clone.GetProperty("runs").GetBoolean(), clone.GetProperty("obstacle").ValueKind));
        Assert.StartsWith("tiny-linux-", clone.GetProperty("cloneOf").GetString(), StringComparison.Ordinal);
        var shown = await operators.GetStringAsync(page, ct);
        Assert.Contains("Detach cloned", shown, StringComparison.Ordinal);
        Assert.Contains("The guest is asked to shut down", shown, StringComparison.Ordinal);

        var asked = await PortalServer.JsonAsync(await operators.PostAsync(new Uri($"{address}/detach", UriKind.Relative), null, ct));

        var operation = $"/api/v1/operations/{asked.GetProperty("operation").GetGuid()}";
        await Eventually.IsAsync(async () => (await operators.GetFromJsonAsync<JsonElement>(operation, ct)).GetProperty("state").GetString() == "Succeeded", ct);
        var copied = (await owner.GetFromJsonAsync<JsonElement>(operation, ct)).GetProperty("copy");
        Assert.Equal(clone.GetProperty("sizeBytes").GetInt64(), copied.GetProperty("copiedBytes").GetInt64());
        Assert.Equal(JsonValueKind.Null, (await CloneAsync()).GetProperty("cloneOf").ValueKind);
        Assert.Equal("Running", await portal.StatusAsync(owner, vm, ct));
        Assert.Contains("stands alone", await operators.GetStringAsync(page, ct), StringComparison.Ordinal);
        Assert.Contains("Detach from its template", await operators.GetStringAsync($"/operations/{asked.GetProperty("operation").GetGuid()}", ct), StringComparison.Ordinal);

        async Task<JsonElement> CloneAsync() => await operators.GetFromJsonAsync<JsonElement>($"{address}/clone", ct);
    }
}
