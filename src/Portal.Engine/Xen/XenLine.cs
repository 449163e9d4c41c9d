using System.Globalization;
using System.Text;
using Portal.Engine.Consoles;
using Portal.Engine.Remote;

namespace Portal.Engine.Xen;

/// <summary>
/// The serial line of a domain on a host reached over SSH. What the guest prints is read from the host's own log, as much of it as a newcomer gets and
/// all that follows, into a file here, so that every viewer of this process has the same bytes; a broken connection goes on where it ended.
/// </summary>
internal sealed class XenLine : IGuestLine
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(1);

    private readonly SshShell _shell;
    private readonly string _domain;
    private readonly string _path;
    private readonly Pulse _pulse;
    private readonly Func<CancellationToken, Task<bool>> _runs;
    private readonly TimeProvider _clock;
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _typing = new(1, 1);
    private readonly Task _run;
    private HostStream? _keyboard;
    private long _length;

    /// <param name="runs">Whether the domain still runs.</param>
    public XenLine(SshShell shell, string domain, string path, Pulse pulse, Func<CancellationToken, Task<bool>> runs, TimeProvider clock)
    {
        _shell = shell;
        _domain = domain;
        _path = path;
        _pulse = pulse;
        _runs = runs;
        _clock = clock;
        File.Create(path).Dispose();
        _run = RunAsync(_stop.Token);
    }

    public Task Gone => _gone.Task;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        if (_gone.Task.IsCompleted)
        {
            throw new HostFaultException("The domain does not run any more.");
        }

        await _typing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_keyboard is not { Ended.IsCompleted: false })
            {
                _keyboard = await _shell.OpenAsync(PortalHostCommands.Type(_domain), _ => { }, ct).ConfigureAwait(false);
            }

            await _keyboard.WriteAsync(data, ct).ConfigureAwait(false);
        }
        finally
        {
            _typing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_keyboard is { } keyboard)
        {
            await keyboard.DisposeAsync().ConfigureAwait(false);
        }

        _stop.Dispose();
        _typing.Dispose();
    }

    private async Task RunAsync(CancellationToken ct)
    {
        var log = new FileStream(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        await using (log.ConfigureAwait(false))
        {
            while (!_gone.Task.IsCompleted)
            {
                try
                {
                    await FollowAsync(log, ct).ConfigureAwait(false);
                }
                catch (HostFaultException)
                {
                    await Task.Delay(s_again, _clock, ct).ConfigureAwait(false);
                }
            }
        }
    }

    // What lies here has each byte at the place that it has on the host: a hole where the host has one, and begun anew where the host has.
    private void BeginAt(FileStream log, string line)
    {
        if (!line.StartsWith("at ", StringComparison.Ordinal) || !long.TryParse(line.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out var at))
        {
            throw new HostFaultException($"portal-host does not say where the console of {_domain} begins: '{line}'.");
        }

        log.SetLength(at);
        log.Position = at;
        Interlocked.Exchange(ref _length, at);
    }

    // Until the domain is gone, or the connection.
    private async Task FollowAsync(FileStream log, CancellationToken ct)
    {
        List<byte> start = [];
        var begun = false;

        void Came(ReadOnlyMemory<byte> bytes)
        {
            var came = bytes.Span;
            if (!begun)
            {
                var end = came.IndexOf((byte)'\n');
                start.AddRange(end < 0 ? came : came[..end]);
                if (end < 0)
                {
                    return;
                }

                begun = true;
                BeginAt(log, Encoding.ASCII.GetString([.. start]));
                came = came[(end + 1)..];
            }

            log.Write(came);
            Interlocked.Add(ref _length, came.Length);
            _pulse.Beat();
        }

        // The first look takes as much of the past as a viewer gets; after a broken connection none of what was printed meanwhile is left out.
        var from = Interlocked.Read(ref _length);
        var follow = await _shell.OpenAsync(PortalHostCommands.Follow(_domain, from, from == 0 ? ConsoleHub.Kept : null), Came, ct).ConfigureAwait(false);
        await using (follow.ConfigureAwait(false))
        {
            while (true)
            {
                var before = Interlocked.Read(ref _length);
                await Task.WhenAny(follow.Ended, Task.Delay(s_look, _clock, ct)).ConfigureAwait(false);
                ct.ThrowIfCancellationRequested();
                if (follow.Ended.IsCompleted)
                {
                    await follow.Ended.ConfigureAwait(false);
                    return;
                }

                // Its last words come after its end: gone is what is gone and has been silent for one look.
                if (before == Interlocked.Read(ref _length) && !await _runs(ct).ConfigureAwait(false) && before == Interlocked.Read(ref _length))
                {
                    _gone.TrySetResult();
                    _pulse.Beat();
                    return;
                }
            }
        }
    }
}
