using System.Diagnostics.CodeAnalysis;
using Portal.Kernel;

namespace Portal.App.Access;

/// <summary>What can be allowed or not. Inside a tenant, or for the whole platform.</summary>
public enum Permission
{
    SeeTenant,
    OrderVms,
    ControlVms,
    UseConsole,
    SeeCost,
    ManageMembers,
    SeeTenantAudit,

    /// <summary>Votes in the place of those whom an order's step names: they may be gone. They themselves need no permission but that step.</summary>
    DecideInPlace,
    SeeOrders,
    ManagePolicies,
    SeeHosts,
    ManageHosts,
    SeeCatalogue,
    ManageTemplates,
    ManagePlans,
    ManageTenants,
    ManagePeople,
    SeePlatformAudit,
    SetUp,
}

/// <summary>The one place that says who may do what. Handlers ask it first; pages only mirror it.</summary>
[SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "An instance, so that a handler declares in its constructor that it asks.")]
public sealed class AccessRules
{
    /// <summary>Whether the actor may do this inside a tenant. A tenant that the actor may not even see does not exist for it.</summary>
    /// <returns>Null where allowed.</returns>
    public Refusal? Check(Actor actor, Permission permission, TenantId tenant)
    {
        if (Allows(actor, permission, tenant))
        {
            return null;
        }

        return Allows(actor, Permission.SeeTenant, tenant) ? Missing(permission) : new NotFound("tenant");
    }

    /// <summary>Whether the actor may do this for the whole platform.</summary>
    /// <returns>Null where allowed.</returns>
    public Refusal? Check(Actor actor, Permission permission) =>
        actor.IsPortal || AllowsStaff(actor, permission) ? null : Missing(permission);

    public bool Allows(Actor actor, Permission permission, TenantId tenant) =>
        actor.IsPortal
        || (actor.Memberships.TryGetValue(tenant, out var role) && AllowsMember(role, permission))
        || AllowsStaffInTenant(actor, permission);

    public bool Allows(Actor actor, Permission permission) => Check(actor, permission) is null;

    private static bool AllowsMember(TenantRole role, Permission permission) => permission switch
    {
        Permission.SeeTenant => true,
        Permission.SeeCost => role is TenantRole.Owner or TenantRole.Member or TenantRole.Billing,
        Permission.OrderVms or Permission.ControlVms or Permission.UseConsole => role is TenantRole.Owner or TenantRole.Member,
        Permission.ManageMembers or Permission.ManagePolicies or Permission.SeeTenantAudit => role is TenantRole.Owner,
        _ => false,
    };

    // Staff look into tenants for support and billing; what belongs to a tenant is changed by its members, or by an administrator, in the open.
    private static bool AllowsStaffInTenant(Actor actor, Permission permission) => permission switch
    {
        Permission.SeeTenant => actor.IsStaff,
        Permission.SeeCost => actor.Is(PlatformRole.Biller) || actor.Is(PlatformRole.Administrator) || actor.Is(PlatformRole.Support),
        Permission.ControlVms => actor.Is(PlatformRole.Operator) || actor.Is(PlatformRole.Administrator),
        Permission.ManageMembers or Permission.ManagePolicies => actor.Is(PlatformRole.Administrator),
        Permission.SeeTenantAudit => actor.Is(PlatformRole.Administrator) || actor.Is(PlatformRole.Support),
        _ => false,
    };

    private static bool AllowsStaff(Actor actor, Permission permission) => permission switch
    {
        Permission.SeeOrders => actor.Is(PlatformRole.Approver) || actor.Is(PlatformRole.Administrator) || actor.Is(PlatformRole.Support),
        Permission.SeeHosts => actor.Is(PlatformRole.Operator) || actor.Is(PlatformRole.Administrator) || actor.Is(PlatformRole.Support),
        Permission.ManageHosts => actor.Is(PlatformRole.Operator),
        Permission.SeeCatalogue => actor.IsStaff,
        Permission.ManageTemplates => actor.Is(PlatformRole.Operator) || actor.Is(PlatformRole.Administrator),
        Permission.ManagePlans => actor.Is(PlatformRole.Biller),
        Permission.ManageTenants or Permission.ManagePeople or Permission.ManagePolicies or Permission.DecideInPlace or Permission.SetUp => actor.Is(PlatformRole.Administrator),
        Permission.SeePlatformAudit => actor.Is(PlatformRole.Administrator) || actor.Is(PlatformRole.Support),
        _ => false,
    };

    private static NotAllowed Missing(Permission permission) => new(permission);
}

/// <summary>It does not exist, or not for this person.</summary>
public sealed record NotFound(string What)
    : Refusal("not_found", $"There is no such {What}, or it is not yours to see.")
{
    public override RefusalKind Kind => RefusalKind.NotFound;
}

/// <summary>The person's roles do not cover this.</summary>
public sealed record NotAllowed(Permission Permission)
    : Refusal("not_allowed", $"Your roles do not allow this. {WhoCan(Permission)}")
{
    public override RefusalKind Kind => RefusalKind.Forbidden;

    private static string WhoCan(Permission permission) => permission switch
    {
        Permission.OrderVms or Permission.ControlVms or Permission.UseConsole => "Owners and members of the tenant can; an owner can change your role.",
        Permission.SeeCost => "Owners, members and billing contacts of the tenant can; an owner can change your role.",
        Permission.ManageMembers or Permission.SeeTenantAudit => "Owners of the tenant can.",
        Permission.SeeHosts => "Operators and administrators can; an administrator hands out those roles.",
        Permission.SeeOrders => "Approvers and administrators can; an administrator hands out those roles.",
        Permission.ManageHosts => "Operators can; an administrator hands out that role.",
        Permission.ManagePlans => "Billers can; an administrator hands out that role.",
        _ => "An administrator can, or can hand out the role.",
    };
}

/// <summary>A field of a request is malformed or out of range.</summary>
public sealed record Invalid(string FieldName, string Problem)
    : Refusal("invalid", Problem)
{
    public override RefusalKind Kind => RefusalKind.Invalid;

    public override string? Field => FieldName;
}

/// <summary>Checks a request's fields, all of them, before anything else is looked at.</summary>
internal static class Shape
{
    /// <summary>What stands against the request, the first field first; null where nothing does.</summary>
    public static Refusal? Check(params ReadOnlySpan<(bool Good, string Field, string Problem)> rules)
    {
        var wrong = new List<Refusal>();
        foreach (var (good, field, problem) in rules)
        {
            if (!good)
            {
                wrong.Add(new Invalid(field, problem));
            }
        }

        return wrong is [var first, .. var others] ? first with { Also = others } : null;
    }
}

/// <summary>Someone else changed it in the meantime.</summary>
public sealed record ChangedMeanwhile(string What)
    : Refusal("changed_meanwhile", $"The {What} was changed by someone else in the meantime. Look at it again, then repeat.");
