using Portal.Engine.Xen.Import;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen.Import;

/// <summary>The configurations that the article shows, for xm of Xen 2.0.</summary>
public sealed class ArticleTests
{
    private const string Listing2 = """
        # The kernel of the virtual machine
        kernel = "/boot/vmlinuz-2.6.10-xenU"
        # Who builds it
        builder='linux'
        # Megabytes of memory
        memory = 256
        # Its name, which no other has
        name = "Apache1"
        # Which processor; -1 is any
        cpu = -1

        # Network
        nics = 1
        vif = [ 'mac=aa:00:00:00:00:01, bridge=xen-br0' ]
        # Disks: the system, and swap
        disk = [ 'phy:vgdisk/apache1,sda1,w', 'phy:vgsdap/apache1,sda2,w' ]
        #dhcp="dhcp"
        # Where the root file system is
        root = "/dev/sda1 ro"
        # Run level
        extra = 2
        # When it is started again
        restart = 'onreboot'

        """;

    [Fact]
    public void Listing_2_is_read_to_the_last_key()
    {
        var domain = XlConfigReader.Read(Listing2, new KnownOnHost(["vgdisk"], ["xen-br0"])).Value;

        Assert.Equal(("Apache1", ForeignDomainType.Pv, "/boot/vmlinuz-2.6.10-xenU", null), (domain.Name, domain.Type, domain.Kernel, domain.Ramdisk));
        Assert.Equal((ByteSize.FromMiB(256), ByteSize.FromMiB(256), 1, 1), (domain.Memory, domain.MaxMemory, domain.Vcpus, domain.MaxVcpus));
        Assert.Equal("root=/dev/sda1 ro 2", domain.CommandLine);
        Assert.Equal(
            [
                new ForeignDisk("phy", "/dev/vgdisk/apache1", "sda1", false, "raw", false, new ForeignVolume("vgdisk", "apache1")),
                new ForeignDisk("phy", "/dev/vgsdap/apache1", "sda2", false, "raw", false, new ForeignVolume("vgsdap", "apache1")),
            ],
            domain.Disks);
        Assert.Equal([new ForeignVif { Mac = new MacAddress(0xAA00_0000_0001), Bridge = "xen-br0" }], domain.Vifs);
        Assert.Equal((ShutdownAction.Destroy, ShutdownAction.Restart, ShutdownAction.Destroy), (domain.OnPowerOff, domain.OnReboot, domain.OnCrash));
        Assert.Empty(domain.Pins);
        Assert.Empty(domain.NotUnderstood);
        Assert.Equal(["kernel", "builder", "memory", "name", "cpu", "nics", "vif", "disk", "disk", "root", "extra", "restart"], domain.Understood.Select(u => u.Key));
    }

    [Fact]
    public void Listing_2_is_read_alike_with_the_line_ends_of_another_system()
    {
        var domain = XlConfigReader.Read("\uFEFF" + Listing2.Replace("\n", "\r\n", StringComparison.Ordinal), Foreign.Known).Value;

        Assert.Equal(("Apache1", "/dev/vgdisk/apache1", "root=/dev/sda1 ro 2"), (domain.Name, domain.Disks[0].Target, domain.CommandLine));
        Assert.Empty(domain.NotUnderstood);
    }

    [Fact]
    public void The_misspelt_volume_group_is_noticed_and_the_one_that_was_meant_is_named() =>
        Assert.Equal(
            [
                "The volume group vgsdap is not on this host; did you mean vgswap?",
                "The MAC address aa:00:00:00:00:01 is not from Xen's range, 00:16:3e. No maker has it either, so it can stay.",
            ],
            XlConfigReader.Read(Listing2, Foreign.Known).Value.Warnings);

    [Fact]
    public void A_group_that_is_near_no_other_is_only_said_to_be_absent() =>
        Assert.Contains("The volume group vgsdap is not on this host.", XlConfigReader.Read(Listing2, new KnownOnHost(["vgdisk"], ["xen-br0"])).Value.Warnings);

    [Fact]
    public void The_other_misspelling_is_noticed_too() =>
        Assert.Contains("The volume group vdisk is not on this host; did you mean vgdisk?", Foreign.Read("disk = ['phy:vdisk/apache1,sda1,w']").Warnings);

    [Fact]
    public void The_commented_key_counts_once_it_is_no_comment() =>
        Assert.Equal("ip=:::::eth0:dhcp root=/dev/sda1 ro 2", XlConfigReader.Read(Listing2.Replace("#dhcp", "dhcp", StringComparison.Ordinal), Foreign.Known).Value.CommandLine);

    [Fact]
    public void A_partition_is_a_disk() =>
        Assert.Equal([new ForeignDisk("phy", "/dev/hda3", "sda1", false, "raw", false, null)], Foreign.Read("disk = ['phy:hda3,sda1,w']").Disks);

    [Fact]
    public void Colons_in_the_place_of_commas_are_understood_and_told()
    {
        var domain = Foreign.Read("disk = ['phy:vg/lvm1:sda2:w']");

        Assert.Equal([new ForeignDisk("phy", "/dev/vg/lvm1", "sda2", false, "raw", false, new ForeignVolume("vg", "lvm1"))], domain.Disks);
        Assert.Contains("In the disk phy:vg/lvm1:sda2:w colons stand where commas belong. Xen would not start that; it is read as if they were commas.", domain.Warnings);
    }

    [Fact]
    public void A_quoted_text_goes_on_after_a_backslash()
    {
        var domain = Foreign.Read("disk = ['file:/path/loopdisk,\\", "sda1,w']", "memory = 256");

        Assert.Equal([new ForeignDisk("file", "/path/loopdisk", "sda1", false, "raw", false, null)], domain.Disks);
        Assert.Equal(ByteSize.FromMiB(256), domain.Memory);
        Assert.Empty(domain.NotUnderstood);
    }

    [Fact]
    public void A_root_file_system_on_an_NFS_server_becomes_the_command_line_that_xm_made()
    {
        string[] root = ["root = '/dev/nfs'", "nfs_server = '1.1.1.1'", "nfs_root = '/exports/rootvm1'"];

        Assert.Equal("ip=:1.1.1.1::::eth0:dhcp root=/dev/nfs nfsroot=1.1.1.1:/exports/rootvm1", Foreign.Read([.. root, "dhcp = 'dhcp'"]).CommandLine);
        Assert.Equal(
            "ip=10.0.0.5:1.1.1.1:10.0.0.1:255.0.0.0:vm1:eth0:off root=/dev/nfs nfsroot=1.1.1.1:/exports/rootvm1 quiet",
            Foreign.Read([.. root, "ip = '10.0.0.5'", "gateway = '10.0.0.1'", "netmask = '255.0.0.0'", "hostname = 'vm1'", "extra = 'quiet'"]).CommandLine);
    }
}
