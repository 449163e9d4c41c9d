using System.Net;

namespace Portal.Engine.Tests;

public sealed class NfsRootTests
{
    [Theory]
    [InlineData("192.0.2.10", "/srv/roots/debian-13", false)]
    [InlineData("10.0.0.1", "/a", false)]
    [InlineData("10.0.0.1", "/.hidden/..name/x..", false)]
    [InlineData("10.0.0.1", "/srv/%s", false)]
    [InlineData("10.0.0.1", "/srv/vm-%s.root", true)]
    public void What_an_operator_means_is_taken(string server, string path, bool writable)
    {
        Assert.Null(NfsRoot.Complaint(server, path, writable));
        Assert.Equal((server, path, writable), (new NfsRoot(server, path, writable) is var nfs ? nfs.Server : "", nfs.Path, nfs.Writable));
    }

    [Theory]
    [InlineData("", "/srv", "server")]
    [InlineData("nfs.example", "/srv", "server")]
    [InlineData("010.0.0.1", "/srv", "server")]
    [InlineData("10.1", "/srv", "server")]
    [InlineData("0x0a000001", "/srv", "server")]
    [InlineData("167772161", "/srv", "server")]
    [InlineData("127.0.0.1", "/srv", "server")]
    [InlineData("0.0.0.0", "/srv", "server")]
    [InlineData("255.255.255.255", "/srv", "server")]
    [InlineData("2001:db8::1", "/srv", "server")]
    [InlineData("10.0.0.1 ", "/srv", "server")]
    [InlineData("10.0.0.1", "", "path")]
    [InlineData("10.0.0.1", "/", "path")]
    [InlineData("10.0.0.1", "srv", "path")]
    [InlineData("10.0.0.1", "/srv/", "path")]
    [InlineData("10.0.0.1", "/srv//x", "path")]
    [InlineData("10.0.0.1", "/srv/../etc", "path")]
    [InlineData("10.0.0.1", "/srv/.", "path")]
    [InlineData("10.0.0.1", "/srv/..", "path")]
    [InlineData("10.0.0.1", "/srv,vers=3", "path")]
    [InlineData("10.0.0.1", "/srv init=/bin/sh", "path")]
    [InlineData("10.0.0.1", "/srv\n", "path")]
    [InlineData("10.0.0.1", "/srv/%d", "path")]
    [InlineData("10.0.0.1", "/srv/%s/%s", "path")]
    [InlineData("10.0.0.1", "/srv/\u00e9", "path")]
    public void What_would_be_something_else_to_a_kernel_is_refused_with_the_field(string server, string path, string field)
    {
        Assert.Equal(field, NfsRoot.Complaint(server, path, writable: false)?.Field);
        Assert.Throws<ArgumentException>(field, () => new NfsRoot(server, path, writable: false));
    }

    [Fact]
    public void A_path_has_an_end() => Assert.Equal("path", NfsRoot.Complaint("10.0.0.1", "/" + new string('a', NfsRoot.MaxPath), writable: false)?.Field);

    [Fact]
    public void Two_guests_never_write_to_one_directory()
    {
        Assert.Equal("path", NfsRoot.Complaint("10.0.0.1", "/srv/roots/debian", writable: true)?.Field);
        var nfs = new NfsRoot("10.0.0.1", "/srv/roots/%s", writable: true);
        Assert.NotEqual(nfs.PathOf(IPAddress.Parse("10.0.0.7")), nfs.PathOf(IPAddress.Parse("10.0.0.8")));
    }

    [Theory]
    [InlineData(8, "255.0.0.0")]
    [InlineData(22, "255.255.252.0")]
    [InlineData(24, "255.255.255.0")]
    [InlineData(30, "255.255.255.252")]
    public void A_netmask_is_written_out(int prefixLength, string mask)
    {
        var spec = An.Spec("deadbeef");
        Assert.Contains($":{mask}:web-5:eth0:off ", new NfsRoot("10.0.0.1", "/srv", writable: false).CommandLine(spec with { Address = spec.Address with { PrefixLength = prefixLength } }), StringComparison.Ordinal);
    }
}
