using Portal.Engine.Pools;
using Portal.Engine.Shell;

namespace Portal.Engine.Images;

/// <summary>Where an image is made: what all builds have in common.</summary>
/// <param name="work">A directory of the build's own.</param>
internal sealed class Workbench(string work, IHostShell shell)
{
    public const UnixFileMode Everyone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    public const UnixFileMode Program = Everyone | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly string[] s_ramDirectories = ["bin", "dev", "modules", "proc", "root", "sys"];

    /// <summary>What it printed.</summary>
    /// <exception cref="HostFaultException">It failed.</exception>
    /// <exception cref="IOException">It found the disk full, see <see cref="DiskFull.Is"/>.</exception>
    public async Task<string> RunAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await shell.RunAsync(command, ct).ConfigureAwait(false);
        return answer.Succeeded ? answer.Output
            : DiskFull.Said(answer) ? throw new IOException(answer.Error, DiskFull.Code)
            : throw new HostFaultException($"`{command}` failed with exit code {answer.ExitCode}: {Tail(answer.Error)}");
    }

    /// <summary>
    /// A kernel as Xen starts it soonest: unpacked here once instead of at each start on the host. Debian's kernels are packed with xz, from Debian 13 on with
    /// zstd.
    /// </summary>
    public async Task<string> UnpackKernelAsync(string kernel, CancellationToken ct)
    {
        var image = await File.ReadAllBytesAsync(kernel, ct).ConfigureAwait(false);
        var (packing, content) = PackedKernel.In(image)
            ?? throw new HostFaultException($"The kernel {Path.GetFileName(kernel)} is packed neither with xz nor with zstd.");
        var packed = Path.Combine(work, "vmlinux." + packing);
        await File.WriteAllBytesAsync(packed, image.AsMemory(content), ct).ConfigureAwait(false);
        await RunAsync(packing == PackedKernel.Xz ? ImageCommands.Unxz(packed) : ImageCommands.Unzstd(packed), ct).ConfigureAwait(false);
        return Path.Combine(work, "vmlinux");
    }

    /// <summary>An initial RAM disk of busybox and the modules that the root disk needs.</summary>
    /// <param name="parts">The unpacked packages, with one kernel's modules.</param>
    /// <param name="list">Which file of TinyLinux/ names the modules.</param>
    /// <param name="init">Which file of TinyLinux/ loads them and goes on from there.</param>
    public async Task<string> MakeInitrdAsync(string parts, string busybox, string list, string init, CancellationToken ct)
    {
        var modules = Path.Combine(parts, "lib", "modules");
        var version = Path.GetFileName(Directory.EnumerateDirectories(modules).Single());
        await RunAsync(PackageCommands.ModuleDepends(busybox, parts, version), ct).ConfigureAwait(false);
        var wanted = Resource("TinyLinux/" + list).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var depends = await File.ReadAllTextAsync(Path.Combine(modules, version, "modules.dep"), ct).ConfigureAwait(false);
        var builtIn = Path.Combine(modules, version, "modules.builtin");
        var order = PackageAnswers.ModuleOrder(depends, wanted, File.Exists(builtIn) ? await File.ReadAllTextAsync(builtIn, ct).ConfigureAwait(false) : "");

        var ram = Path.Combine(work, "ram");
        List<string> names = [];
        foreach (var directory in s_ramDirectories)
        {
            Directory.CreateDirectory(Path.Combine(ram, directory));
            names.Add(directory);
        }

        Put(Resource("TinyLinux/" + init), ram, "init", Program);
        Copy(busybox, ram, "bin/busybox");
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

    public static void Publish(string made, string path)
    {
        File.SetUnixFileMode(made, Everyone);
        File.Move(made, path, overwrite: true);
    }

    public static void Put(string content, string root, string path, UnixFileMode mode)
    {
        var target = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.WriteAllText(target, content);
        File.SetUnixFileMode(target, mode);
    }

    // Through links: what is copied is the file, under the name by which it is looked for.
    public static void Copy(string source, string root, string path)
    {
        var target = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var file = File.ResolveLinkTarget(source, returnFinalTarget: true)?.FullName ?? source;
        File.Copy(file, target, overwrite: true);
        File.SetUnixFileMode(target, Program);
    }

    /// <summary>A file of TinyLinux/ or Debian/.</summary>
    public static string Resource(string name)
    {
        using var stream = typeof(Workbench).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    public static string Tail(string text) => text.Trim() is { Length: > 2048 } cut ? cut[^2048..] : text.Trim();
}
