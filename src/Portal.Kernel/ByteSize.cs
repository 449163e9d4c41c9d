using System.Globalization;

namespace Portal.Kernel;

/// <summary>An amount of memory or storage: always bytes, never negative; MiB and GiB (powers of 1024) only at the edges.</summary>
public readonly record struct ByteSize : IComparable<ByteSize>
{
    private const long MiB = 1L << 20;
    private const long GiB = 1L << 30;

    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public ByteSize(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
    }

    public static ByteSize Zero => default;

    public long Bytes { get; }

    /// <summary>Whole MiB, rounded up.</summary>
    public long CeilingMiB => (Bytes / MiB) + (Bytes % MiB == 0 ? 0 : 1);

    /// <summary>Whole GiB, rounded up.</summary>
    public long CeilingGiB => (Bytes / GiB) + (Bytes % GiB == 0 ? 0 : 1);

    /// <exception cref="OverflowException">More than 2^63 bytes.</exception>
    public static ByteSize FromMiB(long mib) => new(checked(mib * MiB));

    /// <exception cref="OverflowException">More than 2^63 bytes.</exception>
    public static ByteSize FromGiB(long gib) => new(checked(gib * GiB));

    public static ByteSize operator +(ByteSize left, ByteSize right) => new(checked(left.Bytes + right.Bytes));

    public static ByteSize operator *(ByteSize size, long count) => new(checked(size.Bytes * count));

    public static bool operator <(ByteSize left, ByteSize right) => left.Bytes < right.Bytes;

    public static bool operator >(ByteSize left, ByteSize right) => left.Bytes > right.Bytes;

    public static bool operator <=(ByteSize left, ByteSize right) => left.Bytes <= right.Bytes;

    public static bool operator >=(ByteSize left, ByteSize right) => left.Bytes >= right.Bytes;

    public int CompareTo(ByteSize other) => Bytes.CompareTo(other.Bytes);

    /// <summary>Words for people: whole GiB or MiB where exact, else with one decimal.</summary>
    public override string ToString()
    {
        if (Bytes >= GiB)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Math.Round((decimal)Bytes / GiB, 1):0.#} GiB");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{Math.Round((decimal)Bytes / MiB, 1):0.#} MiB");
    }
}
