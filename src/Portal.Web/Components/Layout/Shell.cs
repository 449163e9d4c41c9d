using Portal.App.Access;
using Portal.App.Tenants;

namespace Portal.Web.Components.Layout;

/// <summary>What the frame around a page knows: who looks, which tenants are there, in which one the page is.</summary>
/// <param name="Tenants">Those that the person may see, by name.</param>
/// <param name="Current">The tenant of the page, else the one looked at last, else the first; null where there is none.</param>
/// <param name="Waiting">Orders that this person can decide on.</param>
public sealed record Shell(Actor Me, IReadOnlyList<TenantRow> Tenants, TenantRow? Current, int Waiting)
{
    /// <summary>Whether staff look into a tenant that they are no member of.</summary>
    public bool AsStaff(TenantRow tenant) => !Me.Memberships.ContainsKey(tenant.Id);
}
