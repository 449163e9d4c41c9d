using CsCheck;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen;

/// <summary>What the portal writes for xl, read by Xen's own parser.</summary>
public sealed class XenConfigTests
{
    private static readonly XenStorage s_plain = new("vg0", "thin", "xenbr0");

    private static readonly Gen<XenStorage> s_storage = Gen.Select(
        Gen.Select(Gen.Char["abzAZ09_+"], Gen.String[Gen.Char["abzAZ09_.+-"], 0, 126]),
        Gen.Select(Gen.Char["abzAZ09_"], Gen.String[Gen.Char["abzAZ09_.-"], 0, 14]))
        .Select((group, bridge) => new XenStorage(group.Item1 + group.Item2, "thin", bridge.Item1 + bridge.Item2));

    private static readonly Gen<TemplateImage> s_image =
        Gen.Select(Gen.Char["abz09"], Gen.String[Gen.Char["abz09-"], 0, 30], Gen.Int[0, 99], Gen.Int[0, 99]).Select((first, rest, major, minor) => new TemplateImage($"{first}{rest}{first}", $"{major}.{minor}"));

    private static readonly Gen<DomainSpec> s_spec =
        Gen.Select(Gen.Guid, Gen.Int[1, 999_999_999], Gen.Int[1, 64], Gen.Long[1, 1L << 20], Gen.Long[0, 0xFFFF_FFFF_FFFF], s_image).Select((vm, generation, vcpus, memory, mac, image) => An.Spec("deadbeef") with
        {
            Name = new DomainName("deadbeef", new VmId(vm), generation),
            Vcpus = vcpus,
            Memory = ByteSize.FromMiB(memory),
            Mac = new MacAddress(mac),
            Template = image,
        });

    [Fact]
    public void Xens_own_parser_reads_what_was_meant() => Gen.Select(s_spec, s_storage).Sample((spec, storage) =>
    {
        var kernel = $"/var/lib/portal-host/images/tdeadbeef-{spec.Template.Name}-{spec.Template.Version}";

        using var read = new XenParser(XenConfig.Write(spec, storage, $"{kernel}.kernel", $"{kernel}.initrd"));

        Assert.Equal(spec.Name.Text, read.Text("name"));
        Assert.Equal(spec.Name.Vm.Value, Guid.Parse(read.Text("uuid")!));
        Assert.Equal("pv", read.Text("type"));
        Assert.Equal(($"{kernel}.kernel", $"{kernel}.initrd", "root=/dev/xvda console=hvc0"), (read.Text("kernel"), read.Text("ramdisk"), read.Text("cmdline")));
        Assert.Equal((spec.Memory.CeilingMiB, spec.Memory.CeilingMiB, spec.Vcpus), (read.Number("memory"), read.Number("maxmem"), read.Number("vcpus")));
        Assert.Equal(("destroy", "restart", "destroy"), (read.Text("on_poweroff"), read.Text("on_reboot"), read.Text("on_crash")));
        Assert.Equal(
            [
                new XenDisk($"/dev/{storage.Group}/{spec.Name}", "xvda", XenDiskFormat.Raw, Writable: true),
                new XenDisk($"/dev/{storage.Group}/{spec.Name}-seed", "xvdb", XenDiskFormat.Raw, Writable: false),
            ],
            read.List("disk").Select(read.Disk));
        Assert.Equal([$"mac={spec.Mac}", $"bridge={storage.Bridge}", $"ip={spec.Address.Address}", $"vifname={XenConfig.CardOf(spec.Mac)}"], Assert.Single(read.List("vif")).Split(',')); // as xl does, which is not in the library
    }, iter: 1000);

