using Portal.Benchmarks.Client;
using Portal.Engine;

namespace Portal.Benchmarks;

/// <summary>Where a command's faults become words and an exit code.</summary>
internal static class CommandEdge
{
    private const int Failed = 1;
    private const int Interrupted = 130;

    /// <summary>Runs a command's work, and after it, whatever came of it, the removal of what it made.</summary>
    public static async Task<int> RunAsync(Teller teller, Func<CancellationToken, Task<int>> work, Func<CancellationToken, Task> remove, CancellationToken ct)
    {
        var code = await GuardAsync(teller, () => work(ct), ct);
        // Not with the token that Ctrl-C has cancelled.
        var removed = await GuardAsync(
            teller,
            async () =>
            {
                await remove(CancellationToken.None);
                return 0;
            },
            CancellationToken.None);
        return code == 0 ? removed : code;
    }

    private static async Task<int> GuardAsync(Teller teller, Func<Task<int>> work, CancellationToken ct)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            teller.Failed("stopped before its end.");
            return Interrupted;
        }
        catch (HttpRequestException unreachable)
        {
            teller.Failed($"The portal cannot be reached: {unreachable.Message}. Start it with ./portal up, or name another with --url.");
            return Failed;
        }
        catch (Exception told) when (told is Shortfall or PortalSaidNo or HostFaultException)
        {
            teller.Failed(told.Message);
            return Failed;
        }
    }
}
