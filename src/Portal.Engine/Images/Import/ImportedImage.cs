using System.Globalization;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Images.Import;

/// <summary>
/// Makes a template of what an operator brought: fetched, unpacked, turned into a raw disk, its kernel taken out, and written as a qcow2 image of the portal's own. What the
/// image's maker wrote is opened in a sandbox alone; the portal reads headers and lists, with code that knows their bounds.
/// </summary>
internal sealed class ImportedImage(PoolLayout pool, IHostShell shell, ImageFetch fetch, ImportBounds bounds, TimeProvider clock)
{
    private const string Mark = ".import-";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly ByteSize s_kernelMost = ByteSize.FromMiB(64);
    private static readonly ByteSize s_initrdMost = ByteSize.FromMiB(512);

    /// <summary>Makes disk and, where its host starts one, kernel and initial RAM disk in the pool's templates. Takes minutes. Safe to repeat.</summary>
    /// <param name="uploads">Where uploads are.</param>
    /// <returns>Null when done, else why not.</returns>
    /// <exception cref="HostFaultException">A tool failed in a way that says nothing of the image.</exception>
    public async Task<Refusal?> BuildAsync(TemplateImage image, ImageImport import, Uploads uploads, Action<string> heard, CancellationToken ct)
    {
        var busy = Path.Combine(pool.Templates, ".import-busy");
        var before = await shell.RunAsync(SandboxCommands.Wait(busy), ct).ConfigureAwait(false);
        if (!before.Succeeded)
        {
            throw new HostFaultException($"The lock {busy} cannot be taken: {Workbench.Tail(before.Error)}");
        }

        foreach (var left in Directory.EnumerateDirectories(pool.Templates, Mark + "*"))
        {
            await RemoveAsync(left, busy, ct).ConfigureAwait(false);
        }

        var work = Path.Combine(pool.Templates, $"{Mark}{clock.GetUtcNow().ToUnixTimeMilliseconds()}");
        Directory.CreateDirectory(work, Private);
        try
        {
            return await BuildAsync(image, import, uploads, work, busy, heard, ct).ConfigureAwait(false);
        }
        catch (Exception full) when (DiskFull.Is(full))
        {
            return DiskFull.Refusal(pool, import.Disk);
        }
        finally
        {
            await RemoveAsync(work, busy, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<Refusal?> BuildAsync(TemplateImage image, ImageImport import, Uploads uploads, string work, string busy, Action<string> heard, CancellationToken ct)
    {
        var most = import.Disk < bounds.Disk ? import.Disk : bounds.Disk;
        var sandbox = new Sandbox(shell, Path.Combine(work, "box"), busy);
        if (await sandbox.OpenAsync(ct).ConfigureAwait(false) is { } none)
        {
            return none;
        }

        if (!(await SourceAsync(import, uploads, work, heard, ct).ConfigureAwait(false)).TryGet(out var source, out var notThere))
        {
            return notThere;
        }

        if (import.Packing != ImagePacking.None)
        {
            // A tarball has its own words around its files.
            var unpacked = import.Format == ImageFormat.Tar ? most + most : most;
            if (NoRoom(unpacked) is { } full)
            {
                return full;
            }

            heard($"Unpacking {import.Packing.ToString().ToLowerInvariant()}\n");
            if (!(await MakeAsync(sandbox, SandboxCommands.Unpack(import.Packing), source, unpacked, $"It cannot be unpacked as {import.Packing.ToString().ToLowerInvariant()}.", "image", ct).ConfigureAwait(false)).TryGet(out source, out var packed))
            {
                return packed;
            }
        }

        var made = import.Format switch
        {
            ImageFormat.Raw => Result<string>.Of(source),
            ImageFormat.Qcow2 => await ConvertAsync(sandbox, source, most, heard, ct).ConfigureAwait(false),
            ImageFormat.Tar => await UntarAsync(sandbox, source, most, heard, ct).ConfigureAwait(false),
        };
        if (!made.TryGet(out var raw, out var refused))
        {
            return refused;
        }

        var size = new ByteSize(new FileInfo(raw).Length);
        if (size.Bytes == 0 || size.Bytes % 512 != 0 || size > most)
        {
            return size > most ? TooLarge(size, most) : new ImageRefused($"The disk has {size.Bytes} bytes, and disks come in blocks of 512. Say the format that it has, and what it is packed with.");
        }

        BootFiles? boot = null;
        if (import.Boot == ImageBoot.Disk)
        {
            if (!await HasAsync(raw, 510, [0x55, 0xAA], ct).ConfigureAwait(false))
            {
                return new ImageRefused("The disk has no boot record, so no firmware starts it. If it is one file system without partitions, say that it starts with the kernel in its /boot.");
            }
        }
        else if (!(await BootAsync(sandbox, raw, heard, ct).ConfigureAwait(false)).TryGet(out boot, out var bootless))
        {
            return bootless;
        }

        return await PublishAsync(image, sandbox, raw, size, boot, heard, ct).ConfigureAwait(false);
    }

    private async Task<Result<string>> SourceAsync(ImageImport import, Uploads uploads, string work, Action<string> heard, CancellationToken ct)
    {
        if (import.Upload is { } upload)
        {
            var kept = uploads.PathOf(upload);
            return !File.Exists(kept) ? new ImageRefused("What was uploaded is not on this machine any more. Upload it again; a portal of several machines needs one directory of work for all.")
                : import.Sha256 is { } wanted && await SourceFile.DigestAsync(kept, ct).ConfigureAwait(false) is var digest && digest != wanted ? SourceFile.WrongDigest(digest)
                : Result<string>.Of(kept);
        }

        heard($"Fetching {ImageFetch.Shown(new Uri(import.Address!))}\n");
        var free = DiskFull.Free(pool).Bytes - DiskFull.Floor(pool).Bytes;
        var path = Path.Combine(work, "source");
        return free <= 0 ? DiskFull.Refusal(pool, DiskFull.Floor(pool))
            : await fetch.RunAsync(import, path, new ByteSize(Math.Min(free, bounds.Source.Bytes)), () => DiskFull.HasRoom(pool), heard, ct).ConfigureAwait(false) is { } refusal ? refusal
            : Result<string>.Of(path);
    }

    private async Task<Result<string>> ConvertAsync(Sandbox sandbox, string source, ByteSize most, Action<string> heard, CancellationToken ct)
    {
        if (!(await Qcow2Header.ReadAsync(source, ct).ConfigureAwait(false)).TryGet(out var header, out var refusal))
        {
            return refusal;
        }

        if (header.VirtualSize > most)
        {
            return TooLarge(header.VirtualSize, most);
        }

        if (NoRoom(header.VirtualSize) is { } full)
        {
            return full;
        }

        heard($"Converting a disk of {header.VirtualSize}\n");
        return await MakeAsync(sandbox, SandboxCommands.Qcow2ToRaw(), source, header.VirtualSize, "qemu-img cannot read it.", "disk.raw", ct).ConfigureAwait(false);
    }

    private async Task<Result<string>> UntarAsync(Sandbox sandbox, string source, ByteSize most, Action<string> heard, CancellationToken ct)
    {
        const string NoTar = "It is no tarball. Say the format that it has, and what it is packed with.";
        if (!(await MakeAsync(sandbox, SandboxCommands.ListTar(), source, new ByteSize(300L * bounds.Files), NoTar, "listing", ct).ConfigureAwait(false)).TryGet(out var list, out var unread))
        {
            return unread;
        }

        if (!(await TarListing.ReadAsync(TarListing.LinesAsync(list, ct), bounds.Files, most, ct).ConfigureAwait(false)).TryGet(out var listing, out var refusal))
        {
            return refusal;
        }

        // Each file takes a block at least, and an inode's.
        if (NoRoom(listing.Size + listing.Size + new ByteSize(listing.Files * 2L * 4096)) is { } full)
        {
            return full;
        }

        heard($"Unpacking {listing.Files} files of {listing.Size}{(listing.LeftOut.Count > 0 ? $"; {listing.LeftOut.Count} device nodes and pipes are left out" : "")}\n");
        await sandbox.PutAsync("left-out", listing.LeftOutNames(), ct).ConfigureAwait(false);
        await sandbox.PutAsync("owners", listing.OwnersScript(), ct).ConfigureAwait(false);
        if ((await sandbox.RunAsync(SandboxCommands.Untar(), source, most, "tar cannot unpack it.", files: true, ct).ConfigureAwait(false)).Refusal is { } notUnpacked)
        {
            return notUnpacked;
        }

        if (!(await sandbox.RunAsync(SandboxCommands.Taken(), null, most, "Its files cannot be counted.", files: true, ct).ConfigureAwait(false)).TryGet(out var said, out var uncounted))
        {
            return uncounted;
        }

        // As large as the Debian of the house: with room for the file system's own tables and a first boot, in whole extents of 16 MiB.
        const long Extent = 16L << 20;
        var taken = long.Parse(said.Split('\t')[0], NumberStyles.None, CultureInfo.InvariantCulture);
        var size = new ByteSize((taken + (taken / 10) + (listing.Files * 512L) + (64L << 20) + Extent - 1) / Extent * Extent);
        if (size > most)
        {
            return TooLarge(size, most);
        }

        heard($"Making a file system of {size}\n");
        if ((await sandbox.RunAsync(SandboxCommands.Ext4(size, listing.Files), null, size, "No file system can be made of its files.", files: true, ct).ConfigureAwait(false)).Refusal is { } notMade)
        {
            return notMade;
        }

        return (await sandbox.RunAsync(SandboxCommands.Own(), null, size, "Its files cannot be given to their owners.", files: false, ct).ConfigureAwait(false)).Refusal is { } notOwned
            ? notOwned
            : await sandbox.TakeAsync("disk.raw", "No file system came of its files.", ct).ConfigureAwait(false);
    }

    private static async Task<Result<BootFiles>> BootAsync(Sandbox sandbox, string raw, Action<string> heard, CancellationToken ct)
    {
        const string NoKernel = "Its /boot has no kernel (vmlinuz or vmlinuz-VERSION) with an initial RAM disk beside it (initrd.img-VERSION or initramfs-VERSION), as plain files. Install a kernel in the image, then bring it again.";
        // Superblock of ext2, ext3 and ext4: at 1024, its magic number at 56 in it.
        if (!await HasAsync(raw, 1024 + 56, [0x53, 0xEF], ct).ConfigureAwait(false))
        {
            return new ImageRefused("The disk is not one ext4 file system without partitions. If it has a boot loader, say that it starts from its own disk.");
        }

        if (!(await sandbox.RunAsync(SandboxCommands.ListBoot(), raw, ByteSize.FromMiB(1), "Its file system cannot be read.", files: false, ct).ConfigureAwait(false)).TryGet(out var listing, out var refusal))
        {
            return refusal;
        }

        if (BootFiles.Of(listing) is not { } boot)
        {
            return new ImageRefused(NoKernel);
        }

        heard($"It starts with /boot/{boot.Kernel} and /boot/{boot.Initrd}\n");
        foreach (var (name, to, most) in new[] { (boot.Kernel, "kernel", s_kernelMost), (boot.Initrd, "initrd", s_initrdMost) })
        {
            if (!(await MakeAsync(sandbox, SandboxCommands.TakeOut(name, to), raw, most, $"/boot/{name} cannot be read.", to, ct).ConfigureAwait(false)).TryGet(out var path, out var unread))
            {
                return unread;
            }

            // debugfs ends well whatever happened.
            if (new FileInfo(path).Length == 0)
            {
                return new ImageRefused($"/boot/{name} is empty, or cannot be read. {NoKernel}");
            }
        }

        return await IsKernelAsync((await sandbox.TakeAsync("kernel", NoKernel, ct).ConfigureAwait(false)).Value, ct).ConfigureAwait(false)
            ? boot
            : new ImageRefused($"/boot/{boot.Kernel} is no Linux kernel for x86.");
    }

    private async Task<Refusal?> PublishAsync(TemplateImage image, Sandbox sandbox, string raw, ByteSize size, BootFiles? boot, Action<string> heard, CancellationToken ct)
    {
        if (NoRoom(size) is { } full)
        {
            return full;
        }

        heard("Writing the template's image\n");
        if (!(await MakeAsync(sandbox, SandboxCommands.RawToQcow2(), raw, size + size, "The template's image cannot be written.", "disk.qcow2", ct).ConfigureAwait(false)).TryGet(out var disk, out var refusal))
        {
            return refusal;
        }

        // It came out of a sandbox in which somebody else's data was opened: it names no other file, or it is not taken.
        var header = await Qcow2Header.ReadAsync(disk, ct).ConfigureAwait(false);
        if (!header.TryGet(out var written, out var odd) || written.VirtualSize != size)
        {
            return odd ?? new ImageRefused("What was written is not what was read. Bring the image again.");
        }

        List<(string From, string To)> parts = [];
        if (boot is not null)
        {
            foreach (var (name, to) in new[] { ("kernel", pool.TemplateKernel(image)), ("initrd", pool.TemplateInitrd(image)) })
            {
                if (!(await sandbox.TakeAsync(name, $"Its {name} has gone.", ct).ConfigureAwait(false)).TryGet(out var path, out var gone))
                {
                    return gone;
                }

                parts.Add((path, to));
            }
        }

        // The disk last: where it is, all is.
        parts.Add((disk, pool.TemplateDisk(image)));
        foreach (var (from, to) in parts)
        {
            if (Environment.IsPrivilegedProcess && await shell.RunAsync(SandboxCommands.GiveToRoot(from), ct).ConfigureAwait(false) is { Succeeded: false } kept)
            {
                throw new HostFaultException($"{from} cannot be made root's: {Workbench.Tail(kept.Error)}");
            }

            Workbench.Publish(from, to);
        }

        return null;
    }

    // One that makes one file, which is then the portal's to read.
    private static async Task<Result<string>> MakeAsync(Sandbox sandbox, HostCommand command, string source, ByteSize most, string what, string file, CancellationToken ct) =>
        (await sandbox.RunAsync(command, source, most, what, files: false, ct).ConfigureAwait(false)).Refusal is { } refusal ? refusal : await sandbox.TakeAsync(file, what, ct).ConfigureAwait(false);

    private async Task RemoveAsync(string work, string busy, CancellationToken ct)
    {
        await new Sandbox(shell, Path.Combine(work, "box"), busy).EmptyAsync(ct).ConfigureAwait(false);
        Directory.Delete(work, recursive: true);
    }

    // For all that it may be: one with holes takes less, but who says so is its maker.
    private PoolFull? NoRoom(ByteSize size) => DiskFull.Free(pool) < size + DiskFull.Floor(pool) ? DiskFull.Refusal(pool, size + DiskFull.Floor(pool)) : null;

    private ImageRefused TooLarge(ByteSize size, ByteSize most) => size > bounds.Disk
        ? new($"The disk has {size}, and {bounds.Disk} is the most that an image may have. Make it smaller.")
        : new($"The disk has {size}, and VMs from this template may have as little as {most}. Say {new ByteSize(size.CeilingGiB << 30)} as the least disk, or make the image smaller.");

    private static async Task<bool> IsKernelAsync(string path, CancellationToken ct) =>
        // Documentation/arch/x86/boot.rst: "HdrS" at 0x202 of a boot image; and what was unpacked is ELF.
        await HasAsync(path, 0x202, "HdrS"u8.ToArray(), ct).ConfigureAwait(false) || await HasAsync(path, 0, [0x7F, (byte)'E', (byte)'L', (byte)'F'], ct).ConfigureAwait(false);

    private static async Task<bool> HasAsync(string path, long at, byte[] wanted, CancellationToken ct)
    {
        using var file = File.OpenHandle(path);
        var bytes = new byte[wanted.Length];
        return await RandomAccess.ReadAsync(file, bytes, at, ct).ConfigureAwait(false) == bytes.Length && bytes.AsSpan().SequenceEqual(wanted);
    }
}
