using Portal.Engine.Images;
using Portal.Engine.Libvirt;

namespace Portal.Engine.Tests.Libvirt;

public sealed class QemuMonitorTests
{
    private const string Disk = "/srv/pool/disks/pdeadbeef-0190a5d5c0ffee00a1b2c3d4e5f60718-g1.qcow2";

    [Fact]
    public void Open_disks_are_read_with_what_is_kept_of_them()
    {
        var disks = QemuMonitor.Disks(RecordedShell.File("qemu-7.2-query-block.json"));

        var root = Assert.Single(disks, disk => disk.File == Disk);
        Assert.Equal(("libvirt-2-format", "s-before"), (root.Node, Assert.Single(root.Snapshots)));
        Assert.Empty(Assert.Single(disks, disk => disk.File != Disk).Snapshots);
        Assert.Throws<HostFaultException>(() => QemuMonitor.Disks("no json"));
        Assert.Throws<HostFaultException>(() => QemuMonitor.Disks("{}"));
    }

    [Fact]
    public void A_complaint_is_told_from_a_success()
    {
        Assert.Equal("Snapshot with name 's-before' already exists on device 'libvirt-2-format'", QemuMonitor.Complaint(RecordedShell.File("qemu-7.2-snapshot-there.json")));
        Assert.Null(QemuMonitor.Complaint("{\"return\":{},\"id\":\"libvirt-414\"}"));
        Assert.Throws<HostFaultException>(() => QemuMonitor.Complaint("error"));
    }

    [Fact]
    public void Snapshots_inside_an_image_are_read()
    {
        Assert.Equal(["s-before"], ImageInfo.Parse(RecordedShell.File("qemu-img-7.2-snapshots.json")).Snapshots);
        Assert.Empty(ImageInfo.Parse(RecordedShell.File("qemu-img-7.2-overlay.json")).Snapshots);
    }

    [Fact]
    public void What_is_said_to_qemu_stays_one_value_whatever_it_is() =>
        Assert.Equal(
            """{"execute":"blockdev-snapshot-internal-sync","arguments":{"device":"a\u0022,\u0022b","name":"s-x"}}""",
            QemuMonitor.TakeSnapshot("a\",\"b", "s-x"));
}
