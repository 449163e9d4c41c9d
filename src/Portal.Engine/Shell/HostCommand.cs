namespace Portal.Engine.Shell;

/// <summary>A program to run on a host: never a shell string, and no secret in it, for arguments are readable by every user of the host.</summary>
/// <param name="Timeout">After it the program and its children are killed.</param>
internal sealed record HostCommand(string Program, IReadOnlyList<string> Arguments, TimeSpan Timeout)
{
    /// <summary>What the program reads; null for nothing at all.</summary>
    public string? Input { get; init; }

    /// <summary>What the program reads where that is no text; comes instead of <see cref="Input"/>.</summary>
    public ReadOnlyMemory<byte>? Content { get; init; }

    /// <summary>The right by which it runs, checked on the host itself where the host is another machine; null for what changes no VM.</summary>
    public Fence? Fence { get; init; }

    /// <summary>Whether it is there to change a VM: then it is written down in the journal of what was done.</summary>
    public bool Changes { get; init; }

    /// <summary>How people are shown it, where what runs has more around it; null where it is shown as it runs.</summary>
    public string? Shown { get; init; }

    /// <summary>Where it runs; null for the portal's own directory.</summary>
    public string? Directory { get; init; }

    /// <summary>Hears what it prints, both streams, while it runs; called from other threads, one piece at a time of each stream. Only on the portal's own machine.</summary>
    public Action<string>? Heard { get; init; }

    /// <summary>Added to its environment; null for nothing. Only on the portal's own machine.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>What people are shown.</summary>
    public string ForPeople => Shown ?? ToString();

    /// <summary>As a person would type it: arguments in single quotes where the shell would otherwise change them.</summary>
    public override string ToString() => string.Join(' ', Arguments.Prepend(Program).Select(ShellQuote.Word));
}
