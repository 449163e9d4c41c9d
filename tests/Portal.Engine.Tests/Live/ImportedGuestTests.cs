using System.Text;
using Portal.Engine.Images;
using Portal.Engine.Libvirt;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Tests.Live;

/// <summary>What was imported really boots.</summary>
[Collection(nameof(LibvirtHost))]
public sealed class ImportedGuestTests(LibvirtHost host) : IDisposable
{
    private readonly string _work = An.Pool();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_work, recursive: true);

    [Fact]
    public async Task A_tarball_of_a_root_file_system_is_imported_boots_answers_and_shuts_down()
    {
        await host.EngineAsync();
        // Tiny Linux, as somebody would bring it: its files, with kernel and initial RAM disk in /boot.
        var (pool, root) = (new PoolLayout(host.PoolPath), Path.Combine(_work, "root"));
        await RunAsync("qemu-img", "convert", "-f", "qcow2", "-O", "raw", pool.TemplateDisk(TemplateImage.TinyLinux), Path.Combine(_work, "tiny.raw"));
        Directory.CreateDirectory(root);
        await RunAsync("debugfs", "-R", $"rdump / {root}", Path.Combine(_work, "tiny.raw"));
        Directory.CreateDirectory(Path.Combine(root, "boot"));
        File.Copy(pool.TemplateKernel(TemplateImage.TinyLinux), Path.Combine(root, "boot", "vmlinuz-6.1"));
        File.Copy(pool.TemplateInitrd(TemplateImage.TinyLinux), Path.Combine(root, "boot", "initrd.img-6.1"));
        await RunAsync("tar", "-C", root, "-czf", root + ".tar.gz", ".");
        var image = new TemplateImage("brought-tar", "1");

        await using var engine = await ImportAsync(image, ImageFormat.Tar, ImagePacking.Gzip, root + ".tar.gz");
        var (spec, fence) = await StartAsync(engine, image, 31);
        await using (var console = await engine.OpenConsoleAsync(spec.Name, Ct))
        {
            await using var output = console.ReadAsync(Ct).GetAsyncEnumerator(Ct);
            var heard = new StringBuilder();
            await output.UntilAsync("web-31 login: ", heard);
            await console.WriteAsync("root\n"u8.ToArray(), Ct);
            await output.UntilAsync("root@web-31:~# ", heard);
            await console.WriteAsync("ls -ln /etc/shadow; ls /boot; echo do''ne\n"u8.ToArray(), Ct);
            var answer = await output.UntilAsync("done", heard);
            Assert.Matches("-rw-------.* 0 +0 ", answer);
            Assert.Contains("vmlinuz-6.1", answer, StringComparison.Ordinal);
            Assert.Equal(StepOutcome.Changed, (await engine.AskShutdownAsync(fence, spec.Name, Ct)).Value);
        }

        await host.StateAsync(engine, spec.Name, DomainState.Off, Ct);
        await LeaveAsync(engine, fence, spec);
    }

    [Fact]
    public async Task A_disk_with_a_boot_record_is_imported_and_started_by_the_firmware()
    {
        await host.EngineAsync();
        var raw = Path.Combine(_work, "disk.raw");
        await File.WriteAllBytesAsync(raw, [.. BootRecord.Speaking(), .. new byte[(1 << 20) - 512]], Ct);
        await RunAsync("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, raw + ".qcow2");
        var image = new TemplateImage("brought-disk", "1") { Boot = ImageBoot.Disk };

        await using var engine = await ImportAsync(image, ImageFormat.Qcow2, ImagePacking.None, raw + ".qcow2");
        var (spec, fence) = await StartAsync(engine, image, 32);
        await using (var console = await engine.OpenConsoleAsync(spec.Name, Ct))
        {
            await using var output = console.ReadAsync(Ct).GetAsyncEnumerator(Ct);
            var heard = new StringBuilder();
            await output.UntilAsync("disk login: ", heard);
            await console.WriteAsync("\n"u8.ToArray(), Ct);
            await output.UntilAsync("disk login: ", heard);
        }

        await LeaveAsync(engine, fence, spec);
    }

    private async Task<LibvirtEngine> ImportAsync(TemplateImage image, ImageFormat format, ImagePacking packing, string path)
    {
        var workshop = new ImageWorkshop(TimeProvider.System, new EngineOptions { WorkPath = Path.Combine(_work, "work") });
        var upload = Guid.CreateVersion7();
        await using (var file = File.OpenRead(path))
        {
            Assert.True((await workshop.KeepUploadAsync(upload, file, new HashSet<Guid>(), _ => { }, Ct)).Succeeded);
        }

        Assert.Null((await workshop.EnsureImportedAsync(image, new ImageImport(format, packing, image.Boot, ByteSize.FromGiB(1), null, upload, null), _ => { }, Ct)).Refusal);
        return new LibvirtEngine(new HostConnection(HostId.New(), HostKind.LocalLibvirt, host.Instance, host.PoolPath), LibvirtHost.Shell, TimeProvider.System, Path.Combine(_work, "work"));
    }

    private async Task<(DomainSpec Spec, Fence Fence)> StartAsync(LibvirtEngine engine, TemplateImage image, int n)
    {
        var spec = An.Spec(host.Instance, n) with { Template = image };
        var fence = An.Fence(spec);
        foreach (var step in new[]
        {
            await engine.EnsureTemplateAsync(image, Ct), await engine.EnsureRootDiskAsync(fence, spec, Ct), await engine.EnsureSeedAsync(fence, spec, Ct),
            await engine.EnsureDefinedAsync(fence, spec, Ct), await engine.EnsureRunningAsync(fence, spec.Name, Ct),
        })
        {
            Assert.True(step.Succeeded, step.Refusal?.Message);
        }

        return (spec, fence);
    }

    private static async Task LeaveAsync(LibvirtEngine engine, Fence fence, DomainSpec spec)
    {
        Assert.True((await engine.EnsureUndefinedAsync(fence, spec.Name, Ct)).Succeeded);
        Assert.True((await engine.EnsureDisksGoneAsync(fence, spec.Name, Ct)).Succeeded);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var answer = await LibvirtHost.Shell.RunAsync(new HostCommand(program, arguments, TimeSpan.FromMinutes(1)), Ct);
        Assert.True(answer.Succeeded, answer.Error);
    }
}
