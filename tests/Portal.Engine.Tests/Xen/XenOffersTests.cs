using Portal.Engine.Lvm;
using Portal.Engine.Pools;
using Portal.Engine.Tests.Xen.Import;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen;

/// <summary>What stands against adopting a domain, and how one would be.</summary>
public sealed class XenOffersTests
{
    private static readonly string[] s_good =
        ["name = 'Apache1'", "kernel = '/boot/vmlinuz'", "memory = 256", "vif = [ 'mac=aa:00:00:00:00:01, bridge=xen-br0, ip=10.0.2.9' ]", "disk = [ 'phy:vgdisk/apache1,sda1,w', 'phy:vgdisk/swap1,sda2,w' ]", "root = '/dev/sda1 ro'", "extra = 2"];

    private static readonly XenStorage s_storage = new("vgdisk", "thin", "xen-br0");

    [Fact]
    public void A_domain_like_listing_2_is_offered_with_the_line_that_allows_it()
    {
        var offer = Offer(s_good);

        Assert.Empty(offer.Obstacles);
        Assert.Equal("adopt Apache1 config=/etc/xen/a.cfg kernel=/boot/vmlinuz volume=vgdisk/apache1 volume=vgdisk/swap1", offer.Permit);
        Assert.Equal((1, ByteSize.FromMiB(256), ByteSize.FromGiB(3), "aa:00:00:00:00:01", "10.0.2.9"), (offer.Vcpus, offer.Memory, offer.Disk, offer.Mac?.ToString(), offer.Ip));
        Assert.Equal(("root=/dev/sda1 ro 2", "sda1 sda2"), (offer.Domain?.CommandLine, string.Join(' ', offer.Domain!.Disks.Select(d => d.GuestDevice))));
        Assert.False(offer.Permitted);
        Assert.True(Offer(s_good, permits: [offer.Permit]).Permitted);
        Assert.False(Offer(s_good, permits: [offer.Permit + " volume=vgdisk/other"]).Permitted);
    }

    [Theory]
    [InlineData("kernel", "kernel = '../vmlinuz'", "not whole")]
    [InlineData("kernel", "bootloader = 'pygrub'", "bootloader")]
    [InlineData("kernel", "vcpus = 1", "names no kernel")]
    [InlineData("memory", "vcpus = 1", "how much memory")]
    [InlineData("disk", "disk = [ 'phy:vgswap/apache1,sda1,w' ]", "is in the volume group vgswap")]
    [InlineData("disk", "disk = [ 'phy:vgdisk/none,sda1,w' ]", "There is no volume")]
    [InlineData("disk", "disk = [ 'phy:vgdisk/thin,sda1,w' ]", "the portal's own")]
    [InlineData("disk", "disk = [ 'phy:vgdisk/own,sda1,w' ]", "the portal's own")]
    [InlineData("disk", "disk = [ 'file:/srv/a.img,sda1,w' ]", "no volume of LVM")]
    [InlineData("disk", "disk = [ 'phy:vgdisk/apache1,vdz,w' ]", "The guest calls a disk vdz")]
    [InlineData("disk", "disk = [ ]", "has no disk")]
    [InlineData("vif", "vif = [ 'bridge=xen-br1' ]", "on the bridge xen-br1")]
    [InlineData("vif", "vif = [ '', '' ]", "several network cards")]
    [InlineData("extra", "extra = 'init=\"sh\"'", "quotes")]
    [InlineData("name", "name = 'a b'", "Its name is none")]
    [InlineData("name", "name = '-rf'", "Its name is none")]
    public void What_stands_against_it_is_said(string instead, string line, string said)
    {
        var offer = Offer([.. s_good.Select(l => l.StartsWith(instead, StringComparison.Ordinal) ? line : l)]);

        Assert.Contains(offer.Obstacles, o => o.Contains(said, StringComparison.Ordinal));
        Assert.Equal((null, ""), (offer.Domain, offer.Permit));
    }

    [Fact]
    public void A_volume_of_two_a_domain_without_a_file_and_one_that_runs_otherwise_are_not_offered()
    {
        var web = File("/etc/xen/a.cfg", s_good);
        var thief = File("/etc/xen/b.cfg", ["name = 'b'", "kernel = '/boot/vmlinuz'", "memory = 64", "disk = [ 'phy:vgdisk/apache1,sda1,w' ]"]);
        var running = new ForeignReading("xl list -l", false, Foreign.Read(["name = 'Apache1'", "disk = [ 'phy:vgdisk/swap1,sda1,w' ]"]) with { DomId = 4 });

        Assert.All(Offers(Sighting(web), Sighting(thief)), o => Assert.Contains(o.Obstacles, said => said.StartsWith("Another domain has", StringComparison.Ordinal)));
        Assert.Contains("No file in /etc/xen", Offers(new ForeignSighting("x", DomainState.Running, [running]))[0].Obstacles[0], StringComparison.Ordinal);
        Assert.Contains(Offers(new ForeignSighting("Apache1", DomainState.Running, [running, web]))[0].Obstacles, said => said.StartsWith("It runs with other disks", StringComparison.Ordinal));
        Assert.Contains("Several files", Offers(new ForeignSighting("Apache1", DomainState.Off, [web, thief]))[0].Obstacles[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Where_disks_are_files_nothing_is_adopted()
    {
        var offer = XenOffers.With([Sighting(File("/etc/xen/a.cfg", s_good))], XenStorage.InDirectory("/srv/portal", "xen-br0"), [], [])[0].Offer!;

        Assert.Equal((null, ""), (offer.Domain, offer.Permit));
        Assert.Contains("This host's disks are files", Assert.Single(offer.Obstacles), StringComparison.Ordinal);
    }

    private static AdoptionOffer Offer(string[] lines, params string[] permits)
    {
        var file = File("/etc/xen/a.cfg", lines);
        return XenOffers.With([Sighting(file)], s_storage, Volumes, permits)[0].Offer!;
    }

    private static IReadOnlyList<AdoptionOffer> Offers(params ForeignSighting[] sightings) => [.. XenOffers.With(sightings, s_storage, Volumes, []).Select(s => s.Offer!)];

    private static ForeignSighting Sighting(ForeignReading file) => new(file.Domain.Name, DomainState.Off, [file]);

    private static ForeignReading File(string path, string[] lines) => new(path, false, Foreign.Read(lines));

    private static LogicalVolume[] Volumes { get; } =
    [
        Volume("apache1", 2), Volume("swap1", 1), Volume("thin", 9) with { Attributes = "twi-aotz--" }, Volume("own", 1) with { Tags = [StoredVolume.Own] },
    ];

    private static LogicalVolume Volume(string name, int gib) => new("vgdisk", name, ByteSize.FromGiB(gib), "-wi-a-----", [], null, null, null, null, null);
}
