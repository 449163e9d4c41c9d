using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Images;

/// <summary>For which kind of machine.</summary>
internal enum TinyLinuxFlavour
{
    /// <summary>QEMU and KVM: virtio devices.</summary>
    Virtio,

    /// <summary>A paravirtual domain of Xen.</summary>
    Xen,
}

/// <summary>
/// Builds the small Linux: Debian's cloud kernel, busybox, dropbear and resize2fs out of Debian's packages, which are taken apart and not
/// installed, and the files in TinyLinux/. Needs neither root's mounts nor devices.
/// </summary>
internal sealed class TinyLinux(PoolLayout pool, IHostShell shell, TimeProvider clock, TinyLinuxFlavour flavour = TinyLinuxFlavour.Virtio)
{
    private static readonly string[] s_packages = ["busybox-static", "dropbear-bin", "e2fsprogs"];
    private static readonly ByteSize s_size = ByteSize.FromMiB(64);

    /// <summary>Where each file of TinyLinux/ goes; the RAM disk's init and the list of modules are not of them.</summary>
    private static readonly (string Resource, string Path, UnixFileMode Mode)[] s_files =
    [
        ("inittab", "etc/inittab", Workbench.Everyone),
        ("issue", "etc/issue", Workbench.Everyone),
        ("passwd", "etc/passwd", Workbench.Everyone),
        ("shadow", "etc/shadow", UnixFileMode.UserRead | UnixFileMode.UserWrite),
        ("group", "etc/group", Workbench.Everyone),
        ("profile", "etc/profile", Workbench.Everyone),
        ("shells", "etc/shells", Workbench.Everyone),
        ("start", "etc/init.d/start", Workbench.Program),
        ("stop", "etc/init.d/stop", Workbench.Program),
        ("power-button", "etc/acpi/PWRF/00000080", Workbench.Program),
        ("apply-seed", "usr/lib/tiny/apply-seed", Workbench.Program),
        ("console", "usr/lib/tiny/console", Workbench.Program),
        ("ssh", "usr/lib/tiny/ssh", Workbench.Program),
        ("owner-data", "usr/lib/tiny/owner-data", Workbench.Program),
        ("json.awk", "usr/lib/tiny/json.awk", Workbench.Everyone),
    ];

    // The cloud kernel has no Xen front ends.
    private string KernelMeta => flavour == TinyLinuxFlavour.Xen ? "linux-image-amd64" : "linux-image-cloud-amd64";

    private static readonly string[] s_emptyDirectories =
        ["bin", "dev", "etc/dropbear", "lib64", "media", "mnt", "proc", "root", "run", "sbin", "sys", "tmp", "usr/bin", "usr/sbin", "var/lib/tiny", "var/log"];

    /// <summary>Makes disk, kernel and initial RAM disk in the pool's templates. Minutes where packages have to come over a slow line.</summary>
    /// <returns>Null when done, else why not.</returns>
    /// <exception cref="HostFaultException">A tool is missing or did what cannot be understood.</exception>
    public Task<Refusal?> BuildAsync(TemplateImage image, CancellationToken ct) => WorkAsync(
        s_packages,
        async (bench, work, parts) =>
        {
            var kernel = await KernelAsync(bench, parts, ct).ConfigureAwait(false);
            var initrd = await bench.MakeInitrdAsync(parts, Busybox(parts), flavour == TinyLinuxFlavour.Xen ? "modules-xen" : "modules", "init", ct).ConfigureAwait(false);
            var disk = await MakeDiskAsync(bench, work, parts, ct).ConfigureAwait(false);

            // The disk last: where it is, all is.
            Workbench.Publish(kernel, pool.TemplateKernel(image));
            Workbench.Publish(initrd, pool.TemplateInitrd(image));
            Workbench.Publish(disk, pool.TemplateDisk(image));
        },
        ct);

