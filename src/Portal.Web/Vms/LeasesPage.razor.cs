using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Vms;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Vms;

/// <summary>What of a tenant's VMs ends, day by day.</summary>
public partial class LeasesPage(ListLeases.Handler lists) : TenantPage
{
    private Result<IReadOnlyList<LeaseRow>>? _leases;

    protected override bool FollowsTenant => true;

    protected override async Task OnParametersSetAsync() => _leases = await ReadHereAsync("leases", LoadAsync);

    protected override async Task LookAgainAsync() => _leases = await AskHereAsync(LoadAsync);

    private Task<Result<IReadOnlyList<LeaseRow>>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) => lists.HandleAsync(new ListLeases.Request(tenant), actor, ct);

    // Each VM is in it twice: on its last day, and on the day on which it is deleted.
    private static IEnumerable<(DateOnly Day, bool Deleted, LeaseRow Lease)> Calendar(IReadOnlyList<LeaseRow> leases) =>
        leases.Select(l => (Day: Lease.LastDayOf(l.EndsAt), Deleted: false, Lease: l))
            .Concat(leases.Select(l => (Day: Lease.DeletionDayOf(l.EndsAt), Deleted: true, Lease: l)))
            .OrderBy(e => e.Day).ThenBy(e => e.Deleted).ThenBy(e => e.Lease.Name, StringComparer.Ordinal);
}
