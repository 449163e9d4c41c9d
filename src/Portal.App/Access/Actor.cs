using Portal.Kernel;

namespace Portal.App.Access;

/// <summary>Who acts: a person with the roles held now, or the portal itself. Loaded for each call, so that a role that was taken is gone at once.</summary>
public sealed record Actor
{
    private Actor()
    {
    }

    /// <summary>The portal: jobs, sweeps, first run.</summary>
    public static Actor Portal { get; } = new() { Name = "Portal", IsPortal = true };

    /// <summary>Null for the portal itself.</summary>
    public UserId? User { get; private init; }

    public required string Name { get; init; }

    public string Email { get; private init; } = "";

    /// <summary>The account's stamp when the person was loaded: what is given to this person ends when it changes.</summary>
    public string? Stamp { get; private init; }

    public bool IsPortal { get; private init; }

    public IReadOnlySet<PlatformRole> Roles { get; private init; } = new HashSet<PlatformRole>();

    public IReadOnlyDictionary<TenantId, TenantRole> Memberships { get; private init; } = new Dictionary<TenantId, TenantRole>();

    public bool IsStaff => Roles.Count > 0;

    public static Actor Person(PortalUser user, IEnumerable<PlatformRole> roles, IEnumerable<Membership> memberships) => new()
    {
        User = user.UserId,
        Name = user.DisplayName,
        Email = user.Email ?? "",
        Stamp = user.SecurityStamp,
        Roles = roles.ToHashSet(),
        Memberships = memberships.ToDictionary(m => m.TenantId, m => m.Role),
    };

    public bool Is(PlatformRole role) => Roles.Contains(role);
}
