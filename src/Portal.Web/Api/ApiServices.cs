using System.Text.Json.Serialization;
using Portal.App.Access;
using Portal.Web.Access;
using Scalar.AspNetCore;

namespace Portal.Web.Api;

/// <summary>REST under /api/v1: the same handlers as the pages, a cookie or a bearer token, problems as RFC 9457.</summary>
internal static class ApiServices
{
    public static IServiceCollection AddPortalApi(this IServiceCollection services)
    {
        services.AddProblemDetails();
        services.AddTransient<OrderApi.Catalogue>();
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter());
            json.SerializerOptions.RespectNullableAnnotations = true;
            json.SerializerOptions.RespectRequiredConstructorParameters = true;
        });
        // A body that cannot be read reaches the edge, which says so in words.
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.AddOpenApi("v1", openApi =>
        {
            openApi.AddDocumentTransformer((document, _, _) =>
            {
                document.Info.Title = "Portal";
                document.Info.Version = "1";
                document.Info.Description = "Self-service hosting. Sign in with POST /api/v1/sign-in and send the token as `Authorization: Bearer`. What takes time answers 202 with an operation; follow it under /api/v1/operations/{id}.";
                // The address it was read from is not part of the contract.
                document.Servers?.Clear();
                return Task.CompletedTask;
            });
        });
        return services;
    }

    public static void MapPortalApi(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();
        app.MapScalarApiReference("/scalar", scalar => scalar.WithTitle("Portal").WithOpenApiRoutePattern("/openapi/{documentName}.json")
            // A page of this portal asks nobody else for anything, and sells nothing.
            .DisableDefaultFonts().DisableTelemetry().DisableAgent().DisableMcp().HideClientButton().HideDeveloperTools()).AllowAnonymous();

        var api = app.MapGroup("/api/v1").RequireAuthorization().AddEndpointFilter(AsActorAsync).DisableAntiforgery();
        AccountApi.Map(api);
        TenantApi.Map(api);
        PeopleApi.Map(api);
        CatalogueApi.Map(api);
        OrderApi.Map(api);
        PolicyApi.Map(api);
        SavedOrderApi.Map(api);
        VmApi.Map(api);
        StaffApi.Map(api);
        app.MapFallback("/api/{**rest}", () => Results.Problem("There is no such address in this API. Its document is at /openapi/v1.json.", statusCode: StatusCodes.Status404NotFound)).ExcludeFromDescription();
    }

    /// <summary>The person behind the request, loaded once for it.</summary>
    public static Actor Actor(this HttpContext context) =>
        (Actor?)context.Items[typeof(Actor)] ?? throw new InvalidOperationException("The endpoint is not behind the actor filter.");

    private static async ValueTask<object?> AsActorAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (CurrentActor.Of(http.User) is not { } who)
        {
            return http.GetEndpoint()?.Metadata.GetMetadata<Microsoft.AspNetCore.Authorization.IAllowAnonymous>() is null
                ? Results.Problem("Sign in first.", statusCode: StatusCodes.Status401Unauthorized)
                : await next(context);
        }

        if (await http.RequestServices.GetRequiredService<ActorSource>().LoadAsync(who, http.RequestAborted) is not { } actor)
        {
            return Results.Problem("This sign-in does not hold any more: the account is gone or disabled, or its password was changed. Sign in again.", statusCode: StatusCodes.Status401Unauthorized);
        }

        http.Items[typeof(Actor)] = actor;
        return await next(context);
    }
}
