namespace Portal.Kernel;

/// <summary>Identifies a tenant.</summary>
public readonly record struct TenantId(Guid Value) : IId<TenantId>
{
    public static TenantId From(Guid value) => new(value);

    public static TenantId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a project inside a tenant.</summary>
public readonly record struct ProjectId(Guid Value) : IId<ProjectId>
{
    public static ProjectId From(Guid value) => new(value);

    public static ProjectId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a person with an account.</summary>
public readonly record struct UserId(Guid Value) : IId<UserId>
{
    public static UserId From(Guid value) => new(value);

    public static UserId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies an invitation to a tenant.</summary>
public readonly record struct InvitationId(Guid Value) : IId<InvitationId>
{
    public static InvitationId From(Guid value) => new(value);

    public static InvitationId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a template.</summary>
public readonly record struct TemplateId(Guid Value) : IId<TemplateId>
{
    public static TemplateId From(Guid value) => new(value);

    public static TemplateId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies one version of a template.</summary>
public readonly record struct TemplateVersionId(Guid Value) : IId<TemplateVersionId>
{
    public static TemplateVersionId From(Guid value) => new(value);

    public static TemplateVersionId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies one build of a template's version.</summary>
public readonly record struct TemplateBuildId(Guid Value) : IId<TemplateBuildId>
{
    public static TemplateBuildId From(Guid value) => new(value);

    public static TemplateBuildId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a plan.</summary>
public readonly record struct PlanId(Guid Value) : IId<PlanId>
{
    public static PlanId From(Guid value) => new(value);

    public static PlanId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a host.</summary>
public readonly record struct HostId(Guid Value) : IId<HostId>
{
    public static HostId From(Guid value) => new(value);

    public static HostId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a storage pool.</summary>
public readonly record struct PoolId(Guid Value) : IId<PoolId>
{
    public static PoolId From(Guid value) => new(value);

    public static PoolId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a network.</summary>
public readonly record struct NetworkId(Guid Value) : IId<NetworkId>
{
    public static NetworkId From(Guid value) => new(value);

    public static NetworkId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies an order.</summary>
public readonly record struct OrderId(Guid Value) : IId<OrderId>
{
    public static OrderId From(Guid value) => new(value);

    public static OrderId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a line of an order.</summary>
public readonly record struct OrderLineId(Guid Value) : IId<OrderLineId>
{
    public static OrderLineId From(Guid value) => new(value);

    public static OrderLineId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a version of an approval policy.</summary>
public readonly record struct ApprovalPolicyId(Guid Value) : IId<ApprovalPolicyId>
{
    public static ApprovalPolicyId From(Guid value) => new(value);

    public static ApprovalPolicyId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies an order form that is kept.</summary>
public readonly record struct SavedOrderId(Guid Value) : IId<SavedOrderId>
{
    public static SavedOrderId From(Guid value) => new(value);

    public static SavedOrderId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a step of an order's approval.</summary>
public readonly record struct ApprovalStepId(Guid Value) : IId<ApprovalStepId>
{
    public static ApprovalStepId From(Guid value) => new(value);

    public static ApprovalStepId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a virtual machine.</summary>
public readonly record struct VmId(Guid Value) : IId<VmId>, IComparable<VmId>
{
    // UUID version 7 grows with time, so VMs page by their ids.
    public static bool operator <(VmId left, VmId right) => left.CompareTo(right) < 0;

    public static bool operator >(VmId left, VmId right) => left.CompareTo(right) > 0;

    public static bool operator <=(VmId left, VmId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(VmId left, VmId right) => left.CompareTo(right) >= 0;

    public int CompareTo(VmId other) => Value.CompareTo(other.Value);

    public static VmId From(Guid value) => new(value);

    public static VmId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a volume.</summary>
public readonly record struct VolumeId(Guid Value) : IId<VolumeId>
{
    public static VolumeId From(Guid value) => new(value);

    public static VolumeId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies an operation.</summary>
public readonly record struct OperationId(Guid Value) : IId<OperationId>
{
    public static OperationId From(Guid value) => new(value);

    public static OperationId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a usage interval.</summary>
public readonly record struct UsageId(Guid Value) : IId<UsageId>
{
    public static UsageId From(Guid value) => new(value);

    public static UsageId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies one run of a portal process.</summary>
public readonly record struct ProcessId(Guid Value) : IId<ProcessId>
{
    public static ProcessId From(Guid value) => new(value);

    public static ProcessId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}

/// <summary>Identifies a stored SSH public key.</summary>
public readonly record struct SshKeyId(Guid Value) : IId<SshKeyId>
{
    public static SshKeyId From(Guid value) => new(value);

    public static SshKeyId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}
