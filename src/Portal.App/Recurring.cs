using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Portal.App;

/// <summary>
/// Something that a clock does again and again. A pass that fails is logged and followed by the next one: a database that is away, or one poisonous
/// row, must neither stop the portal nor this kind of work in it.
/// </summary>
public abstract partial class Recurring(TimeSpan period, TimeProvider clock, ILogger logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await TryAsync(() => PassAsync(stoppingToken), stoppingToken);
            await Task.Delay(period, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One pass. Safe to repeat, and on every replica.</summary>
    protected abstract Task PassAsync(CancellationToken ct);

    /// <summary>Does it for each; one that fails keeps none of the others waiting.</summary>
    protected async Task EachAsync<T>(IEnumerable<T> items, Func<T, Task> act, CancellationToken ct)
    {
        foreach (var item in items)
        {
            ct.ThrowIfCancellationRequested();
            await TryAsync(() => act(item), ct);
        }
    }

    private async Task TryAsync(Func<Task> act, CancellationToken ct)
    {
        try
        {
            await act();
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The portal stops.
        }
        catch (Exception failure)
        {
            Failed(logger, GetType().Name, failure.Message, failure is Npgsql.NpgsqlException or TimeoutException ? null : failure);
        }
    }

    [LoggerMessage(EventId = 102, Level = LogLevel.Warning, Message = "{Work} failed and is tried again: {Problem}")]
    private static partial void Failed(ILogger logger, string work, string problem, Exception? failure);
}
