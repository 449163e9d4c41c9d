using Portal.App.Ordering;

namespace Portal.App.Tests.Ordering;

public sealed class NamePatternTests
{
    [Theory]
    [InlineData("web-{n}", "web-1", "web-2", "web-3")]
    [InlineData("web-{n}", "web-9", "web-10", "web-11")]
    [InlineData("web-{n}", "web-1", "web-11")]
    [InlineData("db{n}-eu", "db1-eu", "db2-eu")]
    public void A_pattern_is_found_again_in_the_names_that_it_made(string pattern, params string[] names) => Assert.Equal(pattern, NamePattern.Of(names));

    [Theory]
    [InlineData("web", 3)]
    [InlineData("web-{n}", 12)]
    [InlineData("x{n}y", 2)]
    public void What_was_expanded_expands_to_the_same_again(string pattern, int count)
    {
        var names = NamePattern.Expand(pattern, count, new HashSet<string>())!.Select(n => n.Text).ToList();

        Assert.Equal(names, NamePattern.Expand(NamePattern.Of(names), count, new HashSet<string>())!.Select(n => n.Text));
    }
}
