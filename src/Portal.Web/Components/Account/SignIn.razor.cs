using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Identity;
using Portal.App.Access;

namespace Portal.Web.Components.Account;

/// <summary>Signs a person in by e-mail and password and goes on to the page that was asked for. Never says which half was wrong.</summary>
public partial class SignIn(Accounts accounts, SignInManager<PortalUser> signIn, NavigationManager navigation) : ComponentBase
{
    private bool _failed;

    [SupplyParameterFromForm(FormName = "sign-in")]
    private Input Form { get; set; } = default!;

    [SupplyParameterFromQuery]
    private string? ReturnUrl { get; set; }

    [CascadingParameter]
    private HttpContext Http { get; set; } = default!;

    protected override void OnInitialized() => Form ??= new Input();

    private async Task SignInAsync()
    {
        if (await accounts.CheckAsync(Form.Email, Form.Password, Http.RequestAborted) is not { } user)
        {
            _failed = true;
            return;
        }

        await signIn.SignInAsync(user, Form.Remember);
        navigation.NavigateTo(Local.OrHome(ReturnUrl));
    }

    private sealed class Input
    {
        [Required(ErrorMessage = "Type your e-mail address.")]
        [StringLength(256, ErrorMessage = "An e-mail address has at most 256 characters.")]
        public string Email { get; set; } = "";

        [Required(ErrorMessage = "Type your password.")]
        [StringLength(200, ErrorMessage = "A password has at most 200 characters.")]
        public string Password { get; set; } = "";

        public bool Remember { get; set; }
    }
}
