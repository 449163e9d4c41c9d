using System.Collections.Concurrent;
using Portal.Engine.Images;
using Portal.Engine.Pools;
using Portal.Engine.Shell;

namespace Portal.Engine.Consoles;

/// <summary>
/// Keeps the consoles' logs from filling the pool. A log is never cut: its start is punched out, so every byte stays at its place for who
/// reads it and for QEMU, which appends, and there is no moment at which something could be lost.
/// </summary>
internal sealed class ConsoleLogs(PoolLayout pool, IHostShell shell)
{
    private const long Bound = 16L << 20;
    private const long Kept = 1L << 20;

    private readonly ConcurrentDictionary<DomainName, long> _punched = new();

    /// <summary>Gives back all but the last MiB of each log that grew by 16 MiB. Safe to repeat.</summary>
    public async Task BoundAsync(IReadOnlyList<DomainReport> domains, CancellationToken ct)
    {
        foreach (var (name, state, _, _) in domains)
        {
            var log = new FileInfo(pool.ConsoleLog(name));
            if (state == DomainState.Absent || !log.Exists)
            {
                _punched.TryRemove(name, out _);
                continue;
            }

            var punched = _punched.GetValueOrDefault(name);
            if (log.Length < punched)
            {
                // A new boot has begun a new log.
                punched = 0;
            }

            if (log.Length - punched > Bound)
            {
                var answer = await shell.RunAsync(ImageCommands.PunchHole(log.FullName, log.Length - Kept), ct).ConfigureAwait(false);
                _punched[name] = answer.Succeeded ? log.Length - Kept : log.Length;
            }
        }
    }
}
