using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Identity;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.Web.Access;

/// <summary>Who uses this circuit, with the roles held at the moment of asking.</summary>
public sealed class CurrentActor(AuthenticationStateProvider authentication, ActorSource actors)
{
    private static readonly string s_stamp = new ClaimsIdentityOptions().SecurityStampClaimType;

    /// <summary>Loads the person anew at each call, so that a role that was taken, an account that was disabled, or a password that was changed, holds at once.</summary>
    /// <exception cref="SignedOutException">Nobody is signed in, or the account is gone or disabled.</exception>
    public async Task<Actor> GetAsync(CancellationToken ct)
    {
        var state = await authentication.GetAuthenticationStateAsync();
        return Of(state.User) is { } who && await actors.LoadAsync(who, ct) is { } actor ? actor : throw new SignedOutException();
    }

    /// <summary>Who a principal says has signed in; null for everybody else.</summary>
    public static SignedIn? Of(ClaimsPrincipal principal) =>
        principal.Identity?.IsAuthenticated == true && Id.TryParse<UserId>(principal.FindFirstValue(ClaimTypes.NameIdentifier), out var id)
            ? new SignedIn(id, principal.FindFirstValue(s_stamp))
            : null;
}

/// <summary>Nobody is signed in any more.</summary>
public sealed class SignedOutException : Exception
{
    public SignedOutException()
        : base("You are signed out. Sign in again.")
    {
    }
}
