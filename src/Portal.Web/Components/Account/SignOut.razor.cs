using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Identity;
using Portal.App.Access;

namespace Portal.Web.Components.Account;

/// <summary>Ends the session. By post alone, so that no link on another site can.</summary>
public partial class SignOut(SignInManager<PortalUser> signIn, NavigationManager navigation) : ComponentBase
{
    private async Task LeaveAsync()
    {
        await signIn.SignOutAsync();
        navigation.NavigateTo("/account/sign-in");
    }
}
