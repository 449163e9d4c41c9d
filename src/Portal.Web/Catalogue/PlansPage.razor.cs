using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App.Access;
using Portal.App.Pricing;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Catalogue;

/// <summary>The plans with their prices. The past is fixed: a change is a new price from now on.</summary>
public partial class PlansPage(ListPlans.Handler lists, ListCurrencies.Handler currencyLists, SavePlan.Handler saving, SetPrice.Handler pricing, ISnackbar snackbar) : PortalPage
{
    private static readonly StatusLook s_unpriced = new("No price", Icons.Material.Outlined.WarningAmber, Tone.Warning);

    private Result<IReadOnlyList<PlanRow>>? _plans;
    private Result<IReadOnlyList<Currency>>? _currencies;
    private PlanDraft? _edit;
    private Refusal? _problem;
    private Refusal? _refusal;
    private bool _busy;

    /// <summary>Whose prices are shown, by its code.</summary>
    [SupplyParameterFromQuery(Name = "currency")]
    private string? CurrencyText { get; set; }

    private Currency Chosen => CurrencyText is { Length: 3 } code && code.All(char.IsAsciiLetterUpper) ? new Currency(code) : Currency.Eur;

    protected override async Task OnParametersSetAsync()
    {
        _edit = null;
        _currencies = await ReadAsync<IReadOnlyList<Currency>>("currencies", (actor, ct) => currencyLists.HandleAsync(new ListCurrencies.Request(), actor, ct));
        _plans = await ReadAsync("plans", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _plans = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<PlanRow>>> LoadAsync(Actor actor, CancellationToken ct) => lists.HandleAsync(new ListPlans.Request(Chosen, OfferedOnly: false), actor, ct);

    private void New() => (_edit, _problem, _refusal) = (new PlanDraft(), null, null);

    private void Edit(PlanRow plan) => (_edit, _problem, _refusal) = (PlanDraft.From(plan), null, null);

    private async Task SaveAsync()
    {
        if (_edit is not { } form || _busy)
        {
            return;
        }

        if (!form.ToTariff(Chosen).TryGet(out var tariff, out var wrong))
        {
            _problem = wrong;
            return;
        }

        _busy = true;
        var saved = await AskAsync<Done>(async (actor, ct) =>
        {
            var plan = await saving.HandleAsync(form.ToRequest(), actor, ct);
            return plan.TryGet(out var id, out var refusal) ? await pricing.HandleAsync(new SetPrice.Request(id, tariff), actor, ct) : Result<Done>.Of(refusal);
        });
        _busy = false;
        _problem = saved.Refusal is { Field: not null } ? saved.Refusal : null;
        _refusal = saved.Refusal is { Field: null } ? saved.Refusal : null;
        if (saved.Succeeded)
        {
            _edit = null;
            snackbar.Add($"{form.Name} is saved.", Severity.Success);
            await LookAgainAsync();
        }
    }
}
