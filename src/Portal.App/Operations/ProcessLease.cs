using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Portal.Kernel;

namespace Portal.App.Operations;

/// <summary>
/// This process's proof of life: a connection that holds a session advisory lock for as long as the process and its link to the database live. When
/// the link breaks the old id is dead for everyone, and a new one begins: runners that still carry the old id can write nothing any more.
/// </summary>
public sealed class ProcessLease(NpgsqlDataSource source, PortalDbs dbs, TimeProvider clock, ILogger<ProcessLease> logger) : BackgroundService
{
    /// <summary>The space of advisory locks that processes hold: (this, the process's key).</summary>
    public const int LockSpace = 7001;

    private static readonly TimeSpan s_beat = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ProcessId? _current;

    /// <summary>The id under which this process may own operations; null while there is no link to the database.</summary>
    public ProcessId? Current => _current;

    /// <summary>Ends when the process has its first lease.</summary>
    public Task FirstAsync(CancellationToken ct) => _first.Task.WaitAsync(ct);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await HoldAsync(stoppingToken);
            }
            // Whatever it was: without a lease this process does nothing, and without another try it never would again.
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                logger.LeaseLost(e.Message);
            }
            finally
            {
                _current = null;
            }

            await Task.Delay(s_beat, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task HoldAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var process = new PortalProcess(ProcessId.New(), Environment.MachineName, Environment.ProcessId);
        db.Add(process);
        await db.SaveChangesAsync(ct);

        await using var connection = await source.OpenConnectionAsync(ct);
        await using (var take = new NpgsqlCommand("SELECT pg_advisory_lock($1, $2)", connection))
        {
            take.Parameters.AddWithValue(LockSpace);
            take.Parameters.AddWithValue(process.LockKey);
            await take.ExecuteNonQueryAsync(ct);
        }

        _current = process.Id;
        _first.TrySetResult();
        while (!ct.IsCancellationRequested)
        {
            await Task.Delay(s_beat, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await using var beat = new NpgsqlCommand("SELECT 1", connection) { CommandTimeout = 5 };
            await beat.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }
}
