using Portal.App.Access;
using Portal.App.Fleet;
using Portal.App.Hosts;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Hosts;

/// <summary>Adds a host: where it is, the key that it shows, what the portal may use there.</summary>
public partial class NewHostPage(ListHosts.Handler lists, LookAtHost.Handler looking, AddHost.Handler adding) : PortalPage
{
    private readonly HostDraft _form = new();
    private Result<IReadOnlyList<HostRow>>? _hosts;
    private LookAtHost.ShownKey? _key;
    private Refusal? _problem;
    private Refusal? _refusal;
    private bool _confirmed;
    private bool _tried;
    private bool _busy;

    protected override async Task OnInitializedAsync()
    {
        _hosts = await ReadAsync("hosts", LoadAsync);
        if (_hosts is { Succeeded: true } && !May(Permission.ManageHosts))
        {
            _hosts = Result<IReadOnlyList<HostRow>>.Of(new NotAllowed(Permission.ManageHosts));
        }
    }

    protected override async Task LookAgainAsync() => _hosts = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<HostRow>>> LoadAsync(Actor actor, CancellationToken ct) => lists.HandleAsync(new ListHosts.Request(), actor, ct);

    // Before the first try only what was filled in is judged: an empty form is not wrong yet.
    private void Changed() => _problem = _tried ? AddHost.Check(_form.ToForm()) : _form.Filled(AddHost.Check(_form.ToForm()));

    private void PlaceChanged()
    {
        // Another place has another key.
        (_key, _confirmed) = (null, false);
        Changed();
    }

    private string? ErrorOf(string field) => _problem?.On(field);

    private async Task LookAtKeyAsync()
    {
        _busy = true;
        (_key, _confirmed) = (null, false);
        StateHasChanged();
        var shown = await AskAsync<LookAtHost.ShownKey>((actor, ct) => looking.HandleAsync(new LookAtHost.Request(_form.Address, _form.Port), actor, ct));
        _busy = false;
        Show(shown.Refusal);
        _key = shown.Succeeded ? shown.Value : null;
    }

    private async Task AddAsync()
    {
        _tried = true;
        var key = _confirmed ? _key?.Line : null;
        _problem = AddHost.Check(_form.ToForm()) ?? (key is null ? new Invalid("hostKey", _key is null ? "Let the portal show the host's key, and compare it." : "Compare the key, and say that it is the same.") : null);
        if (_problem is not null || key is null)
        {
            return;
        }

        _busy = true;
        var added = await AskAsync<HostId>((actor, ct) => adding.HandleAsync(new AddHost.Request(_form.ToForm(), key), actor, ct));
        _busy = false;
        Show(added.Refusal);
        if (added.Succeeded)
        {
            Navigation.NavigateTo($"/ops/hosts/{added.Value}/installation");
        }
    }

    private void Show(Refusal? refusal)
    {
        _problem = refusal is { Field: not null } ? refusal : null;
        _refusal = refusal is { Field: null } ? refusal : null;
    }

    // How OpenSSH names the file of a key of this type.
    private static string FileOf(string type) => type switch
    {
        "ssh-ed25519" => "ed25519",
        "ssh-rsa" => "rsa",
        _ => "ecdsa",
    };
}
