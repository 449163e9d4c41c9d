using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Access;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Consoles;

/// <summary>The right to open one console once, within seconds. Only the hash of the ticket is kept.</summary>
public sealed class ConsoleTicket
{
    private ConsoleTicket()
    {
    }

    public ConsoleTicket(byte[] hash, Vm vm, SignedIn who, string origin, DateTimeOffset expiresAt)
    {
        Hash = hash;
        TenantId = vm.TenantId;
        VmId = vm.Id;
        Generation = vm.Generation;
        UserId = who.User;
        Stamp = who.Stamp;
        Origin = origin;
        ExpiresAt = expiresAt;
    }

    /// <summary>How long a ticket may wait for its use.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(30);

    /// <summary>SHA-256 of the ticket.</summary>
    public byte[] Hash { get; private set; } = [];

    public TenantId TenantId { get; private set; }

    public VmId VmId { get; private set; }

    /// <summary>The VM's incarnation: a rebuilt VM is another machine.</summary>
    public int Generation { get; private set; }

    public UserId UserId { get; private set; }

    /// <summary>The account's stamp: with another password the ticket opens nothing.</summary>
    public string? Stamp { get; private set; }

    public SignedIn Who => new(UserId, Stamp);

    /// <summary>Scheme, host and port of the page that may use it.</summary>
    public string Origin { get; private set; } = "";

    public DateTimeOffset ExpiresAt { get; private set; }

    public DateTimeOffset? UsedAt { get; private set; }
}

internal sealed class ConsoleTicketConfiguration : IEntityTypeConfiguration<ConsoleTicket>
{
    public void Configure(EntityTypeBuilder<ConsoleTicket> builder)
    {
        builder.ToTable("console_tickets");
        builder.HasKey(t => t.Hash);
        builder.Property(t => t.Hash).HasMaxLength(32);
        builder.Ignore(t => t.Who);
        builder.Property(t => t.Stamp).HasMaxLength(100);
        builder.Property(t => t.Origin).HasMaxLength(300);
        builder.HasIndex(t => t.ExpiresAt);
        builder.HasOne<Vm>().WithMany().HasForeignKey(t => t.VmId).OnDelete(DeleteBehavior.Restrict);
    }
}
