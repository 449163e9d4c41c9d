using System.Text;
using Portal.Engine.Shell;
using Portal.Engine.Tests.Xen.Import;
using Portal.Engine.Xen;

namespace Portal.Engine.Tests.Remote;

/// <summary>What portal-host tells of configurations that are not the portal's, and how that is read.</summary>
public sealed class ForeignConfigsTests : IDisposable
{
    private readonly PortalHost _host = new();

    [Fact]
    public async Task Files_of_others_are_told_once_with_whether_they_start_with_the_host()
    {
        var ct = TestContext.Current.CancellationToken;
        var xen = Directory.CreateDirectory(Path.Combine(_host.Base, "xen")).FullName;
        var auto = Directory.CreateDirectory(Path.Combine(xen, "auto")).FullName;
        await File.WriteAllTextAsync(Path.Combine(xen, "web.cfg"), "name = 'web'\nmemory = 64\n", ct);
        File.CreateSymbolicLink(Path.Combine(auto, "web.cfg"), "../web.cfg");
        await File.WriteAllTextAsync(Path.Combine(auto, "10-db"), "name = 'db'\n", ct);
        await File.WriteAllBytesAsync(Path.Combine(xen, "velho.cfg"), Encoding.Latin1.GetBytes("# memória\nname = 'velho'\n"), ct);
        await File.WriteAllTextAsync(Path.Combine(xen, "xl.conf"), "name = 'no'\n", ct);
        await File.WriteAllTextAsync(Path.Combine(xen, "huge.cfg"), new string('#', 40 << 10), ct);
        Directory.CreateDirectory(Path.Combine(xen, "directory.cfg"));
        File.CreateSymbolicLink(Path.Combine(xen, "nowhere.cfg"), "gone");

        var files = await ReadAsync(ct);

        Assert.Equal(
            [(Path.Combine(xen, "velho.cfg"), false, "velho"), (Path.Combine(xen, "web.cfg"), true, "web"), (Path.Combine(auto, "10-db"), true, "db")],
            files.Select(f => (f.Source, f.Autostart, f.Domain.Name)));
        Assert.All(files, f => Assert.Empty(f.Domain.NotUnderstood));
    }

    [Theory]
    [InlineData("vncpasswd = 'secret'")]
    [InlineData("vncpasswd=\"secret\"")]
    [InlineData("vncpasswd = \\\n  'secret'")]
    [InlineData("vfb = [ 'vnc=1,vncpasswd=secret' ]")]
    [InlineData("vfb = [ 'vncpasswd = secret, vnc=1' ]")]
    [InlineData("spicepasswd = \"secret\"")]
    [InlineData("VNCPASSWORD=secret")]
    [InlineData("vncpasswd = \"\"\"secret\"\"\"")]
    [InlineData("vncpasswd = \"a'secret\"")]
    [InlineData("vncpasswd = 'a]secret'")]
    [InlineData("vfb = [ {'vncpasswd': 'secret', 'type': 'vnc'} ]")]
    public async Task A_password_stays_on_the_host(string line)
    {
        var ct = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Path.Combine(_host.Base, "xen"));
        await File.WriteAllTextAsync(Path.Combine(_host.Base, "xen", "web.cfg"), $"name = 'web'\n{line}\nmemory = 64\n", ct);

        var output = await AskAsync(ct);

        Assert.DoesNotContain("secret", Encoding.UTF8.GetString(Convert.FromHexString(output.Split(' ')[2])), StringComparison.Ordinal);
        var domain = Assert.Single(XenForeign.Files(output, Foreign.Known)).Domain;
        Assert.Equal(("web", 64), (domain.Name, domain.Memory?.CeilingMiB));
    }

    [Fact]
    public async Task A_host_without_any_tells_of_none() => Assert.Empty(await ReadAsync(TestContext.Current.CancellationToken));

    [Theory]
    [InlineData("config 2 6e /etc/xen/a.cfg")]
    [InlineData("config 1 6 /etc/xen/a.cfg")]
    [InlineData("config 1 6E /etc/xen/a.cfg")]
    [InlineData("config 1 6e")]
    [InlineData("file 1 6e /etc/xen/a.cfg")]
    public void What_no_portal_host_says_is_not_believed(string line) => Assert.Throws<HostFaultException>(() => XenForeign.Files(line, Foreign.Known));

    public void Dispose() => _host.Dispose();

    private async Task<IReadOnlyList<ForeignReading>> ReadAsync(CancellationToken ct) => XenForeign.Files(await AskAsync(ct), Foreign.Known);

    private async Task<string> AskAsync(CancellationToken ct)
    {
        await using var channel = await _host.ConnectAsync(ct);
        var answer = await channel.RunAsync(new HostCommand("configs", [], TimeSpan.FromSeconds(30)), ct);
        Assert.Equal((0, ""), (answer.ExitCode, answer.Error));
        return answer.Output;
    }
}
