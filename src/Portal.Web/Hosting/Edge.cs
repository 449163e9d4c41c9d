using Microsoft.AspNetCore.Diagnostics;
using Npgsql;

namespace Portal.Web.Hosting;

/// <summary>Headers that every answer carries.</summary>
internal static class Edge
{
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
        context.Response.StatusCode = status;
        var original = context.Features.Get<IExceptionHandlerPathFeature>()?.Path ?? context.Request.Path;
        if (original.StartsWith("/api", StringComparison.Ordinal) || original.StartsWith("/console", StringComparison.Ordinal))
        {
            await Results.Problem(detail, statusCode: status).ExecuteAsync(context);
            return;
        }

        context.Response.ContentType = "text/html; charset=utf-8";
        var encoded = System.Text.Encodings.Web.HtmlEncoder.Default.Encode(detail);
        await context.Response.WriteAsync($"<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Portal</title><body style=\"font-family:system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem\"><h1>That did not work</h1><p>{encoded}</p><p><a href=\"\">Try again</a></p></body></html>", context.RequestAborted);
    });
}
