using System.Text;
using Portal.Engine.Remote;
using Portal.Engine.Tests.Remote;

namespace Portal.Engine.Tests.Hostile;

/// <summary>Speaks to portal-host as somebody would who has the portal's key and none of its code.</summary>
internal static class HostWire
{
    private const int Batch = 2_000;

    /// <summary>Asks for each command, whatever is in it, and gives how each ended: <c>done exit 0</c>, <c>forbidden why</c> ...</summary>
    /// <param name="commands">VM, epoch, seconds and words of each, separated by NUL.</param>
    public static async Task<IReadOnlyList<string>> AskAsync(this PortalHost host, IEnumerable<string> commands, CancellationToken ct)
    {
        using SemaphoreSlim answered = new(0);
        await using var link = host.Start();
        Dictionary<uint, string> ends = [];
        HostFrame.Reader reader = new();
        link.Listen(
            came =>
            {
                foreach (var frame in reader.Take(came.Span).Where(frame => frame.Kind is FrameKind.Done or FrameKind.Refused))
                {
                    ends.Add(frame.Number, frame.Kind == FrameKind.Done ? $"done {frame.Text}" : frame.Text.Replace('\0', ' '));
                    answered.Release();
                }
            },
            _ => answered.Release(Batch)); // it went: what is missing has no answer

        uint last = 0;
        foreach (var some in commands.Chunk(Batch))
        {
            using MemoryStream frames = new();
            foreach (var command in some)
            {
                frames.Write(new HostFrame(FrameKind.Run, ++last, Encoding.UTF8.GetBytes(command)).ToBytes());
            }

            await link.SendAsync(frames.ToArray(), ct);
            for (var waited = 0; waited < some.Length; waited++)
            {
                await answered.WaitAsync(ct);
            }
        }

        return [.. Enumerable.Range(1, (int)last).Select(number => ends.GetValueOrDefault((uint)number, "no answer"))];
    }
}
