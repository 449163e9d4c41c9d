using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Control;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Hosts;

/// <summary>What is on a host now, and which VM is behind it.</summary>
public partial class HostInventory(ReadInventory.Handler inventories) : PortalPage
{
    private Result<ReadInventory.Inventory>? _inventory;

    [Parameter, EditorRequired]
    public HostId Host { get; set; }

    protected override async Task OnInitializedAsync() => _inventory = await ReadAsync("inventory", LoadAsync);

    protected override async Task LookAgainAsync() => _inventory = await AskAsync(LoadAsync);

    private Task<Result<ReadInventory.Inventory>> LoadAsync(Actor actor, CancellationToken ct) => inventories.HandleAsync(new ReadInventory.Request(Host), actor, ct);

    private static int Leftovers(ReadInventory.Inventory inventory) => inventory.Domains.Count(d => d.VmName is null) + inventory.Volumes.Count(v => v.VmName is null);
}
