using System.Security.Cryptography;
using Portal.Engine.Images;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>What lies on a Xen host for a VM: templates, root disks and seeds, in the host's place for disks.</summary>
/// <param name="here">The portal's own machine, on which images and seeds are made.</param>
internal sealed class XenVolumes(XenHost host, PoolLayout local, IHostShell here, TimeProvider clock)
{
    public const string Seed = "-seed";
    public static readonly ByteSize SeedSize = ByteSize.FromMiB(4);

    private const int Part = 16 << 20;

    /// <summary>Whose a volume is: its name is its domain's, or that with what it is for (p0123abcd-...-g1-seed). Null for what is no VM's.</summary>
    public static DomainName? DomainOf(string volume) =>
        DomainName.TryParse(volume, out var root) ? root
        : volume.LastIndexOf('-') is > 0 and var at && DomainName.TryParse(volume[..at], out var other) ? other
        : null;

    public async Task<Result<StepOutcome>> EnsureTemplateAsync(TemplateImage image, CancellationToken ct)
    {
        if (image.Nfs is not null)
        {
            return await EnsureNfsBootAsync(ct).ConfigureAwait(false);
        }

        var name = host.TemplateOf(image);
        if ((await host.VolumesAsync(ct).ConfigureAwait(false)).Any(v => v.Name == name && v.IsWhole))
        {
            return StepOutcome.AlreadyThere;
        }

        using (await FileLock.TakeAsync(Path.Combine(local.Templates, ".lock"), clock, ct).ConfigureAwait(false))
        {
            if (!File.Exists(local.TemplateDisk(image)) && image != TemplateImage.TinyLinux)
            {
                return new TemplateMissing($"{image.Name} {image.Version}");
            }

            if (!File.Exists(local.TemplateDisk(image)) && await new TinyLinux(local, here, clock, TinyLinuxFlavour.Xen).BuildAsync(image, ct).ConfigureAwait(false) is { } refusal)
            {
                return refusal;
            }

            // Once more: who had the lock before may have brought it there.
            var volumes = await host.VolumesAsync(ct).ConfigureAwait(false);
            var there = volumes.FirstOrDefault(v => v.Name == name);
            return there is { IsWhole: true } ? StepOutcome.AlreadyThere
                // A group removes an origin with its snapshots: no disk of a VM goes with half a template.
                : volumes.Any(v => v.Origin == name) ? new Occupied($"{host.Store.Place}/{name}")
                : await UploadAsync(image, name, there, ct).ConfigureAwait(false);
        }
    }

    public async Task<Result<StepOutcome>> MakeDiskAsync(XenActing act, DomainSpec spec, CancellationToken ct)
    {
        if (spec.Template.Nfs is not null)
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        var volumes = await host.VolumesAsync(ct).ConfigureAwait(false);
        var template = volumes.FirstOrDefault(v => v.Name == host.TemplateOf(spec.Template) && v.IsWhole);
        if (template is null)
        {
            return new TemplateMissing($"{spec.Template.Name} {spec.Template.Version}");
        }

        // What a thin pool gives out later is not held back; a template's worth has to be there.
        var there = volumes.FirstOrDefault(v => v.Name == spec.Name.Text);
        return there is null && await host.Store.NoRoomAsync(volumes, template.Size, ct).ConfigureAwait(false) is { } full
            ? full
            : await host.Store.CloneAsync(act, template, there, spec, ct).ConfigureAwait(false);
    }

