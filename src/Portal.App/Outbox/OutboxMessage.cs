using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Kernel;

namespace Portal.App.Outbox;

/// <summary>A mail to be sent after the transaction that wrote it; its failure blocks nothing.</summary>
public sealed class OutboxMessage
{
    private OutboxMessage()
    {
    }

    public OutboxMessage(TenantId tenant, string recipient, string subject, string body)
    {
        TenantId = tenant;
        Recipient = recipient;
        Subject = subject.Length <= 200 ? subject : subject[..200];
        Body = body;
    }

    public long Id { get; private set; }

    /// <summary>Whose it is; the empty tenant is the platform.</summary>
    public TenantId TenantId { get; private set; }

    public string Recipient { get; private set; } = "";

    public string Subject { get; private set; } = "";

    public string Body { get; private set; } = "";

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset NotBefore { get; private set; }

    public DateTimeOffset? SentAt { get; private set; }

    public int Attempts { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>What was sent is not kept: invitations and resets have tokens in them.</summary>
    public void Sent(DateTimeOffset at)
    {
        Body = "";
        SentAt = at;
        Problem = null;
        Attempts++;
    }

    /// <summary>Tries again later: after 1, 2, 4 ... minutes, at most an hour.</summary>
    public void Failed(string problem, DateTimeOffset at)
    {
        Attempts++;
        Problem = problem.Length <= 500 ? problem : problem[..500];
        NotBefore = at.AddMinutes(Math.Min(60, Math.Pow(2, Attempts - 1)));
    }
}

internal sealed class OutboxMessageConfiguration : IEntityTypeConfiguration<OutboxMessage>
{
    public void Configure(EntityTypeBuilder<OutboxMessage> builder)
    {
        builder.ToTable("outbox");
        builder.Property(m => m.Recipient).HasMaxLength(256);
        builder.Property(m => m.Subject).HasMaxLength(200);
        builder.Property(m => m.Body).HasMaxLength(10_000);
        builder.Property(m => m.Problem).HasMaxLength(500);
        builder.Property(m => m.CreatedAt).HasDefaultValueSql("clock_timestamp()");
        builder.Property(m => m.NotBefore).HasDefaultValueSql("clock_timestamp()");
        builder.HasIndex(m => m.NotBefore).HasFilter("sent_at IS NULL");
    }
}
