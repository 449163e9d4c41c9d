using Portal.Engine.Consoles;
using Portal.Engine.Fences;
using Portal.Engine.Images;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Libvirt;

/// <summary>QEMU or KVM through virsh, with disks as layers over a template's image in a directory.</summary>
internal sealed class LibvirtEngine : IVmEngine, IAsyncDisposable
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly HostConnection _host;
    private readonly TimeProvider _clock;
    private readonly IHostShell _shell;
    private readonly Virsh _virsh;
    private readonly PoolLayout _pool;
    private readonly PoolLayout _workshop;
    private readonly FenceBook _fences;
    private readonly Acceleration _acceleration;
    private readonly LibvirtChanges _changes;
    private readonly LibvirtVolumes _volumes;
    private readonly LibvirtSnapshots _snapshots;
    private readonly ConsoleBoard _consoles;
    private readonly ConsoleLogs _logs;

    /// <param name="work">Where images are built, see <see cref="IImageWorkshop"/>; null for the pool itself.</param>
    public LibvirtEngine(HostConnection host, IHostShell shell, TimeProvider clock, string? work = null)
    {
        _host = host;
        _clock = clock;
        _shell = shell;
        _virsh = new Virsh(shell);
        _pool = new PoolLayout(host.PoolPath);
        _workshop = new PoolLayout(work ?? host.PoolPath);
        _fences = new FenceBook(_pool.Fences, clock);
        _acceleration = new Acceleration(_pool, _virsh, clock);
        var act = new LibvirtActing(_virsh, clock);
        _changes = new LibvirtChanges(_virsh, act);
        _volumes = new LibvirtVolumes(_virsh, act, _pool, shell);
        _snapshots = new LibvirtSnapshots(_virsh, _pool, shell);
        _consoles = new ConsoleBoard(_pool, (name, pulse) => new SocketLine(_pool.ConsoleSocket(name), _pool.ConsoleLog(name), pulse, clock), clock);
        _logs = new ConsoleLogs(_pool, shell);
    }

    public Task<HostReport> ProbeAsync(CancellationToken ct) => new LibvirtProbe(_host.Instance, _pool, _shell, _virsh, _acceleration).RunAsync(ct);

    public async Task<IReadOnlyList<HostCheck>> SurveyAsync(CancellationToken ct) => HostCheck.Of(await ProbeAsync(ct).ConfigureAwait(false));

    // libvirtd writes QEMU's words into a directory of its own, which only root may read.
    public Task<string> ReadLogAsync(DomainName name, DomainLog log, CancellationToken ct) =>
        LogTail.ReadAsync(log == DomainLog.Console ? _pool.ConsoleLog(name) : $"/var/log/libvirt/qemu/{name.Text}.log", ct);

    public IReadOnlyList<string> Papers => [.. VirshCommands.Papers.Keys];

    public async Task<string> ReadPaperAsync(string paper, CancellationToken ct) =>
        VirshCommands.Papers.TryGetValue(paper, out var command) ? await _virsh.AskAsync(command, ct).ConfigureAwait(false) : throw new ArgumentException($"There is no {paper}.", nameof(paper));

    public async Task<IReadOnlyList<DomainReport>> ListDomainsAsync(CancellationToken ct)
    {
        var reports = await _virsh.ListAsync(_host.Instance, ct).ConfigureAwait(false);
        await _logs.BoundAsync(reports, ct).ConfigureAwait(false);
        return reports;
    }

    public async Task<DomainReport> LookAsync(DomainName name, CancellationToken ct)
    {
        var state = await _virsh.StateAsync(name, ct).ConfigureAwait(false);
        return new DomainReport(name, state, Saved: state == DomainState.Off ? await _virsh.IsSavedAsync(name, ct).ConfigureAwait(false) : null);
    }

    public Task<IReadOnlyList<VolumeReport>> ListVolumesAsync(CancellationToken ct) => Task.FromResult(_pool.Volumes(_host.Instance));

    public async Task<Result<StepOutcome>> EnsureTemplateAsync(TemplateImage image, CancellationToken ct)
    {
        if (image.Nfs is not null)
        {
            return new NfsNotBooted($"{image.Name} {image.Version}");
        }

        _pool.Create();
        var outcome = StepOutcome.AlreadyThere;
        using (await FileLock.TakeAsync(Path.Combine(_pool.Templates, ".lock"), _clock, ct).ConfigureAwait(false))
        {
            if (!File.Exists(_pool.TemplateDisk(image)))
            {
                var refusal = image == TemplateImage.TinyLinux ? await new TinyLinux(_pool, _shell, _clock).BuildAsync(image, ct).ConfigureAwait(false) : TakeOver(image);
                if (refusal is not null)
                {
                    return refusal;
                }

                outcome = StepOutcome.Changed;
            }
        }

        // What is tried is a kernel; a disk that starts by itself has none.
        if (image.Boot == ImageBoot.Disk && (await EnsureTemplateAsync(TemplateImage.TinyLinux, ct).ConfigureAwait(false)).Refusal is { } noKernel)
        {
            return noKernel;
        }

        // Now, and not when the first tenant waits for a VM.
        await _acceleration.DecideAsync(KernelToTry(image), ct).ConfigureAwait(false);
        return outcome;
    }

    public Task<Result<StepOutcome>> EnsureRootDiskAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
        ActAsync(fence, spec.Name, hold => MakeDiskAsync(hold, spec, ct), ct);

    public Task<Result<StepOutcome>> EnsureSeedAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
        ActAsync(fence, spec.Name, hold => MakeSeedAsync(hold, spec, ct), ct);

    public Task<Result<StepOutcome>> EnsureDefinedAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
        ActAsync(fence, spec.Name, hold => DefineAsync(hold, spec, ct), ct);

    public Task<Result<StepOutcome>> EnsureRunningAsync(Fence fence, DomainName name, CancellationToken ct) =>
        ActAsync(fence, name, hold => StartAsync(hold, name, ct), ct);

    public Task<Result<StepOutcome>> AskShutdownAsync(Fence fence, DomainName name, CancellationToken ct) =>
        ActAsync(fence, name, hold => ShutdownAsync(hold, name, ct), ct);

    public Task<Result<StepOutcome>> EnsureOffAsync(Fence fence, DomainName name, CancellationToken ct) =>
        ActAsync(fence, name, hold => DestroyAsync(hold, name, ct), ct);

    public Task<Result<StepOutcome>> EnsureUndefinedAsync(Fence fence, DomainName name, CancellationToken ct) =>
        ActAsync(fence, name, hold => UndefineAsync(hold, name, ct), ct);

    public string DiskNames => "vd";

    // Disks are layers over a template's image here, and not read in parts.
    public Task<DiskListing> ListDisksAsync(DomainName name, CancellationToken ct) => Task.FromResult(new DiskListing([], ["Its host does not copy disks to others."]));

    public Task<Result<StepOutcome>> EnsureEmptyDisksAsync(Fence fence, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct) => Task.FromResult<Result<StepOutcome>>(new NotOffered(DomainAbility.Move));

    public Task<Result<IReadOnlyList<PartDigest>>> DigestPartsAsync(Fence fence, DomainName name, DomainDisk disk, int first, int count, CancellationToken ct) => Task.FromResult(Result<IReadOnlyList<PartDigest>>.Of(new NotOffered(DomainAbility.Move)));

    public Task<Result<ReadOnlyMemory<byte>>> ReadPartAsync(Fence fence, DomainName name, DomainDisk disk, int part, CancellationToken ct) => Task.FromResult(Result<ReadOnlyMemory<byte>>.Of(new NotOffered(DomainAbility.Move)));

    public Task<Result<StepOutcome>> WritePartAsync(Fence fence, DomainName name, DomainDisk disk, int part, ReadOnlyMemory<byte> content, bool overZeros, CancellationToken ct) => Task.FromResult<Result<StepOutcome>>(new NotOffered(DomainAbility.Move));

    // Layers depend on their template's image, and are not filled up: the snapshots inside them would lose what they share with it.
    public Task<Result<StepOutcome>> DetachAsync(Fence fence, DomainName name, DetachStage stage, CopyProgress progress, CancellationToken ct) => Task.FromResult<Result<StepOutcome>>(new NotOffered(DomainAbility.Detach));

    public Task<Result<StepOutcome>> EnsureDisksWholeAsync(Fence fence, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct) => Task.FromResult<Result<StepOutcome>>(new NotOffered(DomainAbility.Move));

    public bool SeesForeign => false;

    public Task<IReadOnlyList<ForeignSighting>> FindForeignAsync(CancellationToken ct) => Task.FromResult<IReadOnlyList<ForeignSighting>>([]);

    public Task<Result<ForeignDomain>> ReadForeignAsync(string config, CancellationToken ct) => Task.FromResult<Result<ForeignDomain>>(new ForeignNotSeen());

    public Task<DomainState> LookForeignAsync(string name, CancellationToken ct) => Task.FromResult(DomainState.Off);

    public Task<Result<StepOutcome>> AskForeignShutdownAsync(Fence fence, DomainSpec spec, CancellationToken ct) => NotSeen();

    public Task<Result<StepOutcome>> EnsureTakenOverAsync(Fence fence, DomainSpec spec, CancellationToken ct) => NotSeen();

    public Task<Result<StepOutcome>> EnsureGivenBackAsync(Fence fence, DomainSpec spec, CancellationToken ct) => NotSeen();

    public Task<Result<StepOutcome>> EnsureForeignRunningAsync(Fence fence, DomainSpec spec, CancellationToken ct) => NotSeen();

    private static Task<Result<StepOutcome>> NotSeen() => Task.FromResult<Result<StepOutcome>>(new ForeignNotSeen());

    // What is not among them, and why: decision 0025.
    public IReadOnlySet<DomainAbility> Abilities { get; } = new HashSet<DomainAbility>
    {
        DomainAbility.Pause, DomainAbility.Save, DomainAbility.SysRq, DomainAbility.Memory, DomainAbility.Pin, DomainAbility.Share, DomainAbility.Volumes, DomainAbility.Grow, DomainAbility.Snapshots,
    };

    // A directory is as large as its file system.
    public Task<Result<StepOutcome>> ExtendPoolAsync(CancellationToken ct) => Task.FromResult<Result<StepOutcome>>(StepOutcome.AlreadyThere);

    public Task<Result<StepOutcome>> ChangeAsync(Fence fence, DomainName name, DomainChange change, CancellationToken ct) =>
        ActAsync(
            fence,
            name,
            hold => change switch
            {
                DomainChange.MakeVolume or DomainChange.AttachVolume or DomainChange.DetachVolume or DomainChange.RemoveVolume or DomainChange.GrowVolume => _volumes.DoAsync(hold, name, change, ct),
                DomainChange.TakeSnapshot or DomainChange.RevertToSnapshot or DomainChange.RemoveSnapshot => _snapshots.DoAsync(hold, name, change, ct),
                _ => _changes.DoAsync(hold, name, change, ct),
            },
            ct);

    public Task<Result<StepOutcome>> EnsureDisksGoneAsync(Fence fence, DomainName name, CancellationToken ct) =>
        ActAsync(fence, name, hold => RemoveFilesAsync(hold, name, ct), ct);

    public async Task<IGuestConsole> OpenConsoleAsync(DomainName name, CancellationToken ct)
    {
        var state = await _virsh.StateAsync(name, ct).ConfigureAwait(false);
        return state is DomainState.Running or DomainState.Paused or DomainState.Stopping
            ? _consoles.Open(name)
            : throw new HostFaultException($"The domain {name} does not run, so it has no console. Start the VM first.");
    }

    public IReadOnlyList<string> Plan(DomainSpec spec) =>
    [
        ImageCommands.Overlay(_pool.TemplateDisk(spec.Template), _pool.Disk(spec.Name), spec.Disk).ToString(),
        ImageCommands.Iso("SEED", _pool.Seed(spec.Name), "portal").ToString(),
        $"virsh --connect qemu:///system define {spec.Name}.xml",
        VirshCommands.Start(spec.Name.Text).ToString(),
    ];

    public ValueTask DisposeAsync() => _consoles.DisposeAsync();

    // From the workshop, which is on this machine: same bytes, another directory.
    private Refusal? TakeOver(TemplateImage image)
    {
        if (!File.Exists(_workshop.TemplateDisk(image)))
        {
            return new TemplateMissing($"{image.Name} {image.Version}");
        }

        var size = new ByteSize(new FileInfo(_workshop.TemplateDisk(image)).Length);
        if (DiskFull.Free(_pool) < size)
        {
            return DiskFull.Refusal(_pool, size);
        }

        // The disk last: where it is, all is.
        foreach (var (from, to) in ((string From, string To)[])
        [
            .. image.Boot == ImageBoot.Disk ? [] : (ReadOnlySpan<(string, string)>)[(_workshop.TemplateKernel(image), _pool.TemplateKernel(image)), (_workshop.TemplateInitrd(image), _pool.TemplateInitrd(image))],
            (_workshop.TemplateDisk(image), _pool.TemplateDisk(image)),
        ])
        {
            try
            {
                File.Copy(from, WholeFile.PartialOf(to), overwrite: true);
            }
            catch (Exception full) when (DiskFull.Is(full))
            {
                return DiskFull.Refusal(_pool, size);
            }

            File.Move(WholeFile.PartialOf(to), to, overwrite: true);
        }

        return null;
    }

    // The house's own, where it is: one that somebody brought may be silent for reasons of its own, and would take KVM from all.
    private string KernelToTry(TemplateImage image) => _pool.TemplateKernel(image.Boot == ImageBoot.Disk || File.Exists(_pool.TemplateKernel(TemplateImage.TinyLinux)) ? TemplateImage.TinyLinux : image);

    private async Task<Result<StepOutcome>> ActAsync(
        Fence fence, DomainName name, Func<FenceHold, Task<Result<StepOutcome>>> act, CancellationToken ct)
    {
        if (fence.Vm != name.Vm)
        {
            throw new ArgumentException("The fence is another VM's.", nameof(fence));
        }

        _pool.Create();
        var entered = await _fences.EnterAsync(fence, ct).ConfigureAwait(false);
        if (!entered.TryGet(out var hold, out var fenced))
        {
            return fenced;
        }

        using (hold)
        {
            return await act(hold).ConfigureAwait(false);
        }
    }

    private async Task<Result<StepOutcome>> MakeDiskAsync(FenceHold hold, DomainSpec spec, CancellationToken ct)
    {
        var path = _pool.Disk(spec.Name);
        var template = _pool.TemplateDisk(spec.Template);
        if (!File.Exists(template))
        {
            return new TemplateMissing($"{spec.Template.Name} {spec.Template.Version}");
        }

        if (File.Exists(path))
        {
            var there = await ImageInfo.ReadAsync(_shell, path, "qcow2", ct).ConfigureAwait(false);
            return there.Backing == template && there.VirtualSize >= spec.Disk ? StepOutcome.AlreadyThere : new Occupied(path);
        }

        var origin = await ImageInfo.ReadAsync(_shell, template, "qcow2", ct).ConfigureAwait(false);
        if (spec.Disk < origin.VirtualSize)
        {
            return new HostSaidNo("make the root disk", $"the plan's {spec.Disk} are less than the template's {origin.VirtualSize}.");
        }

        // A layer starts with next to nothing; what its guest will surely write is counted as one template.
        var asked = origin.VirtualSize + DiskFull.Floor(_pool);
        if (DiskFull.Free(_pool) < asked)
        {
            return DiskFull.Refusal(_pool, asked);
        }

        var partial = WholeFile.PartialOf(path);
        File.Delete(partial);
        var answer = await _shell.RunAsync(hold.Guard(ImageCommands.Overlay(template, partial, spec.Disk)), ct).ConfigureAwait(false);
        if (DiskFull.Said(answer))
        {
            return DiskFull.Refusal(_pool, asked);
        }

        if (!answer.Succeeded)
        {
            return new HostSaidNo("make the root disk", answer.Error.Trim());
        }

        File.SetUnixFileMode(partial, Secret);
        File.Move(partial, path);
        return StepOutcome.Changed;
    }

    private async Task<Result<StepOutcome>> MakeSeedAsync(FenceHold hold, DomainSpec spec, CancellationToken ct)
    {
        if (UserNetwork.Complaint(spec.Address) is { } complaint)
        {
            return new HostSaidNo("give the guest its address", complaint);
        }

        var path = _pool.Seed(spec.Name);
        var files = SeedFiles.Of(spec);
        if (File.Exists(path))
        {
            var digest = SeedImage.DigestOf(path);
            if (digest is null)
            {
                return new Occupied(path);
            }

            if (digest == files.Digest)
            {
                return StepOutcome.AlreadyThere;
            }
        }

        try
        {
            var answer = await SeedImage.WriteAsync(files, path, _shell, hold.Guard, ct).ConfigureAwait(false);
            return answer.Succeeded ? StepOutcome.Changed
                : DiskFull.Said(answer) ? DiskFull.Refusal(_pool, ByteSize.FromMiB(1))
                : new HostSaidNo("make the seed", answer.Error.Trim());
        }
        catch (IOException full) when (DiskFull.Is(full))
        {
            return DiskFull.Refusal(_pool, ByteSize.FromMiB(1));
        }
    }

    private async Task<Result<StepOutcome>> DefineAsync(FenceHold hold, DomainSpec spec, CancellationToken ct)
    {
        if (spec.Template.Nfs is not null)
        {
            return new NfsNotBooted($"{spec.Template.Name} {spec.Template.Version}");
        }

        if (!File.Exists(spec.Template.Boot == ImageBoot.Disk ? _pool.TemplateDisk(spec.Template) : _pool.TemplateKernel(spec.Template)))
        {
            return new TemplateMissing($"{spec.Template.Name} {spec.Template.Version}");
        }

        var decision = await _acceleration.DecideAsync(KernelToTry(spec.Template), ct).ConfigureAwait(false);
        var xml = DomainXml.Write(spec, _pool, decision.Kvm);
        var there = await _virsh.DescribeAsync(spec.Name, ct).ConfigureAwait(false);
        if (there is not null)
        {
            var digest = DomainXml.DigestOf(there);
            if (digest is null)
            {
                return new Occupied($"The domain {spec.Name}");
            }

            if (digest == DomainXml.DigestOf(xml))
            {
                return StepOutcome.AlreadyThere;
            }
        }

        var answer = await _virsh.RunAsync(hold.Guard(VirshCommands.Define(xml)), ct).ConfigureAwait(false);
        if (!answer.Succeeded)
        {
            return new HostSaidNo("define the domain", VirshAnswers.Complaint(answer));
        }

        return await _virsh.SeenAsync(spec.Name, state => state != DomainState.Absent, "defined", ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> StartAsync(FenceHold hold, DomainName name, CancellationToken ct)
    {
        switch (await _virsh.StateAsync(name, ct).ConfigureAwait(false))
        {
            case DomainState.Running:
                return StepOutcome.AlreadyThere;
            case DomainState.Absent:
                return new HostSaidNo("start the domain", $"it does not know {name}.");
            case DomainState.Stopping:
                throw new HostFaultException($"The domain {name} is on its way down. Retry when it is off.");
            case DomainState.Paused:
                return await _virsh.ActAsync(hold, VirshCommands.Resume(name.Text), "resume the domain", ct).ConfigureAwait(false) is { } paused
                    ? paused
                    : await _virsh.SeenAsync(name, state => state == DomainState.Running, "running", ct).ConfigureAwait(false);
            default:
                break;
        }

        // The console begins with this boot, unless it goes on with an earlier one. Nobody writes to the log now: the domain is off.
        if (!await _virsh.IsSavedAsync(name, ct).ConfigureAwait(false))
        {
            if (await UpgradeAsync(hold, name, ct).ConfigureAwait(false) is { } odd)
            {
                return odd;
            }

            File.Delete(_pool.ConsoleLog(name));
        }

        if (await _virsh.ActAsync(hold, VirshCommands.Start(name.Text), "start the domain", ct).ConfigureAwait(false) is { } refusal)
        {
            return refusal;
        }

        // A guest may be through already where it powers off at once: that it was started is what counts.
        return await _virsh.SeenAsync(name, state => state != DomainState.Absent, "running", ct).ConfigureAwait(false);
    }

    // A domain that an earlier portal defined gets, at its next start, what this one's changes need.
    private async Task<Refusal?> UpgradeAsync(FenceHold hold, DomainName name, CancellationToken ct) =>
        await _virsh.DescribeAsync(name, ct).ConfigureAwait(false) is { } there && DomainXml.DigestOf(there) is not null && DomainXml.Upgraded(there) is { } better
            ? await _virsh.ActAsync(hold, VirshCommands.Define(better), "give the domain what it lacks", ct).ConfigureAwait(false)
            : null;

    private async Task<Result<StepOutcome>> ShutdownAsync(FenceHold hold, DomainName name, CancellationToken ct)
    {
        if (await _virsh.StateAsync(name, ct).ConfigureAwait(false) is not (DomainState.Running or DomainState.Paused))
        {
            return StepOutcome.AlreadyThere;
        }

        var answer = await _virsh.RunAsync(hold.Guard(VirshCommands.Shutdown(name.Text)), ct).ConfigureAwait(false);
        return answer.Succeeded ? StepOutcome.Changed
            : VirshAnswers.IsNotRunning(answer) || VirshAnswers.IsAbsent(answer) ? StepOutcome.AlreadyThere
            : new HostSaidNo("ask the guest to shut down", VirshAnswers.Complaint(answer));
    }

    private async Task<Result<StepOutcome>> DestroyAsync(FenceHold hold, DomainName name, CancellationToken ct)
    {
        if (Virsh.IsDown(await _virsh.StateAsync(name, ct).ConfigureAwait(false)))
        {
            // What was kept of its memory goes with its power.
            return !await _virsh.IsSavedAsync(name, ct).ConfigureAwait(false) ? StepOutcome.AlreadyThere
                : await _virsh.ActAsync(hold, VirshCommands.RemoveManagedSave(name.Text), "give its saved memory up", ct).ConfigureAwait(false) is { } kept ? kept
                : StepOutcome.Changed;
        }

        if (await _virsh.ActAsync(hold, VirshCommands.Destroy(name.Text), "power the domain off", ct).ConfigureAwait(false) is { } refusal)
        {
            return refusal;
        }

        return await _virsh.SeenAsync(name, Virsh.IsDown, "off", ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> UndefineAsync(FenceHold hold, DomainName name, CancellationToken ct)
    {
        if (await _virsh.StateAsync(name, ct).ConfigureAwait(false) == DomainState.Absent)
        {
            return StepOutcome.AlreadyThere;
        }

        var off = await DestroyAsync(hold, name, ct).ConfigureAwait(false);
        if (!off.Succeeded)
        {
            return off;
        }

        if (await _virsh.ActAsync(hold, VirshCommands.Undefine(name.Text), "undefine the domain", ct).ConfigureAwait(false) is { } refusal)
        {
            return refusal;
        }

        return await _virsh.SeenAsync(name, state => state == DomainState.Absent, "undefined", ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> RemoveFilesAsync(FenceHold hold, DomainName name, CancellationToken ct)
    {
        if (!Virsh.IsDown(await _virsh.StateAsync(name, ct).ConfigureAwait(false)))
        {
            return new DiskInUse(name.Text);
        }

        hold.Tidy();
        return _pool.RemoveFilesOf(name);
    }
}
