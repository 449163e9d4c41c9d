using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Hosts;

/// <summary>The key with which the portal signs in on hosts: one for all of them, made when it is first asked for.</summary>
public sealed class PortalKey
{
    private PortalKey()
    {
    }

    public PortalKey(string publicLine, string protectedPem)
    {
        Id = 1;
        PublicLine = publicLine;
        ProtectedPem = protectedPem;
    }

    /// <summary>Always 1: there is one.</summary>
    public int Id { get; private set; }

    public string PublicLine { get; private set; } = "";

    /// <summary>Encrypted with the portal's data-protection keys.</summary>
    public string ProtectedPem { get; private set; } = "";

    public DateTimeOffset CreatedAt { get; private set; }
}

/// <summary>Keeps the portal's key.</summary>
public sealed class PortalKeys(PortalDbs dbs, IDataProtectionProvider protection)
{
    private readonly IDataProtector _protector = protection.CreateProtector("Portal.Hosts.PortalKey");

    /// <summary>What hosts are told.</summary>
    public async Task<SshPublicKey> PublicAsync(CancellationToken ct) =>
        SshPublicKey.TryParse((await GetAsync(ct)).PublicLine, out var key) ? key : throw new InvalidOperationException("The portal's own key cannot be read.");

    /// <summary>A secret, in PEM: not to be kept, logged or passed to a program.</summary>
    public async Task<string> PrivateAsync(CancellationToken ct) => _protector.Unprotect((await GetAsync(ct)).ProtectedPem);

    private async Task<PortalKey> GetAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        return await db.PortalKeys.AsNoTracking().SingleOrDefaultAsync(ct) ?? await MakeAsync(ct);
    }

    private async Task<PortalKey> MakeAsync(CancellationToken ct)
    {
        var pair = PortalKeyPair.New();
        var key = new PortalKey(pair.Public.Line, _protector.Protect(pair.PrivatePem));
        await using var db = dbs.ForSystem();
        db.Add(key);
        db.Add(AuditEntry.OfPlatform(Actor.Portal, "portal_key.created", Guid.Empty, pair.Public.Fingerprint));
        try
        {
            await db.SaveChangesAsync(ct);
            return key;
        }
        catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            // Another process was faster; its key is the one.
            db.ChangeTracker.Clear();
            return await db.PortalKeys.AsNoTracking().SingleAsync(ct);
        }
    }
}

internal sealed class PortalKeyConfiguration : IEntityTypeConfiguration<PortalKey>
{
    public void Configure(EntityTypeBuilder<PortalKey> builder)
    {
        builder.ToTable("portal_keys", table => table.HasCheckConstraint("ck_portal_keys_one", "id = 1"));
        builder.Property(k => k.Id).ValueGeneratedNever();
        builder.Property(k => k.PublicLine).HasMaxLength(SshPublicKey.MaxLength);
        builder.Property(k => k.ProtectedPem).HasMaxLength(4000);
        builder.Property(k => k.CreatedAt).HasDefaultValueSql("clock_timestamp()");
    }
}
