using Bunit;
using Portal.Engine;
using Portal.Kernel;
using Portal.Web.Hosts;

namespace Portal.Web.Tests.Pages;

/// <summary>What a page says of a domain that is not the portal's.</summary>
public sealed class ForeignDetailsTests : ComponentTest
{
    [Fact]
    public void What_was_understood_what_was_not_and_what_to_look_at_stand_in_words()
    {
        var page = Render<ForeignDetails>(p => p.Add(d => d.Domain, Apache()).Add(d => d.Source, "/etc/xen/apache1.cfg"));

        Assert.Contains("/etc/xen/apache1.cfg", page.Find("h3").TextContent, StringComparison.Ordinal);
        Assert.Contains("did you mean vgdisk?", page.Find("li").TextContent, StringComparison.Ordinal);
        Assert.Contains("1 thing not understood", page.Markup, StringComparison.Ordinal);
        Assert.Contains("pci = 01:00.0", page.Markup, StringComparison.Ordinal);
        Assert.Contains("1 setting understood", page.Markup, StringComparison.Ordinal);
        Assert.Contains("a MAC that Xen makes up", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void A_domain_without_doubts_says_so()
    {
        var page = Render<ForeignDetails>(p => p.Add(d => d.Domain, Apache() with { NotUnderstood = [], Warnings = [] }));

        Assert.Contains("All of it was understood", page.Markup, StringComparison.Ordinal);
        Assert.DoesNotContain("Look at this first", page.Markup, StringComparison.Ordinal);
    }

    private static ForeignDomain Apache() => new()
    {
        Name = "Apache1",
        DomId = null,
        Type = ForeignDomainType.Pv,
        Uuid = null,
        Kernel = "/boot/vmlinuz",
        Ramdisk = null,
        Bootloader = null,
        CommandLine = "root=/dev/sda1 ro",
        Memory = ByteSize.FromMiB(256),
        MaxMemory = ByteSize.FromMiB(256),
        Vcpus = 1,
        MaxVcpus = 1,
        CpuWeight = null,
        CpuCap = Limit.None,
        Pins = [],
        Disks = [new ForeignDisk("phy", "/dev/vdisk/apache1", "sda1", false, "raw", false, new ForeignVolume("vdisk", "apache1"))],
        Vifs = [new ForeignVif { Bridge = "xen-br0" }],
        OnPowerOff = ShutdownAction.Destroy,
        OnReboot = ShutdownAction.Restart,
        OnCrash = ShutdownAction.Destroy,
        Understood = [new UnderstoodSetting("name", "Apache1", "The domain's name.")],
        NotUnderstood = [new NotUnderstoodSetting(3, "pci", "01:00.0", "The guest has devices of the host to itself; the portal has no such thing.")],
        Warnings = ["The volume group vdisk is not on this host; did you mean vgdisk?"],
    };
}
