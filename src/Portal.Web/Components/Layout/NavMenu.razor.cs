using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App.Access;

namespace Portal.Web.Components.Layout;

/// <summary>The rail: what a person has no right to does not exist in it; several roles stack.</summary>
public partial class NavMenu : ComponentBase
{
    [CascadingParameter]
    private Shell? Shell { get; set; }

    private IEnumerable<Group> Groups(Shell shell)
    {
        if (shell.Current is { } tenant)
        {
            var start = $"/t/{tenant.Slug}";
            yield return new Group("nav-tenant", tenant.Name, Allowed(
            [
                new(start, "Overview", Icons.Material.Outlined.SpaceDashboard, true, Exact: true),
                new($"{start}/vms", "VMs", Icons.Material.Outlined.Dns, true),
                new($"{start}/orders", "Orders", Icons.Material.Outlined.ShoppingCart, true),
                new($"{start}/keys", "SSH keys", Icons.Material.Outlined.Key, true),
                new($"{start}/usage", "Usage & cost", Icons.Material.Outlined.BarChart, Access.Allows(shell.Me, Permission.SeeCost, tenant.Id)),
                new($"{start}/quota", "Quota", Icons.Material.Outlined.Speed, true),
                new($"{start}/members", "Members", Icons.Material.Outlined.Group, true),
                new($"{start}/policy", "Approval", Icons.Material.Outlined.Rule, true),
                new($"{start}/audit", "Audit", Icons.Material.Outlined.History, Access.Allows(shell.Me, Permission.SeeTenantAudit, tenant.Id)),
            ]));
        }

        yield return new Group("nav-approvals", "Approvals", Allowed(
        [
            new("/approvals", "Orders to decide", Icons.Material.Outlined.HowToReg, shell.Waiting > 0 || Access.Allows(shell.Me, Permission.SeeOrders), shell.Waiting),
        ]));
        yield return new Group("nav-fleet", "Fleet", Allowed(
        [
            new("/ops/hosts", "Hosts", Icons.Material.Outlined.Storage, Access.Allows(shell.Me, Permission.SeeHosts)),
            new("/ops/capacity", "Capacity planner", Icons.Material.Outlined.Calculate, Access.Allows(shell.Me, Permission.SeeHosts)),
            new("/ops/operations", "Operations", Icons.Material.Outlined.PlaylistPlay, Access.Allows(shell.Me, Permission.SeeHosts)),
            new("/ops/templates", "Templates", Icons.Material.Outlined.Layers, Access.Allows(shell.Me, Permission.SeeCatalogue)),
        ]));
        yield return new Group("nav-billing", "Billing", Allowed(
        [
            new("/billing/plans", "Plans & prices", Icons.Material.Outlined.Sell, Access.Allows(shell.Me, Permission.SeeCatalogue)),
            new("/billing/tax", "Tax", Icons.Material.Outlined.Percent, Access.Allows(shell.Me, Permission.SeeCatalogue)),
        ]));
        yield return new Group("nav-admin", "Administration", Allowed(
        [
            new("/admin/setup", "Set-up", Icons.Material.Outlined.Checklist, Access.Allows(shell.Me, Permission.SetUp)),
            new("/admin/tenants", "Tenants", Icons.Material.Outlined.Business, Access.Allows(shell.Me, Permission.ManageTenants)),
            new("/admin/policies", "Policies", Icons.Material.Outlined.Rule, Access.Allows(shell.Me, Permission.ManagePolicies)),
            new("/admin/people", "People", Icons.Material.Outlined.ManageAccounts, Access.Allows(shell.Me, Permission.ManagePeople)),
            new("/admin/audit", "Platform audit", Icons.Material.Outlined.History, Access.Allows(shell.Me, Permission.SeePlatformAudit)),
        ]));
    }

    private static IReadOnlyList<Link> Allowed(IReadOnlyList<Link> links) => [.. links.Where(l => l.Allowed)];

    private sealed record Group(string Id, string Name, IReadOnlyList<Link> Links);

    private sealed record Link(string Href, string Text, string Icon, bool Allowed, int Badge = 0, bool Exact = false);
}
