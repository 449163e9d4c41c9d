using CsCheck;
using Portal.Engine.Xen.Import;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen.Import;

/// <summary>As Xen 4.17 composes it: written after libxl_types.idl and the generator of its JSON, not recorded.</summary>
public sealed class XlListReaderTests
{
    private const string List = """
        [
            {
                "domid": 0,
                "config": { "c_info": { "type": "pv", "name": "Domain-0", "uuid": "00000000-0000-0000-0000-000000000000" }, "b_info": { "max_memkb": 1048576, "type.pv": {} } }
            },
            {
                "domid": 3,
                "config": {
                    "c_info": { "type": "pv", "name": "Apache1", "uuid": "0f1c2b3a-0000-4000-8000-000000000001", "run_hotplug_scripts": "True" },
                    "b_info": {
                        "max_vcpus": 4,
                        "avail_vcpus": [ 0, 1 ],
                        "vcpu_hard_affinity": [ [ 0, 1, 3 ], [] ],
                        "numa_placement": "False",
                        "max_memkb": 524288,
                        "target_memkb": 262145,
                        "shadow_memkb": 5120,
                        "sched_params": { "sched": "credit2", "weight": 512, "cap": 50 },
                        "kernel": "\/boot\/vmlinuz-2.6.10-xenU",
                        "ramdisk": "/boot/initrd",
                        "cmdline": "root=/dev/sda1 ro 2",
                        "type.pv": {},
                        "arch_arm": {}
                    },
                    "disks": [
                        { "pdev_path": "/dev/mapper/vgdisk-apache1", "vdev": "sda1", "backend": "phy", "format": "raw", "removable": 1, "readwrite": 1 },
                        { "pdev_path": "/srv/data.qcow2", "vdev": "xvdb", "backend": "qdisk", "format": "qcow2" },
                        { "vdev": "xvdc", "backend": "qdisk", "format": "empty", "removable": 1, "is_cdrom": 1 }
                    ],
                    "nics": [
                        { "devid": 0, "mac": "00:16:3e:00:00:01", "bridge": "xen-br0", "ip": "10.0.0.2", "rate_bytes_per_interval": 62500, "rate_interval_usecs": 50000, "ifname": "web0" }
                    ],
                    "on_reboot": "restart",
                    "on_crash": "restart_rename"
                }
            }
        ]

        """;

    [Fact]
    public void A_running_domain_is_read_and_the_host_itself_is_none()
    {
        var domain = Assert.Single(XlListReader.Read(List, Foreign.Known));

        Assert.Equal((3, "Apache1", ForeignDomainType.Pv, Guid.Parse("0f1c2b3a-0000-4000-8000-000000000001")), (domain.DomId, domain.Name, domain.Type, domain.Uuid));
        Assert.Equal(("/boot/vmlinuz-2.6.10-xenU", "/boot/initrd", "root=/dev/sda1 ro 2"), (domain.Kernel, domain.Ramdisk, domain.CommandLine));
        Assert.Equal((new ByteSize(262145 * 1024), ByteSize.FromMiB(512), 2, 4), (domain.Memory, domain.MaxMemory, domain.Vcpus, domain.MaxVcpus));
        Assert.Equal((512, Limit.Of(50)), (domain.CpuWeight, domain.CpuCap));
        Assert.Equal([new CpuPin(0, "0-1,3")], domain.Pins);
        Assert.Equal(
            [
                new ForeignDisk("phy", "/dev/vgdisk/apache1", "sda1", false, "raw", false, new ForeignVolume("vgdisk", "apache1")),
                new ForeignDisk("qdisk", "/srv/data.qcow2", "xvdb", true, "qcow2", false, null),
                new ForeignDisk("qdisk", null, "xvdc", true, "raw", true, null),
            ],
            domain.Disks);
        Assert.Equal([new ForeignVif { Mac = new MacAddress(0x0016_3E00_0001), Bridge = "xen-br0", Ip = "10.0.0.2", HostDevice = "web0", RatePerSecond = new ByteSize(1_250_000) }], domain.Vifs);
        Assert.Equal((ShutdownAction.Destroy, ShutdownAction.Restart, ShutdownAction.RestartRenamed), (domain.OnPowerOff, domain.OnReboot, domain.OnCrash));
        Assert.Empty(domain.NotUnderstood);
        Assert.Empty(domain.Warnings);
    }

    [Fact]
    public void What_libxl_leaves_out_has_its_default_and_that_is_destroy_for_a_restart_too()
    {
        var domain = Assert.Single(XlListReader.Read("""[{"domid":null,"config":{"c_info":{"type":"pvh","name":"a"},"b_info":{"max_vcpus":1,"sched_params":{"weight":-1,"cap":-1}}}}]""", Foreign.Known));

        Assert.Equal((null, ForeignDomainType.Pvh, ShutdownAction.Destroy), (domain.DomId, domain.Type, domain.OnReboot));
        Assert.Equal((null, Limit.None), (domain.CpuWeight, domain.CpuCap));
    }

    [Fact]
    public void What_a_domain_has_and_the_portal_does_not_give_is_told()
    {
        var domain = Assert.Single(XlListReader.Read(
            """[{"domid":1,"config":{"c_info":{"type":"jail","name":7},"disks":[{"pdev_path":"/x","vdev":"xvda","backend_domid":2}],"pcidevs":[{"dev":1}],"vfbs":[{}]}}]""", Foreign.Known));

        Assert.Equal(["c_info.name", "c_info.type", "disks", "pcidevs"], domain.NotUnderstood.Select(missed => missed.Key));
        Assert.Equal(("pcidevs", "[{\"dev\":1}]", null), (domain.NotUnderstood[3].Key, domain.NotUnderstood[3].Text, domain.NotUnderstood[3].Line));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("(domain (domid 1))")]
    [InlineData("[{\"domid\":1,")]
    [InlineData("[{\"domid\":1,\"config\":{\"c_info\":{\"name\":\"\\ud800\"}}}]")]
    public void What_is_no_list_of_domains_is_a_fault(string json) => Assert.Throws<HostFaultException>(() => XlListReader.Read(json, Foreign.Known));

    [Fact]
    public void Values_of_any_kind_in_any_place_are_read_or_told()
    {
        var value = Gen.Int[0, 9].Select(i => new[] { "null", "true", "-1", "0", "1e400", "99999999999999999999", "\"\"", "\"a\\u0000b\"", "[[1,\"x\"],{}]", "{\"name\":1}" }[i]);

        value.Array[16].Sample(v => Assert.Single(XlListReader.Read(
            $$"""
            [{"domid":{{(v[0] == "0" ? "1" : v[0])}},"config":{"c_info":{"name":{{v[1]}},"type":{{v[2]}},"uuid":{{v[3]}}},"b_info":{"target_memkb":{{v[4]}},"max_memkb":{{v[5]}},"avail_vcpus":{{v[6]}},
            "vcpu_hard_affinity":{{v[7]}},"sched_params":{{v[8]}},"kernel":{{v[9]}}},"disks":[{"pdev_path":{{v[10]}},"vdev":{{v[11]}}}],"nics":[{"mac":{{v[12]}},"rate_bytes_per_interval":{{v[13]}}}],
            "on_crash":{{v[14]}},"pcidevs":{{v[15]}} } }]
            """, Foreign.Known)));
    }
}
