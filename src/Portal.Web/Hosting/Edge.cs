using System.Net;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using Npgsql;
using Portal.App.Setup;

namespace Portal.Web.Hosting;

/// <summary>Headers that every answer carries.</summary>
internal static class Edge
{
    /// <summary>Believes what the named proxies say of a request's origin, and nobody else.</summary>
    /// <exception cref="SetupException">What was named is no address.</exception>
    public static void Trust(ForwardedHeadersOptions forwarded, IOptions<PortalOptions> portal)
    {
        forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
        foreach (var word in portal.Value.TrustedProxies.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (IPAddress.TryParse(word, out var proxy))
            {
                forwarded.KnownProxies.Add(proxy);
            }
            else
            {
                forwarded.KnownIPNetworks.Add(System.Net.IPNetwork.TryParse(word, out var network) ? network : throw new SetupException($"Portal__TrustedProxies: {word} is no address and no network. Write 10.0.0.5 or 172.16.0.0/12."));
            }
        }
    }

    public static void UsePortalHeaders(this WebApplication app) => app.Use((context, next) =>
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers.XFrameOptions = "DENY";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        return next(context);
    });
}

/// <summary>What a program or a browser gets when the portal itself failed: a status, what to do, and no stack trace.</summary>
internal static class Faulted
{
    public static void Handle(IApplicationBuilder app) => app.Run(async context =>
    {
        var fault = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var (status, detail) = fault switch
        {
            BadHttpRequestException bad => (bad.StatusCode, "The request could not be read. Send a JSON body as the interactive document under /scalar shows it."),
            NpgsqlException or InvalidOperationException { InnerException: NpgsqlException } or TimeoutException =>
                (StatusCodes.Status503ServiceUnavailable, "The database cannot be reached at the moment. Nothing was done; repeat the request in a few seconds."),
            _ => (StatusCodes.Status500InternalServerError, $"The portal met a fault. If it stays, tell an operator the reference {context.TraceIdentifier}."),
        };
        await SayAsync(context, status, detail, context.RequestAborted);
    });

    /// <summary>A program gets a problem, a person a page that needs nothing else of the portal.</summary>
    public static async Task SayAsync(HttpContext context, int status, string detail, CancellationToken ct)
    {
        context.Response.StatusCode = status;
        var original = context.Features.Get<IExceptionHandlerPathFeature>()?.Path ?? context.Request.Path;
        if (original.StartsWith("/api", StringComparison.Ordinal) || original.StartsWith("/console", StringComparison.Ordinal))
        {
            await Results.Problem(detail, statusCode: status).ExecuteAsync(context);
            return;
        }

        context.Response.ContentType = "text/html; charset=utf-8";
        var encoded = System.Text.Encodings.Web.HtmlEncoder.Default.Encode(detail);
        await context.Response.WriteAsync($"<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Portal</title><body style=\"font-family:system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem\"><h1>That did not work</h1><p>{encoded}</p><p><a href=\"\">Try again</a></p></body></html>", ct);
    }
}
