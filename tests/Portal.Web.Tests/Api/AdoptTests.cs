using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.App;
using Portal.Engine.Simulated;
using Portal.Testing;

namespace Portal.Web.Tests.Api;

/// <summary>Domains that somebody made by hand, over REST: seen, read, adopted.</summary>
public sealed class AdoptTests(PortalServer portal) : IClassFixture<PortalServer>
{
    private const string Config = "name = 'Apache1'\nmemory = 128\nkernel = '/boot/vmlinuz'\nroot = '/dev/sda1 ro'\nvif = [ 'mac=aa:00:00:00:00:01, bridge=simbr0' ]\ndisk = [ 'phy:simulated/apache1,sda1,w' ]\n";

    /// <summary>Over REST, and as the pages of the host show it.</summary>
    [Fact]
    public async Task A_domain_is_seen_allowed_by_its_hosts_administrator_and_adopted()
    {
        var ct = TestContext.Current.CancellationToken;
        var operators = await portal.SignedInAsync(PortalServer.Administrator);
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        await using var db = portal.Services.GetRequiredService<PortalDbs>().ForSystem();
        var host = await db.Hosts.AsNoTracking().SingleAsync(ct);
        var plan = await db.Plans.Where(p => p.Name == "Nano").Select(p => p.Id).SingleAsync(ct);
        var address = await db.Addresses.Where(a => a.VmId == null).OrderByDescending(a => a.Ip).Select(a => a.Ip).FirstAsync(ct);
        var faults = new SimulatedFaults(host.Connection.PoolPath);
        faults.PutForeign("apache1.cfg", Config, running: true);
        var foreign = $"/api/v1/hosts/{host.Id}/foreign";

        var seen = (await operators.GetFromJsonAsync<JsonElement>(foreign, ct))[0];
        var permit = seen.GetProperty("offer").GetProperty("permit").GetString()!;
        var body = new { tenant = portal.Tenant, plan = plan.Value, name = "apache1", address = address.ToString(), mayShutDown = true };
        Assert.Equal(("Apache1", "Running", false), (seen.GetProperty("name").GetString(), seen.GetProperty("state").GetString(), seen.GetProperty("offer").GetProperty("permitted").GetBoolean()));
        Assert.Equal(5, seen.GetProperty("offer").GetProperty("steps").GetArrayLength());
        Assert.Equal(HttpStatusCode.Forbidden, (await owner.GetAsync(new Uri(foreign, UriKind.Relative), ct)).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await operators.PostAsJsonAsync($"{foreign}/Apache1/adopt", body, ct)).StatusCode);
        var page = $"/ops/hosts/{host.Id}/foreign";
        Assert.Contains("Domains that are not the portal", await operators.GetStringAsync(page, ct), StringComparison.Ordinal);
        Assert.Contains("/etc/portal-host.conf", await operators.GetStringAsync($"{page}?named=Apache1", ct), StringComparison.Ordinal);
        faults.PermitAdoption(permit);
        Assert.Contains("Address that its guest has", await operators.GetStringAsync($"{page}?named=Apache1", ct), StringComparison.Ordinal);
        var read = await PortalServer.JsonAsync(await operators.PostAsJsonAsync($"{foreign}/read", new { config = Config }, ct));
        Assert.Equal(128, read.GetProperty("memoryMiB").GetInt64());

        var asked = await PortalServer.JsonAsync(await operators.PostAsJsonAsync($"{foreign}/Apache1/adopt", body, ct));

        var vm = asked.GetProperty("vm").GetGuid();
        await Eventually.IsAsync(async () => await portal.StatusAsync(owner, vm, ct) == "Running", ct);
        Assert.Equal("apache1", (await operators.GetFromJsonAsync<JsonElement>(foreign, ct))[0].GetProperty("vmName").GetString());
        Assert.Contains("it is the VM apache1 now", await operators.GetStringAsync($"{page}?named=Apache1", ct), StringComparison.Ordinal);
    }
}
