using CsCheck;

namespace Portal.Kernel.Tests;

public sealed class LimitTests
{
    [Fact]
    public void Allows_up_to_its_bound_and_says_what_is_left() => Gen.Select(Gen.Long[0, 1L << 40], Gen.Long[0, 1L << 40]).Sample((max, used) =>
    {
        var limit = Limit.Of(max);
        Assert.Equal(used <= max, limit.Allows(used));
        Assert.Equal(Math.Max(0, max - used), limit.LeftBeside(used));
        Assert.True(limit.Allows(used + limit.LeftBeside(used)!.Value) == (used <= max));
    });

    [Fact]
    public void No_limit_allows_everything() => Gen.Long.Sample(amount =>
    {
        Assert.True(Limit.None.Allows(amount));
        Assert.Null(Limit.None.LeftBeside(amount));
    });

    [Fact]
    public void Zero_means_none_at_all_and_nothing_negative_means_anything()
    {
        Assert.True(Limit.Of(0).Allows(0));
        Assert.False(Limit.Of(0).Allows(1));
        Assert.NotEqual(Limit.None, Limit.Of(0));
        Assert.Equal(Limit.Of(7), Limit.Of(7));
        Assert.Throws<ArgumentOutOfRangeException>(() => Limit.Of(-1));
    }
}
