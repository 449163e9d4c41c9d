using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Ordering;

/// <summary>Keeps an order form as a draft or a blueprint.</summary>
public partial class KeepForm(SaveOrder.Handler saving, ISnackbar snackbar) : PortalPage
{
    private SavedKind _kind;
    private string? _name;
    private string? _description;
    private SavedOrderId? _from;
    private Refusal? _refusal;
    private bool _busy;

    [Parameter, EditorRequired]
    public TenantId Tenant { get; set; }

    /// <summary>What the form was opened from; null where from nothing.</summary>
    [Parameter]
    public SavedOrderRow? Saved { get; set; }

    [Parameter, EditorRequired]
    public Func<OrderForm> Form { get; set; } = default!;

    [Parameter]
    public EventCallback<SavedOrderId> Kept { get; set; }

    // The provider's is not the tenant's to change: what is made of it is another one.
    private bool Replaces => Saved is { OfProvider: false } saved && saved.Kind == _kind && string.Equals(saved.Name, _name?.Trim(), StringComparison.Ordinal);

    protected override void OnParametersSet()
    {
        if (Saved is { } saved && saved.Id != _from)
        {
            (_from, _kind, _name, _description) = (saved.Id, saved.Kind, saved.Name, saved.Description);
        }
    }

    private string? ErrorOf(string field) => _refusal is { } refusal && refusal.Path == field ? refusal.Message : null;

    private void Changed() => _refusal = null;

    private async Task KeepAsync()
    {
        _busy = true;
        var request = new SaveOrder.Request(Tenant, Replaces ? Saved!.Id : null, _kind, _name ?? "", _description ?? "", Form());
        var kept = await AskAsync((actor, ct) => saving.HandleAsync(request, actor, ct));
        _busy = false;
        _refusal = kept.Refusal;
        if (kept.TryGet(out var id, out _))
        {
            _from = id;
            snackbar.Add(_kind == SavedKind.Draft ? "The draft is kept." : "The blueprint is kept.", Severity.Success);
            await Kept.InvokeAsync(id);
        }
    }
}