    [Fact]
    public void Xens_own_parser_reads_where_files_are_and_that_they_are_raw() =>
        Gen.Select(s_spec, Gen.String[Gen.Char["abzAZ09_+.-"], 0, 40].Array[1, 2]).Select((spec, parts) => (spec, string.Concat(parts.Select(part => "/d" + part)))).Sample((spec, directory) =>
        {
            using var read = new XenParser(XenConfig.Write(spec, XenStorage.InDirectory(directory, "xenbr0"), "/kernel", "/initrd"));

            Assert.Equal(
                [
                    new XenDisk($"{directory}/{spec.Name}.raw", "xvda", XenDiskFormat.Raw, Writable: true, "block"),
                    new XenDisk($"{directory}/{spec.Name}-seed.raw", "xvdb", XenDiskFormat.Raw, Writable: false, "block"),
                ],
                read.List("disk").Select(read.Disk));
            using var attached = new XenParser("");
            Assert.Equal(new XenDisk($"{directory}/{spec.Name}-vdata.raw", "xvdc", XenDiskFormat.Raw, Writable: true, "block"), attached.Disk(XlCommands.BlockAttach("d", $"{directory}/{spec.Name}-vdata.raw", "xvdc", readOnly: false).Arguments[2]));
        }, iter: 1000);

    [Fact]
    public void A_guest_that_is_to_run_as_PVH_differs_in_that_alone_and_one_that_is_not_is_written_as_ever() => s_spec.Sample(
        spec =>
        {
            var (pv, pvh) = (XenConfig.Write(spec, s_plain, "/k", "/i"), XenConfig.Write(spec, s_plain, "/k", "/i", KernelGuests.Pvh));

            using var read = new XenParser(pvh);

            Assert.Equal("pvh", read.Text("type"));
            Assert.Equal(Body(pv), Body(pvh).Replace("\"pvh\"", "\"pv\"", StringComparison.Ordinal));
            Assert.NotEqual(XenConfig.DigestOf(pv), XenConfig.DigestOf(pvh));
        },
        iter: 100);

    [Fact]
    public void A_guest_with_its_root_on_a_server_is_told_where_in_the_words_of_Linux_and_has_no_disk_but_its_seed() => Gen.Select(s_spec, s_storage, Gen.Bool).Sample((of, storage, writable) =>
    {
        var spec = of with { Template = of.Template with { Nfs = new NfsRoot("192.0.2.10", "/srv/roots/%s", writable) } };

        using var read = new XenParser(XenConfig.Write(spec, storage, "/k", "/i"));

        Assert.Equal(
            $"root=/dev/nfs nfsroot=192.0.2.10:/srv/roots/10.77.0.5 ip=10.77.0.5::10.77.2.2:255.255.0.0:web-5:eth0:off {(writable ? "rw" : "ro")} nfs.nfs4_unique_id={spec.Name} console=hvc0",
            read.Text("cmdline"));
        Assert.InRange(spec.Name.Text.Length, 1, 63); // what Linux keeps of a client's name
        Assert.Equal([new XenDisk($"/dev/{storage.Group}/{spec.Name}-seed", "xvdb", XenDiskFormat.Raw, Writable: false)], read.List("disk").Select(read.Disk));
    }, iter: 200);

    [Fact]
    public void A_guest_that_starts_from_its_own_disk_is_a_whole_PC_with_a_serial_line_and_its_seed_in_the_drive() => Gen.Select(s_spec, s_storage).Sample((spec, storage) =>
    {
        using var read = new XenParser(XenConfig.WritePc(spec, storage));

        Assert.Equal((spec.Name.Text, "hvm", "seabios", "c", "none", 0), (read.Text("name"), read.Text("type"), read.Text("bios"), read.Text("boot"), read.Text("vga"), read.Number("vnc")));
        Assert.Equal((null, null, null), (read.Text("kernel"), read.Text("ramdisk"), read.Text("cmdline")));
        Assert.Equal((spec.Memory.CeilingMiB, spec.Memory.CeilingMiB, spec.Vcpus), (read.Number("memory"), read.Number("maxmem"), read.Number("vcpus")));
        Assert.Equal(("destroy", "restart", "destroy"), (read.Text("on_poweroff"), read.Text("on_reboot"), read.Text("on_crash")));
        Assert.Equal($"unix:/var/lib/portal-host/serial/{spec.Name},server=on,wait=off,logfile=/var/log/xen/console/serial-{spec.Name}.log,logappend=on", read.Text("serial"));
        Assert.InRange($"/var/lib/portal-host/serial/{spec.Name}".Length, 1, 107); // what the kernel takes for a socket
        Assert.Equal(
            [
                new XenDisk($"/dev/{storage.Group}/{spec.Name}", "xvda", XenDiskFormat.Raw, Writable: true),
                // Of the disks that Xen emulates only a drive is read only.
                new XenDisk($"/dev/{storage.Group}/{spec.Name}-seed", "hdc", XenDiskFormat.Raw, Writable: false) { Cdrom = true },
            ],
            read.List("disk").Select(read.Disk));
        Assert.Equal([$"mac={spec.Mac}", $"bridge={storage.Bridge}", $"ip={spec.Address.Address}", $"vifname={XenConfig.CardOf(spec.Mac)}"], Assert.Single(read.List("vif")).Split(','));
        Assert.InRange($"{XenConfig.CardOf(spec.Mac)}-emu".Length, 1, 15); // the emulated card beside it
    }, iter: 1000);

