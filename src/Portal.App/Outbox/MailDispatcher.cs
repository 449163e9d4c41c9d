using System.ComponentModel.DataAnnotations;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MimeKit;

namespace Portal.App.Outbox;

/// <summary>How to send mail. Without a host, mails stay in the outbox and the set-up page says so.</summary>
public sealed class MailOptions
{
    public const string Section = "Mail";

    /// <summary>The SMTP server; empty sends nothing.</summary>
    public string Host { get; init; } = "";

    [Range(1, 65535)]
    public int Port { get; init; } = 587;

    public string User { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>The sender's address.</summary>
    public string From { get; init; } = "portal@localhost";

    /// <summary>Whether the connection has to be encrypted; only a server on the same machine does without.</summary>
    public bool RequireTls { get; init; } = true;

    public bool IsSet => Host.Length > 0;
}

/// <summary>Sends what is in the outbox, after the transactions that wrote it. Two replicas never send one mail at a time: each locks what it takes.</summary>
public sealed partial class MailDispatcher(PortalDbs dbs, IOptions<MailOptions> options, TimeProvider clock, ILogger<MailDispatcher> logger)
    : Recurring(TimeSpan.FromSeconds(5), clock, logger)
{
    protected override async Task PassAsync(CancellationToken ct)
    {
        while (options.Value.IsSet && await SendOneAsync(ct))
        {
        }
    }

    /// <summary>Sends the next mail that is due.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> SendOneAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var message = (await db.Outbox.FromSql($"SELECT * FROM outbox WHERE sent_at IS NULL AND not_before <= clock_timestamp() ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED").ToListAsync(ct)).SingleOrDefault();
        if (message is null)
        {
            return false;
        }

        try
        {
            await SendAsync(message, ct);
            message.Sent(await db.NowAsync(ct));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            message.Failed(e.Message, await db.NowAsync(ct));
            MailFailed(logger, message.Id, e.Message);
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    private async Task SendAsync(OutboxMessage message, CancellationToken ct)
    {
        var set = options.Value;
        using var mail = new MimeMessage { Subject = message.Subject, Body = new TextPart("plain") { Text = message.Body } };
        mail.From.Add(MailboxAddress.Parse(set.From));
        mail.To.Add(MailboxAddress.Parse(message.Recipient));
        using var smtp = new SmtpClient();
        await smtp.ConnectAsync(set.Host, set.Port, SecurityOf(set), ct);
        if (set.User.Length > 0)
        {
            await smtp.AuthenticateAsync(set.User, set.Password, ct);
        }

        await smtp.SendAsync(mail, ct);
        await smtp.DisconnectAsync(quit: true, ct);
    }

    // Not Auto: that goes on in the clear, password and all, where a server offers nothing better. 465 is the port of SMTP inside TLS (RFC 8314).
    private static SecureSocketOptions SecurityOf(MailOptions set) =>
        !set.RequireTls ? SecureSocketOptions.StartTlsWhenAvailable : set.Port == 465 ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTls;

    [LoggerMessage(EventId = 6001, Level = LogLevel.Warning, Message = "Mail {MailId} could not be sent and is tried again: {Problem}")]
    private static partial void MailFailed(ILogger logger, long mailId, string problem);
}
