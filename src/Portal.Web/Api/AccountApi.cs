using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Identity;
using Portal.App.Access;

namespace Portal.Web.Api;

/// <summary>Signing in for programs.</summary>
internal static class AccountApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapPost("/sign-in", SignInAsync).AllowAnonymous().WithTags("Account").WithName("SignIn")
            .WithSummary("Gives a bearer token for an e-mail address and a password.")
            .Produces<AccessTokenResponse>().ProducesProblem(401);
        api.MapGet("/me", (HttpContext http) => Results.Ok(MeJson.Of(http.Actor()))).WithTags("Account").WithName("GetMe")
            .WithSummary("Who you are, and what you may do.").Produces<MeJson>();
    }

    private static async Task<IResult> SignInAsync(SignInBody body, SignInManager<PortalUser> signIn)
    {
        signIn.AuthenticationScheme = IdentityConstants.BearerScheme;
        var user = await signIn.UserManager.FindByEmailAsync(body.Email.Trim());
        if (user is { Disabled: false })
        {
            var result = await signIn.PasswordSignInAsync(user, body.Password, isPersistent: false, lockoutOnFailure: true);
            if (result.Succeeded)
            {
                // The handler has written the token to the answer.
                return Results.Empty;
            }

            if (result.IsLockedOut)
            {
                return Results.Problem("Too many wrong passwords: this account is locked for some minutes.", statusCode: StatusCodes.Status401Unauthorized);
            }
        }

        return Results.Problem("E-mail address or password is wrong.", statusCode: StatusCodes.Status401Unauthorized);
    }
}
