using Portal.Engine.Tests.Live;

namespace Portal.Engine.Tests.Hostile;

public sealed class HostileStringsTests(Trap trap) : IClassFixture<Trap>
{
    [Fact]
    public void They_are_ten_thousand_different_ones_and_each_time_the_same()
    {
        Assert.Equal(10_000, HostileStrings.All.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(HostileStrings.All, HostileStrings.Expand());
    }

    [Theory]
    [InlineData("'")]
    [InlineData("\"")]
    [InlineData("\n")]
    [InlineData("$(")]
    [InlineData("../")]
    [InlineData("\0")]
    [InlineData("[")]
    [InlineData("\u00e9")]
    [InlineData("\ud83d\ude00")]
    [InlineData(HostileStrings.Canary)]
    public void Hundreds_are_of_each_kind(string part) => Assert.True(HostileStrings.All.Count(text => text.Contains(part, StringComparison.Ordinal)) >= 200);

    [Fact]
    public void Hundreds_begin_with_a_dash() => Assert.True(HostileStrings.All.Count(text => text.StartsWith('-')) >= 200);

    [Fact]
    public async Task A_shell_that_runs_one_of_them_is_caught()
    {
        var bare = trap.Strings.First(text => text.StartsWith("$(touch ", StringComparison.Ordinal));
        Assert.False(trap.IsSprung);

        await LibvirtHost.Shell.RunAsync(new("sh", ["-c", $"echo {bare}"], TimeSpan.FromSeconds(20)), TestContext.Current.CancellationToken);

        Assert.True(trap.IsSprung);
    }
}
