using CsCheck;
using Portal.Engine.Xen.Import;

namespace Portal.Engine.Tests.Xen.Import;

/// <summary>Whatever a file has in it, reading it ends, and ends well.</summary>
public sealed class HostileConfigTests
{
    private static readonly string[] s_bits =
    [
        "name", "disk", "vif", "memory", "cpus", "extra", "restart", "def f():", "if", " = ", "==", "+=", "[", "]", "(", ")", "{", "}", ",", ";", ":", "#", "\\", "\\\n", "\n", "\r\n", "\t", "    ",
        "'", "\"", "'''", "\"\"\"", "'phy:vg/a,xvda,w'", "'mac=aa:00:00:00:00:01'", "phy:", "target=", "-", "-1", "0x", "0xfff", "010", "256", "%", "\0", "\u2028", "\uFEFF", "\uD800", "é", "/dev/mapper/a--b-c", "..",
    ];

    private static readonly Gen<string> s_text = Gen.OneOf(
        Gen.Int[0, s_bits.Length - 1].Select(i => s_bits[i]).Array[0, 60].Select(string.Concat),
        Gen.String[Gen.Char, 0, 200],
        Gen.String[Gen.Char["ab01 =[],'\"\\#\n:;/-"], 0, 200]);

    [Fact]
    public void No_text_is_a_fault() =>
        s_text.Sample(text =>
        {
            var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n', '\r').Length;
            var domain = XlConfigReader.Read(text, Foreign.Known).Value;

            Assert.All(domain.NotUnderstood, missed => Assert.InRange(missed.Line!.Value, 1, lines));
            Assert.All(domain.NotUnderstood, missed => Assert.DoesNotContain(missed.Text, char.IsControl));
            Assert.All(domain.Understood, understood => Assert.EndsWith(".", understood.Meaning, StringComparison.Ordinal));
            Assert.All([domain.Name, domain.Kernel, domain.CommandLine, .. domain.Disks.Select(d => d.Target)], value => Assert.False(value?.Any(char.IsControl) ?? false));
        }, iter: 20_000);

    [Fact]
    public void A_line_that_is_sound_is_read_whatever_stands_before_it() =>
        s_text.Where(text => !text.Contains("'''", StringComparison.Ordinal) && !text.Contains("\"\"\"", StringComparison.Ordinal) && !text.EndsWith('\\')).Sample(
            text => Assert.Equal("sound", XlConfigReader.Read($"{text}\nname = 'sound'\n", Foreign.Known).Value.Name), iter: 20_000);

    [Theory]
    [InlineData("[", 60_000)]
    [InlineData("a=[", 20_000)]
    [InlineData("(", 60_000)]
    [InlineData("'", 60_000)]
    [InlineData("'''\n\"\"\"\n", 7_000)]
    [InlineData("\\\n", 30_000)]
    [InlineData("\n", 60_000)]
    [InlineData("a=1\n", 15_000)]
    [InlineData("a+=[1]\n", 9_000)]
    [InlineData("def f():\n a=1\n", 4_000)]
    [InlineData("disk=['x',\n", 5_000)]
    [InlineData("''", 30_000)]
    public void Much_of_the_same_ends_soon(string bit, int times) =>
        Assert.True(XlConfigReader.Read(string.Concat(Enumerable.Repeat(bit, times)), Foreign.Known).Succeeded);

    [Theory]
    [InlineData(9)]
    [InlineData(60_000)]
    public void Lists_within_lists_are_followed_only_so_far(int depth)
    {
        var domain = Foreign.Read($"vfb = {new string('[', depth)}", "name = 'a'");

        Assert.Equal([(1, "vfb")], domain.Missed());
        Assert.StartsWith("A value is", domain.Why(), StringComparison.Ordinal);
        Assert.Equal("a", domain.Name);
    }

    [Fact]
    public void Names_of_any_length_are_compared_soon() =>
        Assert.NotEmpty(Foreign.Read($"disk = [ {string.Join(',', Enumerable.Range(0, 2_000).Select(i => $"'phy:g{i}/a,xvda,w'"))}, 'phy:{new string('g', 20_000)}/a,xvdb,w' ]").Warnings);

    [Fact]
    public void Long_texts_are_shown_short() => Assert.Equal(201, Assert.Single(Foreign.Read(new string('x', 10_000)).NotUnderstood).Text.Length);

    [Fact]
    public void A_text_that_is_too_long_for_a_configuration_is_refused()
    {
        Assert.True(XlConfigReader.Read(new string('#', XlConfigReader.LargestBytes), Foreign.Known).Succeeded);

        var refusal = XlConfigReader.Read(new string('é', (XlConfigReader.LargestBytes / 2) + 1), Foreign.Known).Refusal;

        Assert.Equal(("engine.config_too_large", "A domain's configuration has at most 64 KiB; this one has 65 KiB."), (refusal?.Code, refusal?.Message));
    }
}
