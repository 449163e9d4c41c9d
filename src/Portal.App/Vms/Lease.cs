namespace Portal.App.Vms;

/// <summary>
/// How a VM goes whose lease ends: its owners are told beforehand, at the end it is shut down and cannot be started, and after a grace period it is deleted.
/// More time can be had until it is.
/// </summary>
public static class Lease
{
    /// <summary>Between the end and the deletion.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromDays(7);

    /// <summary>The most that can be asked for at once.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(5 * 366);

    // Days before the end at which its owners are told; the last one says that it has ended.
    private static readonly int[] s_told = [14, 3, 1, 0];

    public static DateTimeOffset DeletedAt(DateTimeOffset end) => end + Grace;

    /// <summary>The day of the deletion, in UTC.</summary>
    public static DateOnly DeletionDayOf(DateTimeOffset end) => DateOnly.FromDateTime(DeletedAt(end).UtcDateTime);

    /// <summary>Of the days before the end at which owners are told, the last that has come; null before the first.</summary>
    public static int? DueBefore(DateTimeOffset end, DateTimeOffset now) => s_told.Cast<int?>().LastOrDefault(days => now >= end.AddDays(-days!.Value));

    /// <summary>The end of a day, in UTC: leases are given in days.</summary>
    public static DateTimeOffset EndOf(DateOnly lastDay) => new(lastDay.AddDays(1), TimeOnly.MinValue, TimeSpan.Zero);

    /// <summary>The last day that is in it, in UTC.</summary>
    public static DateOnly LastDayOf(DateTimeOffset end) => DateOnly.FromDateTime(end.UtcDateTime.AddTicks(-1));
}
