using Microsoft.AspNetCore.Http.HttpResults;

namespace Portal.Web.Components.Account;

/// <summary>Return addresses come from the query, so from anyone: only a path of this portal is followed.</summary>
internal static class Local
{
    /// <summary>The path, or the start page where it leads elsewhere.</summary>
    public static string OrHome(string? url) => RedirectHttpResult.IsLocalUrl(url) ? url : "/";

    /// <summary>Whether the person asked for a page other than the start page.</summary>
    public static bool IsElsewhere(string? url) => OrHome(url) != "/";
}
