using CsCheck;

namespace Portal.Kernel.Tests;

public sealed class ByteSizeTests
{
    private static readonly Gen<long> s_bytes = Gen.Long[0, long.MaxValue / 4];

    [Fact]
    public void Sums_and_orders_as_its_bytes_do() => Gen.Select(s_bytes, s_bytes).Sample((a, b) =>
    {
        var (left, right) = (new ByteSize(a), new ByteSize(b));
        Assert.Equal(a + b, (left + right).Bytes);
        Assert.Equal(left + right, right + left);
        Assert.Equal(a < b, left < right);
        Assert.Equal(a <= b, left <= right);
        Assert.Equal(a > b, left > right);
        Assert.Equal(a >= b, left >= right);
        Assert.Equal(a.CompareTo(b), left.CompareTo(right));
    });

    [Fact]
    public void A_ceiling_is_the_smallest_whole_number_that_holds_it() => s_bytes.Sample(bytes =>
    {
        var size = new ByteSize(bytes);
        Assert.True(ByteSize.FromMiB(size.CeilingMiB) >= size);
        Assert.True(size.CeilingMiB == 0 || ByteSize.FromMiB(size.CeilingMiB - 1) < size);
        Assert.True(ByteSize.FromGiB(size.CeilingGiB) >= size);
        Assert.True(size.CeilingGiB == 0 || ByteSize.FromGiB(size.CeilingGiB - 1) < size);
    });

    [Fact]
    public void Whole_units_come_back_as_they_went_in() => Gen.Long[0, 1L << 30].Sample(n =>
    {
        Assert.Equal(n, ByteSize.FromMiB(n).CeilingMiB);
        Assert.Equal(n, ByteSize.FromGiB(n).CeilingGiB);
        Assert.Equal(ByteSize.FromMiB(n) * 1024, ByteSize.FromGiB(n));
    });

    [Fact]
    public void Is_never_negative_and_never_overflows_silently()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ByteSize(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ByteSize.FromMiB(-1));
        Assert.Throws<OverflowException>(() => ByteSize.FromGiB(1L << 33));
        Assert.Throws<OverflowException>(() => ByteSize.FromMiB(1L << 43));
        Assert.Throws<OverflowException>(() => new ByteSize(long.MaxValue) + new ByteSize(1));
        Assert.Throws<OverflowException>(() => new ByteSize(1L << 62) * 2);
    }

    [Theory]
    [InlineData(0, "0 MiB")]
    [InlineData(1L << 20, "1 MiB")]
    [InlineData(3L << 19, "1.5 MiB")]
    [InlineData(512L << 20, "512 MiB")]
    [InlineData(1L << 30, "1 GiB")]
    [InlineData(5L << 29, "2.5 GiB")]
    public void Speaks_in_the_largest_unit_that_fits(long bytes, string words) => Assert.Equal(words, new ByteSize(bytes).ToString());
}
