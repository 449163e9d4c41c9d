using System.Buffers.Binary;
using System.Text;

namespace Portal.Engine.Remote;

/// <summary>What a frame between portal and `portal-host` says; the letters and their order stand at the head of that program.</summary>
internal enum FrameKind : byte
{
    Run = (byte)'R',
    Input = (byte)'I',
    InputEnds = (byte)'E',
    Kill = (byte)'K',
    Hello = (byte)'H',
    Output = (byte)'O',
    Complaint = (byte)'X',
    Done = (byte)'D',
    Refused = (byte)'N',
    InputTaken = (byte)'W',
}

/// <summary>One frame: what, of which command, and its content.</summary>
internal readonly record struct HostFrame(FrameKind Kind, uint Number, ReadOnlyMemory<byte> Content)
{
    /// <summary>Of a frame's content; a longer one ends the link.</summary>
    public const int MaxContent = 1 << 20;

    private const int HeadLength = 9;

    /// <summary>Whether it refuses a command, unbegun, because what the portal may use has changed since the channel was made.</summary>
    public bool IsAnew => Kind == FrameKind.Refused && Content.Span.StartsWith("anew\0"u8);

    public string Text => Encoding.UTF8.GetString(Content.Span);

    public byte[] ToBytes()
    {
        var bytes = new byte[HeadLength + Content.Length];
        bytes[0] = (byte)Kind;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(1), Number);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(5), Content.Length);
        Content.CopyTo(bytes.AsMemory(HeadLength));
        return bytes;
    }

    /// <summary>Takes whole frames out of what came piece by piece.</summary>
    public sealed class Reader
    {
        private byte[] _kept = [];

        /// <exception cref="HostFaultException">What comes are no frames: there is no `portal-host` at the other end.</exception>
        public IReadOnlyList<HostFrame> Take(ReadOnlySpan<byte> came)
        {
            byte[] all = [.. _kept, .. came];
            List<HostFrame> frames = [];
            var at = 0;
            while (all.Length - at >= HeadLength)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(all.AsSpan(at + 5));
                if (!Enum.IsDefined((FrameKind)all[at]) || length is < 0 or > MaxContent)
                {
                    throw new HostFaultException("The host's answer is not that of portal-host. Add the host anew, so that its part is installed again.");
                }

                if (all.Length - at < HeadLength + length)
                {
                    break;
                }

                frames.Add(new HostFrame((FrameKind)all[at], BinaryPrimitives.ReadUInt32BigEndian(all.AsSpan(at + 1)), all.AsMemory(at + HeadLength, length)));
                at += HeadLength + length;
            }

            _kept = all[at..];
            return frames;
        }
    }
}
