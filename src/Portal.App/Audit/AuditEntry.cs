using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.App.Audit;

/// <summary>One change of state: who did what to which thing, when. Append-only; names are frozen as text.</summary>
public sealed class AuditEntry
{
    private AuditEntry()
    {
    }

    public long Id { get; private set; }

    /// <summary>The tenant whose chain it is in; the empty tenant is the platform's own chain.</summary>
    public TenantId TenantId { get; private set; }

    /// <summary>By the database's clock.</summary>
    public DateTimeOffset At { get; private set; }

    /// <summary>Null for the portal itself.</summary>
    public UserId? ActorId { get; private set; }

    public string ActorName { get; private set; } = "";

    /// <summary>Dotted, past tense: <c>vm.started</c>.</summary>
    public string Verb { get; private set; } = "";

    public Guid ObjectId { get; private set; }

    public string ObjectName { get; private set; } = "";

    /// <summary>What changed, in words; never a secret.</summary>
    public string Details { get; private set; } = "";

    public static AuditEntry Of(Actor actor, TenantId chain, string verb, Guid objectId, string objectName, string details = "") => new()
    {
        TenantId = chain,
        ActorId = actor.User,
        ActorName = actor.Name,
        Verb = verb,
        ObjectId = objectId,
        ObjectName = Cut(objectName, 200),
        Details = Cut(details, 2000),
    };

    /// <summary>Into the platform's own chain.</summary>
    public static AuditEntry OfPlatform(Actor actor, string verb, Guid objectId, string objectName, string details = "") =>
        Of(actor, default, verb, objectId, objectName, details);

    private static string Cut(string text, int max) => text.Length <= max ? text : text[..max];
}

/// <summary>An entry's place in its chain, written by the database at commit: each hash covers the entry and the hash before it.</summary>
public sealed class AuditLink
{
    private AuditLink()
    {
    }

    public TenantId TenantId { get; private set; }

    /// <summary>1, 2, 3 ... without a gap in each chain.</summary>
    public long Seq { get; private set; }

    public long EntryId { get; private set; }

    public byte[] PreviousHash { get; private set; } = [];

    public byte[] Hash { get; private set; } = [];
}

internal sealed class AuditEntryConfiguration : IEntityTypeConfiguration<AuditEntry>
{
    public void Configure(EntityTypeBuilder<AuditEntry> builder)
    {
        builder.ToTable("audit_entries");
        builder.Property(e => e.At).HasDefaultValueSql("clock_timestamp()");
        builder.Property(e => e.ActorName).HasMaxLength(200);
        builder.Property(e => e.Verb).HasMaxLength(60);
        builder.Property(e => e.ObjectName).HasMaxLength(200);
        builder.Property(e => e.Details).HasMaxLength(2000);
        builder.HasIndex(e => new { e.TenantId, e.Id });
    }
}

internal sealed class AuditLinkConfiguration : IEntityTypeConfiguration<AuditLink>
{
    public void Configure(EntityTypeBuilder<AuditLink> builder)
    {
        builder.ToTable("audit_links");
        builder.HasKey(l => new { l.TenantId, l.Seq });
        builder.HasIndex(l => l.EntryId).IsUnique();
        builder.HasOne<AuditEntry>().WithMany().HasForeignKey(l => l.EntryId).OnDelete(DeleteBehavior.Restrict);
    }
}
