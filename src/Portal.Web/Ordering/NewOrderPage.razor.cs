using System.Globalization;
using Microsoft.AspNetCore.Components;
using Portal.App;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.App.Tenants;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Ordering;

/// <summary>Composes an order on one page: what it costs, what is left of the quota and what will be done change while one types.</summary>
public partial class NewOrderPage(ListTemplates.Handler templates, ListPlans.Handler plans, ListSshKeys.Handler keys, PreviewOrder.Handler previews, PlaceOrder.Handler placing, TimeProvider clock) : TenantPage
{
    private static readonly TimeSpan s_afterTyping = TimeSpan.FromMilliseconds(250);

    private readonly OrderDraft _form = new();
    private Result<OrderOffer>? _offer;
    private PreviewOrder.Preview? _preview;
    private IReadOnlyList<Refusal> _shown = [];
    private Refusal? _refusal;
    private CancellationTokenSource? _typing;
    private PrivateKeyPasted? _private;
    private bool _nameTouched;
    private bool _placing;

    [SupplyParameterFromQuery]
    private string? Draft { get; set; }

    [SupplyParameterFromQuery]
    private string? Template { get; set; }

    [SupplyParameterFromQuery]
    private string? Plan { get; set; }

    [SupplyParameterFromQuery]
    private string? Name { get; set; }

    // Text: an address may say anything, and a number that is none would fail the page.
    [SupplyParameterFromQuery]
    private string? Count { get; set; }

    [SupplyParameterFromQuery]
    private string? Key { get; set; }

    [SupplyParameterFromQuery]
    private string? Note { get; set; }

    protected override async Task OnInitializedAsync()
    {
        // Whether there is room changes while one looks: a host comes, an image is built.
        FollowToo(Topic.Hosts);
        _offer = await ReadHereAsync("offer", LoadAsync);
        FillFromAddress();
        if (RendererInfo.IsInteractive && _offer is { Succeeded: true, Value.Plans.Count: > 0, Value.Templates.Count: > 0 })
        {
            WriteAddress();
            await PreviewAsync(Gone);
        }
    }

    protected override async Task LookAgainAsync()
    {
        _offer = await AskHereAsync(LoadAsync);
        if (_offer is { Succeeded: true, Value.Plans.Count: > 0, Value.Templates.Count: > 0 } && _form.Key.Length > 0 && !_placing)
        {
            await PreviewAsync(Gone);
        }
    }

    protected override async ValueTask DisposeCoreAsync()
    {
        _typing?.Dispose();
        await base.DisposeCoreAsync();
    }

