using System.Text.Json;
using Portal.Engine;

namespace Portal.App.Operations;

/// <summary>The commands of a step as its row keeps them: JSON, and no more than a person would read.</summary>
internal static class StepJournal
{
    public const int MaxLength = 16_000;

    private const int MaxLine = 1000;

    public static IReadOnlyList<JournalLine> Read(string text) => text.Length == 0 ? [] : JsonSerializer.Deserialize<List<JournalLine>>(text) ?? [];

    /// <summary>The text with more lines at its end. The oldest go where there is no room for all.</summary>
    public static string Add(string text, IReadOnlyList<JournalLine> more)
    {
        if (more.Count == 0)
        {
            return text;
        }

        var lines = Read(text).Concat(more.Select(l => l.Command.Length <= MaxLine ? l : l with { Command = l.Command[..MaxLine] + "..." })).ToList();
        while (JsonSerializer.Serialize(lines) is { Length: > MaxLength })
        {
            lines.RemoveAt(0);
        }

        return JsonSerializer.Serialize(lines);
    }
}
