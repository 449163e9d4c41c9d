using Portal.Kernel;

namespace Portal.Web;

/// <summary>Refusals as RFC 9457 problems.</summary>
internal static class Problems
{
    public static int StatusOf(Refusal refusal) => refusal.Kind switch
    {
        RefusalKind.Rule => StatusCodes.Status409Conflict,
        RefusalKind.Invalid => StatusCodes.Status422UnprocessableEntity,
        RefusalKind.NotFound => StatusCodes.Status404NotFound,
        RefusalKind.Forbidden => StatusCodes.Status403Forbidden,
        RefusalKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
    };

    public static IResult From(Refusal refusal)
    {
        var extensions = new Dictionary<string, object?> { ["code"] = refusal.Code };
        if (refusal.Path is { } field)
        {
            extensions["field"] = field;
        }

        if (refusal.Also.Count > 0)
        {
            extensions["errors"] = refusal.Also.Prepend(refusal).Select(r => new { Field = r.Path, r.Message });
        }

        return Results.Problem(refusal.Message, statusCode: StatusOf(refusal), extensions: extensions);
    }

    /// <summary>A value as JSON, or the refusal as a problem.</summary>
    public static IResult Answer<T, TJson>(this Result<T> result, Func<T, TJson> json) =>
        result.TryGet(out var value, out var refusal) ? Results.Ok(json(value)) : From(refusal);

    /// <summary>204, or the refusal as a problem.</summary>
    public static IResult Answer(this Result<Done> result) =>
        result.TryGet(out _, out var refusal) ? Results.NoContent() : From(refusal);
}
