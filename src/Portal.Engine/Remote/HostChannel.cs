using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Portal.Engine.Shell;

namespace Portal.Engine.Remote;

/// <summary>Many commands at a time over one link to `portal-host`. When the link breaks, each command that was under way is a fault: it may or may not have happened.</summary>
internal sealed class HostChannel : IHostShell, IAsyncDisposable
{
    private const int MaxOutput = 4 << 20;
    private const int MaxError = 64 << 10;
    private const int Window = 1 << 20;
    private const int Piece = 64 << 10;

    /// <summary>portal-host stops a late command itself, asking first; a host that is silent for so much longer does not answer.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(15);

    private readonly IHostLink _link;
    private readonly TimeProvider _clock;
    private readonly HostFrame.Reader _reader = new();
    private readonly Dictionary<uint, Call> _calls = [];
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint _last;
    private string? _closed;
    private bool _outdated;
    private bool _disposed;
    private TaskCompletionSource? _idle;

    public HostChannel(IHostLink link, TimeProvider clock)
    {
        _link = link;
        _clock = clock;
        link.Listen(Received, Close);
    }

    /// <summary>Why it can be used no more; null while it can.</summary>
    public string? Closed
    {
        get
        {
            lock (_gate)
            {
                return _closed;
            }
        }
    }

    /// <summary>Whether the host's administrator has changed what the portal may use since it was made: it begins nothing any more.</summary>
    public bool Outdated
    {
        get
        {
            lock (_gate)
            {
                return _outdated;
            }
        }
    }

    /// <summary>Waits until no command is under way; what goes on for as long as it is wanted does not count.</summary>
    public Task IdleAsync()
    {
        lock (_gate)
        {
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            TellIdle();
            return _idle.Task;
        }
    }

