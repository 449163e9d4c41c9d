using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Portal.Engine.Images;
using Portal.Engine.Images.Import;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Engine.Tests.Live;
using Portal.Kernel;

namespace Portal.Engine.Tests.Images.Import;

/// <summary>Imports with the real sandbox: needs bubblewrap, QEMU's tools and e2fsprogs, and neither network nor host.</summary>
public sealed class ImportTests : IDisposable
{
    private static readonly TemplateImage s_image = new("brought", "1");
    private static readonly ByteSize s_disk = ByteSize.FromMiB(256);

    private readonly string _work = An.Pool();
    private readonly ImageWorkshop _workshop;
    private readonly StringBuilder _heard = new();

    public ImportTests() => _workshop = new ImageWorkshop(TimeProvider.System, new EngineOptions { WorkPath = _work, Imports = new ImportBounds { Source = ByteSize.FromMiB(64), Disk = ByteSize.FromGiB(1), Files = 1000 } });

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private PoolLayout Pool => new(_work);

    public void Dispose() => Directory.Delete(_work, recursive: true);

    [Theory]
    [InlineData(ImagePacking.None)]
    [InlineData(ImagePacking.Gzip)]
    public async Task A_tarball_becomes_a_file_system_with_its_owners_and_modes_and_its_kernel_beside_it(ImagePacking packing)
    {
        var tar = Tar(
            new PaxTarEntry(TarEntryType.Directory, "./boot") { Mode = Mode(0b111_101_101) },
            File("./boot/vmlinuz-6.9", Kernel("old")), File("./boot/initrd.img-6.9", "old"u8),
            File("./boot/vmlinuz-6.10", Kernel("new")), File("./boot/initrd.img-6.10", "new ram disk"u8),
            File("./boot/vmlinuz-7", Kernel("without its RAM disk")),
            new PaxTarEntry(TarEntryType.Directory, "./dev"), new PaxTarEntry(TarEntryType.CharacterDevice, "./dev/null") { DeviceMajor = 1, DeviceMinor = 3 },
            new PaxTarEntry(TarEntryType.Fifo, "./dev/a pipe"),
            new PaxTarEntry(TarEntryType.SymbolicLink, "./passwd") { LinkName = "/etc/passwd" },
            File("./shadow", "locked"u8, mode: 0, gid: 42), File("./su", "runs as root"u8, mode: 0b100_111_101_101), new PaxTarEntry(TarEntryType.HardLink, "./su-too") { LinkName = "./su" },
            File("./Fő \\ mit Raum", "text"u8, uid: 1000, gid: 100_000));

        Assert.Null(await ImportAsync(tar, ImageFormat.Tar, packing, ImageBoot.Kernel));

        Assert.Contains("2 device nodes and pipes are left out", _heard.ToString(), StringComparison.Ordinal);
        Assert.Equal("new ram disk", await System.IO.File.ReadAllTextAsync(Pool.TemplateInitrd(s_image), Ct));
        Assert.EndsWith("new", await System.IO.File.ReadAllTextAsync(Pool.TemplateKernel(s_image), Ct), StringComparison.Ordinal);
        var raw = Path.Combine(_work, "look.raw");
        await RunAsync("qemu-img", "convert", "-f", "qcow2", "-O", "raw", Pool.TemplateDisk(s_image), raw);
        await RunAsync("e2fsck", "-fn", raw);
        var list = await RunAsync("debugfs", "-R", "ls -p /", raw);
        Assert.Matches(@"/100000/0/42/shadow/", list);
        Assert.Matches(@"/104755/0/0/su/", list);
        Assert.Matches(@"/104755/0/0/su-too/", list);
        Assert.Matches(@"/100644/1000/100000/Fő \\ mit Raum/", list);
        Assert.Matches(@"/120777/0/0/passwd/", list);
        Assert.DoesNotContain("null", await RunAsync("debugfs", "-R", "ls -p /dev", raw), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateDirectories(Pool.Templates));
    }

