using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App.Ordering;
using Portal.App.Policies;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Policies;

/// <summary>Edits one policy: its limits, its steps, a trial on past orders, and saving as the next version.</summary>
public partial class PolicyEditor(SavePolicy.Handler saving, TryPolicy.Handler trying, IDialogService dialogs, ISnackbar snackbar) : PortalPage
{
    private PolicyDraft _draft = new();
    private (int Version, PolicyBody? From)? _shown;
    private TryPolicy.Trial? _trial;
    private Refusal? _refusal;
    private string? _note;
    private bool _busy;

    [Parameter, EditorRequired]
    public GetPolicy.Details Details { get; set; } = default!;

    /// <summary>An earlier version to start from; null for what is in force.</summary>
    [Parameter]
    public PolicyBody? StartFrom { get; set; }

    /// <summary>A version was written.</summary>
    [Parameter]
    public EventCallback Saved { get; set; }

    protected override void OnParametersSet()
    {
        if (_shown != (Details.Version, StartFrom))
        {
            _shown = (Details.Version, StartFrom);
            Use(StartFrom ?? Details.InForce?.Body ?? PolicyBody.Nobody);
        }
    }

    private void Use(PolicyBody body) => (_draft, _trial, _note) = (PolicyDraft.Of(body, Details.Currency.Code), null, null);

    private void Set(ByItself how) => Touch(() => _draft.ByItself = how);

    // What was tried is no longer what stands there.
    private void Touch(Action change)
    {
        change();
        Touched();
    }

    private void Touched() => _trial = null;

    private IReadOnlyList<Refusal> Problems() =>
        _refusal is { Kind: RefusalKind.Invalid } said ? [.. PolicyShape.Check(_draft.ToBody(), Details.Side), said] : PolicyShape.Check(_draft.ToBody(), Details.Side);

    private static string? ErrorOf(IReadOnlyList<Refusal> problems, string path) => problems.FirstOrDefault(p => p.Path == path)?.Message;

    private async Task TryAsync()
    {
        _busy = true;
        var tried = await AskAsync<TryPolicy.Trial>((actor, ct) => trying.HandleAsync(new TryPolicy.Request(Details.Tenant, Details.Side, _draft.ToBody()), actor, ct));
        _busy = false;
        _refusal = tried.Refusal;
        _trial = tried.TryGet(out var trial, out _) ? trial : null;
    }

    private async Task SaveAsync()
    {
        if (!_busy && Problems().Count == 0)
        {
            await WriteAsync(_draft.ToBody());
        }
    }

    private async Task WithdrawAsync()
    {
        var (question, what) = Details.Side == PolicySide.Tenant
            ? ("Ask nobody any more?", "New orders of this tenant go straight to the provider. Orders that wait already are not touched.")
            : ("Use the platform's policy again?", "New orders of this tenant come under the platform's policy. Orders that wait already are not touched.");
        if (await dialogs.AskAsync(question, what, Details.Side == PolicySide.Tenant ? "Ask nobody" : "Use the platform's"))
        {
            await WriteAsync(null);
        }
    }

    private async Task WriteAsync(PolicyBody? body)
    {
        _busy = true;
        var saved = await AskAsync<int>((actor, ct) => saving.HandleAsync(new SavePolicy.Request(Details.Tenant, Details.Side, body, _note ?? "", Details.Version), actor, ct));
        _busy = false;
        _refusal = saved.Refusal;
        if (saved.TryGet(out var version, out _))
        {
            snackbar.Add($"Version {version} is in force.", Severity.Success);
            await Saved.InvokeAsync();
        }
    }
}