    /// <summary>Waits until portal-host has said that it is there.</summary>
    /// <exception cref="HostFaultException">Something else answered, or nothing did.</exception>
    public async Task GreetedAsync(TimeSpan patience, CancellationToken ct)
    {
        try
        {
            await _greeted.Task.WaitAsync(patience, _clock, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new HostFaultException($"portal-host did not answer within {patience.TotalSeconds:0} s.");
        }
    }

    public async Task<HostAnswer> RunAsync(HostCommand command, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var call = new Call(command);
        var number = Enlist(call);
        using var patience = new CancellationTokenSource(command.Timeout + s_silence, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, ct);
        try
        {
            await SendAsync(new HostFrame(FrameKind.Run, number, Words(command)), either.Token).ConfigureAwait(false);
            await FeedAsync(number, call, command.Content ?? Encoding.UTF8.GetBytes(command.Input ?? ""), either.Token).ConfigureAwait(false);
            await SendAsync(new HostFrame(FrameKind.InputEnds, number, default), either.Token).ConfigureAwait(false);
            return await call.Answer.Task.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            await SendAsync(new HostFrame(FrameKind.Kill, number, default), CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
            throw new HostFaultException($"The host did not answer within {(command.Timeout + s_silence).TotalSeconds:0} s to `{command}`. It may or may not have been done.");
        }
        finally
        {
            lock (_gate)
            {
                _calls.Remove(number);
                TellIdle();
            }
        }
    }

    /// <summary>Begins a command that goes on for as long as it is wanted; its output is told as it comes.</summary>
    /// <exception cref="HostFaultException">The link is down.</exception>
    public async Task<HostStream> OpenAsync(HostCommand command, Action<ReadOnlyMemory<byte>> came, CancellationToken ct)
    {
        var call = new Call(command) { Came = came };
        var number = Enlist(call);
        await SendAsync(new HostFrame(FrameKind.Run, number, Words(command)), ct).ConfigureAwait(false);
        return new HostStream(
            call.Answer.Task,
            (data, token) => FeedAsync(number, call, data, token),
            async () =>
            {
                await SendAsync(new HostFrame(FrameKind.Kill, number, default), CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                lock (_gate)
                {
                    _calls.Remove(number);
                }

                call.Cut("It was ended.");
            });
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }

        Close("The link to the host was closed.");
        await _link.DisposeAsync().ConfigureAwait(false);
    }

    private uint Enlist(Call call)
    {
        lock (_gate)
        {
            if (_outdated)
            {
                throw new HostOutdatedException();
            }

            if (_closed is { } why)
            {
                throw new HostFaultException(why);
            }

            _calls.Add(++_last, call);
            return _last;
        }
    }

    // Under the gate.
    private void TellIdle()
    {
        if (_calls.Values.All(call => call.Came is not null))
        {
            _idle?.TrySetResult();
        }
    }

    // VM, epoch, seconds, then the words. A word cannot hold a NUL, so nothing can become two.
    private static byte[] Words(HostCommand command)
    {
        if (command.Arguments.Prepend(command.Program).Any(w => w.Contains('\0', StringComparison.Ordinal)))
        {
            throw new ArgumentException("An argument cannot hold a NUL.", nameof(command));
        }

        string[] head =
        [
            command.Fence is { } fence ? fence.Vm.Value.ToString("N") : "",
            command.Fence?.Epoch.ToString(CultureInfo.InvariantCulture) ?? "",
            Math.Max(1, (int)Math.Ceiling(command.Timeout.TotalSeconds)).ToString(CultureInfo.InvariantCulture),
        ];
        return Encoding.UTF8.GetBytes(string.Join('\0', head.Append(command.Program).Concat(command.Arguments)));
    }

    private async Task FeedAsync(uint number, Call call, ReadOnlyMemory<byte> left, CancellationToken ct)
    {
        while (!left.IsEmpty && !call.Answer.Task.IsCompleted)
        {
            var length = await call.CreditAsync(Math.Min(left.Length, Piece), ct).ConfigureAwait(false);
            await SendAsync(new HostFrame(FrameKind.Input, number, left[..length]), ct).ConfigureAwait(false);
            left = left[length..];
        }
    }

    private async Task SendAsync(HostFrame frame, CancellationToken ct)
    {
        await _sending.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            // Not broken off in the middle: half a frame would end the link for all.
            await _link.SendAsync(frame.ToBytes(), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }

    private void Received(ReadOnlyMemory<byte> came)
    {
        try
        {
            foreach (var frame in _reader.Take(came.Span))
            {
                Received(frame);
            }
        }
        catch (HostFaultException foreign)
        {
            Close(foreign.Message);
        }
    }

    private void Received(HostFrame frame)
    {
        if (frame.Kind == FrameKind.Hello)
        {
            Greeted(frame.Text);
            return;
        }

        Call? call;
        lock (_gate)
        {
            _outdated |= frame.IsAnew;
            // Gone where its caller gave up on it.
            call = _calls.GetValueOrDefault(frame.Number);
        }

        call?.Take(frame);
    }

    private void Greeted(string by)
    {
        if (by == HostInstall.Greeting)
        {
            _greeted.TrySetResult();
        }
        else
        {
            Close($"The host's part is \"{by}\", and this portal works with \"{HostInstall.Greeting}\". Run the installation on the host again: its page shows how.");
        }
    }

    private void Close(string why)
    {
        Call[] cut;
        lock (_gate)
        {
            _closed ??= why;
            cut = [.. _calls.Values];
        }

        _greeted.TrySetException(new HostFaultException(why));
        // Nobody may wait for it: then nobody is to be told either.
        _ = _greeted.Task.Exception;
        foreach (var call in cut)
        {
            call.Cut(why);
        }
    }

    // Its buffers and its semaphore hold memory alone. They are not disposed: a frame that comes late may still be written to them.
    [SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "See above.")]
    private sealed class Call(HostCommand command)
    {
        private readonly MemoryStream _output = new();
        private readonly MemoryStream _error = new();
        private readonly SemaphoreSlim _news = new(0);
        private int _credit = Window;

        /// <summary>Who is told the output; null keeps it for the answer.</summary>
        public Action<ReadOnlyMemory<byte>>? Came { get; init; }

        public TaskCompletionSource<HostAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Waits until some input may be sent, and says how much of what is wanted.</summary>
        public async Task<int> CreditAsync(int wanted, CancellationToken ct)
        {
            while (true)
            {
                var there = Volatile.Read(ref _credit);
                if (there > 0 || Answer.Task.IsCompleted)
                {
                    var length = Answer.Task.IsCompleted ? wanted : Math.Min(wanted, there);
                    Interlocked.Add(ref _credit, -length);
                    return length;
                }

                await _news.WaitAsync(ct).ConfigureAwait(false);
            }
        }

        public void Take(HostFrame frame)
        {
            switch (frame.Kind)
            {
                case FrameKind.Output when Came is { } came:
                    came(frame.Content);
                    break;
                case FrameKind.Output:
                    Keep(_output, frame.Content.Span, MaxOutput);
                    break;
                case FrameKind.Complaint:
                    Keep(_error, frame.Content.Span, MaxError);
                    break;
                case FrameKind.InputTaken when frame.Content.Length == 4:
                    Interlocked.Add(ref _credit, BinaryPrimitives.ReadInt32BigEndian(frame.Content.Span));
                    _news.Release();
                    break;
                case FrameKind.Done:
                    End(frame.Text);
                    break;
                case FrameKind.Refused when frame.IsAnew:
                    Fail(new HostOutdatedException());
                    break;
                case FrameKind.Refused:
                    // The portal asks only for what it installed the host's part for: a no here is a fault of one of the two, not an expected answer.
                    Fail($"portal-host refused `{command}`: {frame.Text.Replace("\0", ": ", StringComparison.Ordinal)}");
                    break;
                default:
                    break;
            }
        }

        public void Cut(string why) => Fail($"{why} `{command}` may or may not have been done.");

        private void End(string how)
        {
            if (how == "late")
            {
                Fail($"`{command}` was not done after {command.Timeout.TotalSeconds:0} s and was killed.");
            }
            else if (how.StartsWith("exit ", StringComparison.Ordinal) && int.TryParse(how.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            {
                Answer.TrySetResult(new HostAnswer(code, Text(_output), Text(_error)));
                _news.Release();
            }
            else
            {
                Fail($"`{command}` was ended by {how}.");
            }
        }

        private void Fail(string why) => Fail(new HostFaultException(why));

        private void Fail(HostFaultException fault)
        {
            Answer.TrySetException(fault);
            _ = Answer.Task.Exception;
            _news.Release();
        }

        private static void Keep(MemoryStream kept, ReadOnlySpan<byte> content, int max) =>
            kept.Write(content[..(int)Math.Min(content.Length, max - kept.Length)]);

        private static string Text(MemoryStream kept) => Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length);
    }
}
