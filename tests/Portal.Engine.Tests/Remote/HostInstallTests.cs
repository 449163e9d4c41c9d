using Portal.Engine.Remote;
using Portal.Kernel;

namespace Portal.Engine.Tests.Remote;

/// <summary>What an operator runs as root; that it works is shown by the tests in Lab/.</summary>
public sealed class HostInstallTests
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl o'hara $(id)";

    [Theory]
    [InlineData("0123abcd", "vg\nEND-OF-CONF\nid")]
    [InlineData("0123abcd", "-vg")]
    [InlineData("0123abcd", "")]
    [InlineData("0123ABCD", "vg")]
    [InlineData("0123abcd\n", "vg")]
    public void What_is_no_mark_or_no_group_never_reaches_it(string instance, string group)
    {
        Assert.True(SshPublicKey.TryParse(Key, out var key));

        Assert.Throws<ArgumentException>(() => HostInstall.Script(instance, ["vg0", group], key));
        Assert.Throws<ArgumentException>(() => HostInstall.Script(instance, ["vg0"], key, group));
        Assert.Throws<ArgumentException>(() => HostInstall.Script(instance, ["vg0"], key, null, [group]));
        Assert.Throws<ArgumentException>(() => HostInstall.Script(instance, [], key, directory: group));
    }

    [Theory]
    [InlineData("/srv/portal\nEND-OF-CONF\nid")]
    [InlineData("/srv/../etc")]
    [InlineData("/srv/portal/")]
    [InlineData("/dev/vg0")]
    [InlineData("/etc")]
    [InlineData("/")]
    [InlineData("/srv/.portal")]
    [InlineData("/srv/por,tal")]
    public void What_is_no_directory_for_disks_never_reaches_it(string directory)
    {
        Assert.True(SshPublicKey.TryParse(Key, out var key));

        Assert.Throws<ArgumentException>(() => HostInstall.Script("0123abcd", [], key, directory: directory));
    }

    [Fact]
    public void A_host_whose_disks_are_files_needs_no_LVM()
    {
        Assert.True(SshPublicKey.TryParse(Key, out var key));

        var script = HostInstall.Script("0123abcd", [], key, directory: "/srv/portal");

        Assert.Contains("\ninstance 0123abcd\ndirectory /srv/portal\nEND-OF-CONF\n", script, StringComparison.Ordinal);
        Assert.Contains("for program in sudo perl losetup xl nft; do", script, StringComparison.Ordinal);
        Assert.Contains("for program in sudo perl lvs xl nft; do", HostInstall.Script("0123abcd", ["vg0"], key), StringComparison.Ordinal);
    }

    [Fact]
    public void A_keys_comment_stays_a_comment()
    {
        Assert.True(SshPublicKey.TryParse(Key, out var key));

        var script = HostInstall.Script("0123abcd", ["vg0"], key);

        Assert.Contains($"o'\\''hara $(id)' >/var/lib/portal-account/.ssh/authorized_keys\n", script, StringComparison.Ordinal);
    }
}
