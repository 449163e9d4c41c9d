using Microsoft.AspNetCore.Components;
using Portal.App;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.App.Tenants;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Ordering;

/// <summary>Composes an order on one page: what it costs, what is left of the quota and what will be done change while one types.</summary>
public partial class NewOrderPage(OrderOffers offers, PreviewOrder.Handler previews, PlaceOrder.Handler placing, TimeProvider clock) : TenantPage
{
    private static readonly TimeSpan s_afterTyping = TimeSpan.FromMilliseconds(250);

    private OrderDraft _form = new();
    private Result<OrderOffer>? _offer;
    private PreviewOrder.Preview? _preview;
    private IReadOnlyList<Refusal> _shown = [];
    private Refusal? _refusal;
    private CancellationTokenSource? _typing;
    private PrivateKeyPasted? _private;
    private bool _placing;

    [SupplyParameterFromQuery]
    private string? Draft { get; set; }

    [SupplyParameterFromQuery]
    private string[]? Template { get; set; }

    [SupplyParameterFromQuery]
    private string[]? Plan { get; set; }

    [SupplyParameterFromQuery]
    private string[]? Name { get; set; }

    // Text: an address may say anything, and a number that is none would fail the page.
    [SupplyParameterFromQuery]
    private string[]? Count { get; set; }

    [SupplyParameterFromQuery]
    private string[]? Size { get; set; }

    [SupplyParameterFromQuery]
    private string[]? Until { get; set; }

    [SupplyParameterFromQuery]
    private string? Key { get; set; }

    [SupplyParameterFromQuery]
    private string? Note { get; set; }

    // The draft or blueprint that it was opened from.
    [SupplyParameterFromQuery]
    private string? From { get; set; }

    private GetSavedOrder.Details? Saved => _offer is { Succeeded: true } read ? read.Value.Saved : null;

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

    private Task<Result<OrderOffer>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) =>
        MayHere(Permission.OrderVms)
            ? offers.ReadAsync(tenant, Found.Currency, Id.TryParse<SavedOrderId>(From, out var from) ? from : null, actor, ct)
            : Task.FromResult(Result<OrderOffer>.Of(new NotAllowed(Permission.OrderVms)));

    private void FillFromAddress()
    {
        if (_offer is not { Succeeded: true } read)
        {
            return;
        }

        var offer = read.Value;
        // Opened just now, or read again after it was written on: then the address has what was written, and what is in no address is as it was kept.
        var kept = offer.Saved is { } saved ? saved.Form.Lines : [];
        var opened = offer.Saved is not null && Template is null or [] && Plan is null or [] && Name is null or [];
        _form = new OrderDraft(opened
            ? [.. kept.Select(l => LineDraft.Of(l, offer.Plans))]
            : [.. OrderAddress.Read(Template, Plan, Name, Count, Size, Until, OrderForm.MaxLines).Select((l, i) => LineOf(offer, l, i < kept.Count && kept[i].Name == l.Name ? kept[i].UserData : null))])
        {
            Key = Draft is { Length: > 0 and <= 100 } ? Draft : Guid.CreateVersion7().ToString("N"),
            Pasted = Key ?? "",
            Note = Note ?? (opened ? offer.Saved!.Form.Note : ""),
        };
        if (opened && offer.Saved!.Row.Kind == SavedKind.Draft)
        {
            _form.TakeKeys(offer.Keys, [.. kept.SelectMany(l => l.SshKeys).Distinct()]);
        }
        else
        {
            _form.Keys.UnionWith(offer.Keys.Where(k => k.AddedBy == Me.Name).Select(k => k.Id));
        }
    }

    private static LineDraft LineOf(OrderOffer offer, LineInAddress said, string? userData)
    {
        var line = new LineDraft
        {
            Template = offer.Templates.FirstOrDefault(t => t.Slug == said.Template)?.Id ?? (offer.Templates.FirstOrDefault(t => t.Paused is null) ?? (offer.Templates is [var first, ..] ? first : null))?.Id ?? default,
            Name = said.Name,
            NameTouched = said.Name.Length > 0,
            Count = said.Count,
            UserData = userData ?? "",
            LastDay = said.Until,
        };
        if (offer.Plans.FirstOrDefault(p => p.Name == said.Plan) is { } named)
        {
            line.Take(named);
        }
        else if ((offer.Plans.FirstOrDefault(p => p.IsThere) ?? (offer.Plans is [var only, ..] ? only : null)) is { } plan)
        {
            line.Take(plan);
        }

        if (OrderAddress.ReadSize(said.Size) is { } size)
        {
            (line.Vcpus, line.MemoryMiB, line.DiskGiB) = size;
        }

        return line;
    }

    private LineInAddress InAddress(LineDraft line)
    {
        var plan = _offer!.Value.Value.Plans.FirstOrDefault(p => p.Id == line.Plan);
        return new LineInAddress(
            _offer.Value.Value.Templates.FirstOrDefault(t => t.Id == line.Template)?.Slug, plan?.Name, line.Name, line.Count, plan is { IsCustom: true } ? OrderAddress.Size(line.Vcpus, line.MemoryMiB, line.DiskGiB) : null, line.LastDay);
    }

    private void WriteAddress()
    {
        Navigation.NavigateTo(
            UrlState.With(OrderAddress.Of($"{Base}/orders/new", _form.Key, [.. _form.Lines.Select(InAddress)], _form.PublicPasted, _form.Note), ("from", From)),
            replace: true);
    }

    // Each key starts the wait anew; the answer to an older form never overwrites a newer one's. The field that changed does not wait for it: when its own work
    // ends it takes back whatever error it was given meanwhile.
    private async Task ChangedAsync()
    {
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
        _shown = read.Succeeded ? [.. read.Value.Problems.Where(p => p.Field != "name" || NameTouched(p)), .. _private is { } dropped ? [dropped] : Array.Empty<Refusal>()] : _shown;
    }

    // A name that was not typed yet is no mistake to point at.
    private bool NameTouched(Refusal problem) => _form.Lines.Where((line, i) => line.NameTouched && problem.Within == OrderForm.NameOf(i)).Any();

    private OrderForm Form() => _form.ToForm(_offer!.Value.Value.Keys.ToDictionary(k => k.Id, k => k.Line), _offer.Value.Value.Plans.Where(p => p.IsCustom).Select(p => p.Id).ToHashSet());

    private async Task KeptAsync(SavedOrderId saved)
    {
        From = saved.ToString();
        _offer = await AskHereAsync(LoadAsync);
        WriteAddress();
    }

    private async Task PlaceAsync()
    {
        if (_placing)
        {
            return;
        }

        _placing = true;
        foreach (var line in _form.Lines)
        {
            line.NameTouched = true;
        }

        var placed = await AskHereAsync<PlaceOrder.Placed>((tenant, actor, ct) => placing.HandleAsync(new PlaceOrder.Request(tenant, Form(), _form.Key, Saved is { Row.Kind: SavedKind.Draft } draft ? draft.Row.Id : null), actor, ct));
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
        _shown = refusal.Field is null || _shown.Contains(refusal) ? _shown : [.. _shown.Where(p => p.Path != refusal.Path), refusal];
    }
}
