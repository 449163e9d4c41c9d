using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Ordering;

/// <summary>All that an approver needs for a yes or a no, on one page. When somebody else decides meanwhile, the buttons go and the word shows.</summary>
public partial class DecisionPage(GetDecision.Handler decisions, DecideOrder.Handler deciding, ISnackbar snackbar) : PortalPage
{
    private static readonly StatusLook s_fits = new("Fits", Icons.Material.Outlined.CheckCircle, Tone.Success);
    private static readonly StatusLook s_full = new("No host has room", Icons.Material.Outlined.ErrorOutline, Tone.Error);

    private Result<GetDecision.Facts>? _facts;
    private Refusal? _refusal;
    private string? _reason;
    private string? _reasonProblem;
    private bool _busy;

    // The step that an administrator decides on in somebody's place; null for the person's own vote.
    private ApprovalStepRow? _place;

    [Parameter]
    public string Order { get; set; } = "";

    protected override async Task OnParametersSetAsync()
    {
        if (!Id.TryParse<OrderId>(Order, out var id))
        {
            _facts = Result<GetDecision.Facts>.Of(new NotFound("order"));
            return;
        }

        Follow(Topic.Of(id), Topic.Hosts);
        _facts = await ReadAsync("facts", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _facts = await AskAsync(LoadAsync);

    private Task<Result<GetDecision.Facts>> LoadAsync(Actor actor, CancellationToken ct) =>
        Id.TryParse<OrderId>(Order, out var id)
            ? decisions.HandleAsync(new GetDecision.Request(id), actor, ct)
            : Task.FromResult(Result<GetDecision.Facts>.Of(new NotFound("order")));

    private async Task DecideAsync(Verdict verdict)
    {
        // The second click of a double one may come when the first is done and the buttons are not gone yet.
        if (_busy || _facts is not { Succeeded: true } read || !(read.Value.Order.CanDecide || _place is not null) || !Id.TryParse<OrderId>(Order, out var id))
        {
            return;
        }

        _busy = true;
        var order = read.Value.Order;
        var finishes = verdict == Verdict.Deny || Finishes(order);
        // What was looked at is what is decided on: where the order has gone on meanwhile, nothing is.
        var request = new DecideOrder.Request(id, verdict, _reason ?? "", _place?.Id, order.Steps.FirstOrDefault(s => s.State == ApprovalStepState.Open)?.Stage);
        var done = await AskAsync<Done>((actor, ct) => deciding.HandleAsync(request, actor, ct));
        _reasonProblem = done.Refusal is { Field: "reason" } wrong ? wrong.Message : null;
        _refusal = _reasonProblem is null ? done.Refusal : null;
        if (done.Succeeded)
        {
            _place = null;
            snackbar.Add(verdict == Verdict.Deny ? "Denied: the requester reads your reason." : finishes ? "Approved: it is being built." : "Your yes is counted.", Severity.Success);
        }

        await LookAgainAsync();
        _busy = false;
    }

    // Whether a yes is the last that the order needs.
    private bool Finishes(GetOrder.Details order) => order.Steps.Where(s => s.State is ApprovalStepState.Open or ApprovalStepState.Later)
        .All(s => _place is { } place ? s.Id == place.Id : s.Mine && s.Yes + 1 >= s.VotesNeeded);
}