    [Fact]
    public async Task A_disk_with_a_boot_record_starts_by_itself_and_comes_without_a_kernel()
    {
        var raw = Path.Combine(_work, "given.raw");
        await using (var file = System.IO.File.Create(raw))
        {
            file.SetLength(8 << 20);
            file.Position = 510;
            file.Write([0x55, 0xAA]);
        }

        await RunAsync("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", raw, raw + ".qcow2");

        Assert.Null(await ImportAsync(await System.IO.File.ReadAllBytesAsync(raw + ".qcow2", Ct), ImageFormat.Qcow2, ImagePacking.None, ImageBoot.Disk));

        Assert.False(System.IO.File.Exists(Pool.TemplateKernel(s_image)));
        await RunAsync("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, Pool.TemplateDisk(s_image));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, System.IO.File.GetUnixFileMode(Pool.TemplateDisk(s_image)));
        Assert.Equal(StepOutcome.AlreadyThere, (await _workshop.EnsureImportedAsync(s_image, Of(ImageFormat.Qcow2, ImagePacking.None, ImageBoot.Disk, Guid.CreateVersion7()), Say, Ct)).Value);
    }

    [Theory]
    [InlineData("../../etc/cron.d/evil")]
    [InlineData("/etc/cron.d/evil")]
    [InlineData("./a/../../evil")]
    [InlineData("./..")]
    [InlineData("./new\nline")]
    public async Task An_entry_that_leads_out_is_refused(string name) =>
        Assert.Contains("leads out", await RefusedAsync(Tar(File(name, "evil"u8)), ImageFormat.Tar), StringComparison.Ordinal);

    [Fact]
    public async Task A_file_below_a_link_a_link_to_what_is_not_there_and_one_name_twice_are_refused()
    {
        Assert.Contains("no directory", await RefusedAsync(Tar(new PaxTarEntry(TarEntryType.SymbolicLink, "a") { LinkName = "/etc" }, File("a/evil", "evil"u8)), ImageFormat.Tar), StringComparison.Ordinal);
        Assert.Contains("not in it", await RefusedAsync(Tar(new PaxTarEntry(TarEntryType.HardLink, "a") { LinkName = "/etc/passwd" }), ImageFormat.Tar), StringComparison.Ordinal);
        Assert.Contains("not in it", await RefusedAsync(Tar(new PaxTarEntry(TarEntryType.HardLink, "a") { LinkName = "b" }, File("b", "b"u8)), ImageFormat.Tar), StringComparison.Ordinal);
        Assert.Contains("twice", await RefusedAsync(Tar(new PaxTarEntry(TarEntryType.SymbolicLink, "a") { LinkName = "/etc/passwd" }, File("./a", "evil"u8)), ImageFormat.Tar), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bombs_are_refused_packed_as_files_and_by_their_number()
    {
        var zeros = new byte[1 << 20];
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var i = 0; i < 600; i++)
            {
                await gzip.WriteAsync(zeros, Ct);
            }
        }

        Assert.Contains("unpacks to more than", await RefusedAsync(packed.ToArray(), ImageFormat.Raw, ImagePacking.Gzip), StringComparison.Ordinal);
        Assert.Contains("unpacks to more than", await RefusedAsync(packed.ToArray(), ImageFormat.Tar, ImagePacking.Gzip), StringComparison.Ordinal);
        Assert.Contains("more than 1000 files", await RefusedAsync(Tar([.. Enumerable.Range(0, 1001).Select(n => File($"f{n}", "x"u8))]), ImageFormat.Tar), StringComparison.Ordinal);

        // One that is all holes takes nothing here, and much in a guest.
        var root = Directory.CreateDirectory(Path.Combine(_work, "holes")).FullName;
        await using (var hole = System.IO.File.Create(Path.Combine(root, "hole")))
        {
            hole.SetLength(300L << 20);
        }

        await RunAsync("tar", "-C", root, "--sparse", "-cf", root + ".tar", ".");
        Assert.Contains("unpacks to more than", await RefusedAsync(await System.IO.File.ReadAllBytesAsync(root + ".tar", Ct), ImageFormat.Tar), StringComparison.Ordinal);

        await RunAsync("qemu-img", "create", "-q", "-f", "qcow2", root + ".qcow2", "1T");
        Assert.Contains("is the most that an image may have", await RefusedAsync(await System.IO.File.ReadAllBytesAsync(root + ".qcow2", Ct), ImageFormat.Qcow2), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_format_is_never_guessed_and_what_has_no_kernel_says_what_to_do()
    {
        var raw = Path.Combine(_work, "given.raw");
        await RunAsync("mke2fs", "-q", "-F", "-t", "ext4", raw, "16M");
        await RunAsync("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, raw + ".qcow2");
        var (disk, qcow2) = (await System.IO.File.ReadAllBytesAsync(raw, Ct), await System.IO.File.ReadAllBytesAsync(raw + ".qcow2", Ct));

        Assert.Contains("no qcow2 image", await RefusedAsync(disk, ImageFormat.Qcow2), StringComparison.Ordinal);
        Assert.Contains("no tarball", await RefusedAsync(qcow2, ImageFormat.Tar), StringComparison.Ordinal);
        Assert.Contains("nothing in the tarball", await RefusedAsync(disk, ImageFormat.Tar), StringComparison.Ordinal);
        Assert.Contains("no boot record", await RefusedAsync(qcow2, ImageFormat.Raw, boot: ImageBoot.Disk), StringComparison.Ordinal);
        Assert.Contains("not one ext4 file system", await RefusedAsync(qcow2, ImageFormat.Raw), StringComparison.Ordinal);
        Assert.Contains("cannot be unpacked as xz", await RefusedAsync(disk, ImageFormat.Raw, ImagePacking.Xz), StringComparison.Ordinal);
        Assert.Contains("cannot be unpacked as zstd", await RefusedAsync(disk, ImageFormat.Raw, ImagePacking.Zstd), StringComparison.Ordinal);
        Assert.Contains("Its /boot has no kernel", await RefusedAsync(disk, ImageFormat.Raw), StringComparison.Ordinal);
        Assert.Contains("the one that was given", (await ImportAsync(disk, ImageFormat.Raw, ImagePacking.None, ImageBoot.Kernel, new string('a', 64)))!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task What_runs_in_the_sandbox_sees_nothing_of_the_machine_and_writes_only_there(bool root, bool files)
    {
        var work = Directory.CreateDirectory(Path.Combine(_work, "work"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        var box = Path.Combine(work, "box");
        await new Sandbox(LibvirtHost.Shell, box, Path.Combine(_work, "busy")).OpenAsync(Ct);
        await System.IO.File.WriteAllTextAsync(Path.Combine(_work, "source"), "read", Ct);

        var answer = await LibvirtHost.Shell.RunAsync(
            SandboxCommands.Inside(
                new HostCommand("sh", ["-c", $"cat /source; echo; ls /; echo ==; ls /etc; ls -d {_work} /root /home /var /run /tmp /sys; echo x >/usr/x; echo x >/x; echo x >/etc/x; echo x >/dev/x; echo x >/dev/shm/x; echo x >/source; echo core >/proc/sys/kernel/core_pattern; cat /sys/class/net/*/address; ls /proc | grep -c '^[0-9]'; grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status; cat /proc/net/dev | wc -l; dd if=/dev/zero of=large bs=1M count=9; echo dd $?"], TimeSpan.FromMinutes(1)),
                root, files, Path.Combine(_work, "busy"), box, Path.Combine(_work, "source"), ByteSize.FromMiB(4)),
            Ct);

        var said = answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["read", "bin", "box", "dev", "etc", "lib", "lib64", "proc", "sbin", "source", "usr", "=="], said[..12]);
        Assert.Equal("mke2fs.conf", said[12]);
        // Of the rights over files, three; of the network, the loopback alone behind two lines of heading; of processes, its own.
        Assert.Contains(files ? "CapEff:\t000000000000001a" : "CapEff:\t0000000000000000", said);
        Assert.Contains("NoNewPrivs:\t1", said);
        Assert.Contains("3", said);
        Assert.Contains("dd 153", said);
        Assert.DoesNotContain(said, line => line.StartsWith('/'));
        Assert.Equal(4 << 20, new FileInfo(Path.Combine(box, "large")).Length);
        Assert.Equal("read", await System.IO.File.ReadAllTextAsync(Path.Combine(_work, "source"), Ct));
        Assert.False(System.IO.File.Exists("/usr/x"));
        Assert.Equal(5, answer.Error.Split('\n').Count(line => line.Contains("Read-only file system", StringComparison.Ordinal) && line.Contains("/x:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_a_sandbox_leaves_is_taken_only_where_it_is_a_plain_file()
    {
        var box = Path.Combine(_work, "box");
        var sandbox = new Sandbox(LibvirtHost.Shell, box, Path.Combine(_work, "busy"));
        Assert.Null(await sandbox.OpenAsync(Ct));
        System.IO.File.CreateSymbolicLink(Path.Combine(box, "link"), "/etc/passwd");
        await RunAsync("mkfifo", Path.Combine(box, "pipe"));
        await System.IO.File.WriteAllTextAsync(Path.Combine(box, "file"), "content", Ct);

        Assert.True((await sandbox.TakeAsync("file", "no", Ct)).Succeeded);
        foreach (var name in new[] { "link", "pipe", "nothing" })
        {
            Assert.Equal("no", (await sandbox.TakeAsync(name, "no", Ct)).Refusal?.Message);
        }
    }

    [Fact]
    public async Task Uploads_are_bounded_in_size_and_number_and_go_after_a_day()
    {
        Assert.Contains("larger than", (await KeepAsync(new MemoryStream(new byte[(64 << 20) + 1]))).Refusal!.Message, StringComparison.Ordinal);
        Assert.Contains("empty", (await KeepAsync(new MemoryStream())).Refusal!.Message, StringComparison.Ordinal);
        var (first, second) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var upload in new[] { first, second, Guid.CreateVersion7(), Guid.CreateVersion7() })
        {
            Assert.Equal(new ByteSize(3), (await _workshop.KeepUploadAsync(upload, new MemoryStream([1, 2, 3]), new HashSet<Guid>(), _ => { }, Ct)).Value);
        }

        Assert.Contains("4 uploads", (await KeepAsync(new MemoryStream([1]))).Refusal!.Message, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(_work, "uploads")).Where(path => path.EndsWith($"{first:N}", StringComparison.Ordinal) || path.EndsWith($"{second:N}", StringComparison.Ordinal)))
        {
            System.IO.File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-25));
        }

        Assert.True((await KeepAsync(new MemoryStream([1]), first)).Succeeded);
        Assert.True(_workshop.HasUpload(first));
        Assert.False(_workshop.HasUpload(second));
        _workshop.DropUpload(first);
        Assert.False(_workshop.HasUpload(first));
    }

    private Task<Result<ByteSize>> KeepAsync(Stream content, params Guid[] needed) => _workshop.KeepUploadAsync(Guid.CreateVersion7(), content, needed.ToHashSet(), _ => { }, Ct);

    private async Task<string> RefusedAsync(byte[] content, ImageFormat format, ImagePacking packing = ImagePacking.None, ImageBoot boot = ImageBoot.Kernel)
    {
        var refusal = await ImportAsync(content, format, packing, boot);

        Assert.NotNull(refusal);
        Assert.False(System.IO.File.Exists(Pool.TemplateDisk(s_image)));
        Assert.Empty(Directory.EnumerateDirectories(Pool.Templates));
        return refusal.Message;
    }

    private async Task<Refusal?> ImportAsync(byte[] content, ImageFormat format, ImagePacking packing, ImageBoot boot, string? sha256 = null)
    {
        using var packed = new MemoryStream();
        if (packing == ImagePacking.Gzip && !content.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
        {
            await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            {
                await gzip.WriteAsync(content, Ct);
            }

            content = packed.ToArray();
        }

        var upload = Guid.CreateVersion7();
        Assert.True((await _workshop.KeepUploadAsync(upload, new MemoryStream(content), new HashSet<Guid>(), _ => { }, Ct)).Succeeded);
        var result = await _workshop.EnsureImportedAsync(s_image, Of(format, packing, boot, upload, sha256), Say, Ct);
        _workshop.DropUpload(upload);
        return result.Refusal;
    }

    private static ImageImport Of(ImageFormat format, ImagePacking packing, ImageBoot boot, Guid upload, string? sha256 = null) => new(format, packing, boot, s_disk, null, upload, sha256);

    private void Say(string piece)
    {
        lock (_heard)
        {
            _heard.Append(piece);
        }
    }

    private static PaxTarEntry File(string name, ReadOnlySpan<byte> content, int mode = 0b110_100_100, int uid = 0, int gid = 0) =>
        new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content.ToArray()), Mode = Mode(mode), Uid = uid, Gid = gid };

    private static UnixFileMode Mode(int mode) => (UnixFileMode)mode;

    private static byte[] Kernel(string name) => [.. new byte[0x202], .. "HdrS"u8, .. Encoding.ASCII.GetBytes(name)];

    private static byte[] Tar(params TarEntry[] entries)
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var entry in entries)
            {
                writer.WriteEntry(entry);
            }
        }

        return stream.ToArray();
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var answer = await LibvirtHost.Shell.RunAsync(new HostCommand(program, arguments, TimeSpan.FromMinutes(1)), Ct);
        Assert.True(answer.Succeeded, answer.Error + answer.Output);
        return answer.Output;
    }
}
