using System.Text.RegularExpressions;
using Portal.Engine.Fences;
using Portal.Engine.Images;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Libvirt;

/// <summary>Volumes beside the root disk, given to a running guest and taken away, and disks that grow.</summary>
internal sealed partial class LibvirtVolumes(Virsh virsh, LibvirtActing act, PoolLayout pool, IHostShell shell)
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public async Task<Result<StepOutcome>> DoAsync(FenceHold hold, DomainName name, DomainChange change, CancellationToken ct) => change switch
    {
        DomainChange.MakeVolume make => await MakeAsync(hold, name, make, ct).ConfigureAwait(false),
        DomainChange.AttachVolume volume => await AttachAsync(hold, name, volume, ct).ConfigureAwait(false),
        DomainChange.DetachVolume(var device) => await DetachAsync(hold, name, device, ct).ConfigureAwait(false),
        DomainChange.RemoveVolume(var label) => await RemoveAsync(name, label, ct).ConfigureAwait(false),
        DomainChange.GrowVolume(var label, var size) => await GrowAsync(hold, name, label, size, ct).ConfigureAwait(false),
        _ => new NotOffered(change.Needs),
    };

    private async Task<Result<StepOutcome>> MakeAsync(FenceHold hold, DomainName name, DomainChange.MakeVolume make, CancellationToken ct)
    {
        var path = pool.Volume(name, make.Label);
        if (File.Exists(path))
        {
            return StepOutcome.AlreadyThere;
        }

        var size = ByteSize.FromMiB(make.Size.CeilingMiB);
        if (NoRoom(size) is { } full)
        {
            return full;
        }

        var partial = WholeFile.PartialOf(path);
        File.Delete(partial);
        HostCommand[] commands =
        [
            ImageCommands.Zeros(partial, size),
            .. make.Format switch
            {
                VolumeFormat.Ext4 => (ReadOnlySpan<HostCommand>)[ImageCommands.FormatExt4(partial)],
                VolumeFormat.Swap => [ImageCommands.FormatSwap(partial)],
                _ => [],
            },
        ];
        foreach (var command in commands)
        {
            var answer = await shell.RunAsync(hold.Guard(command), ct).ConfigureAwait(false);
            if (!answer.Succeeded)
            {
                File.Delete(partial);
                return DiskFull.Said(answer) ? DiskFull.Refusal(pool, size) : new HostSaidNo("make the volume", answer.Error.Trim());
            }
        }

        File.SetUnixFileMode(partial, Secret);
        File.Move(partial, path);
        return StepOutcome.Changed;
    }

    private async Task<Result<StepOutcome>> AttachAsync(FenceHold hold, DomainName name, DomainChange.AttachVolume volume, CancellationToken ct)
    {
        var path = pool.Volume(name, volume.Label);
        if (!DiskName().IsMatch(volume.Device) || !File.Exists(path))
        {
            return new HostSaidNo("give it the volume", File.Exists(path) ? "its disks are called vdc to vdp." : $"there is no volume {volume.Label}.");
        }

        if (await DescribeAsync(name, ct).ConfigureAwait(false) is not { } xml)
        {
            return new WrongState(name.Text, "running");
        }

        var disks = DomainXml.DisksOf(xml);
        if (disks.FirstOrDefault(d => d.Target == volume.Device || d.File == path) is { } there && there != Wanted())
        {
            return new HostSaidNo("give it the volume", $"it has {there.File ?? "another disk"} as {there.Target}{(there.ReadOnly ? ", read only" : "")}. Take that away first, or choose another name.");
        }

        return DomainXml.BridgeOf(xml) is { } bridge
            ? await act.UntilAsync(hold, name, [VirshCommands.Attach(name.Text, DomainXml.Volume(path, volume, bridge))], "give it the volume", async () => (await DisksAsync(name, ct).ConfigureAwait(false)).Contains(Wanted()), ct).ConfigureAwait(false)
            : new HostSaidNo("give it the volume", "it was started by an earlier version of the portal, without a place for more disks. Shut it down and start it once.");

        AttachedDisk Wanted() => new(volume.Device, path, volume.ReadOnly);
    }

    private async Task<Result<StepOutcome>> DetachAsync(FenceHold hold, DomainName name, string device, CancellationToken ct)
    {
        if (!DiskName().IsMatch(device))
        {
            return new HostSaidNo("take the volume away", "its disks are called vdc to vdp.");
        }

        return await DescribeAsync(name, ct).ConfigureAwait(false) is null
            ? new WrongState(name.Text, "running")
            : await act.UntilAsync(hold, name, [VirshCommands.Detach(name.Text, device)], "take the volume away", async () => (await DisksAsync(name, ct).ConfigureAwait(false)).All(d => d.Target != device), ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> RemoveAsync(DomainName name, VolumeLabel label, CancellationToken ct)
    {
        var path = pool.Volume(name, label);
        File.Delete(WholeFile.PartialOf(path));
        if (!File.Exists(path))
        {
            return StepOutcome.AlreadyThere;
        }

        if ((await DisksAsync(name, ct).ConfigureAwait(false)).Any(d => d.File == path))
        {
            return new DiskInUse(name.Text);
        }

        // The guest whose memory was kept knows its disks as they were.
        if (await virsh.IsSavedAsync(name, ct).ConfigureAwait(false))
        {
            return new WrongState(name.Text, "off, without saved memory: force it off to give that up");
        }

        File.Delete(path);
        return StepOutcome.Changed;
    }

    private async Task<Result<StepOutcome>> GrowAsync(FenceHold hold, DomainName name, VolumeLabel? label, ByteSize size, CancellationToken ct)
    {
        var (path, format) = label is { } volume ? (pool.Volume(name, volume), "raw") : (pool.Disk(name), "qcow2");
        if (!File.Exists(path))
        {
            return new HostSaidNo("make the disk larger", $"there is no {Path.GetFileName(path)}.");
        }

        var wanted = ByteSize.FromMiB(size.CeilingMiB);
        var there = (await ImageInfo.ReadAsync(shell, path, format, ct).ConfigureAwait(false)).VirtualSize;
        if (there >= wanted)
        {
            return StepOutcome.AlreadyThere;
        }

        if (NoRoom(new ByteSize(wanted.Bytes - there.Bytes)) is { } full)
        {
            return full;
        }

        var held = (await DisksAsync(name, ct).ConfigureAwait(false)).FirstOrDefault(d => d.File == path);
        if (held is null)
        {
            var answer = await shell.RunAsync(hold.Guard(ImageCommands.Resize(path, format, wanted)), ct).ConfigureAwait(false);
            if (!answer.Succeeded)
            {
                return DiskFull.Said(answer) ? DiskFull.Refusal(pool, wanted) : new HostSaidNo("make the disk larger", answer.Error.Trim());
            }
        }
        else if (await act.DoAsync(hold, name, VirshCommands.BlockResize(name.Text, held.Target, wanted), "make the disk larger", ct).ConfigureAwait(false) is { } refusal)
        {
            return refusal;
        }

        return (await ImageInfo.ReadAsync(shell, path, format, ct).ConfigureAwait(false)).VirtualSize >= wanted
            ? StepOutcome.Changed
            : throw new HostFaultException($"The host said that it made {path} larger, and it is not.");
    }

    private PoolFull? NoRoom(ByteSize asked)
    {
        var room = DiskFull.Free(pool).Bytes - DiskFull.Floor(pool).Bytes;
        return asked.Bytes > room ? new PoolFull(asked, new ByteSize(Math.Max(0, room))) : null;
    }

    private async Task<IReadOnlyList<AttachedDisk>> DisksAsync(DomainName name, CancellationToken ct) =>
        await DescribeAsync(name, ct).ConfigureAwait(false) is { } xml ? DomainXml.DisksOf(xml) : [];

    /// <summary>Null where it does not run: of one that is off, libvirt would tell what its next start has.</summary>
    private async Task<string?> DescribeAsync(DomainName name, CancellationToken ct) =>
        Virsh.IsDown(await virsh.StateAsync(name, ct).ConfigureAwait(false)) ? null : await virsh.AskAsync(VirshCommands.DescribeRunning(name.Text), ct).ConfigureAwait(false);

    // What comes before is the root disk and the seed.
    [GeneratedRegex(@"^vd[c-p]\z", RegexOptions.CultureInvariant)]
    private static partial Regex DiskName();
}

/// <summary>A disk as a running domain has it.</summary>
/// <param name="File">Null where it is none.</param>
internal sealed record AttachedDisk(string Target, string? File, bool ReadOnly);
