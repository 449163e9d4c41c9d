using System.Globalization;
using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Billing;
using Portal.App.Metering;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Metering;

/// <summary>What a tenant's VMs used in a month and what that costs, with every rate and every decimal.</summary>
public partial class UsagePage(MonthUsage.Handler usages) : TenantPage
{
    private Result<MonthUsage.Usage>? _usage;

    /// <summary>The month, as 2026-03; none is the running one.</summary>
    [SupplyParameterFromQuery(Name = "month")]
    private string? MonthText { get; set; }

    protected override async Task OnParametersSetAsync() => _usage = await ReadHereAsync("usage", LoadAsync);

    protected override async Task LookAgainAsync() => _usage = await AskHereAsync(LoadAsync);

    private Task<Result<MonthUsage.Usage>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) =>
        usages.HandleAsync(new MonthUsage.Request(tenant, Chosen()), actor, ct);

    private DateTimeOffset? Chosen() =>
        DateTimeOffset.TryParseExact(MonthText, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var month) && month.Year is > 2000 and < 9000 ? month : null;

    private string Month(DateTimeOffset month) => UrlState.With($"{Base}/usage", ("month", month.ToString("yyyy-MM", CultureInfo.InvariantCulture)));

    private static string Name(DateTimeOffset month) => month.ToString("MMMM yyyy", CultureInfo.InvariantCulture);

    private static string Answer(MonthUsage.Usage usage)
    {
        var vms = usage.Lines.Select(l => l.Vm).Concat(usage.Setups.Select(s => s.Vm)).Distinct().Count();
        var open = usage.Lines.Where(l => l.Stretches.Any(s => s.Open)).ToList();
        var perHour = new Money(open.Sum(l => l.RatePerHour), usage.Currency);
        return vms == 0 ? "Nothing was used."
            : open.Count == 0 ? $"{Said.Count(vms, "VM")}; nothing counts on."
            : $"{Said.Count(vms, "VM")}; counts on at {Said.Exact(perHour)} an hour ({Said.Count(open.Count(l => l.Meter == Meter.VmRunning), "VM")} running).";
    }
}
