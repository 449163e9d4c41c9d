using System.Globalization;
using MudBlazor;
using Portal.App.Access;
using Portal.App.Billing;
using Portal.App.Quotas;
using Portal.App.Tenants;
using Portal.Kernel;
using Portal.Web.Catalogue;
using Portal.Web.Components;

namespace Portal.Web.Tenants;

/// <summary>How much a tenant has left, what takes it, and what a month comes to. Live.</summary>
public partial class QuotaPage(GetQuota.Handler reading, SetSpending.Handler limiting, ISnackbar snackbar) : TenantPage
{
    private Result<GetQuota.Quota>? _quota;
    private SpendingDraft? _spending;
    private Refusal? _problem;
    private Refusal? _refusal;
    private bool _busy;

    protected override bool FollowsTenant => true;

    protected override async Task OnParametersSetAsync() => _quota = await ReadHereAsync("quota", LoadAsync);

    protected override async Task LookAgainAsync() => _quota = await AskHereAsync(LoadAsync);

    private Task<Result<GetQuota.Quota>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) => reading.HandleAsync(new GetQuota.Request(tenant), actor, ct);

    private static string Answer(QuotaState quota) => quota.Beyond is [] ? "There is room within all limits."
        : $"Above the limit of {string.Join(" and of ", quota.Beyond)}: what is there stays, and nothing can be added to it until there is room again.";

    private static string Words(SpendingRule rule) => rule switch
    {
        SpendingRule.Warn => "a warning, and nothing is kept back",
        SpendingRule.BlockOrders => "no order is taken",
        SpendingRule.BlockGrowth => "no order is taken, and nothing is started or adopted",
    };

    private static long Cents(Money money) => (long)Math.Ceiling(money.Amount * 100);

    private void EditSpending(SpendingState spending) =>
        (_spending, _problem, _refusal) = (new SpendingDraft { Limit = spending.Limit is { } limit ? limit.Amount.ToString($"F{limit.Currency.MinorUnits}", CultureInfo.InvariantCulture) : "", Rule = spending.Rule }, null, null);

    private async Task SaveSpendingAsync()
    {
        if (_spending is not { } edit || _busy)
        {
            return;
        }

        decimal? limit = null;
        if (edit.Limit.Trim().Length > 0)
        {
            if (!PlanDraft.TryRate(edit.Limit, out var amount))
            {
                _problem = new Invalid("limit", "A limit is a number such as 250.00.");
                return;
            }

            limit = amount;
        }

        _busy = true;
        var saved = await AskHereAsync<Done>((tenant, actor, ct) => limiting.HandleAsync(new SetSpending.Request(tenant, limit, edit.Rule), actor, ct));
        _busy = false;
        _problem = saved.Refusal is { Field: not null } ? saved.Refusal : null;
        _refusal = saved.Refusal is { Field: null } ? saved.Refusal : null;
        if (saved.Succeeded)
        {
            _spending = null;
            snackbar.Add("The spending limit is saved.", Severity.Success);
            await LookAgainAsync();
        }
    }

    private sealed class SpendingDraft
    {
        public string Limit { get; set; } = "";

        public SpendingRule Rule { get; set; }
    }
}