    /// <summary>Makes kernel and initial RAM disk of guests that have their root on an NFS server, the latter last. There is no disk.</summary>
    /// <returns>Null when done, else why not.</returns>
    /// <exception cref="HostFaultException">A tool is missing or did what cannot be understood.</exception>
    public Task<Refusal?> BuildNfsBootAsync(TemplateImage image, CancellationToken ct) => WorkAsync(
        ["busybox-static"],
        async (bench, _, parts) =>
        {
            var kernel = await KernelAsync(bench, parts, ct).ConfigureAwait(false);
            var initrd = await bench.MakeInitrdAsync(parts, Busybox(parts), "modules-nfs", "init-nfs", ct).ConfigureAwait(false);
            Workbench.Publish(kernel, pool.TemplateKernel(image));
            Workbench.Publish(initrd, pool.TemplateInitrd(image));
        },
        ct);

    private async Task<Refusal?> WorkAsync(IReadOnlyList<string> packages, Func<Workbench, string, string, Task> make, CancellationToken ct)
    {
        foreach (var left in Directory.EnumerateDirectories(pool.Templates, ".build-*"))
        {
            Directory.Delete(left, recursive: true);
        }

        var work = Path.Combine(pool.Templates, $".build-{clock.GetUtcNow().ToUnixTimeMilliseconds()}");
        Directory.CreateDirectory(work, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var bench = new Workbench(work, shell);
        try
        {
            var parts = Path.Combine(work, "parts");
            if (await FetchAsync(bench, packages, parts, ct).ConfigureAwait(false) is { } refusal)
            {
                return refusal;
            }

            await make(bench, work, parts).ConfigureAwait(false);
            return null;
        }
        catch (Exception full) when (DiskFull.Is(full))
        {
            return DiskFull.Refusal(pool, s_size);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private async Task<string> KernelAsync(Workbench bench, string parts, CancellationToken ct)
    {
        var kernel = Directory.EnumerateFiles(Path.Combine(parts, "boot"), "vmlinuz-*").Single();
        return flavour == TinyLinuxFlavour.Xen ? await bench.UnpackKernelAsync(kernel, ct).ConfigureAwait(false) : kernel;
    }

    private async Task<Refusal?> FetchAsync(Workbench bench, IReadOnlyList<string> wanted, string parts, CancellationToken ct)
    {
        var meta = await shell.RunAsync(PackageCommands.DependsOf(KernelMeta), ct).ConfigureAwait(false);
        var kernel = PackageAnswers.KernelPackage(meta.Output);
        if (kernel is null)
        {
            return new HostSaidNo($"find the package {KernelMeta}", "apt does not list it. Run `apt-get update`, then retry.");
        }

        var closure = await bench.RunAsync(PackageCommands.AllDependsOf(wanted), ct).ConfigureAwait(false);
        string[] packages = [kernel, .. PackageAnswers.Packages(closure)];
        var located = await shell.RunAsync(PackageCommands.Locate(packages), ct).ConfigureAwait(false);
        var downloaded = located.Succeeded ? await shell.RunAsync(PackageCommands.Download(packages, pool.Cache), ct).ConfigureAwait(false) : located;
        if (DiskFull.Said(downloaded))
        {
            return DiskFull.Refusal(pool, s_size);
        }

        if (!downloaded.Succeeded)
        {
            return new HostSaidNo(
                "download the packages of the template",
                $"{Workbench.Tail(downloaded.Error)} Check the machine's network and its apt sources, run `apt-get update`, then retry.");
        }

        Directory.CreateDirectory(parts);
        foreach (var file in PackageAnswers.Files(located.Output))
        {
            await bench.RunAsync(PackageCommands.Unpack(Path.Combine(pool.Cache, file), parts), ct).ConfigureAwait(false);
        }

        return null;
    }

    private static async Task<string> MakeDiskAsync(Workbench bench, string work, string parts, CancellationToken ct)
    {
        var root = Path.Combine(work, "root");
        foreach (var directory in s_emptyDirectories)
        {
            Directory.CreateDirectory(Path.Combine(root, directory));
        }

        File.SetUnixFileMode(Path.Combine(root, "root"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var (resource, path, mode) in s_files)
        {
            Workbench.Put(Workbench.Resource("TinyLinux/" + resource), root, path, mode);
        }

        await InstallBusyboxAsync(bench, parts, root, ct).ConfigureAwait(false);
        await InstallAsync(bench, parts, root, "sbin/resize2fs", ct).ConfigureAwait(false);
        await InstallAsync(bench, parts, root, "usr/sbin/dropbear", ct).ConfigureAwait(false);
        await InstallAsync(bench, parts, root, "usr/bin/dropbearkey", ct).ConfigureAwait(false);
        File.CreateSymbolicLink(Path.Combine(root, "var", "run"), "../run");

        var raw = Path.Combine(work, "disk.raw");
        var disk = Path.Combine(work, "disk.qcow2");
        await bench.RunAsync(ImageCommands.Ext4(root, raw, s_size), ct).ConfigureAwait(false);
        await bench.RunAsync(ImageCommands.RawToQcow2(raw, disk), ct).ConfigureAwait(false);
        return disk;
    }

    private static async Task InstallBusyboxAsync(Workbench bench, string parts, string root, CancellationToken ct)
    {
        Workbench.Copy(Busybox(parts), root, "bin/busybox");
        var applets = await bench.RunAsync(PackageCommands.Applets(Busybox(parts)), ct).ConfigureAwait(false);
        foreach (var applet in applets.Split('\n', StringSplitOptions.RemoveEmptyEntries).Append("init").Distinct(StringComparer.Ordinal))
        {
            // Debian's package managers and mke2fs have nothing to manage here; init and getty are looked for in /sbin.
            if (applet is "busybox" or "dpkg" or "dpkg-deb" or "rpm" or "mke2fs")
            {
                continue;
            }

            var directory = applet is "init" or "getty" or "poweroff" or "reboot" or "halt" ? "sbin" : "bin";
            File.CreateSymbolicLink(Path.Combine(root, directory, applet), "../bin/busybox");
        }
    }

    /// <summary>Copies a program with the libraries that it loads, and the loader.</summary>
    private static async Task InstallAsync(Workbench bench, string parts, string root, string program, CancellationToken ct)
    {
        const string Loader = "lib64/ld-linux-x86-64.so.2";
        string[] libraries = [Path.Combine(parts, "lib/x86_64-linux-gnu"), Path.Combine(parts, "usr/lib/x86_64-linux-gnu")];

        // The loader's link is absolute in some releases and would lead out of the unpacked tree.
        var loader = libraries.Select(directory => Path.Combine(directory, Path.GetFileName(Loader))).First(File.Exists);
        var list = await bench.RunAsync(PackageCommands.LibrariesOf(loader, libraries, Find(parts, program)), ct).ConfigureAwait(false);
        Workbench.Copy(Find(parts, program), root, program);
        Workbench.Copy(loader, root, Loader);
        foreach (var (name, path) in PackageAnswers.Libraries(list))
        {
            if (!path.StartsWith(parts + "/", StringComparison.Ordinal))
            {
                throw new HostFaultException($"{program} needs {name}, which none of its packages has.");
            }

            Workbench.Copy(path, root, "lib/x86_64-linux-gnu/" + name);
        }
    }

    private static string Busybox(string parts) => Find(parts, "bin/busybox");

    // Debian 12 has programs in /bin and /sbin, later releases below /usr alone.
    private static string Find(string parts, string program) =>
        File.Exists(Path.Combine(parts, program)) ? Path.Combine(parts, program)
        : File.Exists(Path.Combine(parts, "usr", program)) ? Path.Combine(parts, "usr", program)
        : throw new HostFaultException($"None of the unpacked packages has {program}.");
}
