using System.Globalization;

namespace Portal.App.Vms;

/// <summary>What a schedule does at an instant.</summary>
public enum ScheduledTurn
{
    Start,
    ShutDown,
}

/// <summary>One turn of a schedule.</summary>
public sealed record Turn(DateTimeOffset At, ScheduledTurn What);

/// <summary>When a VM is started and shut down, week by week.</summary>
/// <param name="Days">The days on which it is started, in <paramref name="Zone"/>; at least one.</param>
/// <param name="Start">On the clock of <paramref name="Zone"/>.</param>
/// <param name="Stop">On that clock; where it is not after <paramref name="Start"/>, on the day after.</param>
/// <param name="Zone">An IANA name, such as Europe/Lisbon.</param>
public sealed record WeekSchedule(IReadOnlySet<DayOfWeek> Days, TimeOnly Start, TimeOnly Stop, string Zone)
{
    /// <summary>Hours of a usual week, in which no clock is changed.</summary>
    public const int HoursPerWeek = 7 * 24;

    /// <summary>How long it runs each time, where no clock is changed meanwhile.</summary>
    public TimeSpan RunsFor => Stop - Start;

    /// <summary>Of a usual week, the part in which it runs.</summary>
    public decimal RunsPart => (decimal)RunsFor.Ticks * Days.Count / (HoursPerWeek * TimeSpan.TicksPerHour);

    /// <summary>In words: <c>Mon, Tue 08:00 to 18:00 (Europe/Lisbon)</c>.</summary>
    public string InWords => string.Create(CultureInfo.InvariantCulture, $"{(Days.Count == 7 ? "daily" : string.Join(", ", Week.Where(Days.Contains).Select(d => d.ToString()[..3])))} {Start:HH:mm} to {Stop:HH:mm}{(Stop > Start ? "" : " of the next day")} ({Zone})");

    /// <summary>The days of a week, Monday first.</summary>
    public static IReadOnlyList<DayOfWeek> Week { get; } = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday, DayOfWeek.Saturday, DayOfWeek.Sunday];

    /// <summary>What stands against it; null where nothing does.</summary>
    public (string Field, string Problem)? Problem => this switch
    {
        { Days.Count: 0 } => ("days", "Choose at least one day on which it is started."),
        { } when Start == Stop => ("stop", "It would be shut down as it is started. Choose another time."),
        { } when !TimeZoneInfo.TryFindSystemTimeZoneById(Zone, out _) => ("zone", "There is no such time zone. An example: Europe/Lisbon."),
        _ => null,
    };

    /// <summary>The last turn in (<paramref name="after"/>, <paramref name="until"/>]; null where there is none. What was missed before that has no meaning any more.</summary>
    public Turn? LastTurn(DateTimeOffset after, DateTimeOffset until) => Turns(until).Where(t => t.At > after && t.At <= until).MaxBy(t => t.At);

    /// <summary>The next turn after an instant.</summary>
    public Turn NextTurn(DateTimeOffset after) => Turns(after).Where(t => t.At > after).MinBy(t => t.At)!;

    // Those of the eight days before an instant and after it, in which each is at least once.
    private List<Turn> Turns(DateTimeOffset around)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(Zone);
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(around, zone).DateTime);
        var turns = new List<Turn>();
        for (var i = -9; i <= 9; i++)
        {
            var day = today.AddDays(i);
            var (start, stop) = (InstantOf(day.ToDateTime(Start), zone), InstantOf((Stop > Start ? day : day.AddDays(1)).ToDateTime(Stop), zone));
            // A clock that jumps may leave out a run, or what is between two: then there is no turn.
            if (Days.Contains(day.DayOfWeek) && start < stop)
            {
                turns.RemoveAll(t => t.What == ScheduledTurn.ShutDown && t.At == start);
                turns.Add(new Turn(start, ScheduledTurn.Start));
                turns.Add(new Turn(stop, ScheduledTurn.ShutDown));
            }
        }

        return turns;
    }

    // A time that a clock leaves out in spring is when it goes on; one that it shows twice in autumn is the first.
    private static DateTimeOffset InstantOf(DateTime local, TimeZoneInfo zone)
    {
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(1);
        }

        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
