using Portal.Kernel;

namespace Portal.Engine.Tests.Xen.Import;

/// <summary>What the keys mean.</summary>
public sealed class XlKeysTests
{
    [Fact]
    public void A_domain_of_today_is_read()
    {
        var domain = Foreign.Read(
            "name = \"web\"",
            "type = \"pvh\"",
            "uuid = \"0F1C2B3A-0000-4000-8000-000000000001\"",
            "kernel = \"/boot/vmlinuz\"",
            "ramdisk = \"/boot/initrd.img\"",
            "cmdline = \"root=/dev/xvda1 ro console=hvc0\"",
            "memory = 1024",
            "maxmem = 2048",
            "vcpus = 2",
            "maxvcpus = 4",
            "cpu_weight = 512",
            "cap = 150",
            "cpus = [\"0\", \"2-3,^3\"]",
            "on_poweroff = \"preserve\"",
            "on_reboot = \"rename-restart\"",
            "on_crash = \"coredump-destroy\"",
            "disk = [ '/dev/vg/web,raw,xvda,rw', 'format=qcow2, vdev=xvdb, access=ro, target=/srv/a,b.qcow2' ]",
            "vif = [ 'mac=00:16:3e:01:02:03,bridge=xen-br0,ip=10.0.0.2,vifname=web0,model=e1000,rate=10Mb/s@20ms' ]");

        Assert.Equal(("web", ForeignDomainType.Pvh, Guid.Parse("0f1c2b3a-0000-4000-8000-000000000001")), (domain.Name, domain.Type, domain.Uuid));
        Assert.Equal(("/boot/vmlinuz", "/boot/initrd.img", "root=/dev/xvda1 ro console=hvc0"), (domain.Kernel, domain.Ramdisk, domain.CommandLine));
        Assert.Equal((ByteSize.FromGiB(1), ByteSize.FromGiB(2), 2, 4), (domain.Memory, domain.MaxMemory, domain.Vcpus, domain.MaxVcpus));
        Assert.Equal((512, Limit.Of(150)), (domain.CpuWeight, domain.CpuCap));
        Assert.Equal([new CpuPin(0, "0"), new CpuPin(1, "2-3,^3")], domain.Pins);
        Assert.Equal((ShutdownAction.Preserve, ShutdownAction.RestartRenamed, ShutdownAction.CoreDumpAndDestroy), (domain.OnPowerOff, domain.OnReboot, domain.OnCrash));
        Assert.Equal(["/dev/vg/web", "/srv/a,b.qcow2"], domain.Disks.Select(d => d.Target));
        Assert.Equal(
            [new ForeignVif { Mac = new MacAddress(0x0016_3E01_0203), Bridge = "xen-br0", Ip = "10.0.0.2", HostDevice = "web0", Model = "e1000", RatePerSecond = new ByteSize(1_250_000) }],
            domain.Vifs);
        Assert.Empty(domain.NotUnderstood);
        Assert.Empty(domain.Warnings);
        Assert.Null(domain.DomId);
    }

    [Fact]
    public void What_a_file_leaves_out_is_what_Xen_takes()
    {
        var domain = Foreign.Read("name = 'a'", "memory = 64", "bootloader = 'pygrub'", "vcpus = 2");

        Assert.Equal((ForeignDomainType.Pv, ByteSize.FromMiB(64), 2, null), (domain.Type, domain.MaxMemory, domain.MaxVcpus, domain.CpuWeight));
        Assert.Equal((Limit.None, null, "pygrub"), (domain.CpuCap, domain.CommandLine, domain.Bootloader));
        Assert.Equal((ShutdownAction.Destroy, ShutdownAction.Restart, ShutdownAction.Destroy), (domain.OnPowerOff, domain.OnReboot, domain.OnCrash));
        Assert.Empty(domain.Warnings);
    }

    [Theory]
    [InlineData("type = 'pv'", ForeignDomainType.Pv)]
    [InlineData("type = 'hvm'", ForeignDomainType.Hvm)]
    [InlineData("builder = 'generic'", ForeignDomainType.Pv)]
    [InlineData("builder = 'linux'", ForeignDomainType.Pv)]
    [InlineData("builder = 'hvm'", ForeignDomainType.Hvm)]
    public void The_type_comes_from_either_key(string line, ForeignDomainType expected) => Assert.Equal(expected, Foreign.Read(line).Type);

    [Theory]
    [InlineData("cpu = -1", null)]
    [InlineData("cpus = 'all'", null)]
    [InlineData("cpu = 2", "2")]
    [InlineData("cpus = '0-3, ^1'", "0-3,^1")]
    [InlineData("cpus = 'nodes:0,node:2'", "nodes:0,node:2")]
    public void Processors_of_the_host_are_any_or_these(string line, string? expected)
    {
        var domain = Foreign.Read(line);

        Assert.Equal(expected is null ? [] : [new CpuPin(null, expected)], domain.Pins);
        Assert.Empty(domain.NotUnderstood);
    }

