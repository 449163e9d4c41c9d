using CsCheck;

namespace Portal.Kernel.Tests;

public sealed class IdTests
{
    [Fact]
    public void Reads_what_it_writes_and_never_an_empty_one() => Gen.Guid.Sample(value =>
    {
        Assert.Equal(value != Guid.Empty, Id.TryParse<VmId>(value.ToString(), out var id));
        Assert.Equal(value, id.Value);
    });

    [Theory]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("vm-1")]
    [InlineData("")]
    [InlineData(null)]
    public void Refuses_what_is_none(string? text) => Assert.False(Id.TryParse<VmId>(text, out _));

    [Fact]
    public void New_ones_grow_with_time()
    {
        var ids = Enumerable.Range(0, 100).Select(_ => VmId.New()).ToList();

        Assert.Equal(100, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Equal(7, id.Value.Version));
    }
}
