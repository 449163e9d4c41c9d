using System.Net.WebSockets;
using Portal.App.Consoles;

namespace Portal.Web.Consoles;

/// <summary>
/// The serial console over a raw WebSocket: binary frames, the guest's bytes as they are, both ways. The ticket comes as a second subprotocol, so
/// that it stands in no address, log or history.
/// </summary>
internal static class ConsoleEndpoint
{
    public const string Protocol = "portal.console.v1";
    private const string TicketPrefix = "ticket.";
    private static readonly TimeSpan s_recheck = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_goodbye = TimeSpan.FromSeconds(2);

    public static void MapConsole(this WebApplication app) => app.Map("/console", ServeAsync).ExcludeFromDescription();

    private static async Task<IResult> ServeAsync(HttpContext context, ConsoleSessions sessions, IHostApplicationLifetime lifetime, TimeProvider clock)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            return Results.Problem("This address speaks WebSocket only.", statusCode: StatusCodes.Status400BadRequest);
        }

        var asked = context.WebSockets.WebSocketRequestedProtocols;
        var ticket = asked.FirstOrDefault(p => p.StartsWith(TicketPrefix, StringComparison.Ordinal))?[TicketPrefix.Length..];
        if (ticket is not { Length: > 0 and <= 200 } || !asked.Contains(Protocol))
        {
            return Problems.From(new TicketRefused());
        }

        // A browser always says from which page it connects; a program may leave it out and then counts as the portal's own page.
        var own = $"{context.Request.Scheme}://{context.Request.Host}";
        var origin = context.Request.Headers.Origin.ToString() is { Length: > 0 } said ? said : own;
        if (!string.Equals(origin, own, StringComparison.OrdinalIgnoreCase))
        {
            return Problems.From(new TicketRefused());
        }

        var redeemed = await sessions.RedeemAsync(ticket, own, context.RequestAborted);
        if (!redeemed.TryGet(out var session, out var refusal))
        {
            return Problems.From(refusal);
        }

        await using (session.Console)
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
            {
                SubProtocol = Protocol,
                KeepAliveInterval = TimeSpan.FromSeconds(20),
                KeepAliveTimeout = TimeSpan.FromSeconds(20),
            });
            await PumpAsync(socket, session, sessions, clock, lifetime.ApplicationStopping, context.RequestAborted);
        }

        return Results.Empty;
    }

    // Four ways to end: the guest's line ends, the browser goes, the right to watch goes, the portal stops. The first ends the others.
    private static async Task PumpAsync(WebSocket socket, ConsoleSession session, ConsoleSessions sessions, TimeProvider clock, CancellationToken stopping, CancellationToken aborted)
    {
        using var quiet = CancellationTokenSource.CreateLinkedTokenSource(aborted, stopping);
        using var deaf = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        var toBrowser = ToBrowserAsync(socket, session, quiet.Token);
        var fromBrowser = FromBrowserAsync(socket, session, deaf.Token);
        var whileAllowed = WhileAllowedAsync(session, sessions, clock, quiet.Token);
        var reason = await QuietlyAsync(await Task.WhenAny(toBrowser, fromBrowser, whileAllowed));
        await quiet.CancelAsync();
        await Task.WhenAll(QuietlyAsync(toBrowser), QuietlyAsync(whileAllowed));
        // Said before listening ends: a receive that is cancelled takes the socket down with it, and nobody would read why.
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            using var goodbye = new CancellationTokenSource(s_goodbye, clock);
            try
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, reason, goodbye.Token);
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException)
            {
                // The browser went first.
            }
        }

        await deaf.CancelAsync();
        await QuietlyAsync(fromBrowser);
    }

    private static async Task<string> ToBrowserAsync(WebSocket socket, ConsoleSession session, CancellationToken ct)
    {
        await foreach (var bytes in session.Console.ReadAsync(ct))
        {
            // Awaited: a browser that reads slowly slows this one reader down, and nobody else.
            await socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, ct);
        }

        return "The VM stopped.";
    }

    private static async Task<string> FromBrowserAsync(WebSocket socket, ConsoleSession session, CancellationToken ct)
    {
        var buffer = new byte[4096];
        while (true)
        {
            var message = await socket.ReceiveAsync(buffer.AsMemory(), ct);
            if (message.MessageType == WebSocketMessageType.Close)
            {
                return "Closed by the browser.";
            }

            if (message.Count > 0)
            {
                await session.Console.WriteAsync(buffer.AsMemory(0, message.Count), ct);
            }
        }
    }

    private static async Task<string> WhileAllowedAsync(ConsoleSession session, ConsoleSessions sessions, TimeProvider clock, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(s_recheck, clock);
        while (await timer.WaitForNextTickAsync(ct))
        {
            if (!await sessions.MayGoOnAsync(session, ct))
            {
                return "You may not use this console any more.";
            }
        }

        return "The portal stops.";
    }

    // The console pump is one of the three places that catch everything: a broken line is an end like any other.
    private static async Task<string> QuietlyAsync(Task<string> way)
    {
        try
        {
            return await way;
        }
        catch (OperationCanceledException)
        {
            return "The portal stops.";
        }
        catch (Exception)
        {
            return "The connection to the VM was lost.";
        }
    }
}
