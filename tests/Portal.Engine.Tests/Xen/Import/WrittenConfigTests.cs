using Portal.Engine.Xen;
using Portal.Engine.Xen.Import;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen.Import;

/// <summary>What the portal writes for its own domains it reads as it meant it.</summary>
public sealed class WrittenConfigTests
{
    [Theory]
    [InlineData(1, 192)]
    [InlineData(8, 16384)]
    public void What_is_written_reads_back_as_it_was(int vcpus, long memoryMiB)
    {
        var spec = An.Spec("1ab1ab1a") with { Vcpus = vcpus, Memory = ByteSize.FromMiB(memoryMiB) };

        var domain = XlConfigReader.Read(XenConfig.Write(spec, new XenStorage("vgdisk", "thin", "xenbr0"), "/srv/t/vmlinuz", "/srv/t/initrd"), new KnownOnHost(["vgdisk"], ["xenbr0"])).Value;

        Assert.Equal((spec.Name.Text, ForeignDomainType.Pv, spec.Name.Vm.Value), (domain.Name, domain.Type, domain.Uuid));
        Assert.Equal(("/srv/t/vmlinuz", "/srv/t/initrd", "root=/dev/xvda console=hvc0"), (domain.Kernel, domain.Ramdisk, domain.CommandLine));
        Assert.Equal((spec.Memory, spec.Memory, vcpus, vcpus), (domain.Memory, domain.MaxMemory, domain.Vcpus, domain.MaxVcpus));
        Assert.Equal((ShutdownAction.Destroy, ShutdownAction.Restart, ShutdownAction.Destroy), (domain.OnPowerOff, domain.OnReboot, domain.OnCrash));
        Assert.Equal(
            [
                new ForeignDisk("phy", $"/dev/vgdisk/{spec.Name.Text}", "xvda", false, "raw", false, new ForeignVolume("vgdisk", spec.Name.Text)),
                new ForeignDisk("phy", $"/dev/vgdisk/{spec.Name.Text}-seed", "xvdb", true, "raw", false, new ForeignVolume("vgdisk", $"{spec.Name.Text}-seed")),
            ],
            domain.Disks);
        Assert.Equal([new ForeignVif { Mac = spec.Mac, Bridge = "xenbr0", Ip = $"{spec.Address.Address}", HostDevice = XenConfig.CardOf(spec.Mac) }], domain.Vifs);
        Assert.Empty(domain.NotUnderstood);
    }
}
