namespace Portal.Benchmarks.Client;

/// <summary>Looks again until something is so.</summary>
internal static class Following
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);

    /// <summary>Follows an operation to its end, whichever that is; each look is shown to the caller.</summary>
    /// <exception cref="Shortfall">It has not ended in time.</exception>
    public static async Task<Operation> FollowAsync(this PortalClient portal, Guid operation, Action<Operation> look, TimeSpan limit, CancellationToken ct)
    {
        var latest = await UntilAsync(
            () => portal.GetAsync<Operation>($"operations/{operation}", ct),
            o =>
            {
                look(o);
                return o.HasEnded;
            },
            s_look,
            limit,
            ct);
        return latest.HasEnded ? latest : throw new Shortfall(
            $"The operation {latest.Kind} on {latest.VmName} has not ended within {limit.TotalSeconds:0} s: it is {latest.State}. {latest.Problem} Its page and the portal's log tell more.");
    }

    /// <summary>The first answer that will do, or the last before the limit.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> enough, TimeSpan pause, TimeSpan limit, CancellationToken ct)
    {
        var clock = TimeProvider.System;
        var began = clock.GetTimestamp();
        while (true)
        {
            var answer = await ask();
            if (enough(answer) || clock.GetElapsedTime(began) > limit)
            {
                return answer;
            }

            await Task.Delay(pause, clock, ct);
        }
    }
}
