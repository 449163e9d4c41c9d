using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Portal.App;

/// <summary>
/// Brings the database's hints (NOTIFY) to whoever watches in this process. A hint says "look again"; many hints while a watcher is busy become one.
/// After a lost link every watcher gets a hint, since some may have been missed.
/// </summary>
public sealed partial class ChangeFeed(NpgsqlDataSource source, TimeProvider clock, ILogger<ChangeFeed> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<Guid, (IReadOnlySet<string> Topics, Channel<bool> Hints)> _watchers = [];

    /// <summary>
    /// Hints for any of the topics, until cancelled. The subscription holds from the call on, before the first is awaited: subscribe, then read, then wait.
    /// </summary>
    public IAsyncEnumerable<bool> WatchAsync(IReadOnlyCollection<Topic> topics, CancellationToken ct)
    {
        var id = Guid.CreateVersion7();
        var hints = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        _watchers[id] = (topics.Select(t => t.Text).ToHashSet(), hints);
        return ReadAsync(id, hints, ct);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(stoppingToken);
                connection.Notification += (_, e) => Hint(e.Payload);
                await using (var listen = new NpgsqlCommand("LISTEN portal", connection))
                {
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                }

                HintAll();
                while (!stoppingToken.IsCancellationRequested)
                {
                    await connection.WaitAsync(stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException or TimeoutException or IOException)
            {
                LinkLost(logger, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async IAsyncEnumerable<bool> ReadAsync(Guid id, Channel<bool> hints, [EnumeratorCancellation] CancellationToken ct)
    {
        try
        {
            await foreach (var hint in hints.Reader.ReadAllAsync(ct))
            {
                yield return hint;
            }
        }
        finally
        {
            _watchers.TryRemove(id, out _);
        }
    }

    private void Hint(string topic)
    {
        foreach (var (_, watcher) in _watchers)
        {
            if (watcher.Topics.Contains(topic))
            {
                watcher.Hints.Writer.TryWrite(true);
            }
        }
    }

    private void HintAll()
    {
        foreach (var (_, watcher) in _watchers)
        {
            watcher.Hints.Writer.TryWrite(true);
        }
    }

    [LoggerMessage(EventId = 101, Level = LogLevel.Warning, Message = "The link for hints was lost and is made again: {Problem}")]
    private static partial void LinkLost(ILogger logger, string problem);
}
