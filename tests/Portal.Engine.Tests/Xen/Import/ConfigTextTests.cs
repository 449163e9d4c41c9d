using Portal.Kernel;

namespace Portal.Engine.Tests.Xen.Import;

/// <summary>The text of a configuration, whatever its keys mean.</summary>
public sealed class ConfigTextTests
{
    [Theory]
    [InlineData("name='a'")]
    [InlineData("name = \"a\" # a comment")]
    [InlineData("\t name\t=\t'a' ; ")]
    [InlineData(";;name = 'a'; memory = 5")]
    [InlineData("name = \\\n  'a'")]
    [InlineData("name = '' \"a\"")]
    [InlineData("name = \"\"\"a\"\"\"")]
    [InlineData("# = [ ' \nname = 'a'")]
    [InlineData("name = 'a'\r\n\r\n")]
    public void A_key_and_its_text_are_found(string text)
    {
        var domain = Foreign.Read(text);

        Assert.Equal("a", domain.Name);
        Assert.Empty(domain.NotUnderstood);
    }

    [Theory]
    [InlineData("'it\\'s'", "it's")]
    [InlineData("\"a\\\\b\"", "a\\b")]
    [InlineData("\"#no comment; no end\"", "#no comment; no end")]
    [InlineData("'ab' \"cd\" 'ef'", "abcdef")]
    public void Quotes_and_escapes_are_taken_off(string value, string expected) => Assert.Equal(expected, Foreign.Read($"name = {value}").Name);

    [Theory]
    [InlineData("256", 256)]
    [InlineData("0x100", 256)]
    [InlineData("'256'", 256)]
    public void Numbers_are_decimal_hexadecimal_or_quoted(string value, long expected) => Assert.Equal(ByteSize.FromMiB(expected), Foreign.Read($"memory = {value}").Memory);

    [Fact]
    public void A_list_may_have_many_lines_comments_and_a_comma_too_many()
    {
        var domain = Foreign.Read("disk = [", "  'phy:vg/a,xvda,w', # the first", "", "  'phy:vg/b,' # begins here", "  'xvdb,r',", "]", "name = 'a'");

        Assert.Equal([("/dev/vg/a", false), ("/dev/vg/b", true)], domain.Disks.Select(d => (d.Target, d.ReadOnly)));
        Assert.Equal("a", domain.Name);
        Assert.Empty(domain.NotUnderstood);
    }

    [Fact]
    public void A_list_can_be_added_to_and_the_later_of_two_values_counts()
    {
        var domain = Foreign.Read("vif = ['bridge=one']", "vif += ['bridge=two']", "name = 'a'", "name = 'b'", "memory += 5", "memory += [6]");

        Assert.Equal(["one", "two"], domain.Vifs.Select(v => v.Bridge));
        Assert.Equal(("b", ByteSize.FromMiB(5)), (domain.Name, domain.Memory));
        Assert.Contains("name is set more than once, in the lines 3 and 4; the later counts.", domain.Warnings);
        Assert.Equal([(6, "memory")], domain.Missed());
    }

    [Theory]
    [InlineData("import os")]
    [InlineData("from x import y")]
    [InlineData("print 'hello'")]
    [InlineData("vmid = int(sys.argv[1])")]
    [InlineData("xname = 'web%d' % vmid")]
    [InlineData("vif = [ 'mac=aa:00:00:00:00:%02x' % vmid ]")]
    [InlineData("vif = make(1,\n  2)")]
    [InlineData("vif = [ 'bridge=a',\n  other(\n 'b') ]")]
    [InlineData("x = { 'a': 1,\n  'b': 2 }")]
    [InlineData("memory = 128 * 2")]
    [InlineData("memory = 1.5")]
    [InlineData("memory = 010")]
    [InlineData("memory = 256MB")]
    [InlineData("memory = 99999999999999999999")]
    [InlineData("memory = 0xffffffffffffffff")]
    [InlineData("memory = - 'a'")]
    [InlineData("memory == 5")]
    [InlineData("memory =")]
    [InlineData("memory")]
    [InlineData("= 5")]
    [InlineData("name = r'raw'")]
    [InlineData("name = 'a' 'b")]
    [InlineData("name = 'it is not closed")]
    [InlineData("name = \"\"\"nor is this")]
    [InlineData("name = '\\x41'")]
    [InlineData("disk = [ 'phy:vg/a,xvda,w'")]
    [InlineData("disk = [ 'phy:vg/a,xvda,w' )")]
    [InlineData("disk = [[[[[[[[[[ 'too deep' ]]]]]]]]]]")]
    [InlineData("]")]
    [InlineData("a.b.c(d)")]
    [InlineData("@decorated")]
    [InlineData("'''a text\nthat is given to nobody'''")]
    public void What_is_Python_or_nothing_at_all_is_told_and_the_lines_around_it_are_read(string statement)
    {
        var domain = Foreign.Read("uuid = '4a2b6c1e-1111-2222-3333-444455556666'", statement, "vcpus = 3");

        Assert.Equal(("4a2b6c1e-1111-2222-3333-444455556666", 3), (domain.Uuid?.ToString(), domain.Vcpus));
        var missed = Assert.Single(domain.NotUnderstood);
        Assert.InRange(missed.Line!.Value, 2, 3);
        Assert.EndsWith(".", missed.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void The_body_of_a_block_is_part_of_it()
    {
        var domain = Foreign.Read(
            "def mac(n):", "    memory = 999", "", "    return '00:16:3e:00:00:%02x' % n", "# a comment", "name = 'a'", "if True:", "\tmemory = 888", "else:", "\tmemory = 777", "memory = 64");

        Assert.Equal(("a", ByteSize.FromMiB(64)), (domain.Name, domain.Memory));
        Assert.Equal([(1, null), (7, null), (9, null)], domain.Missed());
        Assert.Equal("This is Python, and Python is not run; nor is what belongs to it, up to line 4.", domain.NotUnderstood[0].Why);
        Assert.Equal("def mac(n):", domain.NotUnderstood[0].Text);
    }

    [Fact]
    public void A_fault_is_told_with_its_own_line_its_key_and_what_stands_there()
    {
        var domain = Foreign.Read("", "vif = [ 'bridge=xen-br0',", "        'bridge=%s' % bridge,", "        'bridge=c' ]", "name = 'a'");

        Assert.Equal([new NotUnderstoodSetting(3, "vif", "'bridge=%s' % bridge,", "In the list stands '%': what has to be computed is not read.")], domain.NotUnderstood);
        Assert.Equal("a", domain.Name);
    }

    [Fact]
    public void A_list_that_is_never_closed_is_told_where_it_begins_and_swallows_no_setting()
    {
        var domain = Foreign.Read("disk = [", "  'phy:vg/a,xvda,w',", "name = 'a'");

        Assert.Equal([(1, "disk")], domain.Missed());
        Assert.Equal(("a", "The list that begins here is not closed."), (domain.Name, domain.Why()));
    }

    [Fact]
    public void An_entry_that_makes_no_sense_is_told_with_its_own_line_and_its_neighbours_are_read()
    {
        var domain = Foreign.Read("disk = [ 'phy:vg/a,xvda,w',", "  'nonsense',", "  'phy:vg/c,xvdc,w' ]");

        Assert.Equal(["xvda", "xvdc"], domain.Disks.Select(d => d.GuestDevice));
        Assert.Equal([(2, "disk")], domain.Missed());
    }
}
