using MudBlazor;

namespace Portal.Web.Components.Shared;

/// <summary>What colour says about a status, third after its word and its icon.</summary>
public enum Tone
{
    Neutral,
    Success,
    Warning,
    Error,
    Info,
    Waiting,
}

/// <summary>How a status looks: a word, an icon, a tone.</summary>
/// <param name="Icon">One of Material's outlined icons.</param>
/// <param name="Dashed">Not known for sure: the last that was seen.</param>
public sealed record StatusLook(string Word, string Icon, Tone Tone, bool Dashed = false)
{
    public string Css => $"status status-{Tone.ToString().ToLowerInvariant()}{(Dashed ? " status-dashed" : "")}";

    /// <summary>Whether the icon turns: something is being done.</summary>
    public bool Busy => Icon == Icons.Material.Outlined.Sync;

    public static StatusLook Working(string word) => new(word, Icons.Material.Outlined.Sync, Tone.Info);
}
