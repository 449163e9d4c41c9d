using System.Globalization;
using MudBlazor;
using Portal.App.Access;
using Portal.App.Pricing;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Catalogue;

/// <summary>The tax on what tenants pay: now, scheduled, past.</summary>
public partial class TaxPage(ListTaxRates.Handler reading, SetTaxRate.Handler setting, WithdrawTaxRate.Handler withdrawing, ISnackbar snackbar) : PortalPage
{
    private Result<IReadOnlyList<TenantTax>>? _taxes;
    private TenantTax? _edit;
    private string _percent = "";
    private string _from = "";
    private Refusal? _problem;
    private Refusal? _refusal;
    private bool _busy;

    protected override async Task OnInitializedAsync() => _taxes = await ReadAsync("taxes", LoadAsync);

    protected override async Task LookAgainAsync() => _taxes = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<TenantTax>>> LoadAsync(Actor actor, CancellationToken ct) => reading.HandleAsync(new ListTaxRates.Request(), actor, ct);

    private void Edit(TenantTax tax) => (_edit, _percent, _from, _problem, _refusal) = (tax, tax.Now?.ToString("0.####", CultureInfo.InvariantCulture) ?? "", "", null, null);

    private async Task SetAsync()
    {
        if (_edit is not { } tax || _busy)
        {
            return;
        }

        if (!PlanDraft.TryRate(_percent, out var percent))
        {
            _problem = new Invalid("percent", "A rate is a number such as 19 or 8.1.");
            return;
        }

        if (!PriceDraft.ReadFrom(_from).TryGet(out var from, out _problem))
        {
            return;
        }

        if (await DoAsync((actor, ct) => setting.HandleAsync(new SetTaxRate.Request(tax.Tenant, percent, from), actor, ct), from is null ? "The rate holds from now on." : "The rate is scheduled."))
        {
            _edit = null;
        }
    }

    private async Task WithdrawAsync(TenantTax tax, TaxRateRow rate) => await DoAsync((actor, ct) => withdrawing.HandleAsync(new WithdrawTaxRate.Request(tax.Tenant, rate.Id), actor, ct), "It is withdrawn, and never begins.");

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
            await LookAgainAsync();
        }

        return answer.Succeeded;
    }
}
