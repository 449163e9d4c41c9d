using System.Diagnostics.CodeAnalysis;
using Portal.Engine.Shell;

namespace Portal.Engine;

/// <summary>A command that changed something on a host, or was to: as a person would type it.</summary>
/// <param name="ExitCode">Null where it did not come to an end that is known.</param>
public sealed record JournalLine(string Command, int? ExitCode, long ElapsedMs);

/// <summary>
/// What is done on hosts between <see cref="Begin"/> and <see cref="Dispose"/> by whatever this flow of control calls. Secrets never travel in a
/// command's words, so they are not in here either. Commands that only ask are left out.
/// </summary>
public sealed class HostJournal : IDisposable
{
    private static readonly AsyncLocal<HostJournal?> s_open = new();

    private readonly Lock _gate = new();
    private readonly List<JournalLine> _lines = [];
    private readonly HostJournal? _outer;

    private HostJournal() => _outer = s_open.Value;

    public IReadOnlyList<JournalLine> Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "It is the caller's.")]
    public static HostJournal Begin() => s_open.Value = new HostJournal();

    public void Dispose() => s_open.Value = _outer;

    /// <summary>Notes one of many commands that people are shown as one: they take one line together, with the time of all of them.</summary>
    internal static void NoteMore(string shown, TimeSpan took)
    {
        if (s_open.Value is { } journal)
        {
            lock (journal._gate)
            {
                var at = journal._lines.FindIndex(l => l.Command == shown);
                var line = new JournalLine(shown, 0, (long)took.TotalMilliseconds + (at < 0 ? 0 : journal._lines[at].ElapsedMs));
                if (at < 0)
                {
                    journal._lines.Add(line);
                }
                else
                {
                    journal._lines[at] = line;
                }
            }
        }
    }

    internal static void Note(HostCommand command, int? exitCode, TimeSpan took)
    {
        if (command.Changes && s_open.Value is { } journal)
        {
            lock (journal._gate)
            {
                journal._lines.Add(new JournalLine(command.ForPeople, exitCode, (long)took.TotalMilliseconds));
            }
        }
    }
}