    private async Task<Result<OrderOffer>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct)
    {
        if (!MayHere(Permission.OrderVms))
        {
            return Result<OrderOffer>.Of(new NotAllowed(Permission.OrderVms));
        }

        var read = await templates.HandleAsync(new ListTemplates.Request(OfferedOnly: true), actor, ct);
        var sold = await plans.HandleAsync(new ListPlans.Request(Found.Currency, OfferedOnly: true), actor, ct);
        var stored = await keys.HandleAsync(new ListSshKeys.Request(tenant), actor, ct);
        return (read.Refusal ?? sold.Refusal ?? stored.Refusal) is { } refusal
            ? Result<OrderOffer>.Of(refusal)
            : new OrderOffer(read.Value, [.. sold.Value.Where(p => p.Price is not null)], stored.Value);
    }

    private void FillFromAddress()
    {
        if (_offer is not { Succeeded: true } read)
        {
            return;
        }

        var offer = read.Value;
        _form.Key = Draft is { Length: > 0 and <= 100 } ? Draft : Guid.CreateVersion7().ToString("N");
        _form.Template = offer.Templates.FirstOrDefault(t => t.Slug == Template)?.Id ?? (offer.Templates is [var template, ..] ? template.Id : default);
        _form.Plan = offer.Plans.FirstOrDefault(p => p.Name == Plan)?.Id ?? (offer.Plans is [var plan, ..] ? plan.Id : default);
        _form.Name = Name ?? "";
        _nameTouched = _form.Name.Length > 0;
        _form.Count = long.TryParse(Count, NumberStyles.Integer, CultureInfo.InvariantCulture, out var count) ? count : 1;
        _form.Pasted = Key ?? "";
        _form.Note = Note ?? "";
        _form.Keys.UnionWith(offer.Keys.Where(k => k.AddedBy == Me.Name).Select(k => k.Id));
    }

    private void WriteAddress()
    {
        var offer = _offer!.Value.Value;
        Navigation.NavigateTo(
            UrlState.With(
                $"{Base}/orders/new",
                ("draft", _form.Key),
                ("template", offer.Templates.FirstOrDefault(t => t.Id == _form.Template)?.Slug),
                ("plan", offer.Plans.FirstOrDefault(p => p.Id == _form.Plan)?.Name),
                ("name", _form.Name),
                ("count", _form.Count == 1 ? null : _form.Count.ToString(CultureInfo.InvariantCulture)),
                ("key", _form.PublicPasted),
                ("note", _form.Note)),
            replace: true);
    }

    // Each key starts the wait anew; the answer to an older form never overwrites a newer one's. The field that changed does not wait for it: when its own work
    // ends it takes back whatever error it was given meanwhile.
    private async Task ChangedAsync()
    {
        _nameTouched |= _form.Name.Length > 0;
        // What stood against the fields is about what they said before. (A field also takes an error that it had already for no news, and forgets it as one types.)
        _shown = [.. _shown.Where(p => p.Field is null)];
        if (_typing is not null)
        {
            await _typing.CancelAsync();
            _typing.Dispose();
        }

        _typing = CancellationTokenSource.CreateLinkedTokenSource(Gone);
        var token = _typing.Token;
        Keep(_ => PreviewSoonAsync(token));
    }

    private async Task PreviewSoonAsync(CancellationToken token)
    {
        try
        {
            await Task.Delay(s_afterTyping, clock, token);
            await InvokeAsync(async () =>
            {
                // Not at once: a field that is given back what it had before it was typed in keeps what was typed.
                _private = _form.DropPrivateKey() ? new PrivateKeyPasted("sshKeys") : null;
                WriteAddress();
                await PreviewAsync(token);
                StateHasChanged();
            });
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // Typed on.
        }
    }

    private async Task PreviewAsync(CancellationToken ct)
    {
        var read = await AskHereAsync<PreviewOrder.Preview>((tenant, actor, _) => previews.HandleAsync(new PreviewOrder.Request(tenant, Form()), actor, ct));
        ct.ThrowIfCancellationRequested();
        _refusal = read.Refusal;
        _preview = read.Succeeded ? read.Value : _preview;
        // A name that was not typed yet is no mistake to point at.
        _shown = read.Succeeded ? [.. read.Value.Problems.Where(p => p.Field != "name" || _nameTouched), .. _private is { } dropped ? [dropped] : Array.Empty<Refusal>()] : _shown;
    }

    private OrderForm Form() => _form.ToForm(_offer!.Value.Value.Keys.ToDictionary(k => k.Id, k => k.Line));

    private async Task PlaceAsync()
    {
        if (_placing)
        {
            return;
        }

        _placing = true;
        _nameTouched = true;
        var placed = await AskHereAsync<PlaceOrder.Placed>((tenant, actor, ct) => placing.HandleAsync(new PlaceOrder.Request(tenant, Form(), _form.Key), actor, ct));
        _placing = false;
        if (placed.TryGet(out var order, out var refusal))
        {
            Navigation.NavigateTo($"{Base}/orders/{order.Order}");
            return;
        }

        if (refusal is KeyReused)
        {
            // The form was placed before and has changed since: what is on the screen now is another order.
            _form.Key = Guid.CreateVersion7().ToString("N");
            WriteAddress();
        }

        // What the summary says already is not said twice.
        _refusal = refusal.Field is null && _shown.All(p => p.Code != refusal.Code) ? refusal : null;
        _shown = refusal.Field is null || _shown.Contains(refusal) ? _shown : [.. _shown.Where(p => p.Field != refusal.Field), refusal];
    }
}

/// <summary>What can be ordered, and the keys at hand.</summary>
public sealed record OrderOffer(IReadOnlyList<TemplateRow> Templates, IReadOnlyList<PlanRow> Plans, IReadOnlyList<SshKeyRow> Keys);
