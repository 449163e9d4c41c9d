using Microsoft.AspNetCore.WebUtilities;

namespace Portal.Web.Components.Shared;

/// <summary>Addresses that carry a list's state. What is at its default is left out.</summary>
public static class UrlState
{
    /// <summary>The path with those of the values that say something.</summary>
    public static string With(string path, params (string Name, string? Value)[] values) =>
        QueryHelpers.AddQueryString(path, values.Where(v => !string.IsNullOrEmpty(v.Value)).Select(v => KeyValuePair.Create(v.Name, v.Value)));
}
