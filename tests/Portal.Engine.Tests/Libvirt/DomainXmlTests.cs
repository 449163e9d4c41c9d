using System.Xml.Linq;
using CsCheck;
using Portal.Engine.Libvirt;
using Portal.Engine.Pools;
using Portal.Kernel;

namespace Portal.Engine.Tests.Libvirt;

public sealed class DomainXmlTests
{
    private static readonly DomainSpec s_spec = An.Spec("deadbeef") with
    {
        Name = new DomainName("deadbeef", new VmId(Guid.Parse("0190a5d5-c0ff-ee00-a1b2-c3d4e5f60718")), 1),
    };

    [Theory]
    [InlineData(false, "domain-tcg.xml")]
    [InlineData(true, "domain-kvm.xml")]
    public void Is_as_it_was_accepted_by_libvirt(bool kvm, string golden)
    {
        var xml = DomainXml.Write(s_spec, new PoolLayout("/srv/pool"), kvm) + "\n";

        // Refresh: PORTAL_GOLDEN=tests/Portal.Engine.Tests/Recorded dotnet run --project tests/Portal.Engine.Tests, then look at the difference.
        if (Environment.GetEnvironmentVariable("PORTAL_GOLDEN") is { } directory)
        {
            File.WriteAllText(Path.Combine(directory, golden), xml);
            return;
        }

        Assert.Equal(RecordedShell.File(golden), xml);
    }

    [Fact]
    public void The_mark_is_found_again_and_changes_with_the_content()
    {
        var pool = new PoolLayout("/srv/pool");
        var digest = DomainXml.DigestOf(DomainXml.Write(s_spec, pool, kvm: false));

        Assert.NotNull(digest);
        Assert.NotEqual(digest, DomainXml.DigestOf(DomainXml.Write(s_spec with { Vcpus = 2 }, pool, kvm: false)));
        Assert.Null(DomainXml.DigestOf("<domain><name>another's</name></domain>"));
        Assert.Throws<HostFaultException>(() => DomainXml.DigestOf("no xml"));
    }

    [Fact]
    public void A_path_with_any_character_stays_one_value() =>
        Gen.String[Gen.Char["ab'\"<>&;$ /é]"], 1, 30].Sample(part =>
        {
            var pool = new PoolLayout("/srv/" + part.Replace("/", "", StringComparison.Ordinal) + "x");

            var domain = XDocument.Parse(DomainXml.Write(s_spec, pool, kvm: false)).Root!;

            return domain.Descendants("source").Select(source => source.Attribute("file")?.Value).Contains(pool.Disk(s_spec.Name))
                && domain.Element("devices")!.Elements().Count() == 13;
        });

    [Fact]
    public void A_volume_has_its_place_by_its_name_and_its_path_stays_one_value() =>
        Gen.String[Gen.Char["ab'\"<>&;$ /é"], 1, 30].Sample(path =>
        {
            var disk = XElement.Parse(DomainXml.Volume("/srv/" + path, new(VolumeLabel.Parse("data1"), "vdd", ReadOnly: true), 5));

            Assert.Equal(new AttachedDisk("vdd", "/srv/" + path, ReadOnly: true), Assert.Single(DomainXml.DisksOf(new XElement("domain", new XElement("devices", disk)).ToString())));
            Assert.Equal(("raw", "data1", "5", "2"), (disk.Element("driver")!.Attribute("type")!.Value, disk.Element("serial")!.Value, disk.Element("address")!.Attribute("bus")!.Value, disk.Element("address")!.Attribute("slot")!.Value));
        });

    [Fact]
    public void A_domain_that_an_earlier_portal_defined_gets_what_it_lacks_and_keeps_the_rest()
    {
        var earlier = RecordedShell.File("libvirt-9.0.0-dumpxml-earlier.xml");
        Assert.False(DomainXml.HasBalloon(earlier));
        Assert.Null(DomainXml.BridgeOf(earlier));

        var better = DomainXml.Upgraded(earlier)!;

        Assert.True(DomainXml.HasBalloon(better));
        Assert.Equal(5, DomainXml.BridgeOf(better));
        Assert.Null(DomainXml.Upgraded(better));
        Assert.Null(DomainXml.Upgraded(DomainXml.Write(s_spec, new PoolLayout("/srv/pool"), kvm: false)));
        // Where a guest finds its card and its disks is what it may have been told.
        var before = XDocument.Parse(earlier).Descendants("address").Select(address => address.ToString());
        Assert.Equal(before, XDocument.Parse(better).Descendants("address").Select(address => address.ToString()).Take(before.Count()));
    }

    [Fact]
    public void The_user_mode_network_has_its_gateway_where_qemu_puts_it()
    {
        Assert.Null(UserNetwork.Complaint(An.Address("10.77.0.9")));
        var small = new GuestAddress(new([10, 0, 2, 15]), 24, new([10, 0, 2, 2]), new([10, 0, 2, 3]));
        Assert.Null(UserNetwork.Complaint(small));
        Assert.NotNull(UserNetwork.Complaint(small with { Gateway = new([10, 0, 2, 1]) }));
        Assert.NotNull(UserNetwork.Complaint(small with { Address = new([10, 0, 2, 2]) }));
        Assert.NotNull(UserNetwork.Complaint(small with { Address = new([10, 0, 2, 0]) }));
        Assert.NotNull(UserNetwork.Complaint(small with { Address = new([10, 0, 2, 255]) }));
        Assert.NotNull(UserNetwork.Complaint(small with { PrefixLength = 30 }));
    }
}
