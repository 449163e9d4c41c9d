using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Portal.Web.Tests.Api;

public sealed class LeaseTests(PortalServer portal) : IClassFixture<PortalServer>
{
    [Fact]
    public async Task An_end_is_set_shown_in_the_calendar_and_more_time_is_an_order()
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        var vm = await portal.RunningVmAsync("leased", ct);
        var at = $"/api/v1/tenants/{portal.Tenant}/vms/{vm}";
        var end = new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(21), TimeSpan.Zero);

        Assert.Equal(HttpStatusCode.NoContent, (await owner.PutAsJsonAsync(new Uri($"{at}/lease", UriKind.Relative), new { endsAt = end }, ct)).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await owner.PutAsJsonAsync(new Uri($"{at}/lease", UriKind.Relative), new { endsAt = end.AddDays(1) }, ct)).StatusCode);
        var lease = JsonNode.Parse(await owner.GetStringAsync(new Uri($"/api/v1/tenants/{portal.Tenant}/leases", UriKind.Relative), ct))!.AsArray().Single(l => (Guid)l!["vm"]! == vm)!;
        Assert.Equal((end, end.AddDays(7), false), ((DateTimeOffset)lease["endsAt"]!, (DateTimeOffset)lease["deletedAt"]!, (bool)lease["over"]!));

        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{at}/lease-extensions", UriKind.Relative)) { Content = JsonContent.Create(new { until = end.AddDays(30), note = "Still needed" }) };
        request.Headers.Add("Idempotency-Key", "more-time");
        var asked = await owner.SendAsync(request, ct);
        Assert.Equal(HttpStatusCode.Created, asked.StatusCode);
        var order = JsonNode.Parse(await owner.GetStringAsync(asked.Headers.Location, ct))!;
        Assert.Equal((vm, "Waiting"), ((Guid)order["lines"]![0]!["changes"]!, (string)order["order"]!["state"]!));
        var approver = await portal.SignedInAsync(PortalServer.Approver);
        Assert.Equal(HttpStatusCode.NoContent, (await approver.PostAsJsonAsync(new Uri($"/api/v1/orders/{(Guid)order["order"]!["id"]!}/decision", UriKind.Relative), new { verdict = "Approve" }, ct)).StatusCode);
        Assert.Equal(end.AddDays(30), (DateTimeOffset)JsonNode.Parse(await owner.GetStringAsync(new Uri(at, UriKind.Relative), ct))!["leaseEndsAt"]!);

        Assert.Equal(HttpStatusCode.NoContent, (await owner.PutAsJsonAsync(new Uri($"{at}/schedule", UriKind.Relative), new { days = new[] { "Monday", "Friday" }, start = "08:00:00", stop = "18:30:00", zone = "Europe/Lisbon" }, ct)).StatusCode);
        var schedule = JsonNode.Parse(await owner.GetStringAsync(new Uri(at, UriKind.Relative), ct))!["schedule"]!;
        Assert.Equal(("Monday", "18:30:00", "Europe/Lisbon"), ((string)schedule["days"]![0]!, (string)schedule["stop"]!, (string)schedule["zone"]!));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await owner.PutAsJsonAsync(new Uri($"{at}/schedule", UriKind.Relative), new { days = Array.Empty<string>(), start = "08:00:00", stop = "18:30:00", zone = "Europe/Lisbon" }, ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await owner.DeleteAsync(new Uri($"{at}/schedule", UriKind.Relative), ct)).StatusCode);
    }
}
