using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Identity;
using Portal.App;
using Portal.App.Access;
using Portal.App.Tenants;
using Portal.Web.Access;

namespace Portal.Web.Components.Account;

/// <summary>Where the link of an invitation leads: whoever holds it joins, with the account at hand or a new one.</summary>
public partial class InvitationPage(PortalDbs dbs, AcceptInvitation.Handler accepting, UserManager<PortalUser> users, SignInManager<PortalUser> signIn, ActorSource actors, TimeProvider clock) : ComponentBase
{
    private AcceptInvitation.Offer? _offer;
    private string? _signedInAs;
    private IReadOnlyList<string> _problems = [];

    [Parameter]
    public string Token { get; set; } = "";

    [SupplyParameterFromForm(FormName = "register")]
    private Input Form { get; set; } = default!;

    [CascadingParameter]
    private HttpContext Http { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    private int MinLength => users.Options.Password.RequiredLength;

    private string SignInHref => $"/account/sign-in?returnUrl={Uri.EscapeDataString($"/account/invitation/{Token}")}";

    protected override async Task OnInitializedAsync()
    {
        Form ??= new Input();
        _offer = await AcceptInvitation.FindAsync(dbs, Token, Http.RequestAborted);
        _signedInAs = CurrentActor.Of(Http.User) is { } who ? (await actors.LoadAsync(who, Http.RequestAborted))?.Name : null;
    }

    private async Task JoinAsync()
    {
        if (CurrentActor.Of(Http.User) is { } who)
        {
            await TakeAsync(await actors.LoadAsync(who, Http.RequestAborted));
        }
    }

    private async Task RegisterAsync()
    {
        if (_offer is not { } offer)
        {
            return;
        }

        var user = new PortalUser { UserName = offer.Email, Email = offer.Email, EmailConfirmed = true, DisplayName = Form.Name.Trim(), LockoutEnabled = true, CreatedAt = clock.GetUtcNow() };
        var made = await users.CreateAsync(user, Form.Password);
        if (!made.Succeeded)
        {
            _problems = [.. made.Errors.Where(e => e.Code != nameof(IdentityErrorDescriber.DuplicateUserName))
                .Select(e => e.Code == nameof(IdentityErrorDescriber.DuplicateEmail) ? "There is an account for this address already. Sign in, then come back to this page." : e.Description)];
            return;
        }

        await signIn.SignInAsync(user, isPersistent: false);
        await TakeAsync(await actors.LoadAsync(user.UserId, Http.RequestAborted));
    }

    private async Task TakeAsync(Actor? actor)
    {
        if (actor is null)
        {
            return;
        }

        var joined = await accepting.HandleAsync(new AcceptInvitation.Request(Token), actor, Http.RequestAborted);
        if (joined.TryGet(out var offer, out var refusal))
        {
            Navigation.NavigateTo($"/t/{offer.TenantSlug}");
            return;
        }

        _problems = [refusal.Message];
    }

    private sealed class Input
    {
        [Required(ErrorMessage = "Type your name.")]
        [StringLength(PortalUser.MaxDisplayName, ErrorMessage = "A name has at most 100 characters.")]
        public string Name { get; set; } = "";

        [Required(ErrorMessage = "Choose a password.")]
        [StringLength(200, ErrorMessage = "A password has at most 200 characters.")]
        public string Password { get; set; } = "";
    }
}
