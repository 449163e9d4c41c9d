using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.App.Policies;

/// <summary>One version of a policy. Never changed or removed: an edit is a new version, and the newest is in force.</summary>
public sealed class ApprovalPolicy
{
    private ApprovalPolicy()
    {
    }

    public const int MaxNote = 500;

    /// <param name="body">Null: from here on it is as if it had never been written.</param>
    public ApprovalPolicy(TenantId tenant, PolicySide side, int version, PolicyBody? body, Actor savedBy, string note, DateTimeOffset at)
    {
        Id = ApprovalPolicyId.New();
        TenantId = tenant;
        Side = side;
        Version = version;
        Written = body is null ? null : WrittenPolicy.Of(body);
        SavedBy = savedBy.Name;
        Note = note;
        SavedAt = at;
    }

    public ApprovalPolicyId Id { get; private set; }

    /// <summary>Whose orders it is about; the empty tenant is the platform, for every tenant without one of its own.</summary>
    public TenantId TenantId { get; private set; }

    public PolicySide Side { get; private set; }

    /// <summary>1, 2, 3 ... of its tenant and side.</summary>
    public int Version { get; private set; }

    /// <summary>As <see cref="WrittenPolicy"/> writes it; null where this version takes the policy back.</summary>
    public string? Written { get; private set; }

    public string SavedBy { get; private set; } = "";

    public DateTimeOffset SavedAt { get; private set; }

    /// <summary>Why, in the words of whoever saved it.</summary>
    public string Note { get; private set; } = "";

    public PolicyBody? Body() => Written is null ? null : WrittenPolicy.Read(Written);
}

/// <summary>The policy that answers for a tenant's orders at this moment.</summary>
/// <param name="Owner">Whose it is: the tenant's own, or the platform's (the empty tenant).</param>
/// <param name="Id">Null where nobody has ever written it: it is as the portal comes. So is <paramref name="Version"/> 0.</param>
public sealed record PolicyInForce(PolicySide Side, TenantId Owner, ApprovalPolicyId? Id, int Version, PolicyBody Body)
{
    public bool IsPlatforms => Owner == default;
}

internal static class PolicyReader
{
    /// <summary>The policies that a tenant's order is asked of, the tenant's own first. Reads as the tenant or as the system.</summary>
    public static async Task<IReadOnlyList<PolicyInForce>> ReadPoliciesAsync(this PortalDb db, TenantId tenant, CancellationToken ct)
    {
        var own = await db.ReadPolicyAsync(tenant, PolicySide.Tenant, ct);
        var provider = await db.ReadPolicyAsync(tenant, PolicySide.Provider, ct);
        return [.. new[] { own, provider }.OfType<PolicyInForce>()];
    }

    /// <summary>The policy of one side; null where a tenant's own side asks nobody, since nobody wrote it.</summary>
    public static async Task<PolicyInForce?> ReadPolicyAsync(this PortalDb db, TenantId tenant, PolicySide side, CancellationToken ct)
    {
        if (await db.NewestPolicyAsync(tenant, side, ct) is { Written: not null } own)
        {
            return Of(own);
        }

        return side == PolicySide.Tenant ? null
            : await db.NewestPolicyAsync(default, side, ct) is { Written: not null } platforms ? Of(platforms)
            : new PolicyInForce(side, default, null, 0, PolicyBody.OneApprover);
    }

    /// <summary>The newest version, also one that takes it back; null where there is none.</summary>
    public static Task<ApprovalPolicy?> NewestPolicyAsync(this PortalDb db, TenantId tenant, PolicySide side, CancellationToken ct) =>
        db.ApprovalPolicies.AsNoTracking().Where(p => p.TenantId == tenant && p.Side == side).OrderByDescending(p => p.Version).FirstOrDefaultAsync(ct);

    private static PolicyInForce Of(ApprovalPolicy policy) => new(policy.Side, policy.TenantId, policy.Id, policy.Version, policy.Body()!);
}

internal sealed class ApprovalPolicyConfiguration : IEntityTypeConfiguration<ApprovalPolicy>
{
    public void Configure(EntityTypeBuilder<ApprovalPolicy> builder)
    {
        builder.ToTable("approval_policies", table =>
        {
            // The platform has no orders of its own to spend on.
            table.HasCheckConstraint("ck_approval_policies_side", "side = 'Provider' OR tenant_id <> '00000000-0000-0000-0000-000000000000'");
            table.HasCheckConstraint("ck_approval_policies_version", "version >= 1");
        });
        builder.Property(p => p.Written).HasColumnName("body").HasColumnType("jsonb").HasMaxLength(WrittenPolicy.MaxLength);
        builder.Property(p => p.SavedBy).HasMaxLength(PortalUser.MaxDisplayName);
        builder.Property(p => p.Note).HasMaxLength(ApprovalPolicy.MaxNote);
        builder.HasIndex(p => new { p.TenantId, p.Side, p.Version }).IsUnique();
    }
}
