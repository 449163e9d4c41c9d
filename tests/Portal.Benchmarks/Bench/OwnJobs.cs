using System.Collections.Concurrent;
using Hangfire;
using Hangfire.PostgreSql;
using Npgsql;

namespace Portal.Benchmarks.Bench;

/// <summary>Hangfire alone: how long a job that does nothing waits for its start, with the portal's settings, on the portal's database.</summary>
internal static class OwnJobs
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);
    private static readonly ConcurrentDictionary<Guid, TaskCompletionSource<long>> s_waiting = new();

    public static async Task<Samples> MeasureAsync(Scratch scratch, int count, CancellationToken ct)
    {
        // The same as in the portal: woken by NOTIFY, four workers.
        var storage = new PostgreSqlStorage(
            new FromDataSource(scratch.Database),
            new PostgreSqlStorageOptions
            {
                SchemaName = scratch.Schema,
                EnableLongPolling = true,
                QueuePollInterval = TimeSpan.FromSeconds(5),
                UseSlidingInvisibilityTimeout = true,
                InvisibilityTimeout = TimeSpan.FromMinutes(5),
                PrepareSchemaIfNecessary = true,
            });
        var clock = TimeProvider.System;
        using var server = new BackgroundJobServer(new BackgroundJobServerOptions { WorkerCount = 4, ShutdownTimeout = TimeSpan.FromSeconds(10), CancellationCheckInterval = TimeSpan.FromSeconds(1) }, storage);
        var client = new BackgroundJobClient(storage);
        var samples = new Samples();
        // The first makes caches and connections.
        for (var i = -1; i < count; i++)
        {
            var id = Guid.CreateVersion7();
            var started = s_waiting[id] = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            var asked = clock.GetTimestamp();
            client.Enqueue(() => Started(id));
            var elapsed = clock.GetElapsedTime(asked, await started.Task.WaitAsync(s_limit, clock, ct));
            if (i >= 0)
            {
                samples.Add(elapsed);
            }

            // Each finds the queue empty and the workers waiting, as an approval does.
            await Task.Delay(s_pause, clock, ct);
        }

        return samples;
    }

    /// <summary>The job.</summary>
    public static void Started(Guid id)
    {
        if (s_waiting.TryRemove(id, out var waiting))
        {
            waiting.SetResult(TimeProvider.System.GetTimestamp());
        }
    }

    private sealed class FromDataSource(NpgsqlDataSource source) : IConnectionFactory
    {
        public NpgsqlConnection GetOrCreateConnection() => source.CreateConnection();
    }
}