    public async Task<Result<StepOutcome>> MakeSeedAsync(XenActing act, DomainSpec spec, CancellationToken ct)
    {
        var name = spec.Name.Text + Seed;
        var files = SeedFiles.Of(spec);
        var mark = $"portal.seed.{files.Digest[..32]}";
        var there = (await host.VolumesAsync(ct).ConfigureAwait(false)).FirstOrDefault(v => v.Name == name);
        if (there is { IsOwn: false })
        {
            return new Occupied(there.Where);
        }

        if (there?.Tags.Contains(mark) == true)
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        // One with other content goes first: a tag says what is in it, and only when all of it is.
        if (there is not null && await host.Store.RemoveAsync(act.DoAsync, there, ct).ConfigureAwait(false) is { Succeeded: false } kept)
        {
            return new HostSaidNo("replace the seed", XlAnswers.Complaint(kept));
        }

        var path = Path.Combine(local.Seeds, name + ".iso");
        try
        {
            var made = await SeedImage.WriteAsync(files, path, here, command => command, ct).ConfigureAwait(false);
            if (!made.Succeeded)
            {
                return new HostSaidNo("make the seed", made.Error.Trim());
            }

            if (await host.Store.MakeAsync(act.DoAsync, name, SeedSize, ct).ConfigureAwait(false) is { } no)
            {
                return no;
            }

            await act.MustAsync(PortalHostCommands.Fill(host.Store.PathOf(name), await File.ReadAllBytesAsync(path, ct).ConfigureAwait(false)), ct).ConfigureAwait(false);
            await act.MustAsync(host.Store.Tag(name, mark), ct).ConfigureAwait(false);
            return StepOutcome.Changed;
        }
        finally
        {
            File.Delete(path);
        }
    }

    public async Task<Result<StepOutcome>> RemoveDisksAsync(XenActing act, DomainName name, CancellationToken ct)
    {
        if (await host.StateAsync(name, ct).ConfigureAwait(false) is not (DomainState.Off or DomainState.Absent))
        {
            return new DiskInUse(name.Text);
        }

        var ours = (await host.VolumesAsync(ct).ConfigureAwait(false)).Where(v => DomainOf(v.Name) == name).ToList();
        if (ours.FirstOrDefault(v => !v.IsOwn) is { } foreign)
        {
            return new Occupied(foreign.Where);
        }

        var outcome = await act.LookOnlyAsync(ct).ConfigureAwait(false);
        foreach (var volume in ours)
        {
            await host.StoreOf(volume).MustRemoveAsync(act.DoAsync, volume, ct).ConfigureAwait(false);
            outcome = StepOutcome.Changed;
        }

        // What the listing still has is not gone, whatever was answered.
        if (outcome == StepOutcome.Changed && (await host.VolumesAsync(ct).ConfigureAwait(false)).FirstOrDefault(v => DomainOf(v.Name) == name) is { } left)
        {
            throw new HostFaultException($"The volume {left.Name} was removed and is still listed.");
        }

        foreach (var kernel in (await host.AskAsync(PortalHostCommands.List("images"), ct).ConfigureAwait(false)).Split('\n').Where(file => Path.GetFileNameWithoutExtension(file) == name.Text))
        {
            await act.MustAsync(PortalHostCommands.Remove($"images/{kernel}"), ct).ConfigureAwait(false);
        }

        await act.MustAsync(PortalHostCommands.Remove(XenHost.SaveOf(name)), ct).ConfigureAwait(false);
        await act.MustAsync(PortalHostCommands.Forget(name.Text), ct).ConfigureAwait(false);
        File.Delete(local.ConsoleLog(name));
        return outcome;
    }

    // Each part is there whole or not at all, and the initial RAM disk comes last.
    private async Task<Result<StepOutcome>> EnsureNfsBootAsync(CancellationToken ct)
    {
        var (image, name) = (TemplateImage.NfsBoot, host.TemplateOf(TemplateImage.NfsBoot));
        using (await FileLock.TakeAsync(Path.Combine(local.Templates, ".lock"), clock, ct).ConfigureAwait(false))
        {
            if ((await host.AskAsync(PortalHostCommands.List("images"), ct).ConfigureAwait(false)).Split('\n').Contains($"{name}.initrd"))
            {
                return StepOutcome.AlreadyThere;
            }

            if (!File.Exists(local.TemplateInitrd(image)) && await new TinyLinux(local, here, clock, TinyLinuxFlavour.Xen).BuildNfsBootAsync(image, ct).ConfigureAwait(false) is { } refusal)
            {
                return refusal;
            }

            foreach (var (path, part) in new[] { (local.TemplateKernel(image), "kernel"), (local.TemplateInitrd(image), "initrd") })
            {
                await MustAsync(PortalHostCommands.PutImage($"{name}.{part}", await File.ReadAllBytesAsync(path, ct).ConfigureAwait(false)), ct).ConfigureAwait(false);
            }

            return StepOutcome.Changed;
        }
    }

