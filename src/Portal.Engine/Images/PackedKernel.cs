using System.Buffers.Binary;

namespace Portal.Engine.Images;

/// <summary>What is packed in a kernel's boot image (https://docs.kernel.org/arch/x86/boot.html).</summary>
internal static class PackedKernel
{
    public const string Xz = "xz";
    public const string Zstd = "zst";

    private const int HeaderEnds = 0x250;

    /// <summary>Null where it is no boot image, or packed with something else.</summary>
    public static (string Packing, Range Content)? In(ReadOnlySpan<byte> image)
    {
        if (image.Length < HeaderEnds || !image.Slice(0x202, 4).SequenceEqual("HdrS"u8))
        {
            return null;
        }

        // setup_sects, where 0 means 4; payload_offset and payload_length, from behind the setup's sectors on.
        var setup = ((image[0x1F1] == 0 ? 4 : image[0x1F1]) + 1) * 512L;
        var start = setup + BinaryPrimitives.ReadUInt32LittleEndian(image[0x248..]);
        // The last four bytes are the length when unpacked, and no part of the packed stream.
        var end = start + BinaryPrimitives.ReadUInt32LittleEndian(image[0x24C..]) - 4;
        if (end > image.Length || end - start < 6)
        {
            return null;
        }

        var content = (int)start..(int)end;
        return image[content] switch
        {
            [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => (Xz, content),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => (Zstd, content),
            _ => null,
        };
    }
}
