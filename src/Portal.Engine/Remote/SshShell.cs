using System.Collections.Concurrent;
using Portal.Engine.Shell;

namespace Portal.Engine.Remote;

/// <summary>
/// Runs commands on a host over one connection that is made at first use, kept, and made again when it broke. After a failure the host is left alone
/// for a while that doubles, up to half a minute; who asks meanwhile is told at once what was wrong. It is made anew, and nobody is told, when the host's
/// administrator has changed what the portal may use.
/// </summary>
/// <param name="connect">Makes a new link.</param>
internal sealed class SshShell(Func<CancellationToken, Task<IHostLink>> connect, TimeProvider clock) : IHostShell, IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_most = TimeSpan.FromSeconds(30);
    private const int MaxTries = 5;

    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly ConcurrentDictionary<HostChannel, bool> _leaving = [];
    private HostChannel? _channel;
    private HostFaultException? _failure;
    private DateTimeOffset _notBefore;
    private TimeSpan _pause = s_first;

    /// <summary>How often a connection was made: one an hour and host is the goal, one a command the fault.</summary>
    public int Connections { get; private set; }

    public async Task<HostAnswer> RunAsync(HostCommand command, CancellationToken ct)
    {
        var channel = await ChannelAsync(ct).ConfigureAwait(false);
        var started = clock.GetTimestamp();
        int? code = null;
        try
        {
            var answer = await RunAsync(channel, command, ct).ConfigureAwait(false);
            code = answer.ExitCode;
            return answer;
        }
        finally
        {
            HostJournal.Note(command, code, clock.GetElapsedTime(started));
        }
    }

    /// <summary>Runs a command whose output is no text.</summary>
    /// <param name="most">A host that says more than that is not believed.</param>
    /// <exception cref="HostFaultException">The host could not be asked, or did not answer in time.</exception>
    public async Task<(HostAnswer Answer, ReadOnlyMemory<byte> Output)> ReadAsync(HostCommand command, int most, CancellationToken ct)
    {
        using var output = new MemoryStream();
        var more = false;
        // Told by one thread, in order, and before the end.
        var stream = await OpenAsync(
            command,
            came =>
            {
                more |= output.Length + came.Length > most;
                output.Write(more ? default : came.Span);
            },
            ct).ConfigureAwait(false);
        await using var ending = stream.ConfigureAwait(false);
        try
        {
            var answer = await stream.Ended.WaitAsync(command.Timeout + s_patience, clock, ct).ConfigureAwait(false);
            return more ? throw new HostFaultException($"`{command}` said more than {most} bytes.") : (answer, output.ToArray());
        }
        catch (TimeoutException)
        {
            throw new HostFaultException($"The host did not answer within {(command.Timeout + s_patience).TotalSeconds:0} s to `{command}`.");
        }
    }

    /// <summary>As <see cref="HostChannel.OpenAsync"/>, on the connection that is there or a new one.</summary>
    public async Task<HostStream> OpenAsync(HostCommand command, Action<ReadOnlyMemory<byte>> came, CancellationToken ct) =>
        await (await ChannelAsync(ct).ConfigureAwait(false)).OpenAsync(command, came, ct).ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _leaving.Keys.Append(_channel).OfType<HostChannel>())
        {
            await channel.DisposeAsync().ConfigureAwait(false);
        }

        _connecting.Dispose();
    }

    // What an outdated channel refused it has not begun, so it may be asked for again whatever it is.
    private async Task<HostAnswer> RunAsync(HostChannel channel, HostCommand command, CancellationToken ct)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await channel.RunAsync(command, ct).ConfigureAwait(false);
            }
            catch (HostOutdatedException) when (tries < MaxTries)
            {
                channel = await ChannelAsync(ct).ConfigureAwait(false);
            }
        }
    }

    // Consoles on it end with it, and are begun again by those who look.
    private async Task LeaveAsync(HostChannel channel)
    {
        _leaving[channel] = true;
        await channel.IdleAsync().ConfigureAwait(false);
        await channel.DisposeAsync().ConfigureAwait(false);
        _leaving.TryRemove(channel, out _);
    }

    private async Task<HostChannel> ChannelAsync(CancellationToken ct)
    {
        if (_channel is { Closed: null, Outdated: false } open)
        {
            return open;
        }

        await _connecting.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_channel is { } there)
            {
                if (there is { Closed: null, Outdated: false })
                {
                    return there;
                }

                _channel = null;
                if (there.Closed is null)
                {
                    _ = LeaveAsync(there);
                }
                else
                {
                    await there.DisposeAsync().ConfigureAwait(false);
                }
            }

            if (_failure is { } known && clock.GetUtcNow() < _notBefore)
            {
                throw known is HostKeyChangedException ? known : new HostFaultException(known.Message, known);
            }

            return _channel = await ConnectAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            _connecting.Release();
        }
    }

    private async Task<HostChannel> ConnectAsync(CancellationToken ct)
    {
        HostChannel? channel = null;
        try
        {
            channel = new HostChannel(await connect(ct).ConfigureAwait(false), clock);
            Connections++;
            await channel.GreetedAsync(s_patience, ct).ConfigureAwait(false);
            _failure = null;
            _pause = s_first;
            return channel;
        }
        catch (HostFaultException failure)
        {
            _failure = failure;
            _notBefore = clock.GetUtcNow() + _pause;
            _pause = _pause * 2 < s_most ? _pause * 2 : s_most;
            if (channel is not null)
            {
                await channel.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }
}
