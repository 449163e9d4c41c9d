using Npgsql;

namespace Portal.Testing.Worlds;

/// <summary>When, around a verb of the engine or a commit, something happens.</summary>
public enum Moment
{
    Before,
    After,
}

/// <summary>What a process can be struck at.</summary>
public enum Act
{
    /// <summary>A call of the engine.</summary>
    Verb,

    /// <summary>A commit of a database transaction.</summary>
    Commit,

    /// <summary>A listing of a host's domains.</summary>
    Listing,
}

/// <summary>A point in a process's work: the n-th verb or commit, counted from 1, before or after it.</summary>
public sealed record Point(Act Act, int Nth, Moment Moment)
{
    public override string ToString() => $"{Moment} {Act} {Nth}";
}

/// <summary>The process is dead: nothing it does reaches the database or the host any more.</summary>
public sealed class ProcessDiedException() : NpgsqlException("The process was killed.");

/// <summary>The database broke one command off, as in a deadlock; the next one works.</summary>
public sealed class CommandBrokenOffException() : NpgsqlException("The database broke the command off.");

/// <summary>What is to become of one process of a <see cref="PortalWorld"/>: it is killed at a point, sleeps there until it is woken, or meets an error there.</summary>
public sealed class Fate
{
    private TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<Act, int> _count = new() { [Act.Verb] = 0, [Act.Commit] = 0, [Act.Listing] = 0 };
    private Point? _death;
    private Point? _sleep;
    private Point? _error;

    /// <summary>Whether the process was killed.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Ends when the process sleeps.</summary>
    public Task Sleeps => _reached.Task;

    /// <summary>How many verbs or commits there were since the fate was last set.</summary>
    public int Count(Act act) => _count[act];

    public void DieAt(Point point)
    {
        Reset();
        _death = point;
    }

    /// <summary>Once; call it again for more.</summary>
    public void SleepAt(Point point)
    {
        Reset();
        _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _sleep = point;
    }

    public void BreakOffAt(Point point)
    {
        Reset();
        _error = point;
    }

    /// <summary>Counts from here.</summary>
    public void Reset() => _count[Act.Verb] = _count[Act.Commit] = _count[Act.Listing] = 0;

    public void Wake() => _woken.TrySetResult();

    public void Kill() => IsDead = true;

    /// <exception cref="ProcessDiedException">The process is dead.</exception>
    public void Check()
    {
        if (IsDead)
        {
            throw new ProcessDiedException();
        }
    }

    /// <exception cref="ProcessDiedException">The process dies here, or has died before.</exception>
    /// <exception cref="CommandBrokenOffException">The process meets an error here, once.</exception>
    internal async ValueTask MeetAsync(Act act, Moment moment)
    {
        Check();
        if (moment == Moment.Before)
        {
            _count[act]++;
        }

        var here = new Point(act, _count[act], moment);
        if (here == _death)
        {
            Kill();
        }
        else if (here == _sleep)
        {
            _sleep = null;
            _reached.TrySetResult();
            await _woken.Task;
        }
        else if (here == _error)
        {
            _error = null;
            throw new CommandBrokenOffException();
        }

        Check();
    }
}
