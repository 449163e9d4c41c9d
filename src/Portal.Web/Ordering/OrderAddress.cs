using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using Portal.Web.Components.Shared;

namespace Portal.Web.Ordering;

/// <summary>A line of an order form as it stands in an address.</summary>
/// <param name="Template">Its slug; null for the first on offer.</param>
/// <param name="Plan">Its name; null for the first on offer.</param>
/// <param name="Size">vCPUs, MiB of memory and GiB of disk where the plan's size is chosen: <c>2-512-5</c>; null for its smallest.</param>
/// <param name="Until">Its last day; null where it may stay.</param>
internal sealed record LineInAddress(string? Template, string? Plan, string Name, long Count, string? Size = null, DateOnly? Until = null);

/// <summary>The address of an order form that is filled in. Several lines repeat their words: <c>?template=a&amp;plan=S&amp;name=web-{n}&amp;count=2&amp;template=b...</c></summary>
internal static class OrderAddress
{
    public static string Of(string path, string? draft, IReadOnlyList<LineInAddress> lines, string key, string note)
    {
        var all = UrlState.With(path, ("draft", draft), ("key", key), ("note", note));
        return lines is [var only]
            ? UrlState.With(all, ("template", only.Template), ("plan", only.Plan), ("name", only.Name), ("count", only.Count == 1 ? null : Text(only.Count)), ("size", only.Size), ("until", Text(only.Until)))
            // Each word of each line, so that the third name is the third line's.
            : QueryHelpers.AddQueryString(all, lines.SelectMany(l => new[]
            {
                KeyValuePair.Create<string, string?>("template", l.Template ?? ""),
                KeyValuePair.Create<string, string?>("plan", l.Plan ?? ""),
                KeyValuePair.Create<string, string?>("name", l.Name),
                KeyValuePair.Create<string, string?>("count", Text(l.Count)),
                KeyValuePair.Create<string, string?>("size", l.Size ?? ""),
                KeyValuePair.Create<string, string?>("until", Text(l.Until) ?? ""),
            }));
    }

    /// <summary>The lines of an address, whatever it says: what is missing is left to whoever fills the form.</summary>
    public static IReadOnlyList<LineInAddress> Read(string[]? templates, string[]? plans, string[]? names, string[]? counts, string[]? sizes, string[]? untils, int max)
    {
        var lines = Math.Clamp(new[] { templates, plans, names, counts, sizes, untils }.Max(w => w?.Length ?? 0), 1, max);
        return [.. Enumerable.Range(0, lines).Select(i => new LineInAddress(At(templates, i), At(plans, i), At(names, i) ?? "", long.TryParse(At(counts, i), NumberStyles.Integer, CultureInfo.InvariantCulture, out var count) ? count : 1, At(sizes, i) is { Length: > 0 } size ? size : null, DateOnly.TryParseExact(At(untils, i), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var until) ? until : null))];
    }

    public static string Size(long vcpus, long memoryMiB, long diskGiB) => string.Create(CultureInfo.InvariantCulture, $"{vcpus}-{memoryMiB}-{diskGiB}");

    /// <summary>The numbers of a size; null where it is none.</summary>
    public static (long Vcpus, long MemoryMiB, long DiskGiB)? ReadSize(string? text) =>
        text?.Split('-') is [var vcpus, var memory, var disk] && Number(vcpus) is { } v && Number(memory) is { } m && Number(disk) is { } d ? (v, m, d) : null;

    private static long? Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string? At(string[]? words, int i) => words is not null && i < words.Length ? words[i] : null;

    private static string? Text(DateOnly? day) => day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Text(long count) => count.ToString(CultureInfo.InvariantCulture);
}
