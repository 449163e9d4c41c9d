using System.Globalization;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Images;

/// <summary>
/// Builds a release of Debian with mmdebstrap, from where this machine has its own packages: one image with its kernel and its modules, which boots on Xen
/// and on KVM. The files in Debian/ make it a template.
/// </summary>
internal sealed class DebianImage(PoolLayout pool, IHostShell shell, TimeProvider clock)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly string[] s_files = ["Debian/finish", "Debian/seed", "Debian/portal-seed.service", "Debian/portal-owner-data.service", "Debian/udev-trigger.conf", "TinyLinux/json.awk", "TinyLinux/owner-data"];

    /// <summary>A rough figure, for when there is not even room for a try.</summary>
    private static readonly ByteSize s_need = ByteSize.FromGiB(2);

    /// <summary>Makes disk, kernel and initial RAM disk in the pool's templates. Takes minutes. Safe to repeat.</summary>
    /// <param name="release">Its codename, such as bookworm.</param>
    /// <param name="heard">What the build says, in pieces as they come.</param>
    /// <returns>Null when done, else why not.</returns>
    /// <exception cref="HostFaultException">A tool is missing or failed.</exception>
    public async Task<Refusal?> BuildAsync(TemplateImage image, string release, Action<string> heard, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return new HostSaidNo("build a Debian", "Only root can make its files. Run the portal as root on the machine that builds images.");
        }

        var busy = Path.Combine(pool.Templates, ".debian-busy");
        var before = await shell.RunAsync(DebianCommands.Wait(busy), ct).ConfigureAwait(false);
        if (!before.Succeeded)
        {
            throw new HostFaultException($"The lock {busy} cannot be taken: {Workbench.Tail(before.Error)}");
        }

        foreach (var left in Directory.EnumerateDirectories(pool.Templates, ".debian-*"))
        {
            Directory.Delete(left, recursive: true);
        }

        if (DiskFull.Free(pool) < s_need)
        {
            return DiskFull.Refusal(pool, s_need);
        }

        var work = Path.Combine(pool.Templates, $".debian-{clock.GetUtcNow().ToUnixTimeMilliseconds()}");
        Directory.CreateDirectory(work, Private);
        try
        {
            return await BuildAsync(image, release, work, busy, heard, ct).ConfigureAwait(false);
        }
        catch (Exception full) when (DiskFull.Is(full))
        {
            return DiskFull.Refusal(pool, s_need);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private async Task<Refusal?> BuildAsync(TemplateImage image, string release, string work, string busy, Action<string> heard, CancellationToken ct)
    {
        var bench = new Workbench(work, shell);
        var sources = DebianSources.Lines(await bench.RunAsync(DebianCommands.Targets(), ct).ConfigureAwait(false), release);
        if (sources.Count == 0)
        {
            return new HostSaidNo($"find Debian {release}", "This machine's apt has no sources of Debian. Add them, run `apt-get update`, then retry.");
        }

        Workbench.Put(string.Join('\n', sources) + "\n", work, "sources", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Workbench.Put(DebianCommands.Fetching(await bench.RunAsync(DebianCommands.Config(), ct).ConfigureAwait(false)), work, "apt.conf", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        foreach (var file in s_files)
        {
            Workbench.Put(Workbench.Resource(file), work, Path.GetFileName(file), Workbench.Program);
        }

        var built = await shell.RunAsync(DebianCommands.Bootstrap(release, work, busy, heard), ct).ConfigureAwait(false);
        if (DiskFull.Said(built))
        {
            return DiskFull.Refusal(pool, s_need);
        }

        if (!built.Succeeded)
        {
            return new HostSaidNo($"build Debian {release}", $"{Workbench.Tail(built.Error)} Check the machine's network and its apt sources, then retry.");
        }

        heard("Making kernel, initial RAM disk and file system\n");
        var parts = Path.Combine(work, "parts");
        var kernel = Directory.EnumerateFiles(Path.Combine(parts, "boot"), "vmlinuz-*").Single();
        var unpacked = await bench.UnpackKernelAsync(kernel, ct).ConfigureAwait(false);
        var initrd = await bench.MakeInitrdAsync(parts, Path.Combine(parts, "bin", "busybox"), "modules-any", "init", ct).ConfigureAwait(false);
        var disk = await MakeDiskAsync(bench, work, ct).ConfigureAwait(false);

        // The disk last: where it is, all is.
        Workbench.Publish(kernel, pool.TemplateKernel(image));
        Workbench.Publish(unpacked, pool.TemplateElf(image));
        Workbench.Publish(initrd, pool.TemplateInitrd(image));
        Workbench.Publish(disk, pool.TemplateDisk(image));
        return null;
    }

    private static async Task<string> MakeDiskAsync(Workbench bench, string work, CancellationToken ct)
    {
        var root = Path.Combine(work, "root");
        var taken = long.Parse((await bench.RunAsync(DebianCommands.Taken(root), ct).ConfigureAwait(false)).Split('\t')[0], NumberStyles.None, CultureInfo.InvariantCulture);

        // With room for the file system's own tables and a first boot; it takes all of its disk then. Whole extents of 16 MiB, so that a volume has no more bytes than the image.
        const long Extent = 16L << 20;
        var size = new ByteSize((taken + (taken / 10) + (64L << 20) + Extent - 1) / Extent * Extent);
        var raw = Path.Combine(work, "disk.raw");
        var disk = Path.Combine(work, "disk.qcow2");
        await bench.RunAsync(ImageCommands.Ext4(root, raw, size, "portal-root"), ct).ConfigureAwait(false);
        await bench.RunAsync(ImageCommands.RawToQcow2(raw, disk), ct).ConfigureAwait(false);
        return disk;
    }
}
