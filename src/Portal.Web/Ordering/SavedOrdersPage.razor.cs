using MudBlazor;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Ordering;

/// <summary>A tenant's kept order forms, and the provider's blueprints.</summary>
public partial class SavedOrdersPage(ListSavedOrders.Handler lists, RemoveSavedOrder.Handler removing, OfferBlueprint.Handler offering, IDialogService dialogs, ISnackbar snackbar) : TenantPage
{
    // Lines of a form that the list shows.
    private const int Shown = 4;

    private Result<IReadOnlyList<SavedOrderRow>>? _saved;
    private Refusal? _refusal;
    private bool _busy;

    protected override bool FollowsTenant => true;

    protected override async Task OnParametersSetAsync() => _saved = await ReadHereAsync("saved", LoadAsync);

    protected override async Task LookAgainAsync() => _saved = await AskHereAsync(LoadAsync);

    private Task<Result<IReadOnlyList<SavedOrderRow>>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) => lists.HandleAsync(new ListSavedOrders.Request(tenant), actor, ct);

    private string HrefOf(SavedOrderRow row) => $"{Base}/orders/new?from={row.Id}";

    private static string Verb(SavedOrderRow row) => row.Kind == SavedKind.Draft ? "Go on" : "Order";

    private async Task RemoveAsync(SavedOrderRow row)
    {
        var text = row.OfProvider ? "No tenant is offered it any more. What was ordered with it stays." : "What was ordered with it stays.";
        if (await dialogs.AskAsync($"Remove {row.Name}?", text, $"Remove {row.Name}"))
        {
            await DoAsync((tenant, actor, ct) => removing.HandleAsync(new RemoveSavedOrder.Request(tenant, row.Id), actor, ct));
        }
    }

    private async Task OfferAsync(SavedOrderRow row)
    {
        if (await dialogs.AskAsync($"Offer {row.Name} to all tenants?", "Each tenant finds a copy of it among the blueprints, as it is now.", "Offer it to all")
            && await DoAsync((tenant, actor, ct) => offering.HandleAsync(new OfferBlueprint.Request(tenant, row.Id), actor, ct)))
        {
            snackbar.Add($"All tenants are offered {row.Name}.", Severity.Success);
        }
    }

    private async Task<bool> DoAsync<T>(Func<TenantId, Actor, CancellationToken, Task<Result<T>>> ask)
    {
        _busy = true;
        StateHasChanged();
        _refusal = (await AskHereAsync(ask)).Refusal;
        _busy = false;
        await LookAgainAsync();
        return _refusal is null;
    }
}
