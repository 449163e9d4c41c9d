using System.Net.Sockets;
using Portal.Engine.Pools;

namespace Portal.Engine.Consoles;

/// <summary>
/// QEMU's end of a serial line: a unix socket that takes one client. The process that holds the lock beside it is that client; the others
/// read the log and wait for their turn.
/// </summary>
internal sealed class SocketLine : IGuestLine
{
    private const int Looks = 100;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly string _path;
    private readonly string _logPath;
    private readonly Pulse _pulse;
    private readonly TimeProvider _clock;
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Socket> _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;

    public SocketLine(string path, string logPath, Pulse pulse, TimeProvider clock)
    {
        _path = path;
        _logPath = logPath;
        _pulse = pulse;
        _clock = clock;
        _run = RunAsync(_stop.Token);
    }

    public Task Gone => _gone.Task;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        var socket = await HeldAsync(ct).ConfigureAwait(false);
        try
        {
            while (data.Length > 0)
            {
                data = data[await socket.SendAsync(data, ct).ConfigureAwait(false)..];
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            throw new HostFaultException("The domain does not run any more.", broken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _run.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task<Socket> HeldAsync(CancellationToken ct)
    {
        try
        {
            await Task.WhenAny(_connected.Task, _gone.Task).WaitAsync(s_patience, _clock, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new HostFaultException("Another process types on this console. Close it there, then retry; the output is shown here all the same.");
        }

        return _connected.Task.IsCompletedSuccessfully && !_gone.Task.IsCompleted
            ? await _connected.Task.ConfigureAwait(false)
            : throw new HostFaultException("The domain does not run any more.");
    }

    private async Task RunAsync(CancellationToken ct)
    {
        try
        {
            using var turn = await TakeTurnAsync(ct).ConfigureAwait(false);
            if (turn is not null && await ConnectAsync(ct).ConfigureAwait(false) is { } socket)
            {
                using (socket)
                {
                    _connected.TrySetResult(socket);
                    await DrainAsync(socket, ct).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed: nobody looks any more.
        }
        finally
        {
            _gone.TrySetResult();
            _pulse.Beat();
        }
    }

    /// <summary>Null where the domain went while another process held the line.</summary>
    private async Task<FileStream?> TakeTurnAsync(CancellationToken ct)
    {
        while (true)
        {
            var next = _pulse.Next;
            if (FileLock.TryTake(_path + ".lock") is { } turn)
            {
                return turn;
            }

            if (!File.Exists(_path))
            {
                return null;
            }

            await next.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    private async Task<Socket?> ConnectAsync(CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_path), ct).ConfigureAwait(false);
            return socket;
        }
        catch (SocketException)
        {
            // Nobody listens: QEMU is gone.
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Reads until QEMU closes. The bytes are in the log, too; here they only say that there is something to read, and must not pile up.</summary>
    private async Task DrainAsync(Socket socket, CancellationToken ct)
    {
        var buffer = new byte[64 << 10];
        var log = new FileInfo(_logPath);
        long seen = 0;
        try
        {
            while (await socket.ReceiveAsync(buffer, ct).ConfigureAwait(false) > 0)
            {
                // QEMU writes to its client first and to the log a moment later: waking before that would be for nothing.
                var length = LengthOf(log);
                for (var look = 0; look < Looks && length == seen; look++)
                {
                    await Task.Yield();
                    length = LengthOf(log);
                }

                seen = length;
                _pulse.Beat();
            }
        }
        catch (SocketException)
        {
            // QEMU was killed.
        }
    }

    private static long LengthOf(FileInfo log)
    {
        log.Refresh();
        return log.Exists ? log.Length : 0;
    }
}
