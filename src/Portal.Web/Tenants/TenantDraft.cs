using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.Web.Tenants;

/// <summary>A tenant's form while it is filled in. An empty limit means no limit.</summary>
public sealed class TenantDraft
{
    /// <summary>Null for a tenant that is not there yet.</summary>
    public TenantId? Id { get; init; }

    public string Slug { get; set; } = "";

    public string Name { get; set; } = "";

    public string Currency { get; set; } = "EUR";

    public long? Vms { get; set; } = 20;

    public long? Vcpus { get; set; } = 32;

    public long? MemoryMiB { get; set; } = 65_536;

    public long? DiskGiB { get; set; } = 1_000;

    public long? Addresses { get; set; }

    public long? WaitingVms { get; set; }

    /// <summary>Whether a VM that is off counts for no vCPU and no memory.</summary>
    public bool RunningOnly { get; set; }

    public TenantLimits Limits => new(Of(Vms), Of(Vcpus), Of(MemoryMiB), Of(DiskGiB)) { Addresses = Of(Addresses), WaitingVms = Of(WaitingVms), RunningOnly = RunningOnly };

    public static TenantDraft From(TenantRow row) => new()
    {
        Id = row.Id,
        Slug = row.Slug,
        Name = row.Name,
        Currency = row.Currency.Code,
        Vms = row.Limits.Vms.LeftBeside(0),
        Vcpus = row.Limits.Vcpus.LeftBeside(0),
        MemoryMiB = row.Limits.MemoryMiB.LeftBeside(0),
        DiskGiB = row.Limits.DiskGiB.LeftBeside(0),
        Addresses = row.Limits.Addresses.LeftBeside(0),
        WaitingVms = row.Limits.WaitingVms.LeftBeside(0),
        RunningOnly = row.Limits.RunningOnly,
    };

    private static Limit Of(long? max) => max is { } bound ? Limit.Of(Math.Max(0, bound)) : Limit.None;
}
