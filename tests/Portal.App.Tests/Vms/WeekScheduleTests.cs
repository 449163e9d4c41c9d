using CsCheck;
using Portal.App.Vms;

namespace Portal.App.Tests.Vms;

public sealed class WeekScheduleTests
{
    private static readonly string[] s_zones = ["UTC", "Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"];

    private static readonly Gen<WeekSchedule> s_schedules =
        from days in Gen.Int[1, 127]
        from start in Gen.Int[0, 1439]
        from length in Gen.Int[1, 1439]
        from zone in Gen.Int[0, s_zones.Length - 1]
        select new WeekSchedule(WeekSchedule.Week.Where(d => (days & 1 << (int)d) != 0).ToHashSet(), new TimeOnly(start / 60, start % 60), new TimeOnly((start + length) % 1440 / 60, (start + length) % 1440 % 60), s_zones[zone]);

    // Two years of minutes, clock changes among them.
    private static readonly Gen<DateTimeOffset> s_instants = Gen.Int[0, 2 * 366 * 1440].Select(m => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(m));

    [Fact]
    public void Turns_come_one_after_the_other_and_none_is_lost_between_two_looks() => Gen.Select(s_schedules, s_instants).Sample((week, from) =>
    {
        Assert.Null(week.Problem);
        var at = from;
        Turn? before = null;
        for (var i = 0; i < 20; i++)
        {
            var next = week.NextTurn(at);
            Assert.True(next.At > at && next.At - at <= TimeSpan.FromDays(8));
            // Whoever looks just before it finds nothing new, and just after it finds it.
            Assert.Null(week.LastTurn(at, next.At - TimeSpan.FromTicks(1)));
            Assert.Equal(next, week.LastTurn(at, next.At));
            // A clock that jumps may close the gap between two runs of nearly a day, and nothing else.
            Assert.False(next.What == before?.What && (next.What == ScheduledTurn.ShutDown || week.RunsFor < TimeSpan.FromHours(22)));
            (at, before) = (next.At, next);
        }

        Assert.Equal(week.LastTurn(from, at), before);
    });

    [Fact]
    public void In_a_usual_week_it_runs_as_long_as_its_price_says() => Gen.Select(s_schedules, s_instants).Sample((week, from) =>
    {
        var inUtc = week with { Zone = "UTC" };
        var (end, ran) = (from.AddDays(35), TimeSpan.Zero);
        var turns = new List<Turn>();
        for (var t = inUtc.NextTurn(from); t.At < end; t = inUtc.NextTurn(t.At))
        {
            turns.Add(t);
        }

        foreach (var (one, next) in turns.Zip(turns.Skip(1)))
        {
            ran += one.What == ScheduledTurn.Start ? next.At - one.At : TimeSpan.Zero;
        }

        var between = turns[^1].At - turns[0].At;
        // What is cut off at both ends is a day each.
        Assert.InRange((decimal)ran.TotalHours, ((decimal)between.TotalHours * inUtc.RunsPart) - 48, ((decimal)between.TotalHours * inUtc.RunsPart) + 48);
    });

    [Theory]
    // In Lisbon the clock goes from 01:00 to 02:00 on 28 March 2027, and from 02:00 back to 01:00 on 25 October 2026.
    [InlineData("2027-03-27T12:00:00Z", "2027-03-28T01:00:00Z")]
    [InlineData("2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z")]
    [InlineData("2026-11-29T12:00:00Z", "2026-11-30T01:30:00Z")]
    public void A_time_that_the_clock_leaves_out_is_when_it_goes_on_and_one_that_it_shows_twice_is_the_first(string from, string start)
    {
        var week = new WeekSchedule(WeekSchedule.Week.ToHashSet(), new TimeOnly(1, 30), new TimeOnly(9, 0), "Europe/Lisbon");

        Assert.Equal(new Turn(DateTimeOffset.Parse(start, System.Globalization.CultureInfo.InvariantCulture), ScheduledTurn.Start), week.NextTurn(DateTimeOffset.Parse(from, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void What_makes_no_schedule_is_told_at_its_field()
    {
        var week = new WeekSchedule(new HashSet<DayOfWeek> { DayOfWeek.Monday }, new TimeOnly(8, 0), new TimeOnly(18, 0), "UTC");

        Assert.Null(week.Problem);
        Assert.Equal("days", (week with { Days = new HashSet<DayOfWeek>() }).Problem?.Field);
        Assert.Equal("stop", (week with { Stop = week.Start }).Problem?.Field);
        Assert.Equal("zone", (week with { Zone = "Middle/Earth" }).Problem?.Field);
        Assert.Equal("Mon 08:00 to 18:00 (UTC)", week.InWords);
        Assert.Equal("daily 20:00 to 06:00 of the next day (UTC)", (week with { Days = WeekSchedule.Week.ToHashSet(), Start = new TimeOnly(20, 0), Stop = new TimeOnly(6, 0) }).InWords);
        Assert.Equal(10m / 168, week.RunsPart);
    }
}