    private async Task<Result<StepOutcome>> UploadAsync(TemplateImage image, string name, StoredVolume? there, CancellationToken ct)
    {
        var raw = local.TemplateDisk(image) + ".raw";
        var converted = await here.RunAsync(ImageCommands.Qcow2ToRaw(local.TemplateDisk(image), raw), ct).ConfigureAwait(false);
        if (!converted.Succeeded)
        {
            return DiskFull.Said(converted) ? DiskFull.Refusal(local, ByteSize.FromMiB(64)) : new HostSaidNo("convert the image", converted.Error.Trim());
        }

        try
        {
            var size = new ByteSize(new FileInfo(raw).Length);
            var kernel = local.TemplateElf(image);
            foreach (var (path, part) in image.Boot == ImageBoot.Disk ? [] : new[] { (File.Exists(kernel) ? kernel : local.TemplateKernel(image), "kernel"), (local.TemplateInitrd(image), "initrd") })
            {
                await MustAsync(PortalHostCommands.PutImage($"{name}.{part}", await File.ReadAllBytesAsync(path, ct).ConfigureAwait(false)), ct).ConfigureAwait(false);
            }

            if (there is not null)
            {
                // Of an upload that was cut off: what is passed over as zeros must read as zeros.
                await host.Store.MustRemoveAsync(host.RunAsync, there, ct).ConfigureAwait(false);
            }

            if (await host.Store.MakeAsync(host.RunAsync, name, size, ct).ConfigureAwait(false) is { } refusal)
            {
                return refusal;
            }

            var digest = await FillAsync(raw, name, ct).ConfigureAwait(false);
            var has = RemoteAnswers.Digest(await host.AskAsync(PortalHostCommands.Digest(host.Store.PathOf(name)), ct).ConfigureAwait(false));
            if (has != digest)
            {
                throw new HostFaultException($"What the host has of {image.Name} {image.Version} is not what was sent: {has} instead of {digest}. It is sent again.");
            }

            await MustAsync(host.Store.Tag(name, StoredVolume.Whole), ct).ConfigureAwait(false);
            return StepOutcome.Changed;
        }
        finally
        {
            File.Delete(raw);
        }
    }

    /// <summary>Sends a file into a volume that reads as zeros, part by part, those of zeros alone left out.</summary>
    /// <returns>The SHA-256 of the whole volume, which ends with zeros where its last extent is larger than what is left of the file.</returns>
    private async Task<string> FillAsync(string path, string volume, CancellationToken ct)
    {
        using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var part = new byte[Part];
        int length;
        for (long at = 0; (length = await RandomAccess.ReadAsync(file, part, at, ct).ConfigureAwait(false)) > 0; at += length)
        {
            digest.AppendData(part, 0, length);
            if (part.AsSpan(0, length).ContainsAnyExcept((byte)0))
            {
                await MustAsync(PortalHostCommands.FillPart(host.Store.PathOf(volume), at, part.AsMemory(0, length)), ct).ConfigureAwait(false);
            }
        }

        Array.Clear(part);
        var size = (await host.Store.SizeAsync(volume, ct).ConfigureAwait(false)).Bytes;
        for (var left = size - RandomAccess.GetLength(file); left > 0; left -= part.Length)
        {
            digest.AppendData(part, 0, (int)Math.Min(left, part.Length));
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }

    private async Task MustAsync(HostCommand command, CancellationToken ct) => await host.AskAsync(command, ct).ConfigureAwait(false);
}
