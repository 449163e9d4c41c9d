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
    private const UnixFileMode Everyone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Program = Everyone | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly string[] s_packages = ["busybox-static", "dropbear-bin", "e2fsprogs"];
    private static readonly ByteSize s_size = ByteSize.FromMiB(64);

    /// <summary>Where each file of TinyLinux/ goes; the RAM disk's init and the list of modules are not of them.</summary>
    private static readonly (string Resource, string Path, UnixFileMode Mode)[] s_files =
    [
        ("inittab", "etc/inittab", Everyone),
        ("issue", "etc/issue", Everyone),
        ("passwd", "etc/passwd", Everyone),
        ("shadow", "etc/shadow", UnixFileMode.UserRead | UnixFileMode.UserWrite),
        ("group", "etc/group", Everyone),
        ("profile", "etc/profile", Everyone),
        ("shells", "etc/shells", Everyone),
        ("start", "etc/init.d/start", Program),
        ("stop", "etc/init.d/stop", Program),
        ("power-button", "etc/acpi/PWRF/00000080", Program),
        ("apply-seed", "usr/lib/tiny/apply-seed", Program),
        ("console", "usr/lib/tiny/console", Program),
        ("ssh", "usr/lib/tiny/ssh", Program),
        ("json.awk", "usr/lib/tiny/json.awk", Everyone),
    ];

    // The cloud kernel has no Xen front ends.
    private string KernelMeta => flavour == TinyLinuxFlavour.Xen ? "linux-image-amd64" : "linux-image-cloud-amd64";

    private static readonly string[] s_ramDirectories = ["bin", "dev", "modules", "proc", "root", "sys"];

    private static readonly string[] s_emptyDirectories =
        ["bin", "dev", "etc/dropbear", "lib64", "media", "mnt", "proc", "root", "run", "sbin", "sys", "tmp", "usr/bin", "usr/sbin", "var/lib/tiny", "var/log"];

    /// <summary>Makes disk, kernel and initial RAM disk in the pool's templates. Minutes where packages have to come over a slow line.</summary>
    /// <returns>Null when done, else why not.</returns>
    /// <exception cref="HostFaultException">A tool is missing or did what cannot be understood.</exception>
    public async Task<Refusal?> BuildAsync(TemplateImage image, CancellationToken ct)
    {
        foreach (var left in Directory.EnumerateDirectories(pool.Templates, ".build-*"))
        {
            Directory.Delete(left, recursive: true);
        }

        var work = Path.Combine(pool.Templates, $".build-{clock.GetUtcNow().ToUnixTimeMilliseconds()}");
        Directory.CreateDirectory(work, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            var parts = Path.Combine(work, "parts");
            if (await FetchAsync(parts, ct).ConfigureAwait(false) is { } refusal)
            {
                return refusal;
            }

            var kernel = Directory.EnumerateFiles(Path.Combine(parts, "boot"), "vmlinuz-*").Single();
            if (flavour == TinyLinuxFlavour.Xen)
            {
                kernel = await UnpackKernelAsync(work, kernel, ct).ConfigureAwait(false);
            }

            var initrd = await MakeInitrdAsync(work, parts, ct).ConfigureAwait(false);
            var disk = await MakeDiskAsync(work, parts, ct).ConfigureAwait(false);

            // The disk last: where it is, all is.
            Publish(kernel, pool.TemplateKernel(image));
            Publish(initrd, pool.TemplateInitrd(image));
            Publish(disk, pool.TemplateDisk(image));
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

    private async Task<Refusal?> FetchAsync(string parts, CancellationToken ct)
    {
        var meta = await shell.RunAsync(PackageCommands.DependsOf(KernelMeta), ct).ConfigureAwait(false);
        var kernel = PackageAnswers.KernelPackage(meta.Output);
        if (kernel is null)
        {
            return new HostSaidNo($"find the package {KernelMeta}", "apt does not list it. Run `apt-get update`, then retry.");
        }

        var closure = await RunAsync(PackageCommands.AllDependsOf(s_packages), ct).ConfigureAwait(false);
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
                $"{Tail(downloaded.Error)} Check the machine's network and its apt sources, run `apt-get update`, then retry.");
        }

        Directory.CreateDirectory(parts);
        foreach (var file in PackageAnswers.Files(located.Output))
        {
            await RunAsync(PackageCommands.Unpack(Path.Combine(pool.Cache, file), parts), ct).ConfigureAwait(false);
        }

        return null;
    }

    // Here once instead of at each start on the host, where Xen would do it: Debian's kernels are packed with xz, whose beginning is looked for in the boot image.
    private async Task<string> UnpackKernelAsync(string work, string kernel, CancellationToken ct)
    {
        var image = await File.ReadAllBytesAsync(kernel, ct).ConfigureAwait(false);
        var at = image.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]);
        if (at < 0)
        {
            throw new HostFaultException($"The kernel {Path.GetFileName(kernel)} is not packed with xz.");
        }

        var packed = Path.Combine(work, "vmlinux.xz");
        await File.WriteAllBytesAsync(packed, image.AsMemory(at), ct).ConfigureAwait(false);
        await RunAsync(ImageCommands.Unxz(packed), ct).ConfigureAwait(false);
        return Path.Combine(work, "vmlinux");
    }

    private async Task<string> MakeInitrdAsync(string work, string parts, CancellationToken ct)
    {
        var modules = Path.Combine(parts, "lib", "modules");
        var version = Path.GetFileName(Directory.EnumerateDirectories(modules).Single());
        await RunAsync(PackageCommands.ModuleDepends(Busybox(parts), parts, version), ct).ConfigureAwait(false);
        var wanted = Resource(flavour == TinyLinuxFlavour.Xen ? "modules-xen" : "modules").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var depends = await File.ReadAllTextAsync(Path.Combine(modules, version, "modules.dep"), ct).ConfigureAwait(false);
        var order = PackageAnswers.ModuleOrder(depends, wanted);

        var ram = Path.Combine(work, "ram");
        List<string> names = [];
        foreach (var directory in s_ramDirectories)
        {
            Directory.CreateDirectory(Path.Combine(ram, directory));
            names.Add(directory);
        }

        Put(Resource("init"), ram, "init", Program);
        Copy(Busybox(parts), ram, "bin/busybox");
        Put(string.Concat(order.Select(file => Path.GetFileName(file) + "\n")), ram, "modules/order", Everyone);
        names.Add("init");
        names.Add("bin/busybox");
        names.Add("modules/order");
        foreach (var file in order)
        {
            var name = "modules/" + Path.GetFileName(file);
            File.Copy(Path.Combine(modules, version, file), Path.Combine(ram, name));
            names.Add(name);
        }

        var initrd = Path.Combine(work, "initrd");
        await RunAsync(PackageCommands.Cpio(ram, names, initrd), ct).ConfigureAwait(false);
        return initrd;
    }

    private async Task<string> MakeDiskAsync(string work, string parts, CancellationToken ct)
    {
        var root = Path.Combine(work, "root");
        foreach (var directory in s_emptyDirectories)
        {
            Directory.CreateDirectory(Path.Combine(root, directory));
        }

        File.SetUnixFileMode(Path.Combine(root, "root"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var (resource, path, mode) in s_files)
        {
            Put(Resource(resource), root, path, mode);
        }

        await InstallBusyboxAsync(parts, root, ct).ConfigureAwait(false);
        await InstallAsync(parts, root, "sbin/resize2fs", ct).ConfigureAwait(false);
        await InstallAsync(parts, root, "usr/sbin/dropbear", ct).ConfigureAwait(false);
        await InstallAsync(parts, root, "usr/bin/dropbearkey", ct).ConfigureAwait(false);
        File.CreateSymbolicLink(Path.Combine(root, "var", "run"), "../run");

        var raw = Path.Combine(work, "disk.raw");
        var disk = Path.Combine(work, "disk.qcow2");
        await RunAsync(ImageCommands.Ext4(root, raw, s_size), ct).ConfigureAwait(false);
        await RunAsync(ImageCommands.RawToQcow2(raw, disk), ct).ConfigureAwait(false);
        return disk;
    }

    private async Task InstallBusyboxAsync(string parts, string root, CancellationToken ct)
    {
        Copy(Busybox(parts), root, "bin/busybox");
        var applets = await RunAsync(PackageCommands.Applets(Busybox(parts)), ct).ConfigureAwait(false);
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
    private async Task InstallAsync(string parts, string root, string program, CancellationToken ct)
    {
        const string Loader = "lib64/ld-linux-x86-64.so.2";
        string[] libraries = [Path.Combine(parts, "lib/x86_64-linux-gnu"), Path.Combine(parts, "usr/lib/x86_64-linux-gnu")];

        // The loader's link is absolute in some releases and would lead out of the unpacked tree.
        var loader = libraries.Select(directory => Path.Combine(directory, Path.GetFileName(Loader))).First(File.Exists);
        var list = await RunAsync(PackageCommands.LibrariesOf(loader, libraries, Find(parts, program)), ct).ConfigureAwait(false);
        Copy(Find(parts, program), root, program);
        Copy(loader, root, Loader);
        foreach (var (name, path) in PackageAnswers.Libraries(list))
        {
            if (!path.StartsWith(parts + "/", StringComparison.Ordinal))
            {
                throw new HostFaultException($"{program} needs {name}, which none of its packages has.");
            }

            Copy(path, root, "lib/x86_64-linux-gnu/" + name);
        }
    }

    private async Task<string> RunAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await shell.RunAsync(command, ct).ConfigureAwait(false);
        return answer.Succeeded ? answer.Output
            : DiskFull.Said(answer) ? throw new IOException(answer.Error, DiskFull.Code)
            : throw new HostFaultException($"`{command}` failed with exit code {answer.ExitCode}: {Tail(answer.Error)}");
    }

    private static string Busybox(string parts) => Find(parts, "bin/busybox");

    // Debian 12 has programs in /bin and /sbin, later releases below /usr alone.
    private static string Find(string parts, string program) =>
        File.Exists(Path.Combine(parts, program)) ? Path.Combine(parts, program)
        : File.Exists(Path.Combine(parts, "usr", program)) ? Path.Combine(parts, "usr", program)
        : throw new HostFaultException($"None of the unpacked packages has {program}.");

    private static void Publish(string made, string path)
    {
        File.SetUnixFileMode(made, Everyone);
        File.Move(made, path, overwrite: true);
    }

    private static void Put(string content, string root, string path, UnixFileMode mode)
    {
        var target = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.WriteAllText(target, content);
        File.SetUnixFileMode(target, mode);
    }

    // Through links: what is copied is the file, under the name by which it is looked for.
    private static void Copy(string source, string root, string path)
    {
        var target = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var file = File.ResolveLinkTarget(source, returnFinalTarget: true)?.FullName ?? source;
        File.Copy(file, target, overwrite: true);
        File.SetUnixFileMode(target, Program);
    }

    private static string Resource(string name)
    {
        using var stream = typeof(TinyLinux).Assembly.GetManifestResourceStream("TinyLinux/" + name)
            ?? throw new InvalidOperationException($"TinyLinux/{name} is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static string Tail(string text) => text.Trim() is { Length: > 2048 } cut ? cut[^2048..] : text.Trim();
}
