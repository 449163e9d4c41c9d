using CsCheck;

namespace Portal.Kernel.Tests;

public sealed class UtcSpanTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<DateTimeOffset> s_instant = Gen.Long[0, TimeSpan.TicksPerDay * 800].Select(ticks => s_start.AddTicks(ticks));

    private static readonly Gen<UtcSpan> s_span = Gen.Select(s_instant, s_instant).Select((a, b) => a <= b ? new UtcSpan(a, b) : new UtcSpan(b, a));

    [Fact]
    public void An_instant_lies_in_the_overlap_exactly_if_it_lies_in_both() => Gen.Select(s_span, s_span, s_instant).Sample((a, b, at) =>
        Assert.Equal(In(a, at) && In(b, at), a.Overlap(b) is { } both && In(both, at)));

    [Fact]
    public void Overlap_is_the_same_from_both_sides_and_no_longer_than_either() => Gen.Select(s_span, s_span).Sample((a, b) =>
    {
        Assert.Equal(a.Overlap(b), b.Overlap(a));
        Assert.True(a.Overlap(b) is not { } both || (both.Length > TimeSpan.Zero && both.Length <= a.Length && both.Length <= b.Length));
    });

    [Fact]
    public void Months_cut_a_span_without_gap_or_remainder() => s_span.Sample(span =>
    {
        var sum = TimeSpan.Zero;
        for (var month = UtcSpan.MonthOf(span.From); month.From < span.To; month = UtcSpan.MonthOf(month.To))
        {
            sum += span.Overlap(month)?.Length ?? TimeSpan.Zero;
        }

        Assert.Equal(span.Length, sum);
    });

    [Fact]
    public void A_month_holds_its_instant_and_begins_where_the_last_one_ended() => s_instant.Sample(at =>
    {
        var month = UtcSpan.MonthOf(at);
        Assert.True(In(month, at));
        Assert.Equal(month.From, UtcSpan.MonthOf(month.From.AddTicks(-1)).To);
        Assert.Equal(1, month.From.Day);
    });

    [Fact]
    public void Refuses_what_is_no_span()
    {
        Assert.Throws<ArgumentException>(() => new UtcSpan(s_start, s_start.AddTicks(-1)));
        Assert.Throws<ArgumentException>(() => new UtcSpan(s_start, new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.FromHours(1))));
        Assert.Equal(TimeSpan.Zero, new UtcSpan(s_start, s_start).Length);
    }

    private static bool In(UtcSpan span, DateTimeOffset at) => span.From <= at && at < span.To;
}
