using System.Runtime.InteropServices;

namespace Portal.Benchmarks;

/// <summary>Turns the first Ctrl-C or SIGTERM into a cancellation, so that what was made is removed; the second ends the process.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly List<PosixSignalRegistration> _signals;

    public Interruption() => _signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(s => PosixSignalRegistration.Create(s, Take))];

    public CancellationToken Token => _asked.Token;

    public void Dispose()
    {
        _signals.ForEach(s => s.Dispose());
        _asked.Dispose();
    }

    private void Take(PosixSignalContext context)
    {
        context.Cancel = !_asked.IsCancellationRequested;
        _asked.Cancel();
    }
}
