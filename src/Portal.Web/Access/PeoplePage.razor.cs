using MudBlazor;
using Portal.App.Access;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;
using Portal.Web.Hosting;

namespace Portal.Web.Access;

/// <summary>Who has an account, and which platform roles each holds. A change holds from the person's next click on.</summary>
public partial class PeoplePage(ListPeople.Handler lists, ChangePerson.Handler changing, UnlockPerson.Handler unlocking, MakePasswordLink.Handler links, PublicAddress address, IDialogService dialogs) : PortalPage
{
    private static readonly StatusLook s_fine = new("In use", Icons.Material.Outlined.CheckCircle, Tone.Neutral);
    private static readonly StatusLook s_disabled = new("Disabled", Icons.Material.Outlined.Block, Tone.Warning);
    private static readonly StatusLook s_resting = new("Rests", Icons.Material.Outlined.Lock, Tone.Warning);

    private Result<IReadOnlyList<PersonRow>>? _people;
    private Refusal? _refusal;
    private MakePasswordLink.Made? _made;
    private bool _busy;

    protected override async Task OnInitializedAsync() => _people = await ReadAsync("people", LoadAsync);

    protected override async Task LookAgainAsync() => _people = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<PersonRow>>> LoadAsync(Actor actor, CancellationToken ct) => lists.HandleAsync(new ListPeople.Request(), actor, ct);

    private async Task ToggleAsync(PersonRow person, PlatformRole role)
    {
        var takes = person.Roles.Contains(role);
        if (!takes || person.Id != Me.User || await dialogs.AskAsync($"Give up {role}?", "You lose what the role allows at once; only an administrator can give it back.", $"Give up {role}", dangerous: true))
        {
            await ChangeAsync(person.Id, takes ? [.. person.Roles.Where(r => r != role)] : [.. person.Roles, role], person.Disabled);
        }
    }

    private async Task DisableAsync(PersonRow person)
    {
        if (person.Disabled || await dialogs.AskAsync($"Disable {person.Name}?", "The account can no longer be used, sessions that are open end with their next click. Nothing that was done is lost.", $"Disable {person.Name}", dangerous: true))
        {
            await ChangeAsync(person.Id, person.Roles, !person.Disabled);
        }
    }

    private async Task MakeLinkAsync(PersonRow person)
    {
        if (!await dialogs.AskAsync($"New password for {person.Name}?", "Makes a link with which a new password is set. The present one holds until then.", "Make the link"))
        {
            return;
        }

        _busy = true;
        StateHasChanged();
        var made = await AskAsync<MakePasswordLink.Made>((actor, ct) => links.HandleAsync(new MakePasswordLink.Request(person.Id, address.For(new Uri(Navigation.BaseUri))), actor, ct));
        _refusal = made.Refusal;
        _made = made.Succeeded ? made.Value : null;
        _busy = false;
    }

    private async Task UnlockAsync(PersonRow person)
    {
        _busy = true;
        StateHasChanged();
        _refusal = (await AskAsync<Done>((actor, ct) => unlocking.HandleAsync(new UnlockPerson.Request(person.Id), actor, ct))).Refusal;
        _busy = false;
        await LookAgainAsync();
    }

    private async Task ChangeAsync(UserId user, IReadOnlyList<PlatformRole> roles, bool disabled)
    {
        _busy = true;
        StateHasChanged();
        _refusal = (await AskAsync<Done>((actor, ct) => changing.HandleAsync(new ChangePerson.Request(user, roles, disabled), actor, ct))).Refusal;
        _busy = false;
        await LookAgainAsync();
    }

    private static string WordsOf(PlatformRole role) => role switch
    {
        PlatformRole.Administrator => "makes tenants, keeps people and the set-up",
        PlatformRole.Operator => "keeps hosts and templates; sees no money",
        PlatformRole.Biller => "keeps plans and prices; sees no hosts",
        PlatformRole.Approver => "decides on orders",
        PlatformRole.Support => "looks at everything, changes nothing",
    };
}
