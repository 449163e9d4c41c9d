using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App.Access;
using Portal.App.Pricing;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Catalogue;

/// <summary>All prices of a plan: what holds, what will, what did; and a new one, with what it would mean to whom.</summary>
public partial class PricesPage(GetPrices.Handler reading, SetPrice.Handler setting, EndTenantPrice.Handler ending, WithdrawPrice.Handler withdrawing, PreviewPrice.Handler previews, ISnackbar snackbar) : PortalPage
{
    private static readonly (string Title, DatedState[] States, string Empty)[] s_parts =
    [
        ("Now", [DatedState.Now], "It has no price, so it cannot be ordered."),
        ("Scheduled", [DatedState.Scheduled], "Nothing is scheduled."),
        ("Past", [DatedState.Past, DatedState.Withdrawn], "This is the first price."),
    ];

    private Result<GetPrices.Prices>? _prices;
    private IReadOnlyList<PreviewPrice.Effect>? _effects;
    private PriceDraft? _edit;
    private Refusal? _problem;
    private Refusal? _refusal;
    private bool _busy;
    private int _changes;

    [Parameter]
    public string Plan { get; set; } = "";

    protected override async Task OnParametersSetAsync() => _prices = await ReadAsync("prices", LoadAsync);

    protected override async Task LookAgainAsync() => _prices = await AskAsync(LoadAsync);

    private Task<Result<GetPrices.Prices>> LoadAsync(Actor actor, CancellationToken ct) =>
        Id.TryParse<PlanId>(Plan, out var id) ? reading.HandleAsync(new GetPrices.Request(id), actor, ct) : Task.FromResult(Result<GetPrices.Prices>.Of(new NotFound("plan")));

    private PlanId PlanId => _prices!.Value.Value.Plan.Id;

    private async Task New(GetPrices.Prices prices)
    {
        (_problem, _refusal, _effects) = (null, null, null);
        _edit = new PriceDraft { Rates = PlanDraft.From(prices.Plan) };
        Take(prices, _edit);
        await LookAtEffectAsync();
    }

    private static string WhomOf(PriceDraft draft) => draft.Buyer is { } buyer ? buyer.ToString() : draft.Currency.Code;

    private async Task ChooseAsync(GetPrices.Prices prices, string? whom)
    {
        var buyer = prices.Buyers.FirstOrDefault(b => b.Id.ToString() == whom);
        _edit!.Buyer = buyer?.Id;
        _edit.Currency = buyer?.Currency ?? prices.Currencies.FirstOrDefault(c => c.Code == whom);
        Take(prices, _edit);
        await LookAtEffectAsync();
    }

    // Whoever changes a price begins with the one that holds.
    private static void Take(GetPrices.Prices prices, PriceDraft draft)
    {
        var now = prices.Rows.Where(r => r.State == DatedState.Now && r.Currency == draft.Currency && r.Tariff is not null).ToList();
        if ((now.FirstOrDefault(r => r.Buyer is not null && r.Buyer == draft.Buyer) ?? now.FirstOrDefault(r => r.Buyer is null))?.Tariff is { } tariff)
        {
            draft.Rates.Take(tariff);
        }
    }

    private async Task LookAtEffectAsync()
    {
        if (_edit is { } edit && edit.Rates.ToTariff(edit.Currency).TryGet(out var tariff, out _))
        {
            var read = await AskAsync<IReadOnlyList<PreviewPrice.Effect>>((actor, ct) => previews.HandleAsync(new PreviewPrice.Request(PlanId, tariff, edit.Buyer), actor, ct));
            _effects = read.Succeeded ? read.Value : _effects;
        }
    }

    private async Task SetAsync()
    {
        if (_edit is not { } edit || _busy)
        {
            return;
        }

        if (!edit.ToFrom().TryGet(out var from, out _problem) || !edit.Rates.ToTariff(edit.Currency).TryGet(out var tariff, out _problem))
        {
            return;
        }

        if (await DoAsync((actor, ct) => setting.HandleAsync(new SetPrice.Request(PlanId, tariff, edit.Buyer, from), actor, ct), from is null ? "The price holds from now on." : "The price is scheduled."))
        {
            _edit = null;
        }
    }

    private async Task WithdrawAsync(PriceRow row) => await DoAsync((actor, ct) => withdrawing.HandleAsync(new WithdrawPrice.Request(PlanId, row.Id), actor, ct), "It is withdrawn, and never begins.");

    private async Task EndAsync(PriceRow row) => await DoAsync((actor, ct) => ending.HandleAsync(new EndTenantPrice.Request(PlanId, row.Buyer!.Value), actor, ct), $"The list's price holds for {row.BuyerName} from now on.");

    private async Task<bool> DoAsync(Func<Actor, CancellationToken, Task<Result<Done>>> ask, string done)
    {
        _busy = true;
        var answer = await AskAsync(ask);
        _busy = false;
        _problem = answer.Refusal is { Field: not null } ? answer.Refusal : null;
        _refusal = answer.Refusal is { Field: null } ? answer.Refusal : null;
        if (answer.Succeeded)
        {
            snackbar.Add(done, Severity.Success);
            _changes++;
            await LookAgainAsync();
        }

        return answer.Succeeded;
    }
}
