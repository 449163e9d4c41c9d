using System.Net.WebSockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Portal.Benchmarks.Client;

/// <summary>A guest's serial console over the portal's WebSocket.</summary>
internal sealed partial class SerialConsole : IAsyncDisposable
{
    private readonly ClientWebSocket _socket;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _heard = new();
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _read;

    private SerialConsole(ClientWebSocket socket) => _socket = socket;

    /// <summary>All that was heard so far, as it came.</summary>
    public string Heard => _heard.ToString();

    /// <summary>Takes a ticket and opens the socket with it.</summary>
    /// <exception cref="PortalSaidNo">The VM has no console now.</exception>
    /// <exception cref="WebSocketException">The portal turned the ticket away: the domain does not run (yet).</exception>
    public static async Task<SerialConsole> OpenAsync(PortalClient portal, Guid tenant, Guid vm, CancellationToken ct)
    {
        var offer = await portal.PostAsync<ConsoleOffer>($"tenants/{tenant}/vms/{vm}/console", null, ct);
        var socket = new ClientWebSocket();
        try
        {
            foreach (var protocol in offer.Protocols)
            {
                socket.Options.AddSubProtocol(protocol);
            }

            var address = new UriBuilder(new Uri(portal.Portal, offer.Path)) { Scheme = portal.Portal.Scheme == Uri.UriSchemeHttps ? "wss" : "ws" }.Uri;
            await socket.ConnectAsync(address, ct);
            return socket.SubProtocol == offer.Protocols[0]
                ? new SerialConsole(socket)
                : throw new Shortfall($"The console's socket speaks '{socket.SubProtocol}', not {offer.Protocols[0]}.");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits for a text in what comes after what was read before.</summary>
    /// <returns>Everything up to the end of that text, without escape sequences.</returns>
    /// <exception cref="Shortfall">The console ended, or it did not come in time.</exception>
    public async Task<string> UntilAsync(string text, TimeSpan limit, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(limit);
        try
        {
            while (true)
            {
                var plain = Escapes().Replace(Heard, "");
                if (plain.IndexOf(text, _read, StringComparison.Ordinal) is >= 0 and var at)
                {
                    var from = _read;
                    _read = at + text.Length;
                    return plain[from.._read];
                }

                await ReceiveAsync(deadline.Token);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new Shortfall($"The guest did not say '{text.Trim()}' within {limit.TotalSeconds:0} s. The last that it said: {LastLines()}");
        }
    }

    /// <summary>Waits for the next bytes, whatever they are.</summary>
    public async Task ReceiveAsync(CancellationToken ct)
    {
        WebSocketReceiveResult got;
        try
        {
            got = await _socket.ReceiveAsync(_buffer, ct);
        }
        catch (WebSocketException broken)
        {
            throw new Shortfall($"The console's connection broke: {broken.Message} Is the portal still up?", broken);
        }

        if (got.MessageType == WebSocketMessageType.Close)
        {
            throw new Shortfall($"The console ended: {got.CloseStatusDescription} The last that the guest said: {LastLines()}");
        }

        var characters = new char[got.Count + 1];
        _heard.Append(characters, 0, _decoder.GetChars(_buffer, 0, got.Count, characters, 0, flush: false));
    }

    public ValueTask TypeAsync(string text, CancellationToken ct) =>
        _socket.SendAsync(Encoding.UTF8.GetBytes(text).AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, ct);

    public async ValueTask DisposeAsync()
    {
        if (_socket.State == WebSocketState.Open)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            try
            {
                await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException)
            {
                // The portal went first.
            }
        }

        _socket.Dispose();
    }

    private string LastLines() => string.Join(" / ", Escapes().Replace(Heard, "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(3));

    // ECMA-48: control sequences, and the two-character escapes.
    [GeneratedRegex(@"\e\[[0-?]*[ -/]*[@-~]|\e[@-Z\\-_=>78]")]
    private static partial Regex Escapes();
}
