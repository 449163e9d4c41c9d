using Portal.App.Access;

namespace Portal.App.Policies;

/// <summary>Whose question a policy answers.</summary>
public enum PolicySide
{
    /// <summary>May we spend this? Asked first.</summary>
    Tenant,

    /// <summary>Can we hold this?</summary>
    Provider,
}

/// <summary>What a policy says: when it says yes by itself, and whom it asks otherwise.</summary>
/// <param name="Automatic">Null: it asks about every order.</param>
/// <param name="Steps">Whom it asks; none only where it says yes to everything.</param>
/// <param name="ExpiresAfterDays">How long an order waits, and holds quota, before it expires.</param>
public sealed record PolicyBody(AutomaticLimits? Automatic, IReadOnlyList<PolicyStep> Steps, int ExpiresAfterDays = PolicyBody.UsualDays)
{
    public const int UsualDays = 14;
    public const int MaxDays = 90;
    public const int MaxSteps = 10;

    /// <summary>Says yes to everything: a tenant's own side until somebody writes it.</summary>
    public static PolicyBody Nobody { get; } = new(new AutomaticLimits(), []);

    /// <summary>Asks one approver about every order: the provider's side until somebody writes it.</summary>
    public static PolicyBody OneApprover { get; } = new(null, [new PolicyStep("Approver", 1, 1, [new Voter(PlatformRole: PlatformRole.Approver)])]);
}

/// <summary>What an order may come to for a policy to say yes by itself. What is null is no limit.</summary>
public sealed record AutomaticLimits
{
    public const int MaxWithinDays = 365;

    /// <summary>A month's cost while running, in <see cref="Currency"/>.</summary>
    public decimal? PerMonth { get; init; }

    /// <summary>A currency code; needed with <see cref="PerMonth"/>. An order in another currency is never within.</summary>
    public string? Currency { get; init; }

    /// <summary>How many VMs.</summary>
    public int? Vms { get; init; }

    /// <summary>Cost and VMs count together with what the policy let pass by itself for the same requester in so many days before; 0 for this order alone.</summary>
    public int WithinDays { get; init; }

    /// <summary>Of each VM.</summary>
    public int? Vcpus { get; init; }

    /// <summary>Of each VM.</summary>
    public long? MemoryMiB { get; init; }

    /// <summary>Of each VM.</summary>
    public long? DiskGiB { get; init; }

    /// <summary>The short names of the templates that may be used.</summary>
    public IReadOnlyList<string>? Templates { get; init; }

    /// <summary>The days on which an order may be placed, in <see cref="Zone"/>.</summary>
    public IReadOnlyList<DayOfWeek>? Days { get; init; }

    /// <summary>The time of day from which an order may be placed, in <see cref="Zone"/>; with <see cref="Until"/>.</summary>
    public TimeOnly? From { get; init; }

    /// <summary>Not included; earlier than <see cref="From"/> where the night is meant.</summary>
    public TimeOnly? Until { get; init; }

    /// <summary>A time zone's IANA name.</summary>
    public string Zone { get; init; } = "UTC";

    /// <summary>Whether there is any limit at all.</summary>
    public bool IsBounded() => PerMonth is not null || Vms is not null || Vcpus is not null || MemoryMiB is not null || DiskGiB is not null || Templates is not null || Days is not null || From is not null;
}

/// <summary>One question of a policy to people.</summary>
/// <param name="Stage">Steps of one stage are asked at once; a stage begins when the one before is done. From 1.</param>
/// <param name="Votes">How many of <paramref name="Who"/> have to say yes.</param>
/// <param name="FourEyes">Whether who placed the order may not vote.</param>
public sealed record PolicyStep(string Name, int Stage, int Votes, IReadOnlyList<Voter> Who, bool FourEyes = true)
{
    public const int MaxName = 60;
    public const int MaxVotes = 10;
    public const int MaxWho = 20;
}

/// <summary>Who may vote: whoever holds a role, or one person. Exactly one of the three is given.</summary>
/// <param name="Person">An account's id.</param>
/// <param name="Name">The person's name when it was written; null for a role.</param>
public sealed record Voter(PlatformRole? PlatformRole = null, TenantRole? TenantRole = null, Guid? Person = null, string? Name = null)
{
    /// <summary>In words: <c>an approver</c>, <c>an owner of the tenant</c>, <c>Ana</c>.</summary>
    public override string ToString() => this switch
    {
        { PlatformRole: { } role } => role switch
        {
            Access.PlatformRole.Administrator => "an administrator",
            Access.PlatformRole.Operator => "an operator",
            Access.PlatformRole.Biller => "a biller",
            Access.PlatformRole.Approver => "an approver",
            Access.PlatformRole.Support => "somebody of support",
        },
        { TenantRole: { } role } => role switch
        {
            Access.TenantRole.Owner => "an owner of the tenant",
            Access.TenantRole.Member => "a member of the tenant",
            Access.TenantRole.Viewer => "a viewer of the tenant",
            Access.TenantRole.Billing => "a billing contact of the tenant",
        },
        _ => Name ?? "somebody",
    };
}
