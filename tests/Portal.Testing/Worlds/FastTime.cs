namespace Portal.Testing.Worlds;

/// <summary>A clock on which pauses pass a hundred times faster than on the wall: a retry after 3 s comes after 30 ms. Instants are the real ones.</summary>
public sealed class FastTime : TimeProvider
{
    private const long Factor = 100;

    public override long GetTimestamp() => System.GetTimestamp() * Factor;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, Shorter(dueTime), Shorter(period));

    private static TimeSpan Shorter(TimeSpan span) => span <= TimeSpan.Zero ? span : TimeSpan.FromTicks(Math.Max(TimeSpan.TicksPerMillisecond, span.Ticks / Factor));
}
