using Portal.Engine.Shell;

namespace Portal.Engine.Tests;

/// <summary>A host that gives recorded answers, and remembers what it was asked.</summary>
internal sealed class RecordedShell(Func<HostCommand, HostAnswer> answer) : IHostShell
{
    public List<string> Asked { get; } = [];

    /// <summary>A file of Recorded/: its name tells which version of which tool said it.</summary>
    public static string File(string name) => System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Recorded", name));

    public Task<HostAnswer> RunAsync(HostCommand command, CancellationToken ct)
    {
        Asked.Add(command.ToString());
        return Task.FromResult(answer(command));
    }
}
