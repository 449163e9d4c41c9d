using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.Web.Access;

/// <summary>Who uses this circuit, with the roles held at the moment of asking.</summary>
public sealed class CurrentActor(AuthenticationStateProvider authentication, ActorSource actors)
{
    /// <summary>Loads the person anew at each call, so that a role that was taken, or an account that was disabled, is gone at once.</summary>
    /// <exception cref="SignedOutException">Nobody is signed in, or the account is gone or disabled.</exception>
    public async Task<Actor> GetAsync(CancellationToken ct)
    {
        var state = await authentication.GetAuthenticationStateAsync();
        return UserIdOf(state.User) is { } user && await actors.LoadAsync(user, ct) is { } actor ? actor : throw new SignedOutException();
    }

    /// <summary>The account's id from a signed-in principal; null for everybody else.</summary>
    public static UserId? UserIdOf(ClaimsPrincipal principal) =>
        principal.Identity?.IsAuthenticated == true && Id.TryParse<UserId>(principal.FindFirstValue(ClaimTypes.NameIdentifier), out var id) ? id : null;
}

/// <summary>Nobody is signed in any more.</summary>
public sealed class SignedOutException : Exception
{
    public SignedOutException()
        : base("You are signed out. Sign in again.")
    {
    }
}
