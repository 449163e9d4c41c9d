using System.Net;
using CsCheck;

namespace Portal.Kernel.Tests;

public sealed class MacAddressTests
{
    private static readonly Gen<MacAddress> s_mac = Gen.Long[0, 0xFFFF_FFFF_FFFF].Select(v => new MacAddress(v));

    [Fact]
    public void What_is_written_is_read_back() => s_mac.Sample(mac =>
    {
        Assert.True(MacAddress.TryParse(mac.ToString(), out var back));
        Assert.Equal(mac, back);
        Assert.True(MacAddress.TryParse(mac.ToString().ToUpperInvariant().Replace(':', '-'), out back));
        Assert.Equal(mac, back);
    });

    [Fact]
    public void The_portals_own_are_local_unicast_and_all_different() => Gen.Select(Gen.UInt, Gen.UInt).Sample((a, b) =>
    {
        var mac = MacAddress.OfSequence(a);
        var first = (byte)(mac.Value >> 40);
        Assert.Equal(0b10, first & 0b11);
        Assert.Equal(a == b, mac == MacAddress.OfSequence(b));
        Assert.StartsWith("02:70:", mac.ToString(), StringComparison.Ordinal);
    });

    [Fact]
    public void Nothing_that_is_read_fails_in_another_way_than_by_a_no() => Gen.Char["0123456789abcdefABCDEFg:- +"].Array[0, 20].Select(c => new string(c)).Sample(text =>
    {
        if (MacAddress.TryParse(text, out var mac))
        {
            Assert.Equal(text.ToLowerInvariant().Replace('-', ':'), mac.ToString());
        }
    }, iter: 20_000);

    [Theory]
    [InlineData("02:70:00:00:00:01", true)]
    [InlineData("02-70-00-00-00-01", true)]
    [InlineData("02:70:00:00-00:01", false)]
    [InlineData("02:70:00:00:00:0g", false)]
    [InlineData("02:70:00:00:00", false)]
    [InlineData("0270.0000.0001", false)]
    [InlineData(" 2:70:00:00:00:01", false)]
    [InlineData("-2-70-00-00-00-01", false)]
    [InlineData(null, false)]
    public void Examples(string? text, bool good) => Assert.Equal(good, MacAddress.TryParse(text, out _));

    [Fact]
    public void Bounds()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new MacAddress(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MacAddress(1L << 48));
        Assert.Throws<ArgumentOutOfRangeException>(() => MacAddress.OfSequence(1L << 32));
        Assert.Throws<ArgumentOutOfRangeException>(() => MacAddress.OfSequence(-1));
    }
}

public sealed class Ipv4AddressTests
{
    private static readonly Gen<Ipv4Address> s_ip = Gen.UInt.Select(v => new Ipv4Address(v));

    [Fact]
    public void What_is_written_is_read_back() => s_ip.Sample(ip =>
    {
        Assert.True(Ipv4Address.TryParse(ip.ToString(), out var back));
        Assert.Equal(ip, back);
        Assert.Equal(ip, Ipv4Address.From(ip.ToIPAddress()));
    });

    [Fact]
    public void Orders_as_numbers_do_not_as_text() => Gen.Select(s_ip, s_ip).Sample((a, b) =>
    {
        Assert.Equal(a.Value.CompareTo(b.Value), a.CompareTo(b));
        Assert.Equal(a.Value < b.Value, a < b);
        Assert.Equal(a.Value >= b.Value, a >= b);
    });

    [Theory]
    [InlineData("10.77.0.1", 0x0A4D0001u)]
    [InlineData("0.0.0.0", 0u)]
    [InlineData("255.255.255.255", uint.MaxValue)]
    public void Examples(string text, uint value)
    {
        Assert.True(Ipv4Address.TryParse(text, out var ip));
        Assert.Equal(value, ip.Value);
    }

    [Theory]
    [InlineData("10.77.1")]
    [InlineData("10")]
    [InlineData("10.77.0.256")]
    [InlineData("010.77.0.1")]
    [InlineData("0x0a.77.0.1")]
    [InlineData("10.77.0.1.2")]
    [InlineData("::1")]
    [InlineData("::ffff:10.77.0.1")]
    [InlineData("web")]
    [InlineData("")]
    [InlineData(null)]
    public void What_is_no_dotted_address_is_refused(string? text) => Assert.False(Ipv4Address.TryParse(text, out _));

    [Fact]
    public void No_other_family_passes() => Assert.Throws<ArgumentException>(() => Ipv4Address.From(IPAddress.IPv6Loopback));
}
