using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Identity;
using Portal.App;
using Portal.App.Access;

namespace Portal.Web.Hosting;

/// <summary>Accounts, cookies for people and bearer tokens for programs.</summary>
internal static class SignIn
{
    /// <summary>Either of the two ways in.</summary>
    public const string Any = "portal";

    /// <summary>The rate limit of everything that takes or mails a password.</summary>
    public const string Limit = "sign-in";

    private const int TriesPerMinute = 30;

    public static IServiceCollection AddPortalSignIn(this IServiceCollection services)
    {
        services.AddAuthentication(options =>
            {
                options.DefaultScheme = Any;
                options.DefaultSignInScheme = IdentityConstants.ApplicationScheme;
            })
            .AddPolicyScheme(Any, null, options => options.ForwardDefaultSelector = context =>
                context.Request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
                    ? IdentityConstants.BearerScheme
                    : IdentityConstants.ApplicationScheme)
            .AddBearerToken(IdentityConstants.BearerScheme, options => options.BearerTokenExpiration = TimeSpan.FromHours(1))
            .AddIdentityCookies(cookies => cookies.ApplicationCookie!.Configure(Cookie));
        services.AddIdentityCore<PortalUser>(options =>
            {
                options.User.RequireUniqueEmail = true;
                options.Password.RequiredLength = 12;
                options.Password.RequireNonAlphanumeric = false;
                options.Password.RequireUppercase = false;
                options.Password.RequireLowercase = false;
                options.Password.RequireDigit = false;
                options.Password.RequiredUniqueChars = 5;
                options.Lockout.MaxFailedAccessAttempts = 5;
                options.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(5);
            })
            .AddEntityFrameworkStores<PortalDb>()
            .AddSignInManager()
            .AddDefaultTokenProviders();
        // A password change or a disabled account ends other sessions within this time; what they may do is looked at with each call anyway.
        services.Configure<SecurityStampValidatorOptions>(options => options.ValidationInterval = TimeSpan.FromSeconds(30));
        services.AddAuthorization();
        services.AddScoped<Accounts>();
        services.AddSingleton<PublicAddress>();
        services.AddSingleton<PasswordMails>();
        services.AddHostedService(s => s.GetRequiredService<PasswordMails>());
        services.AddRateLimiter(limiter =>
        {
            limiter.AddPolicy(Limit, PartitionOf);
            limiter.OnRejected = async (rejected, ct) =>
            {
                rejected.HttpContext.Response.Headers.RetryAfter = "60";
                await Faulted.SayAsync(rejected.HttpContext, StatusCodes.Status429TooManyRequests, "Too many tries came from your address. Wait a minute, then try again.", ct);
            };
        });
        services.AddCascadingAuthenticationState();
        return services;
    }

    // Each account has a limit of its own; this one is for those who try many accounts. A request from the portal's own machine has none: its tools come from
    // there. A proxy elsewhere has to be named in TrustedProxies, or all who come through it share one.
    private static RateLimitPartition<string> PartitionOf(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method) || context.Connection.RemoteIpAddress is not { } from || IPAddress.IsLoopback(from))
        {
            return RateLimitPartition.GetNoLimiter("");
        }

        // A customer's IPv6 network has 64 bits of addresses to try from.
        var bytes = from.IsIPv4MappedToIPv6 ? from.MapToIPv4().GetAddressBytes() : from.GetAddressBytes();
        return RateLimitPartition.GetSlidingWindowLimiter(
            Convert.ToHexString(bytes, 0, Math.Min(bytes.Length, 8)),
            _ => new SlidingWindowRateLimiterOptions { PermitLimit = TriesPerMinute, Window = TimeSpan.FromMinutes(1), SegmentsPerWindow = 6 });
    }

    private static void Cookie(CookieAuthenticationOptions options)
    {
        options.LoginPath = "/account/sign-in";
        options.LogoutPath = "/account/sign-out";
        options.AccessDeniedPath = "/account/denied";
        options.ReturnUrlParameter = "ReturnUrl";
        options.Cookie.Name = "portal";
        options.Cookie.SameSite = SameSiteMode.Lax;
        options.ExpireTimeSpan = TimeSpan.FromHours(12);
        options.SlidingExpiration = true;
        // A program asks for JSON and gets a status, never a page to sign in on.
        options.Events.OnRedirectToLogin = context => StatusOrRedirect(context, StatusCodes.Status401Unauthorized);
        options.Events.OnRedirectToAccessDenied = context => StatusOrRedirect(context, StatusCodes.Status403Forbidden);
    }

    private static Task StatusOrRedirect(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        if (context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal))
        {
            context.Response.StatusCode = status;
        }
        else
        {
            context.Response.Redirect(context.RedirectUri);
        }

        return Task.CompletedTask;
    }
}
