using Portal.Engine.Xen.Import;

namespace Portal.Engine.Tests.Xen.Import;

/// <summary>One entry of the list of disks. The first examples are those of xl-disk-configuration(5).</summary>
public sealed class DiskWordsTests
{
    [Theory]
    [InlineData("/dev/vg/guest-volume,,hda")]
    [InlineData("/dev/vg/guest-volume,raw,hda,rw")]
    [InlineData("format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume")]
    [InlineData("raw:/dev/vg/guest-volume,hda,w")]
    [InlineData("vdev=hda,/dev/vg/guest-volume,backendtype=phy,discard")]
    [InlineData("vg/guest-volume,raw,hda")]
    [InlineData("phy:vg/guest-volume,hda,w")]
    [InlineData("phy:/dev/mapper/vg-guest--volume,hda,w")]
    [InlineData("phy://dev//vg/guest-volume:hda:w")]
    public void The_same_disk_in_many_forms_is_the_same(string text) =>
        Assert.Equal(new ForeignDisk("phy", "/dev/vg/guest-volume", "hda", false, "raw", false, new ForeignVolume("vg", "guest-volume")), Read(text));

    [Theory]
    [InlineData("/srv/image.iso,,hdc,cdrom")]
    [InlineData("/srv/image.iso,,hdc,,cdrom")]
    [InlineData("/srv/image.iso,raw,hdc,devtype=cdrom")]
    [InlineData("format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/srv/image.iso")]
    [InlineData("raw:/srv/image.iso,hdc:cdrom,ro")]
    [InlineData("file:/srv/image.iso,hdc:cdrom,r")]
    public void The_same_CD_in_many_forms_is_the_same(string text) =>
        Assert.Equal(new ForeignDisk("file", "/srv/image.iso", "hdc", true, "raw", true, null), Read(text));

    [Theory]
    [InlineData("tap:aio:/srv/a.img,xvda,w", "tap:aio", "raw")]
    [InlineData("tap2:qcow2:/srv/a.img,xvda,w", "tap:qcow2", "qcow2")]
    [InlineData("qcow2:/srv/a.img,xvda,w", "file", "qcow2")]
    [InlineData("/srv/a.img,vhd,xvda,w", "file", "vhd")]
    [InlineData("/srv/a.img,qcow2,xvda,w,backendtype=qdisk", "qdisk", "qcow2")]
    public void A_file_may_have_a_driver_and_a_format(string text, string backend, string format) =>
        Assert.Equal(new ForeignDisk(backend, "/srv/a.img", "xvda", false, format, false, null), Read(text));

    [Fact]
    public void A_drive_may_be_empty() => Assert.Equal(new ForeignDisk("file", null, "hdc", true, "raw", true, null), Read(",,hdc,cdrom"));

    [Theory]
    [InlineData("/dev/mapper/other-volume")]
    [InlineData("/dev/mapper/mpatha")]
    [InlineData("/dev/md/home")]
    [InlineData("/dev/cciss/c0d0p1")]
    [InlineData("/dev/disk/by-id/scsi-1")]
    [InlineData("/dev/nbd0")]
    public void A_device_that_is_no_logical_volume_of_this_host_stays_what_it_is(string path)
    {
        var disk = Read($"phy:{path},xvda,w");

        Assert.Equal((path, null), (disk?.Target, disk?.Volume));
    }

    [Fact]
    public void A_disk_that_others_may_write_is_told() =>
        Assert.Contains("The disk phy:vg/a,xvda,w! may be written by several domains at a time (w!). The portal gives a disk to one.", Foreign.Read("disk = ['phy:vg/a,xvda,w!']").Warnings);

    [Theory]
    [InlineData("")]
    [InlineData("phy:")]
    [InlineData("phy:vg/a")]
    [InlineData("/dev/vg/a,raw")]
    [InlineData(",raw,xvda")]
    [InlineData("/dev/vg/../sda,raw,xvda")]
    [InlineData("phy:../etc/shadow,xvda,r")]
    [InlineData("phy:/,xvda,r")]
    [InlineData("file:loopdisk,xvda,w")]
    [InlineData("/dev/vg/a,raw,xvda,x")]
    [InlineData("/dev/vg/a,zip,xvda,w")]
    [InlineData("/dev/vg/a,raw,xvda,w,more")]
    [InlineData("/dev/vg/a,raw,xvda,w,colour=blue")]
    [InlineData("/dev/vg/a,raw,xvda,vdev=xvdb")]
    [InlineData("/dev/vg/a,raw,../x,w")]
    [InlineData("/dev/vg/a,raw,xvda,w,script=block-mine")]
    [InlineData("/dev/vg/a,raw,xvda,w,backend=storage")]
    [InlineData("/dev/vg/a,raw,xvda,w,backendtype=magic")]
    [InlineData("/dev/vg/a,raw,xvda,w,specification=virtio")]
    [InlineData("phy:vg/a,xvda,w,storage")]
    [InlineData("phy:vg/a,hdc:floppy,r")]
    [InlineData("nbd:/x,xvda,w")]
    [InlineData("tap:/srv/a.img,xvda,w")]
    [InlineData("tap:zip:/srv/a.img,xvda,w")]
    public void What_is_no_disk_of_this_host_is_not_made_one(string text)
    {
        var reading = DiskWords.Read(text, Foreign.Known, out var disk);

        Assert.False(reading.Understood);
        Assert.Null(disk);
        Assert.EndsWith(".", reading.Words, StringComparison.Ordinal);
    }

    private static ForeignDisk? Read(string text)
    {
        var reading = DiskWords.Read(text, Foreign.Known, out var disk);
        Assert.True(reading.Understood, reading.Words);
        return disk;
    }
}
