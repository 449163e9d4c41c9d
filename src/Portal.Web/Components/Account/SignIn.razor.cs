using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Identity;
using Portal.App.Access;

namespace Portal.Web.Components.Account;

/// <summary>Signs a person in by e-mail and password and goes on to the page that was asked for. Never says which half was wrong.</summary>
public partial class SignIn(SignInManager<PortalUser> signIn, IPasswordHasher<PortalUser> hasher, NavigationManager navigation) : ComponentBase
{
    // Costs an unknown address as much time as a known one with a wrong password.
    private static string? s_nobody;

    private bool _failed;

    [SupplyParameterFromForm(FormName = "sign-in")]
    private Input Form { get; set; } = default!;

    [SupplyParameterFromQuery]
    private string? ReturnUrl { get; set; }

    protected override void OnInitialized() => Form ??= new Input();

    private async Task SignInAsync()
    {
        var user = await signIn.UserManager.FindByEmailAsync(Form.Email.Trim());
        if (user is null || user.Disabled)
        {
            s_nobody ??= hasher.HashPassword(new PortalUser(), Guid.CreateVersion7().ToString());
            hasher.VerifyHashedPassword(new PortalUser(), s_nobody, Form.Password);
            _failed = true;
            return;
        }

        var result = await signIn.PasswordSignInAsync(user, Form.Password, Form.Remember, lockoutOnFailure: true);
        if (result.IsLockedOut)
        {
            navigation.NavigateTo("/account/locked-out");
        }
        else if (result.Succeeded)
        {
            navigation.NavigateTo(Local.OrHome(ReturnUrl));
        }
        else
        {
            _failed = true;
        }
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
