namespace Portal.Kernel;

/// <summary>A half-open interval of time in UTC: <c>[From, To)</c>.</summary>
public readonly record struct UtcSpan
{
    /// <exception cref="ArgumentException">The end lies before the start, or an instant is not in UTC.</exception>
    public UtcSpan(DateTimeOffset from, DateTimeOffset to)
    {
        if (from.Offset != TimeSpan.Zero || to.Offset != TimeSpan.Zero)
        {
            throw new ArgumentException("Instants are in UTC.", nameof(from));
        }

        if (to < from)
        {
            throw new ArgumentException("The end lies before the start.", nameof(to));
        }

        From = from;
        To = to;
    }

    public DateTimeOffset From { get; }

    public DateTimeOffset To { get; }

    public TimeSpan Length => To - From;

    /// <summary>The calendar month, in UTC, that an instant lies in.</summary>
    public static UtcSpan MonthOf(DateTimeOffset instant)
    {
        var first = new DateTimeOffset(instant.UtcDateTime.Year, instant.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero);
        return new UtcSpan(first, first.AddMonths(1));
    }

    /// <summary>What both have in common; null where that is nothing.</summary>
    public UtcSpan? Overlap(UtcSpan other)
    {
        var from = From > other.From ? From : other.From;
        var to = To < other.To ? To : other.To;
        return from < to ? new UtcSpan(from, to) : null;
    }
}
