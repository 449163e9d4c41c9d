using System.Threading.Channels;
using Microsoft.AspNetCore.Components;
using Portal.Kernel;

namespace Portal.Web.Components;

/// <summary>
/// A component that asks handlers and watches what they said. Its token ends with it; every task that it starts is kept, cancelled and awaited in
/// <see cref="DisposeAsync"/>; a fault in one reaches the page's error boundary.
/// </summary>
public abstract class LiveComponent : ComponentBase, IAsyncDisposable
{
    /// <summary>Hints closer together than this are looked at once.</summary>
    public static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource _gone = new();
    private readonly List<Task> _watching = [];

    [Inject]
    private TimeProvider Clock { get; set; } = default!;

    [Inject]
    private Faults Faults { get; set; } = default!;

    /// <summary>Ends when the component goes.</summary>
    protected CancellationToken Gone => _gone.Token;

    /// <summary>Asks a handler; a fault comes back as a refusal with a reference.</summary>
    protected Task<Result<T>> AskAsync<T>(Func<CancellationToken, Task<Result<T>>> ask) => Faults.AskAsync(ask, Gone);

    /// <summary>
    /// Looks again whenever a hint comes, at most four times a second, and redraws. Call it before the first look: a hint that comes in between
    /// is then not lost. Does nothing while a page is only prerendered.
    /// </summary>
    /// <returns>Ends the watching when it is disposed of, which happens by itself when the component goes.</returns>
    protected IDisposable Watch<T>(Func<CancellationToken, IAsyncEnumerable<T>> hints, Func<Task> look)
    {
        var watch = new Watching(_gone.Token);
        if (RendererInfo.IsInteractive)
        {
            // Subscribed here and now; the task only waits.
            var stream = hints(watch.Token);
            Keep(async _ =>
            {
                try
                {
                    await LookOnHintsAsync(stream, look, watch.Token);
                }
                catch (OperationCanceledException) when (watch.Token.IsCancellationRequested)
                {
                    // Something else is watched now.
                }
            });
        }

        return watch;
    }

    /// <summary>Runs something for as long as the component lives.</summary>
    protected void Keep(Func<CancellationToken, Task> work)
    {
        _watching.RemoveAll(task => task.IsCompleted);
        _watching.Add(KeepAsync(work));
    }

    public async ValueTask DisposeAsync()
    {
        await DisposeCoreAsync();
        await _gone.CancelAsync();
        await Task.WhenAll(_watching);
        _gone.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>For what a derived component has to put away itself, before its token ends.</summary>
    protected virtual ValueTask DisposeCoreAsync() => ValueTask.CompletedTask;

    private async Task KeepAsync(Func<CancellationToken, Task> work)
    {
        try
        {
            await work(_gone.Token);
        }
        catch (OperationCanceledException) when (_gone.IsCancellationRequested)
        {
            // Gone.
        }
        catch (Exception fault)
        {
            await DispatchExceptionAsync(fault);
        }
    }

    private async Task LookOnHintsAsync<T>(IAsyncEnumerable<T> hints, Func<Task> look, CancellationToken ct)
    {
        var dirty = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var listening = ListenAsync();
        try
        {
            await foreach (var _ in dirty.Reader.ReadAllAsync(ct))
            {
                await InvokeAsync(async () =>
                {
                    await look();
                    StateHasChanged();
                });
                await Task.Delay(BetweenLooks, Clock, ct);
            }
        }
        finally
        {
            await end.CancelAsync();
            await listening;
        }

        async Task ListenAsync()
        {
            try
            {
                await foreach (var _ in hints.WithCancellation(end.Token))
                {
                    dirty.Writer.TryWrite(true);
                }
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                // Gone.
            }
            finally
            {
                dirty.Writer.TryComplete();
            }
        }
    }

    private sealed class Watching(CancellationToken gone) : IDisposable
    {
        private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(gone);

        public CancellationToken Token => _end.Token;

        public void Dispose() => _end.Cancel();
    }
}