    [Theory]
    [InlineData("onreboot", ShutdownAction.Destroy, ShutdownAction.Restart, ShutdownAction.Destroy)]
    [InlineData("always", ShutdownAction.Restart, ShutdownAction.Restart, ShutdownAction.Restart)]
    [InlineData("never", ShutdownAction.Destroy, ShutdownAction.Destroy, ShutdownAction.Destroy)]
    public void The_old_word_for_restarts_stands_for_three_of_today(string word, ShutdownAction powerOff, ShutdownAction reboot, ShutdownAction crash)
    {
        var old = Foreign.Read($"restart = '{word}'");
        var before = Foreign.Read($"restart = '{word}'", "on_crash = 'preserve'");
        var after = Foreign.Read("on_crash = 'preserve'", $"restart = '{word}'");

        Assert.Equal((powerOff, reboot, crash), (old.OnPowerOff, old.OnReboot, old.OnCrash));
        Assert.Equal((powerOff, reboot, ShutdownAction.Preserve), (before.OnPowerOff, before.OnReboot, before.OnCrash));
        Assert.Equal((powerOff, reboot, ShutdownAction.Preserve), (after.OnPowerOff, after.OnReboot, after.OnCrash));
    }

    [Fact]
    public void A_number_of_interfaces_fills_up_those_that_are_described()
    {
        Assert.Equal([new ForeignVif(), new ForeignVif()], Foreign.Read("nics = 2").Vifs);
        Assert.Equal([new ForeignVif { Bridge = "xen-br0" }, new ForeignVif()], Foreign.Read("nics = 2", "vif = ['bridge=xen-br0']").Vifs);
        Assert.Equal(2, Foreign.Read("nics = 1", "vif = ['', 'bridge=xen-br0']").Vifs.Count);
    }

    [Fact]
    public void The_whole_command_line_wins_over_its_parts_and_that_is_told()
    {
        var domain = Foreign.Read("cmdline = 'quiet'", "root = '/dev/sda1'", "extra = 2");

        Assert.Equal("quiet", domain.CommandLine);
        Assert.Contains("The file has cmdline, and beside it parts of a command line (root, extra or the like). Xen takes cmdline alone, and so does the portal.", domain.Warnings);
    }

    [Fact]
    public void A_command_line_that_lacks_a_part_is_told()
    {
        var domain = Foreign.Read("nfs_root = '/exports/a'", "hostname = 'a'");

        Assert.Contains("The root file system is on an NFS server (nfs_root), but no server is named (nfs_server).", domain.Warnings);
        Assert.Contains("gateway, netmask and hostname count only beside ip or dhcp, and the file has neither.", domain.Warnings);
    }

    [Fact]
    public void Keys_that_cost_nothing_are_understood_and_those_that_would_be_missed_are_not()
    {
        var domain = Foreign.Read("vnc = 1", "serial = 'pty'", "vfb = [ 'type=vnc,vncdisplay=1' ]", "pci = [ '01:00.0' ]", "flavour = 'sweet'");

        Assert.Equal(["vnc", "serial", "vfb"], domain.Understood.Select(u => u.Key));
        Assert.Equal([(4, "pci"), (5, "flavour")], domain.Missed());
        Assert.Equal("Neither xl nor xm has this key, or it is not known here.", domain.NotUnderstood[1].Why);
    }

    [Theory]
    [InlineData("name = 5")]
    [InlineData("name = 'two\\nlines'")]
    [InlineData("memory = 0")]
    [InlineData("memory = -1")]
    [InlineData("memory = 9999999999999")]
    [InlineData("memory = 'much'")]
    [InlineData("vcpus = [1]")]
    [InlineData("cpu_weight = 65536")]
    [InlineData("cpus = '0-3;reboot'")]
    [InlineData("uuid = 'none'")]
    [InlineData("type = 'jail'")]
    [InlineData("type = 'pv'; builder = 'hvm'")]
    [InlineData("on_crash = 'cry'")]
    [InlineData("restart = 'sometimes'")]
    [InlineData("disk = 'phy:vg/a,xvda,w'")]
    [InlineData("vif = 1")]
    public void A_value_that_a_key_cannot_have_is_told(string line)
    {
        var missed = Assert.Single(Foreign.Read(line).NotUnderstood);

        Assert.Equal(1, missed.Line);
        Assert.NotNull(missed.Key);
    }

    [Fact]
    public void What_a_domain_cannot_do_without_is_missed() =>
        Assert.Equal(
            ["The domain has no name.", "It is not said how much memory the domain has.", "Neither a kernel nor a boot loader is named, so Xen does not know what to start."],
            Foreign.Read("").Warnings);

    [Theory]
    [InlineData("mac=00:16:3e:00:00:01", null)]
    [InlineData("mac=02:70:00:00:00:01", "The MAC address 02:70:00:00:00:01 is not from Xen's range, 00:16:3e. No maker has it either, so it can stay.")]
    [InlineData("mac=00:1b:21:00:00:01", "The MAC address 00:1b:21:00:00:01 is not from Xen's range, 00:16:3e, but from a maker's: a card in the network may have the same one.")]
    [InlineData("mac=01:00:5e:00:00:01", "The MAC address 01:00:5e:00:00:01 is one of a group; no network card can have it.")]
    [InlineData("bridge=xenbr0", "The bridge xenbr0 is not on this host; did you mean xen-br0?")]
    [InlineData("bridge=office", "The bridge office is not on this host.")]
    [InlineData("script=vif-mine", "A network interface is set up by the script vif-mine. The portal connects interfaces in its own way.")]
    public void What_the_host_does_not_have_or_the_network_may_have_twice_is_told(string vif, string? warning)
    {
        var domain = Foreign.Read("name = 'a'", "memory = 64", "kernel = '/k'", $"vif = ['{vif}']");

        Assert.Equal(warning is null ? [] : [warning], domain.Warnings);
    }

    [Fact]
    public void More_memory_than_the_most_is_told() =>
        Assert.Contains("The domain starts with 2 GiB of memory, but may have 1 GiB at most.", Foreign.Read("memory = 2048", "maxmem = 1024").Warnings);
}
