using System.Net;

namespace Portal.Benchmarks.Client;

/// <summary>The portal answered with a problem.</summary>
internal sealed class PortalSaidNo(HttpMethod method, string path, HttpStatusCode status, Problem? problem)
    : Exception($"{problem?.Detail ?? problem?.Title ?? "The portal said no."} ({method} {path}: {(int)status}{(problem?.Code is { } code ? ", " + code : "")})")
{
    public HttpStatusCode Status => status;

    public string? Code => problem?.Code;
}
