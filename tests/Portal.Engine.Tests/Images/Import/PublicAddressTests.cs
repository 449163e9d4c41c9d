using System.Net;
using System.Net.NetworkInformation;
using CsCheck;
using Portal.Engine.Images.Import;

namespace Portal.Engine.Tests.Images.Import;

public sealed class PublicAddressTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.255")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.170")]
    [InlineData("192.168.1.1")]
    [InlineData("198.19.255.255")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:93.184.215.14")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("2001::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("3fff::1")]
    [InlineData("fc00::1")]
    [InlineData("fdff:ffff::1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public void What_is_not_somebodys_on_the_internet_is_not_fetched_from(string address) => Assert.False(PublicAddress.Is(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("11.0.0.1")]
    [InlineData("100.63.255.255")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("192.169.0.1")]
    [InlineData("2606:4700::1111")]
    [InlineData("2a00:1450::1")]
    public void What_is_public_is_fetched_from(string address) => Assert.True(PublicAddress.Is(IPAddress.Parse(address)));

    [Fact]
    public void No_form_of_a_private_address_passes() =>
        // Whatever stands behind 10/8, 127/8 and 192.168/16, also mapped, as 6to4 and behind NAT64.
        Gen.Select(Gen.Int[0, 3].Select(n => ((byte[][])[[10], [127], [192, 168], [169, 254]])[n]), Gen.Byte.Array[4]).Sample((prefix, rest) =>
        {
            byte[] four = [.. prefix.Concat(rest).Take(4)];
            Assert.False(PublicAddress.Is(new IPAddress(four)));
            Assert.False(PublicAddress.Is(new IPAddress(four).MapToIPv6()));
            Assert.False(PublicAddress.Is(new IPAddress([0x20, 0x02, .. four, .. new byte[10]])));
            Assert.False(PublicAddress.Is(new IPAddress([0, 0x64, 0xFF, 0x9B, .. new byte[8], .. four])));
        });

    [Fact]
    public void This_machines_own_addresses_are_known() =>
        Assert.All(NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses), own => Assert.True(PublicAddress.IsOwn(own.Address)));
}
