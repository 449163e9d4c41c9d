using MudBlazor;
using Portal.App.Access;
using Portal.App.Setup;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Setup;

/// <summary>What has to be there before anything can be sold: each step checks itself, leads to where it is mended, and may be skipped.</summary>
public partial class SetupPage(GetChecklist.Handler checklist, SkipSetupStep.Handler skipping, TimeProvider clock) : PortalPage
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(4);

    private Result<IReadOnlyList<SetupRow>>? _rows;
    private Refusal? _refusal;
    private bool _busy;

    protected override async Task OnInitializedAsync()
    {
        _rows = await ReadAsync("rows", LoadAsync);
        if (RendererInfo.IsInteractive)
        {
            Keep(LookOnAndOnAsync);
        }
    }

    protected override async Task LookAgainAsync() => _rows = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<SetupRow>>> LoadAsync(Actor actor, CancellationToken ct) => checklist.HandleAsync(new GetChecklist.Request(), actor, ct);

    // The steps lie in eight subjects; looking is cheaper than a topic for each.
    private async Task LookOnAndOnAsync(CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(s_period, clock, ct);
            await InvokeAsync(async () =>
            {
                await LookAgainAsync();
                StateHasChanged();
            });
        }
    }

    private string Answer()
    {
        if (_rows is not { Succeeded: true } read)
        {
            return "";
        }

        var open = read.Value.Count(r => r is { Done: false, Skipped: false } && r.Step != SetupStep.Mail);
        var mail = read.Value.Any(r => r is { Step: SetupStep.Mail, Done: false, Skipped: false }) ? " Without mail nobody hears of orders and decisions outside the portal: set it up, or skip it." : "";
        return open == 0 ? $"Ready to sell: everything that is needed is there.{mail}" : $"{Said.Count(open, "step is", "steps are")} open before the first VM can be sold.";
    }

    private async Task SkipAsync(SetupRow row)
    {
        _busy = true;
        _refusal = (await AskAsync<Done>((actor, ct) => skipping.HandleAsync(new SkipSetupStep.Request(row.Step, !row.Skipped), actor, ct))).Refusal;
        _busy = false;
        await LookAgainAsync();
    }

    private static SetupRow? NextOf(IReadOnlyList<SetupRow> rows) => rows.FirstOrDefault(r => r is { Done: false, Skipped: false });

    private static StatusLook LookOf(SetupRow row) => row switch
    {
        { Done: true } => new("Done", Icons.Material.Outlined.CheckCircle, Tone.Success),
        { Skipped: true } => new("Skipped", Icons.Material.Outlined.RemoveCircleOutline, Tone.Neutral),
        _ => new("Open", Icons.Material.Outlined.RadioButtonUnchecked, Tone.Waiting),
    };

    private static string TitleOf(SetupStep step) => step switch
    {
        SetupStep.Host => "A host that works",
        SetupStep.Pool => "Room in its pool",
        SetupStep.Template => "A template that is built",
        SetupStep.Plan => "A plan on offer",
        SetupStep.Price => "A price for it",
        SetupStep.Tenant => "A tenant",
        SetupStep.Approver => "Somebody who decides on orders",
        SetupStep.Mail => "Mail",
    };

    // Mail is set where the portal is started, not in the browser: its row says how.
    private static (string Href, string Word)? LinkOf(SetupStep step) => step switch
    {
        SetupStep.Host or SetupStep.Pool => ("/ops/hosts", "Hosts"),
        SetupStep.Template => ("/ops/hosts", "Hosts"),
        SetupStep.Plan or SetupStep.Price => ("/billing/plans", "Plans & prices"),
        SetupStep.Tenant => ("/admin/tenants", "Tenants"),
        SetupStep.Approver => ("/admin/people", "People"),
        SetupStep.Mail => null,
    };
}
