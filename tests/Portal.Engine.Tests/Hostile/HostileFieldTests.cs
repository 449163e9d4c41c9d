using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Portal.Engine.Images;
using Portal.Engine.Tests.Xen;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Hostile;

/// <summary>What can be typed, against the types that it is read into: refused, or exactly what was typed; and what Xen's own parser makes of it then.</summary>
public sealed class HostileFieldTests(Trap trap) : IClassFixture<Trap>
{
    private static readonly XenStorage s_storage = new("vg0", "thin", "xenbr0");

    private delegate bool Reads<T>(string text, [MaybeNullWhen(false)] out T value);

    [Fact]
    public void A_vms_name_is_a_dns_label()
    {
        foreach (var name in Accepted<VmName>(VmName.TryParse, name => name.Text))
        {
            Assert.Matches("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\z", name.Text);
            var files = SeedFiles.Of(An.Spec("deadbeef") with { HostName = name });
            using var meta = JsonDocument.Parse(files.MetaData);
            using var user = JsonDocument.Parse(files.UserData["#cloud-config\n".Length..]);
            Assert.Equal((name.Text, name.Text), (meta.RootElement.GetProperty("local-hostname").GetString(), user.RootElement.GetProperty("hostname").GetString()));
        }
    }

    [Fact]
    public void An_ethernet_address_is_six_pairs_of_digits()
    {
        foreach (var mac in Accepted<MacAddress>(MacAddress.TryParse, mac => mac.ToString(), text => text.ToLowerInvariant().Replace('-', ':')))
        {
            var spec = An.Spec("deadbeef") with { Mac = mac };
            using var config = Read(spec, s_storage);
            Assert.Equal([$"mac={mac}", "bridge=xenbr0", "ip=10.77.0.5", $"vifname={XenConfig.CardOf(mac)}"], Assert.Single(config.List("vif")).Split(','));
            using var network = JsonDocument.Parse(SeedFiles.Of(spec).NetworkConfig);
            Assert.Equal(mac.ToString(), network.RootElement.GetProperty("ethernets").GetProperty("nic0").GetProperty("match").GetProperty("macaddress").GetString());
        }
    }

    [Fact]
    public void An_address_is_four_decimal_numbers()
    {
        foreach (var ip in Accepted<Ipv4Address>(Ipv4Address.TryParse, ip => ip.ToString()))
        {
            using var network = JsonDocument.Parse(SeedFiles.Of(An.Spec("deadbeef") with { Address = An.Address(ip.ToString()) }).NetworkConfig);
            Assert.Equal($"{ip}/16", network.RootElement.GetProperty("ethernets").GetProperty("nic0").GetProperty("addresses")[0].GetString());
        }
    }

    [Fact]
    public void A_domains_name_is_one_that_the_portal_gave()
    {
        foreach (var name in Accepted<DomainName>(DomainName.TryParse, name => name.Text))
        {
            using var config = Read(An.Spec("deadbeef") with { Name = name }, s_storage);
            Assert.Equal(name.Text, config.Text("name"));
            Assert.Equal($"/dev/vg0/{name}-seed", config.Disk(config.List("disk")[1]).Path);
        }
    }

    [Fact]
    public void A_volume_group_is_what_LVM_calls_one()
    {
        foreach (var storage in Accepted<XenStorage>(Made(text => new XenStorage(text, "thin", "xenbr0")), storage => storage.Group!))
        {
            using var config = Read(An.Spec("deadbeef"), storage);
            Assert.Equal($"/dev/{storage.Group}/{config.Text("name")}", config.Disk(config.List("disk")[0]).Path);
            Assert.Equal(storage.Group, Path.GetFileName(Path.GetFullPath($"/dev/{storage.Group}")));
        }

        Assert.All(Accepted<XenStorage>(Made(text => new XenStorage("vg0", text, "xenbr0")), storage => storage.Pool!), storage => Assert.Matches("^[A-Za-z0-9_.+][A-Za-z0-9_.+-]*\\z", storage.Pool!));
    }

