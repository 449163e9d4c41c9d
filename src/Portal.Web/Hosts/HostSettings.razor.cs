using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App.Fleet;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Hosts;

/// <summary>Where a host is, what the portal uses on it, and what is not sold.</summary>
public partial class HostSettings(ChangeHost.Handler changing, ISnackbar snackbar) : PortalPage
{
    private HostDraft _form = new();
    private Refusal? _problem;
    private Refusal? _refusal;
    private bool _busy;

    [Parameter, EditorRequired]
    public GetHost.Details Host { get; set; } = default!;

    [Parameter]
    public EventCallback Saved { get; set; }

    // Once: what is typed is not taken away by what is read again.
    protected override void OnInitialized() => _form = HostDraft.From(Host);

    private void Changed() => _problem = AddHost.Check(_form.ToForm());

    private async Task SaveAsync()
    {
        _busy = true;
        var saved = await AskAsync<Done>((actor, ct) => changing.HandleAsync(new ChangeHost.Request(Host.Row.Id, _form.ToForm()), actor, ct));
        _busy = false;
        _problem = saved.Refusal is { Field: not null } field ? field : null;
        _refusal = saved.Refusal is { Field: null } whole ? whole : null;
        if (saved.Succeeded)
        {
            snackbar.Add($"{Host.Row.Name} is saved.", Severity.Success);
            await Saved.InvokeAsync();
        }
    }
}
