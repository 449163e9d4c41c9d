using Portal.Kernel;

namespace Portal.App.Access;

/// <summary>What a person does for the provider.</summary>
public enum PlatformRole
{
    /// <summary>Everything that is not money or hosts: tenants, people, policies; and handing out the other roles.</summary>
    Administrator,

    /// <summary>Hosts, pools, templates; sees no money.</summary>
    Operator,

    /// <summary>Plans, prices, statements; sees no hosts.</summary>
    Biller,

    /// <summary>Decides on orders.</summary>
    Approver,

    /// <summary>Reads, changes nothing.</summary>
    Support,
}

/// <summary>What a person may do inside a tenant.</summary>
public enum TenantRole
{
    /// <summary>Everything, members included.</summary>
    Owner,

    /// <summary>Orders, runs and deletes VMs.</summary>
    Member,

    /// <summary>Looks, changes nothing.</summary>
    Viewer,

    /// <summary>Sees what it costs.</summary>
    Billing,
}

/// <summary>A platform role that a person holds.</summary>
public sealed class StaffRole
{
    private StaffRole()
    {
    }

    public StaffRole(UserId user, PlatformRole role)
    {
        UserId = user;
        Role = role;
    }

    public UserId UserId { get; private set; }

    public PlatformRole Role { get; private set; }
}

/// <summary>A person's place in a tenant. Name and address are copies, so that members see each other without reading accounts.</summary>
public sealed class Membership
{
    private Membership()
    {
    }

    public Membership(TenantId tenant, UserId user, TenantRole role, string name, string email, DateTimeOffset since)
    {
        TenantId = tenant;
        UserId = user;
        Role = role;
        Name = name;
        Email = email;
        Since = since;
    }

    public TenantId TenantId { get; private set; }

    public UserId UserId { get; private set; }

    public TenantRole Role { get; private set; }

    public string Name { get; private set; } = "";

    public string Email { get; private set; } = "";

    public DateTimeOffset Since { get; private set; }

    public void ChangeRole(TenantRole role) => Role = role;
}
