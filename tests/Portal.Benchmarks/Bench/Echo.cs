using System.Net.Sockets;
using Portal.Benchmarks.Client;

namespace Portal.Benchmarks.Bench;

/// <summary>How long a typed character takes until it is seen.</summary>
internal static class Echo
{
    private static readonly byte[] s_key = "x"u8.ToArray();
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    /// <summary>Through the portal and straight, in turns, so that both see the same machine.</summary>
    public static async Task<(Samples Portal, Samples Raw)> MeasureAsync(SerialConsole console, Socket line, int count, CancellationToken ct)
    {
        const int WarmUp = 20;
        var (portal, raw) = (new Samples(), new Samples());
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var buffer = new byte[64];
        for (var i = -WarmUp; i < count; i++)
        {
            deadline.CancelAfter(s_limit);
            var throughPortal = await TimeAsync(async () =>
            {
                var heard = console.Heard.Length;
                await console.TypeAsync("x", deadline.Token);
                while (console.Heard.Length == heard)
                {
                    await console.ReceiveAsync(deadline.Token);
                }
            });
            var straight = await TimeAsync(async () =>
            {
                await line.SendAsync(s_key, deadline.Token);
                await line.ReceiveAsync(buffer, deadline.Token);
            });
            if (i >= 0)
            {
                portal.Add(throughPortal);
                raw.Add(straight);
            }
        }

        return (portal, raw);
    }

    /// <summary>The least that a line can be where no guest is: a UNIX socket whose other end sends back what comes.</summary>
    public static (Socket Line, Task Other) OverSocket(string path, CancellationToken ct)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        var line = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        line.Connect(new UnixDomainSocketEndPoint(path));
        return (line, SendBackAsync(listener, ct));
    }

    private static async Task SendBackAsync(Socket listener, CancellationToken ct)
    {
        using (listener)
        {
            using var other = await listener.AcceptAsync(ct);
            var buffer = new byte[64];
            while (await other.ReceiveAsync(buffer, ct) is > 0 and var count)
            {
                await other.SendAsync(buffer.AsMemory(0, count), ct);
            }
        }
    }

    private static async Task<TimeSpan> TimeAsync(Func<Task> act)
    {
        var began = TimeProvider.System.GetTimestamp();
        await act();
        return TimeProvider.System.GetElapsedTime(began);
    }
}
