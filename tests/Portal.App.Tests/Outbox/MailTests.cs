using System.Net;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Portal.App.Outbox;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Outbox;

public sealed class MailTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    [Fact]
    public async Task A_server_without_encryption_gets_neither_password_nor_mail_unless_that_was_asked_for()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var server = new PlainSmtpServer();
        await using (var db = _world.Main.Dbs.ForSystem())
        {
            db.Add(new OutboxMessage(default, "ada@example.org", "Hello", "with a token in it"));
            await db.SaveChangesAsync(ct);
        }

        Assert.True(await Dispatcher(server, requireTls: true).SendOneAsync(ct));
        Assert.DoesNotContain(server.Heard, line => line.StartsWith("MAIL", StringComparison.Ordinal) || line.StartsWith("AUTH", StringComparison.Ordinal));
        await using (var db = _world.Main.Dbs.ForSystem())
        {
            var waits = await db.Outbox.SingleAsync(m => m.Subject == "Hello", ct);
            Assert.Equal((null, 1, "with a token in it"), (waits.SentAt, waits.Attempts, waits.Body));
            Assert.NotNull(waits.Problem);
        }

        await _world.Database.ExecuteAsync("UPDATE outbox SET not_before = clock_timestamp()", ct);
        Assert.True(await Dispatcher(server, requireTls: false).SendOneAsync(ct));
        Assert.Contains("with a token in it", server.Heard);
        await using (var db = _world.Main.Dbs.ForSystem())
        {
            var sent = await db.Outbox.SingleAsync(m => m.Subject == "Hello", ct);
            Assert.NotNull(sent.SentAt);
            Assert.Equal(("", null), (sent.Body, sent.Problem));
        }
    }

    private MailDispatcher Dispatcher(PlainSmtpServer server, bool requireTls) => new(
        _world.Main.Dbs,
        Options.Create(new MailOptions { Host = "127.0.0.1", Port = server.Port, From = "portal@example.org", RequireTls = requireTls }),
        TimeProvider.System,
        NullLogger<MailDispatcher>.Instance);

    /// <summary>SMTP (RFC 5321) as far as one mail needs it, and no STARTTLS.</summary>
    private sealed class PlainSmtpServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _end = new();
        private readonly Task _serving;

        public PlainSmtpServer()
        {
            _listener.Start();
            _serving = ServeAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        /// <summary>Every line, in order.</summary>
        public System.Collections.Concurrent.ConcurrentQueue<string> Heard { get; } = [];

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _listener.Dispose();
            _end.Dispose();
        }

        private async Task ServeAsync()
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_end.Token);
                using var reader = new StreamReader(client.GetStream());
                await using var writer = new StreamWriter(client.GetStream()) { NewLine = "\r\n", AutoFlush = true };
                await writer.WriteLineAsync("220 plain.example ESMTP");
                var inMail = false;
                while (await reader.ReadLineAsync(_end.Token) is { } line)
                {
                    Heard.Enqueue(line);
                    inMail = inMail ? line != "." : line == "DATA";
                    var answer = inMail ? (line == "DATA" ? "354 go on" : null) : line.StartsWith("EHLO", StringComparison.Ordinal) ? "250 plain.example" : line == "QUIT" ? "221 bye" : "250 fine";
                    if (answer is not null)
                    {
                        await writer.WriteLineAsync(answer);
                    }
                }
            }
        }
    }
}