    [Fact]
    public void A_directory_of_disks_is_a_plain_path()
    {
        foreach (var storage in Accepted<XenStorage>(Made(text => XenStorage.InDirectory($"/srv/{text}", "xenbr0")), storage => storage.Directory!["/srv/".Length..]))
        {
            using var config = Read(An.Spec("deadbeef"), storage);
            Assert.Equal(new XenDisk($"{storage.Directory}/{config.Text("name")}.raw", "xvda", XenDiskFormat.Raw, Writable: true, "block"), config.Disk(config.List("disk")[0]));
            Assert.Equal(storage.Directory, Path.GetFullPath(storage.Directory!));
        }
    }

    [Fact]
    public void A_bridge_is_the_name_of_a_network_card()
    {
        foreach (var storage in Accepted<XenStorage>(Made(text => new XenStorage("vg0", "thin", text)), storage => storage.Bridge))
        {
            using var config = Read(An.Spec("deadbeef"), storage);
            // xl itself takes a vif apart, at its commas; xl is not in the library.
            Assert.Equal(["mac=02:70:00:00:00:05", $"bridge={storage.Bridge}", "ip=10.77.0.5", "vifname=pt-00000005"], Assert.Single(config.List("vif")).Split(','));
        }
    }

    [Fact]
    public void An_image_is_part_of_a_files_name()
    {
        foreach (var image in (List<TemplateImage>)[
            .. Accepted<TemplateImage>(Made(text => new TemplateImage(text, "1")), image => image.Name),
            .. Accepted<TemplateImage>(Made(text => new TemplateImage("tiny", text)), image => image.Version)])
        {
            using var config = Read(An.Spec("deadbeef") with { Template = image }, s_storage);
            Assert.Equal($"/images/{image.Name}-{image.Version}", config.Text("kernel"));
        }
    }

    [Fact]
    public void A_root_on_a_server_is_an_address_and_a_path_of_plain_names()
    {
        foreach (var nfs in Accepted<NfsRoot>(Made(text => new NfsRoot(text, "/srv/roots/debian", writable: false)), nfs => nfs.Server))
        {
            Assert.Contains($" nfsroot={nfs.Server}:/srv/roots/debian ", ReadCommandLine(nfs), StringComparison.Ordinal);
        }

        foreach (var nfs in Accepted<NfsRoot>(Made(text => new NfsRoot("192.0.2.10", text, writable: false)), nfs => nfs.Path))
        {
            Assert.DoesNotContain("..", nfs.Path.Split('/'));
            Assert.Equal(["root=/dev/nfs", $"nfsroot=192.0.2.10:{nfs.PathOf(An.Spec("deadbeef").Address.Address)}"], ReadCommandLine(nfs).Split(' ')[..2]);
        }

        Assert.All(trap.Strings.Where(text => text.Any(letter => " ,:'\"\\\n\0$".Contains(letter, StringComparison.Ordinal))), text => Assert.NotNull(NfsRoot.Complaint("192.0.2.10", "/srv/" + text, writable: false)));

        static string ReadCommandLine(NfsRoot nfs)
        {
            using var config = Read(An.Spec("deadbeef") with { Template = new TemplateImage("diskless", "1") { Nfs = nfs } }, s_storage);
            return config.Text("cmdline")!;
        }
    }

    private static XenParser Read(DomainSpec spec, XenStorage storage)
    {
        var image = $"/images/{spec.Template.Name}-{spec.Template.Version}";
        return new XenParser(XenConfig.Write(spec, storage, image, image));
    }

    private static Reads<T> Made<T>(Func<string, T> make)
    {
        return Read;

        bool Read(string text, [MaybeNullWhen(false)] out T value)
        {
            try
            {
                value = make(text);
                return true;
            }
            catch (ArgumentException)
            {
                value = default;
                return false;
            }
        }
    }

    /// <summary>Those that are let in, each of which is what was typed. That there are some keeps a field that refuses everything from passing.</summary>
    private List<T> Accepted<T>(Reads<T> read, Func<T, string> write, Func<string, string>? normal = null)
    {
        List<T> accepted = [];
        foreach (var text in trap.Strings)
        {
            if (read(text, out var value))
            {
                Assert.Equal(normal is null ? text : normal(text), write(value));
                accepted.Add(value);
            }
        }

        Assert.InRange(accepted.Count, 1, HostileStrings.Count / 20);
        return accepted;
    }
}
