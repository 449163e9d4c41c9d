using System.Globalization;
using Microsoft.AspNetCore.Components;
using Portal.App;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Hosts;

/// <summary>Says what host a list of servers needs, and how often the present hosts hold it, while one types. The list stands in the page's address.</summary>
public partial class CapacityPage(PlanCapacity.Handler plans, AccessRules access) : PortalPage
{
    private const int MaxText = 4000;

    private string _text = "";
    private long _ownMemory = 512;
    private long _ownDisk = 5;
    private Result<Answer>? _answer;

    [SupplyParameterFromQuery]
    private string? Servers { get; set; }

    [SupplyParameterFromQuery]
    private string? Memory { get; set; }

    [SupplyParameterFromQuery]
    private string? Disk { get; set; }

    protected override async Task OnInitializedAsync()
    {
        Follow(Topic.Hosts);
        _text = Servers is { Length: <= MaxText } given ? given : "";
        _ownMemory = Own(Memory, _ownMemory);
        _ownDisk = Own(Disk, _ownDisk);
        _answer = await ReadAsync("plan", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _answer = await AskAsync(LoadAsync);

    private async Task<Result<Answer>> LoadAsync(Actor actor, CancellationToken ct)
    {
        if (access.Check(actor, Permission.SeeHosts) is { } refusal)
        {
            return Result<Answer>.Of(refusal);
        }

        if (!ServerListText.TryParse(_text, out var servers, out var problem) || servers.Count == 0)
        {
            return new Answer(null, problem);
        }

        var plan = await plans.HandleAsync(new PlanCapacity.Request(servers, ByteSize.FromMiB(_ownMemory), ByteSize.FromGiB(_ownDisk)), actor, ct);
        return plan.Refusal is { Field: "servers" } wrong ? new Answer(null, wrong.Message)
            : plan.TryGet(out var found, out var no) ? new Answer(found, null)
            : Result<Answer>.Of(no);
    }

    private static long Own(string? text, long otherwise) => long.TryParse(text, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 1 << 20 ? number : otherwise;

    private async Task SetAsync(Action set)
    {
        set();
        (_ownMemory, _ownDisk) = (Math.Clamp(_ownMemory, 0, 1 << 20), Math.Clamp(_ownDisk, 0, 1 << 20));
        Navigation.NavigateTo(
            UrlState.With(
                "/ops/capacity",
                ("servers", _text),
                ("memory", _ownMemory == 512 ? null : _ownMemory.ToString(CultureInfo.InvariantCulture)),
                ("disk", _ownDisk == 5 ? null : _ownDisk.ToString(CultureInfo.InvariantCulture))),
            replace: true);
        await LookAgainAsync();
    }

    private static string Sets(int sets) => sets switch
    {
        0 => "None more",
        PlanCapacity.MaxSets => $"{sets} or more",
        _ => sets.ToString(CultureInfo.InvariantCulture),
    };

    private static string WhatLacks(Scarce scarce) => scarce switch
    {
        Scarce.Nothing => "",
        Scarce.Memory => "Memory runs out first.",
        Scarce.Disk => "Disk runs out first.",
        Scarce.Vcpus => "vCPUs run out first.",
        Scarce.Addresses => "Addresses run out first.",
        Scarce.SeveralAtOnce => "More of one thing alone would not help: what is left lies in pieces, or several things run out together.",
    };

    /// <param name="Plan">Null where the list is empty or wrong.</param>
    /// <param name="Problem">What is wrong with the list; null where nothing is.</param>
    private sealed record Answer(PlanCapacity.Plan? Plan, string? Problem);
}
