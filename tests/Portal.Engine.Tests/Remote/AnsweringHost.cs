using System.Text;
using Portal.Engine.Remote;

namespace Portal.Engine.Tests.Remote;

/// <summary>portal-host at the other end of a link, for commands that take no input. What the machine behind it is, says who derives from it.</summary>
internal abstract class AnsweringHost : IHostLink
{
    private readonly HostFrame.Reader _reader = new();
    private Action<ReadOnlyMemory<byte>> _received = _ => { };

    public void Listen(Action<ReadOnlyMemory<byte>> received, Action<string> closed)
    {
        _received = received;
        Say(FrameKind.Hello, 0, HostInstall.Greeting);
    }

    public Task SendAsync(ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        foreach (var frame in _reader.Take(data.Span).Where(f => f.Kind == FrameKind.Run))
        {
            var (code, output, error) = Answer(frame.Text.Split('\0')[3..]);
            Say(FrameKind.Output, frame.Number, output);
            Say(FrameKind.Complaint, frame.Number, error);
            Say(FrameKind.Done, frame.Number, $"exit {code}");
        }

        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <param name="words">The command, without its fence.</param>
    protected abstract (int Code, string Output, string Error) Answer(string[] words);

    private void Say(FrameKind kind, uint number, string text) => _received(new HostFrame(kind, number, Encoding.UTF8.GetBytes(text)).ToBytes());
}