    [Fact]
    public void Its_disks_may_be_files_as_well()
    {
        var spec = An.Spec("deadbeef");

        using var read = new XenParser(XenConfig.WritePc(spec, XenStorage.InDirectory("/srv/portal", "xenbr0")));

        Assert.Equal(
            [
                new XenDisk($"/srv/portal/{spec.Name}.raw", "xvda", XenDiskFormat.Raw, Writable: true, "block"),
                new XenDisk($"/srv/portal/{spec.Name}-seed.raw", "hdc", XenDiskFormat.Raw, Writable: false) { Cdrom = true },
            ],
            read.List("disk").Select(read.Disk));
    }

    [Fact]
    public void One_that_was_adopted_has_its_console_on_the_serial_line_as_well()
    {
        var spec = An.Spec("deadbeef");

        using var read = new XenParser(XenConfig.Write(spec, new AdoptedDomain("win", "/etc/xen/win.cfg", ForeignDomainType.Hvm, null, null, null, [new AdoptedDisk("win", "hda", false)]), s_plain, "/images/x"));

        Assert.Equal(("hvm", "c", $"unix:/var/lib/portal-host/serial/{spec.Name},server=on,wait=off,logfile=/var/log/xen/console/serial-{spec.Name}.log,logappend=on"), (read.Text("type"), read.Text("boot"), read.Text("serial")));
    }

    [Theory]
    [InlineData("vcpus = 1\n", "vcpus = 1 2\n")]
    [InlineData("type = \"pv\"", "type = pv")]
    [InlineData(",xvda,w', ", ",xvda,w' ")]
    public void A_broken_line_is_refused(string line, string broken)
    {
        var config = XenConfig.Write(An.Spec("deadbeef"), s_plain, "/kernel", "/initrd");
        Assert.Contains(line, config, StringComparison.Ordinal);

        var refused = Assert.Throws<FormatException>(() => new XenParser(config.Replace(line, broken, StringComparison.Ordinal)));

        Assert.Contains("syntax error", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_is_more_than_a_value_is_seen()
    {
        using var read = new XenParser(XenConfig.Write(An.Spec("deadbeef"), s_plain, "/kernel\"\nbootloader = \"/bin/sh", "/initrd"));

        Assert.Equal("/bin/sh", read.Text("bootloader"));
    }

    [Fact]
    public void It_is_known_again_by_its_digest()
    {
        var spec = An.Spec("1ab1ab1a");
        var config = XenConfig.Write(spec, s_plain, "/k", "/i");

        Assert.Equal(XenConfig.DigestOf(config), XenConfig.DigestOf(XenConfig.Write(spec, s_plain, "/k", "/i")));
        Assert.NotEqual(XenConfig.DigestOf(config), XenConfig.DigestOf(XenConfig.Write(spec with { Vcpus = 2 }, s_plain, "/k", "/i")));
        Assert.Null(XenConfig.DigestOf("name = \"somebody's\"\n"));
    }

    private static string Body(string config) => config[(config.IndexOf('\n', StringComparison.Ordinal) + 1)..];
}
