namespace Portal.Testing;

/// <summary>Waits on a condition. Without a limit of its own: whoever runs the tests has one, and a slow machine is no failure.</summary>
public static class Eventually
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20);

    /// <summary>Ends when the condition holds.</summary>
    public static async Task IsAsync(Func<Task<bool>> condition, CancellationToken ct)
    {
        while (!await condition())
        {
            await Task.Delay(s_look, TimeProvider.System, ct);
        }
    }
}
