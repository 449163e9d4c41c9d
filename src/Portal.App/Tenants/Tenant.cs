using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.App.Tenants;

/// <summary>The most that a tenant's VMs and waiting orders may come to, together.</summary>
public sealed record TenantLimits(Limit Vms, Limit Vcpus, Limit MemoryMiB, Limit DiskGiB)
{
    public Limit Addresses { get; init; } = Limit.None;

    /// <summary>How many VMs may wait in orders at once.</summary>
    public Limit WaitingVms { get; init; } = Limit.None;

    /// <summary>Whether a VM that is off counts for no vCPU and no memory.</summary>
    public bool RunningOnly { get; init; }
}

/// <summary>What happens where a tenant's month would cost more than its spending limit.</summary>
public enum SpendingRule
{
    /// <summary>It is said.</summary>
    Warn,

    /// <summary>No order is taken.</summary>
    BlockOrders,

    /// <summary>Nor is anything else done that makes the month dearer: nothing is started or adopted.</summary>
    BlockGrowth,
}

/// <summary>An organisation that orders, owns and pays.</summary>
public sealed class Tenant
{
    private Tenant()
    {
    }

    public const int MaxName = 100;

    public Tenant(string slug, string name, Currency currency, TenantLimits limits)
    {
        Id = TenantId.New();
        Slug = slug;
        Name = name;
        Currency = currency;
        Change(name, limits);
    }

    public TenantId Id { get; private set; }

    /// <summary>Its name in addresses: a DNS label; never changes.</summary>
    public string Slug { get; private set; } = "";

    public string Name { get; private set; } = "";

    public Currency Currency { get; private set; }

    public Limit VmLimit { get; private set; } = Limit.None;

    public Limit VcpuLimit { get; private set; } = Limit.None;

    public Limit MemoryMiBLimit { get; private set; } = Limit.None;

    public Limit DiskGiBLimit { get; private set; } = Limit.None;

    public Limit AddressLimit { get; private set; } = Limit.None;

    public Limit WaitingVmLimit { get; private set; } = Limit.None;

    /// <summary>Whether a VM that is off counts for no vCPU and no memory.</summary>
    public bool RunningOnly { get; private set; }

    /// <summary>The most that a month may come to, without tax, in its own currency; null for no limit.</summary>
    public decimal? SpendingLimit { get; private set; }

    public SpendingRule SpendingRule { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public TenantLimits Limits => new(VmLimit, VcpuLimit, MemoryMiBLimit, DiskGiBLimit) { Addresses = AddressLimit, WaitingVms = WaitingVmLimit, RunningOnly = RunningOnly };

    public Money? Spending => SpendingLimit is { } limit ? new Money(limit, Currency) : null;

    public void LimitSpending(decimal? limit, SpendingRule rule) => (SpendingLimit, SpendingRule) = (limit, rule);

    public void Change(string name, TenantLimits limits)
    {
        Name = name;
        VmLimit = limits.Vms;
        VcpuLimit = limits.Vcpus;
        MemoryMiBLimit = limits.MemoryMiB;
        DiskGiBLimit = limits.DiskGiB;
        AddressLimit = limits.Addresses;
        WaitingVmLimit = limits.WaitingVms;
        RunningOnly = limits.RunningOnly;
    }
}

/// <summary>A part of a tenant; every VM belongs to one. A tenant starts with "Default".</summary>
public sealed class Project
{
    private Project()
    {
    }

    public Project(TenantId tenant, string name)
    {
        Id = ProjectId.New();
        TenantId = tenant;
        Name = name;
    }

    public ProjectId Id { get; private set; }

    public TenantId TenantId { get; private set; }

    public string Name { get; private set; } = "";
}

/// <summary>A place in a tenant that is offered to an address; whoever holds the link takes it, once.</summary>
public sealed class Invitation
{
    private Invitation()
    {
    }

    public Invitation(TenantId tenant, string email, TenantRole role, byte[] tokenHash, string invitedBy, DateTimeOffset expiresAt)
    {
        Id = InvitationId.New();
        TenantId = tenant;
        Email = email;
        Role = role;
        TokenHash = tokenHash;
        InvitedBy = invitedBy;
        ExpiresAt = expiresAt;
    }

    public InvitationId Id { get; private set; }

