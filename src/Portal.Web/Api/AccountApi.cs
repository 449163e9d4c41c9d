using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Identity;
using Portal.App.Access;

namespace Portal.Web.Api;

/// <summary>Signing in for programs.</summary>
internal static class AccountApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapPost("/sign-in", SignInAsync).AllowAnonymous().RequireRateLimiting(Hosting.SignIn.Limit).WithTags("Account").WithName("SignIn")
            .WithSummary("Gives a bearer token for an e-mail address and a password.")
            .Produces<AccessTokenResponse>().ProducesProblem(401).ProducesProblem(429);
        api.MapGet("/me", (HttpContext http) => Results.Ok(MeJson.Of(http.Actor()))).WithTags("Account").WithName("GetMe")
            .WithSummary("Who you are, and what you may do.").Produces<MeJson>();
    }

    private static async Task<IResult> SignInAsync(SignInBody body, Accounts accounts, SignInManager<PortalUser> signIn, CancellationToken ct)
    {
        if (await accounts.CheckAsync(body.Email, body.Password, ct) is not { } user)
        {
            return Results.Problem("E-mail address and password do not match, or the account rests: after five wrong tries it does for five minutes.", statusCode: StatusCodes.Status401Unauthorized);
        }

        // The handler writes the token to the answer.
        signIn.AuthenticationScheme = IdentityConstants.BearerScheme;
        await signIn.SignInAsync(user, isPersistent: false);
        return Results.Empty;
    }
}
