using Portal.Engine.Xen.Import;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen.Import;

/// <summary>One entry of the list of network interfaces.</summary>
public sealed class VifWordsTests
{
    [Theory]
    [InlineData("rate=1GB/s", 1_000_000_000)]
    [InlineData("rate=10Mb/s@20ms", 1_250_000)]
    [InlineData("rate=250KB/s@1s", 250_000)]
    [InlineData("rate=999999999GB/s", 999_999_999_000_000_000)]
    [InlineData("rate=80b/s", 10)]
    public void A_rate_is_bytes_in_a_second(string text, long expected)
    {
        VifWords.Read(text, out var vif);

        Assert.Equal(new ByteSize(expected), vif?.RatePerSecond);
    }

    [Fact]
    public void What_it_means_is_said_in_words()
    {
        Assert.Equal("A network interface on the host's usual bridge, with a MAC address that Xen chooses.", VifWords.Read("", out _).Words);
        Assert.Equal(
            "A network interface on the bridge xenbr0, with the MAC address 00:16:3e:00:00:01, the address 10.0.0.2 10.0.0.3 and at most 1000 bytes a second.",
            VifWords.Read("type=ioemu, mac=00:16:3E:00:00:01, bridge=xenbr0, ip=10.0.0.2 10.0.0.3, rate=1KB/s", out _).Words);
    }

    [Theory]
    [InlineData("mac=00:16:3e:00:00")]
    [InlineData("mac=random")]
    [InlineData("bridge=")]
    [InlineData("bridge")]
    [InlineData("rate=fast")]
    [InlineData("type=token-ring")]
    [InlineData("backend=netdom")]
    [InlineData("bridge=a,colour=blue")]
    public void What_is_no_interface_of_this_host_is_not_made_one(string text)
    {
        Assert.False(VifWords.Read(text, out var vif).Understood);
        Assert.Null(vif);
    }
}
