using Portal.Engine;

namespace Portal.Web.Components.Shared;

/// <summary>How far a step is.</summary>
public enum StepLineState
{
    ToDo,
    Running,
    Done,
    Failed,
    Undone,
    Skipped,
}

/// <summary>One step of an operation as a person sees it.</summary>
/// <param name="Took">How long it took; null where that is not known or it did not run.</param>
/// <param name="Since">Since when it runs; null unless it does.</param>
/// <param name="Note">Why it failed, or what it found.</param>
/// <param name="Commands">What was done on the host; null where that is not known.</param>
public sealed record StepLine(string Title, StepLineState State, TimeSpan? Took = null, DateTimeOffset? Since = null, string? Note = null, IReadOnlyList<JournalLine>? Commands = null);
