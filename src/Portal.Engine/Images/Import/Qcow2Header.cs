using System.Buffers.Binary;
using System.Numerics;
using Portal.Kernel;

namespace Portal.Engine.Images.Import;

/// <summary>
/// The beginning of a qcow2 image (QEMU's docs/interop/qcow2.txt), read here before any program opens it. What leads out of the image, or needs more than the
/// image to be understood, is refused.
/// </summary>
internal sealed record Qcow2Header(ByteSize VirtualSize)
{
    // Into the first cluster, in which header and extensions have to be; a cluster has at least 512 bytes and no tool makes less than 64 KiB by itself.
    private const int Most = 64 << 10;
    private const int VersionTwo = 72;

    private const ulong DirtyBit = 1, CorruptBit = 2, ExternalDataBit = 4, CompressionBit = 8, ExtendedL2Bit = 16;

    private const uint BackingFormat = 0xE2792ACA, ExternalData = 0x44415441, Encryption = 0x0537BE77;

    public static async Task<Result<Qcow2Header>> ReadAsync(string path, CancellationToken ct)
    {
        using var file = File.OpenHandle(path);
        var bytes = new byte[Most];
        var length = 0;
        for (int more; length < Most && (more = await RandomAccess.ReadAsync(file, bytes.AsMemory(length), length, ct).ConfigureAwait(false)) > 0; length += more)
        {
        }

        return Read(bytes.AsSpan(0, length));
    }

    /// <param name="bytes">The image's first 64 KiB, or all of a smaller one.</param>
    public static Result<Qcow2Header> Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < VersionTwo || !bytes.StartsWith((ReadOnlySpan<byte>)[(byte)'Q', (byte)'F', (byte)'I', 0xFB]))
        {
            return new ImageRefused("It is no qcow2 image. Say the format that it has, and what it is packed with.");
        }

        var version = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        if (version is not (2 or 3))
        {
            return new ImageRefused($"It is a qcow2 image of version {version}, and versions 2 and 3 are known. Convert it with `qemu-img convert -O qcow2`.");
        }

        if (BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]) != 0 || BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]) != 0)
        {
            return Outside("a backing file");
        }

        if (BinaryPrimitives.ReadUInt32BigEndian(bytes[32..]) != 0)
        {
            return new ImageRefused("The image is encrypted. Convert it to one that is not.");
        }

        if (BinaryPrimitives.ReadUInt32BigEndian(bytes[60..]) != 0)
        {
            return new ImageRefused("The image has snapshots in it, which could be of another size and are not wanted. Convert it with `qemu-img convert -O qcow2`, which leaves them out.");
        }

        var clusterBits = BinaryPrimitives.ReadUInt32BigEndian(bytes[20..]);
        var size = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
        if (clusterBits is < 9 or > 21 || size == 0 || size % 512 != 0 || size > long.MaxValue)
        {
            return Broken();
        }

        var header = VersionTwo;
        if (version == 3)
        {
            if (bytes.Length < 104)
            {
                return Broken();
            }

            var incompatible = BinaryPrimitives.ReadUInt64BigEndian(bytes[72..]);
            if ((incompatible & ExternalDataBit) != 0)
            {
                return Outside("a data file of its own");
            }

            if ((incompatible & (DirtyBit | CorruptBit)) != 0)
            {
                return new ImageRefused("The image was not closed well, or is damaged. Run `qemu-img check -r all` on it, then bring it again.");
            }

            if ((incompatible & ~(CompressionBit | ExtendedL2Bit)) != 0)
            {
                return new ImageRefused($"The image needs features that are not known (bit {BitOperations.TrailingZeroCount(incompatible & ~(CompressionBit | ExtendedL2Bit))}). Convert it with `qemu-img convert -O qcow2`.");
            }

            header = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(bytes[100..]), int.MaxValue);
            if (header < 104 || header % 8 != 0 || header > bytes.Length)
            {
                return Broken();
            }
        }

        // Lists that the extensions cannot outgrow: they end with the first cluster.
        var end = Math.Min(bytes.Length, 1 << (int)clusterBits);
        for (var at = header; at + 8 <= end;)
        {
            var kind = BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[(at + 4)..]);
            switch (kind)
            {
                case 0:
                    return new Qcow2Header(new ByteSize((long)size));
                case BackingFormat:
                    return Outside("a backing file");
                case ExternalData:
                    return Outside("a data file of its own");
                case Encryption:
                    return new ImageRefused("The image is encrypted. Convert it to one that is not.");
                default:
                    if (length > (uint)(end - at - 8))
                    {
                        return Broken();
                    }

                    at += 8 + (((int)length + 7) & ~7);
                    break;
            }
        }

        // A list without an end, or one that goes on behind what was read.
        return Broken();
    }

    private static ImageRefused Outside(string what) =>
        new($"The image names {what}, so its content is partly in another file, which is never opened. Convert it to a whole one with `qemu-img convert -O qcow2`.");

    private static ImageRefused Broken() => new("The image's header is not as qcow2 has it. Check it with `qemu-img check`, or convert it with `qemu-img convert -O qcow2`.");
}
