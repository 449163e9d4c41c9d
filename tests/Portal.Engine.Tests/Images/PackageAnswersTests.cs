using Portal.Engine.Images;

namespace Portal.Engine.Tests.Images;

public sealed class PackageAnswersTests
{
    [Fact]
    public void The_kernel_behind_the_meta_package_is_found()
    {
        Assert.Equal("linux-image-6.1.0-56-cloud-amd64", PackageAnswers.KernelPackage("linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n"));
        Assert.Null(PackageAnswers.KernelPackage(""));
    }

    [Fact]
    public void Real_packages_are_told_from_virtual_ones() =>
        Assert.Equal(
            ["dropbear-bin", "libc6"],
            PackageAnswers.Packages("dropbear-bin\n  Depends: libc6\n  Depends: <crypto>\n<crypto>\nlibc6\n  PreDepends: dpkg\nlibc6\n"));

    [Fact]
    public void File_names_of_downloads_are_read() =>
        Assert.Equal(
            ["zlib1g_1%3a1.2.13.dfsg-1_amd64.deb"],
            PackageAnswers.Files("'http://deb.debian.org/debian/pool/main/z/zlib/zlib1g_1.2.13.dfsg-1_amd64.deb' zlib1g_1%3a1.2.13.dfsg-1_amd64.deb 86684 SHA256:d7dd\nnoise\n"));

    [Fact]
    public void Libraries_are_read() =>
        Assert.Equal(
            [("libcrypt.so.1", "/x/lib/x86_64-linux-gnu/libcrypt.so.1")],
            PackageAnswers.Libraries("\tlinux-vdso.so.1 (0x00007ffc)\n\tlibcrypt.so.1 => /x/lib/x86_64-linux-gnu/libcrypt.so.1 (0x00007f)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n"));

    [Fact]
    public void Modules_load_after_what_they_need()
    {
        const string Depends = "kernel/b/virtio-blk.ko: kernel/v/virtio_ring.ko kernel/v/virtio.ko\nkernel/v/virtio.ko: kernel/v/virtio_ring.ko\nkernel/v/virtio_ring.ko:\n";

        Assert.Equal(["kernel/v/virtio_ring.ko", "kernel/v/virtio.ko", "kernel/b/virtio-blk.ko"], PackageAnswers.ModuleOrder(Depends, ["virtio_blk", "virtio"]));
        Assert.Throws<HostFaultException>(() => PackageAnswers.ModuleOrder(Depends, ["nothing"]));
        Assert.Equal(["kernel/v/virtio_ring.ko", "kernel/v/virtio.ko"], PackageAnswers.ModuleOrder(Depends, ["virtio_pci", "virtio"], "kernel/drivers/virtio/virtio_pci.ko\nkernel/fs/binfmt.ko\n"));
    }

    [Fact]
    public void An_image_is_described()
    {
        var info = ImageInfo.Parse(RecordedShell.File("qemu-img-7.2-overlay.json"));

        Assert.Equal(new ImageInfo("qcow2", Kernel.ByteSize.FromGiB(2), "/srv/pool/tiny.qcow2", "qcow2"), info);
        Assert.Throws<HostFaultException>(() => ImageInfo.Parse("{}"));
        Assert.Throws<HostFaultException>(() => ImageInfo.Parse("no"));
    }
}
