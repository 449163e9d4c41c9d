namespace Portal.Engine.Consoles;

/// <summary>Wakes everyone who waits, again and again. Who takes <see cref="Next"/> before looking misses nothing.</summary>
internal sealed class Pulse
{
    private TaskCompletionSource _next = Make();

    /// <summary>Completes at the next beat.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Beat() => Interlocked.Exchange(ref _next, Make()).SetResult();

    private static TaskCompletionSource Make() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
