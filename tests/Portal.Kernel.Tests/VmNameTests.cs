using CsCheck;

namespace Portal.Kernel.Tests;

public sealed class VmNameTests
{
    private static readonly Gen<string> s_anything = Gen.OneOf(
        Gen.String,
        Gen.Char["abcxyz0189-.A_ \n"].Array[0, 70].Select(c => new string(c)));

    [Fact]
    public void Takes_exactly_what_RFC_1123_calls_a_label_in_lower_case() => s_anything.Sample(text =>
    {
        var label = text.Length is >= 1 and <= 63
            && text.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-')
            && text[0] != '-' && text[^1] != '-';
        Assert.Equal(label, VmName.TryParse(text, out var name));
        if (label)
        {
            Assert.Equal(text, name.Text);
            Assert.Equal(name, VmName.Parse(text));
        }
        else
        {
            Assert.Throws<FormatException>(() => VmName.Parse(text));
        }
    }, iter: 20_000);

    [Theory]
    [InlineData("a", true)]
    [InlineData("web-1", true)]
    [InlineData("0", true)]
    [InlineData("web\n", false)]
    [InlineData("-web", false)]
    [InlineData("web-", false)]
    [InlineData("Web", false)]
    [InlineData("wéb", false)]
    [InlineData("web.example", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Examples(string? text, bool good) => Assert.Equal(good, VmName.TryParse(text, out _));

    [Fact]
    public void Has_at_most_63_characters()
    {
        Assert.True(VmName.TryParse(new string('a', 63), out _));
        Assert.False(VmName.TryParse(new string('a', 64), out _));
    }

    [Fact]
    public void The_default_is_no_name() => Assert.Throws<InvalidOperationException>(() => default(VmName).Text);
}
