using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Identity;
using Portal.App.Access;

namespace Portal.Web.Components.Account;

/// <summary>Changes the password of whoever is signed in.</summary>
public partial class Password(Accounts accounts, UserManager<PortalUser> users, SignInManager<PortalUser> signIn, NavigationManager navigation) : ComponentBase
{
    private IReadOnlyList<string> _problems = [];

    [SupplyParameterFromForm(FormName = "password")]
    private Input Form { get; set; } = default!;

    [SupplyParameterFromQuery]
    private string? Changed { get; set; }

    [CascadingParameter]
    private HttpContext Http { get; set; } = default!;

    private int MinLength => users.Options.Password.RequiredLength;

    protected override void OnInitialized() => Form ??= new Input();

    private async Task ChangeAsync()
    {
        if (await users.GetUserAsync(Http.User) is not { } user)
        {
            navigation.NavigateTo("/account/sign-in");
            return;
        }

        var result = await accounts.ChangeAsync(user, Form.Old, Form.New, Http.RequestAborted);
        if (!result.Succeeded)
        {
            _problems = [.. result.Errors.Select(e => e.Code == nameof(IdentityErrorDescriber.PasswordMismatch) ? "That is not your present password." : e.Description)];
            return;
        }

        // The change gave the account a new stamp; without a fresh cookie this session would end too.
        await signIn.RefreshSignInAsync(user);
        navigation.NavigateTo("/account/password?changed=true");
    }

    private sealed class Input
    {
        [Required(ErrorMessage = "Type your present password.")]
        public string Old { get; set; } = "";

        [Required(ErrorMessage = "Type a new password.")]
        [StringLength(200, ErrorMessage = "A password has at most 200 characters.")]
        public string New { get; set; } = "";

        [Required(ErrorMessage = "Type the new password again.")]
        [Compare(nameof(New), ErrorMessage = "The two new passwords differ.")]
        public string Again { get; set; } = "";
    }
}
