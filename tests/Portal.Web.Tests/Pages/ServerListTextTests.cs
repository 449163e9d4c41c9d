using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Web.Hosts;

namespace Portal.Web.Tests.Pages;

/// <summary>Servers as people write them down.</summary>
public sealed class ServerListTextTests
{
    [Theory]
    [InlineData("5 x Apache, 256 MB, 5 GB", "Apache", 5, 1, 256, 5)]
    [InlineData("5x Apache;256M;5G", "Apache", 5, 1, 256, 5)]
    [InlineData("5\tApache\t256 MiB\t5 GiB\t2 vCPU", "Apache", 5, 2, 256, 5)]
    [InlineData("MySQL, 4 CPUs, 1.5 GB RAM, 1 TB disk", "MySQL", 1, 4, 1536, 1024)]
    [InlineData("3, 512 MB, 2 GB", "", 3, 1, 512, 2)]
    [InlineData("2 POP3 and IMAP, 512 MB, 10 GB", "POP3 and IMAP", 2, 1, 512, 10)]
    public void A_line_is_a_kind(string text, string name, int count, int vcpus, long memoryMiB, long diskGiB)
    {
        Assert.True(ServerListText.TryParse(text, out var servers, out _));

        Assert.Equal([new ServerKind(name, count, vcpus, ByteSize.FromMiB(memoryMiB), ByteSize.FromGiB(diskGiB))], servers);
    }

    [Theory]
    [InlineData("Apache")]
    [InlineData("5 x Apache, 256 MB")]
    [InlineData("5 x Apache, 256, 5")]
    [InlineData("5 x Apache, 256 MB, 5 GB, 6 GB")]
    [InlineData("5 x Apache, 256 MB, much")]
    [InlineData("99999999999 x Apache, 256 MB, 5 GB")]
    [InlineData("5 x Apache, 99999999 TB, 5 GB")]
    public void A_line_that_is_none_is_named_by_its_number(string line)
    {
        Assert.False(ServerListText.TryParse($"\n1 x a, 1 GB, 1 GB\n{line}", out _, out var problem));

        Assert.StartsWith("Line 3 is not understood.", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_example_is_the_articles_ten_servers()
    {
        Assert.True(ServerListText.TryParse(ServerListText.TenServers, out var servers, out _));

        Assert.Equal((10, 3328L, 45L), (servers.Sum(s => s.Count), servers.Sum(s => s.Count * s.Memory.CeilingMiB), servers.Sum(s => s.Count * s.Disk.CeilingGiB)));
    }
}
