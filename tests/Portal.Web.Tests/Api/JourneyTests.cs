using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Portal.Testing;
using Portal.Testing.Postgres;

namespace Portal.Web.Tests.Api;

/// <summary>The whole way over REST, and what the console's door lets in.</summary>
public sealed class JourneyTests(PortalServer portal, PostgresFixture postgres) : IClassFixture<PortalServer>
{
    [Fact]
    public async Task Order_approve_console_usage_delete()
    {
        var ct = TestContext.Current.CancellationToken;
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        var approver = await portal.SignedInAsync(PortalServer.Approver);
        var tenant = $"/api/v1/tenants/{portal.Tenant}";

        var preview = await PortalServer.JsonAsync(await owner.PostAsJsonAsync($"{tenant}/orders/preview", new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name = "journey" } } }, ct));
        Assert.Empty(preview.GetProperty("problems").EnumerateArray());
        Assert.NotEmpty(preview.GetProperty("lines")[0].GetProperty("commands").EnumerateArray());
        var placed = await owner.PostAsJsonAsync($"{tenant}/orders", new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name = "journey" } } }, ct);
        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        var order = (await PortalServer.JsonAsync(placed)).GetProperty("id").GetGuid();
        Assert.Contains(order.ToString(), (await approver.GetStringAsync("/api/v1/approvals", ct)), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await approver.PostAsJsonAsync($"/api/v1/orders/{order}/decision", new { verdict = "Approve" }, ct)).StatusCode);
        var again = await approver.PostAsJsonAsync($"/api/v1/orders/{order}/decision", new { verdict = "Deny", reason = "Late." }, ct);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        Assert.Equal("Approver approved this order already.", (await PortalServer.JsonAsync(again)).GetProperty("detail").GetString());

        var vm = (await owner.GetFromJsonAsync<JsonElement>($"/api/v1/orders/{order}", ct)).GetProperty("vms")[0].GetProperty("id").GetGuid();
        await Eventually.IsAsync(async () => await portal.StatusAsync(owner, vm, ct) == "Running", ct);
        Assert.Contains("hostname\r\njourney", await TypeAsync(owner, vm, "root\rhostname\r", "journey\r\n", ct), StringComparison.Ordinal);

        var usage = await owner.GetFromJsonAsync<JsonElement>($"{tenant}/usage", ct);
        var lines = usage.GetProperty("lines").EnumerateArray().Where(l => l.GetProperty("vm").GetGuid() == vm).ToList();
        Assert.Equal(2, lines.Count);
        Assert.All(lines, l => Assert.Equal(l.GetProperty("seconds").GetDecimal() * l.GetProperty("ratePerHour").GetDecimal() / 3600m, l.GetProperty("amount").GetDecimal()));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await owner.DeleteAsync($"{tenant}/vms/{vm}?confirmName=other", ct)).StatusCode);
        var deletion = await owner.DeleteAsync($"{tenant}/vms/{vm}?confirmName=journey", ct);
        Assert.Equal(HttpStatusCode.Accepted, deletion.StatusCode);
        var operation = deletion.Headers.Location!;
        await Eventually.IsAsync(async () => (await owner.GetFromJsonAsync<JsonElement>(operation, ct)).GetProperty("state").GetString() == "Succeeded", ct);
        Assert.Equal("Deleted", (await owner.GetFromJsonAsync<JsonElement>($"{tenant}/vms/{vm}", ct)).GetProperty("stage").GetString());
        Assert.Equal(0, await portal.Database.ReadAsync<long>("SELECT count(*) FROM usage_intervals WHERE vm_id = $1 AND \"to\" IS NULL", ct, vm));
        Assert.Equal(0, await portal.Database.ReadAsync<long>("SELECT count(*) FROM addresses WHERE vm_id = $1", ct, vm));
    }

    [Fact]
    public async Task A_console_ticket_opens_one_console_once()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await portal.RunningVmAsync("tickets", ct);
        var owner = await portal.SignedInAsync(PortalServer.Owner);

        var ticket = await TicketAsync(owner, vm, ct);
        using (await portal.ConnectAsync(ticket, null, ct))
        {
            await IsTurnedAwayAsync(ticket, null, ct);
        }

        await IsTurnedAwayAsync(await TicketAsync(owner, vm, ct), "http://evil.example", ct);
        await IsTurnedAwayAsync(["portal.console.v1", "ticket.never-given"], null, ct);
        await IsTurnedAwayAsync(["portal.console.v1"], null, ct);
        await IsTurnedAwayAsync([(await TicketAsync(owner, vm, ct))[1]], null, ct);

        var late = await TicketAsync(owner, vm, ct);
        await portal.Database.ExecuteAsync("UPDATE console_tickets SET expires_at = clock_timestamp() - interval '1 second' WHERE used_at IS NULL", ct);
        await IsTurnedAwayAsync(late, null, ct);

        // A ticket is one VM's, in one of its lives: after a rebuild it is another machine.
        var old = await TicketAsync(owner, vm, ct);
        await portal.Database.ExecuteAsync("UPDATE console_tickets SET generation = generation + 1 WHERE used_at IS NULL", ct);
        await IsTurnedAwayAsync(old, null, ct);
    }

    [Fact]
    public async Task A_console_ends_when_the_right_to_it_ends()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await portal.RunningVmAsync("rights", ct);
        var owner = await portal.SignedInAsync(PortalServer.Owner);
        using var socket = await portal.ConnectAsync(await TicketAsync(owner, vm, ct), "http://localhost", ct);

        await portal.Database.ExecuteAsync("UPDATE memberships SET role = 'Viewer'", ct);
        try
        {
            var buffer = new byte[4096];
            var received = await socket.ReceiveAsync(buffer, ct);
            while (received.MessageType != WebSocketMessageType.Close)
            {
                received = await socket.ReceiveAsync(buffer, ct);
            }

            Assert.Equal("You may not use this console any more.", received.CloseStatusDescription);
            Assert.Equal(HttpStatusCode.Forbidden, (await owner.PostAsync(new Uri($"/api/v1/tenants/{portal.Tenant}/vms/{vm}/console", UriKind.Relative), null, ct)).StatusCode);
        }
        finally
        {
            await portal.Database.ExecuteAsync("UPDATE memberships SET role = 'Owner'", ct);
        }
    }

    [Fact]
    public async Task A_portal_that_stops_says_so_on_open_consoles_and_waits_for_none()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var other = new PortalServer(postgres);
        await other.InitializeAsync();
        var vm = await other.RunningVmAsync("stopping", ct);
        var owner = await other.SignedInAsync(PortalServer.Owner);
        var answer = await owner.PostAsync(new Uri($"/api/v1/tenants/{other.Tenant}/vms/{vm}/console", UriKind.Relative), null, ct);
        var protocols = (await PortalServer.JsonAsync(answer)).GetProperty("protocols").EnumerateArray().Select(p => p.GetString()!);
        using var socket = await other.ConnectAsync(protocols, null, ct);

        other.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        var buffer = new byte[4096];
        var received = await socket.ReceiveAsync(buffer, ct);
        while (received.MessageType != WebSocketMessageType.Close)
        {
            received = await socket.ReceiveAsync(buffer, ct);
        }

        Assert.Equal("The portal stops.", received.CloseStatusDescription);
    }

    private async Task<string> TypeAsync(HttpClient owner, Guid vm, string typed, string until, CancellationToken ct)
    {
        using var socket = await portal.ConnectAsync(await TicketAsync(owner, vm, ct), null, ct);
        await socket.SendAsync(Encoding.UTF8.GetBytes(typed), WebSocketMessageType.Binary, true, ct);
        var heard = new StringBuilder();
        var buffer = new byte[4096];
        while (!heard.ToString().Contains(until, StringComparison.Ordinal))
        {
            var received = await socket.ReceiveAsync(buffer, ct);
            Assert.NotEqual(WebSocketMessageType.Close, received.MessageType);
            heard.Append(Encoding.UTF8.GetString(buffer, 0, received.Count));
        }

        return heard.ToString();
    }

    private async Task<IReadOnlyList<string>> TicketAsync(HttpClient owner, Guid vm, CancellationToken ct)
    {
        var answer = await owner.PostAsync(new Uri($"/api/v1/tenants/{portal.Tenant}/vms/{vm}/console", UriKind.Relative), null, ct);
        answer.EnsureSuccessStatusCode();
        return [.. (await PortalServer.JsonAsync(answer)).GetProperty("protocols").EnumerateArray().Select(p => p.GetString()!)];
    }

    private async Task IsTurnedAwayAsync(IEnumerable<string> protocols, string? origin, CancellationToken ct)
    {
        var away = await Assert.ThrowsAsync<InvalidOperationException>(() => portal.ConnectAsync(protocols, origin, ct));
        Assert.Contains("403", away.Message, StringComparison.Ordinal);
    }
}