    public TenantId TenantId { get; private set; }

    public string Email { get; private set; } = "";

    public TenantRole Role { get; private set; }

    /// <summary>SHA-256 of the token in the link; the token itself is never stored.</summary>
    public byte[] TokenHash { get; private set; } = [];

    public string InvitedBy { get; private set; } = "";

    public DateTimeOffset ExpiresAt { get; private set; }

    public DateTimeOffset? AcceptedAt { get; private set; }

    public DateTimeOffset? WithdrawnAt { get; private set; }

    public bool IsOpen(DateTimeOffset now) => AcceptedAt is null && WithdrawnAt is null && now < ExpiresAt;

    public void Accept(DateTimeOffset at) => AcceptedAt = at;

    public void Withdraw(DateTimeOffset at) => WithdrawnAt = at;
}

/// <summary>A public key that a tenant's members put on their VMs.</summary>
public sealed class SshKey
{
    private SshKey()
    {
    }

    public SshKey(TenantId tenant, string name, SshPublicKey key, string addedBy)
    {
        Id = SshKeyId.New();
        TenantId = tenant;
        Name = name;
        Line = key.Line;
        Fingerprint = key.Fingerprint;
        AddedBy = addedBy;
    }

    public SshKeyId Id { get; private set; }

    public TenantId TenantId { get; private set; }

    public string Name { get; private set; } = "";

    public string Line { get; private set; } = "";

    public string Fingerprint { get; private set; } = "";

    public string AddedBy { get; private set; } = "";

    public DateTimeOffset CreatedAt { get; private set; }
}

internal sealed class TenantConfiguration : IEntityTypeConfiguration<Tenant>
{
    public void Configure(EntityTypeBuilder<Tenant> builder)
    {
        builder.ToTable("tenants", table =>
        {
            table.HasCheckConstraint("ck_tenants_slug", "slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'");
            table.HasCheckConstraint("ck_tenants_spending", "spending_limit >= 0");
        });
        builder.Ignore(t => t.Limits).Ignore(t => t.Spending);
        builder.Property(t => t.Slug).HasMaxLength(63);
        builder.Property(t => t.Name).HasMaxLength(Tenant.MaxName);
        builder.Property(t => t.CreatedAt).HasDefaultValueSql("clock_timestamp()");
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(t => t.Slug).IsUnique();
    }
}

internal sealed class ProjectConfiguration : IEntityTypeConfiguration<Project>
{
    public void Configure(EntityTypeBuilder<Project> builder)
    {
        builder.ToTable("projects");
        builder.Property(p => p.Name).HasMaxLength(Tenant.MaxName);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(p => new { p.TenantId, p.Name }).IsUnique();
        builder.HasOne<Tenant>().WithMany().HasForeignKey(p => p.TenantId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class InvitationConfiguration : IEntityTypeConfiguration<Invitation>
{
    public void Configure(EntityTypeBuilder<Invitation> builder)
    {
        builder.ToTable("invitations");
        builder.Property(i => i.Email).HasMaxLength(256);
        builder.Property(i => i.TokenHash).HasMaxLength(32);
        builder.Property(i => i.InvitedBy).HasMaxLength(PortalUser.MaxDisplayName);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(i => i.TokenHash).IsUnique();
        builder.HasOne<Tenant>().WithMany().HasForeignKey(i => i.TenantId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class SshKeyConfiguration : IEntityTypeConfiguration<SshKey>
{
    public void Configure(EntityTypeBuilder<SshKey> builder)
    {
        builder.ToTable("ssh_keys");
        builder.Property(k => k.Name).HasMaxLength(Tenant.MaxName);
        builder.Property(k => k.Line).HasMaxLength(SshPublicKey.MaxLength);
        builder.Property(k => k.Fingerprint).HasMaxLength(60);
        builder.Property(k => k.AddedBy).HasMaxLength(PortalUser.MaxDisplayName);
        builder.Property(k => k.CreatedAt).HasDefaultValueSql("clock_timestamp()");
        builder.HasIndex(k => new { k.TenantId, k.Fingerprint }).IsUnique();
        builder.HasOne<Tenant>().WithMany().HasForeignKey(k => k.TenantId).OnDelete(DeleteBehavior.Restrict);
    }
}
