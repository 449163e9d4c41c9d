using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Portal.Web.Tests.Api;

public sealed class SavedOrderTests(PortalServer portal) : IClassFixture<PortalServer>
{
    [Fact]
    public async Task What_was_kept_is_read_as_an_order_takes_it_and_replaced_ordered_and_removed()
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        var all = new Uri($"/api/v1/tenants/{portal.Tenant}/saved-orders", UriKind.Relative);
        object Body(string name) => new { kind = "Blueprint", name, description = "Two of a kind", note = "As agreed", lines = new[] { new { template = "tiny-linux", plan = "Nano", name = "kept-{n}", count = 2 } } };

        var made = await owner.PostAsJsonAsync(all, Body("Pair"), ct);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await owner.PostAsJsonAsync(all, Body("Pair"), ct)).StatusCode);
        var one = made.Headers.Location!;
        Assert.Equal(HttpStatusCode.NoContent, (await owner.PutAsJsonAsync(one, Body("Couple"), ct)).StatusCode);

        var read = JsonNode.Parse(await owner.GetStringAsync(one, ct))!;
        Assert.Equal(("Couple", 2, false), ((string?)read["saved"]!["name"], (int)read["saved"]!["vms"]!, (bool)read["saved"]!["ofProvider"]!));
        // As it is, it is an order.
        var placed = await owner.PostAsJsonAsync(new Uri($"/api/v1/tenants/{portal.Tenant}/orders", UriKind.Relative), read["form"], ct);
        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        var names = JsonNode.Parse(await owner.GetStringAsync(all, ct))!.AsArray().Select(s => (string?)s!["name"]).ToList();
        Assert.Contains("Couple", names);
        Assert.Contains("Ten servers", names);

        Assert.Equal(HttpStatusCode.NoContent, (await owner.DeleteAsync(one, ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await owner.GetAsync(one, ct)).StatusCode);
        // Who only looks on has no drafts.
        Assert.Equal(HttpStatusCode.Forbidden, (await (await portal.SignedInAsync(PortalServer.Approver)).GetAsync(all, ct)).StatusCode);
    }
}
