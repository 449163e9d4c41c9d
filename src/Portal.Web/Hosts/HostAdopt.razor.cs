using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Pricing;
using Portal.App.Tenants;
using Portal.Engine;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Hosts;

/// <summary>How a domain that somebody made by hand becomes a VM: what stands against it, what is done, and the question for whom and at which price.</summary>
public partial class HostAdopt(AdoptDomain.Handler adopting, ListTenants.Handler tenants, ListPlans.Handler plans) : PortalPage
{
    private Result<Choices>? _choices;
    private TenantRow? _tenant;
    private PlanRow? _plan;
    private string? _name;
    private string? _address;
    private bool _mayShutDown;
    private Dictionary<string, string> _problems = [];
    private Refusal? _refusal;
    private bool _busy;

    [Parameter, EditorRequired]
    public HostId Host { get; set; }

    [Parameter, EditorRequired]
    public string Domain { get; set; } = "";

    [Parameter, EditorRequired]
    public AdoptionOffer Offer { get; set; } = default!;

    [Parameter, EditorRequired]
    public bool Runs { get; set; }

    /// <summary>Whether the administrator has allowed it by now.</summary>
    [Parameter, EditorRequired]
    public EventCallback LookAgain { get; set; }

    protected override async Task OnInitializedAsync()
    {
        _name = VmName.TryParse(Domain.ToLowerInvariant(), out var name) ? name.Text : null;
        _address = Offer.Ip;
        _choices = await ReadAsync("choices", LoadAsync);
        _tenant = _choices is { Succeeded: true, Value.Tenants: [var first, ..] } ? first : null;
    }

    protected override async Task LookAgainAsync() => _choices = await AskAsync(LoadAsync);

    private async Task<Result<Choices>> LoadAsync(Actor actor, CancellationToken ct)
    {
        if (!(await tenants.HandleAsync(new ListTenants.Request(), actor, ct)).TryGet(out var all, out var refusal))
        {
            return Result<Choices>.Of(refusal);
        }

        if (all.Count == 0)
        {
            return new Choices(all, []);
        }

        var currency = (_tenant ?? all[0]).Currency;
        return (await plans.HandleAsync(new ListPlans.Request(currency, OfferedOnly: false), actor, ct)).TryGet(out var sizes, out var not) ? new Choices(all, sizes) : Result<Choices>.Of(not);
    }

    // Prices are in the tenant's currency.
    private async Task ChooseAsync(TenantRow tenant)
    {
        _tenant = tenant;
        await LookAgainAsync();
        _plan = _choices is { Succeeded: true } read ? read.Value.Plans.FirstOrDefault(p => p.Id == _plan?.Id) : null;
    }

    private bool Fits(PlanRow plan) => plan.Price is not null && plan.Size.Vcpus >= Offer.Vcpus && plan.Size.Memory >= Offer.Memory && plan.Size.Disk >= Offer.Disk;

    private static string WordsOf(PlanRow plan) => $"{plan.Name}: {plan.Size.Vcpus} vCPU, {plan.Size.Memory}, {(plan.Price is { } price ? $"{Said.Exact(price.PerHour)} an hour running" : "no price")}";

    private async Task AdoptAsync()
    {
        if (_tenant is null || _plan is null)
        {
            return;
        }

        _busy = true;
        var asked = await AskAsync((actor, ct) => adopting.HandleAsync(new AdoptDomain.Request(Host, Domain, _tenant.Id, _plan.Id, _name?.Trim() ?? "", _address?.Trim() ?? "", _mayShutDown), actor, ct));
        _busy = false;
        _problems = asked.Refusal is { Field: { } field } at ? new() { [field] = at.Message } : [];
        _refusal = asked.Refusal is { Field: null or "mayShutDown" } other ? other : null;
        if (asked.TryGet(out var made, out _))
        {
            Navigation.NavigateTo($"/operations/{made.Operation}");
        }
    }

    /// <summary>Whose it may become, and as what.</summary>
    internal sealed record Choices(IReadOnlyList<TenantRow> Tenants, IReadOnlyList<PlanRow> Plans);
}
