using System.Collections.Concurrent;
using Portal.Engine.Consoles;
using Portal.Engine.Images;
using Portal.Engine.Lvm;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Xen through xl, disks as thin volumes of LVM, on a host reached through portal-host: which checks every command and keeps the fences.</summary>
internal sealed class XenEngine : IVmEngine, IAsyncDisposable
{
    private const string Seed = "-seed";
    private const string Whole = "portal.whole";
    private static readonly ByteSize s_seed = ByteSize.FromMiB(4);

    private readonly HostConnection _host;
    private readonly XenStorage _storage;
    private readonly SshShell _shell;
    private readonly IHostShell _here;
    private readonly TimeProvider _clock;
    private readonly PoolLayout _local;
    private readonly ConsoleBoard _consoles;
    private readonly ConcurrentDictionary<DomainName, bool> _byGuest = [];

    /// <param name="shell">The host's.</param>
    /// <param name="here">The portal's own machine, on which images and seeds are made.</param>
    public XenEngine(HostConnection host, XenStorage storage, SshShell shell, IHostShell here, TimeProvider clock)
    {
        _host = host;
        _storage = storage;
        _shell = shell;
        _here = here;
        _clock = clock;
        _local = new PoolLayout(host.PoolPath);
        _local.Create();
        _consoles = new ConsoleBoard(
            _local,
            (name, pulse) => new XenLine(shell, name.Text, _local.ConsoleLog(name), pulse, async ct => await StateAsync(name, ct).ConfigureAwait(false) is not (DomainState.Off or DomainState.Absent or DomainState.Crashed), clock),
            clock);
    }

    public async Task<HostReport> ProbeAsync(CancellationToken ct)
    {
        var info = XlAnswers.Info(await AskAsync(XlCommands.Info(), ct).ConfigureAwait(false));
        var volumes = await VolumesAsync(ct).ConfigureAwait(false);
        List<HostFinding> findings = [];
        if (volumes.FirstOrDefault(v => v.Name == _storage.Pool && v.IsThinPool) is not { } pool)
        {
            findings.Add(new HostFinding("pool.missing", $"The volume group {_storage.Group} has no thin pool {_storage.Pool}.", $"lvcreate --type thin-pool --name {_storage.Pool} --size SIZE {_storage.Group}", Blocks: true));
            pool = new LogicalVolume(_storage.Pool, ByteSize.Zero, "", [], null, null, null, null);
        }

        foreach (var (what, percent) in new[] { ("data", pool.DataPercent), ("metadata", pool.MetadataPercent) })
        {
            if (percent > 90)
            {
                findings.Add(new HostFinding("pool.full", $"The {what} of the thin pool {_storage.Group}/{_storage.Pool} are {percent} % full.", $"lvextend{(what == "data" ? "" : " --poolmetadatasize")} +SIZE {_storage.Group}/{_storage.Pool}", Blocks: percent > 95));
            }
        }

        return new HostReport
        {
            Hypervisor = $"Xen {info.Version}, {info.Scheduler}",
            HardwareVirtualisation = info.Capabilities.Contains("hvm", StringComparison.Ordinal),
            Cpus = info.Cpus,
            Memory = info.Memory,
            PoolSize = pool.Size,
            PoolFree = Free(pool),
            PoolTaken = new ByteSize(volumes.Where(v => v.Pool == _storage.Pool && DomainOf(v.Name) is { } of && of.Instance == _host.Instance).Sum(v => v.Taken.Bytes)),
            Findings = findings,
        };
    }

    public async Task<IReadOnlyList<DomainReport>> ListDomainsAsync(CancellationToken ct)
    {
        var defined = (await AskAsync(PortalHostCommands.List("domains"), ct).ConfigureAwait(false)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var running = XlAnswers.Domains(await AskAsync(XlCommands.List(), ct).ConfigureAwait(false)).Where(d => d.Name is not null).GroupBy(d => d.Name!).ToDictionary(g => g.Key, g => g.First().State);
        List<DomainReport> reports = [];
        foreach (var text in defined.Union(running.Keys))
        {
            if (DomainName.TryParse(text, out var name) && name.Instance == _host.Instance)
            {
                reports.Add(running.TryGetValue(text, out var state) ? Up(name, state) : await OffAsync(name, ct).ConfigureAwait(false));
            }
        }

        return reports;
    }

    public async Task<DomainReport> LookAsync(DomainName name, CancellationToken ct)
    {
        var state = await StateAsync(name, ct).ConfigureAwait(false);
        return state == DomainState.Off ? await OffAsync(name, ct).ConfigureAwait(false) : Up(name, state);
    }

    public async Task<IReadOnlyList<VolumeReport>> ListVolumesAsync(CancellationToken ct) =>
        [.. from volume in await VolumesAsync(ct).ConfigureAwait(false)
            let domain = DomainOf(volume.Name)
            where domain is { } of && of.Instance == _host.Instance
            select new VolumeReport(domain.Value, volume.Name, volume.Size)];

    public async Task<Result<StepOutcome>> EnsureTemplateAsync(TemplateImage image, CancellationToken ct)
    {
        var name = TemplateOf(image);
        var there = (await VolumesAsync(ct).ConfigureAwait(false)).FirstOrDefault(v => v.Name == name);
        if (there is not null && there.Tags.Contains(Whole))
        {
            return StepOutcome.AlreadyThere;
        }

        if (image != TemplateImage.TinyLinux)
        {
            return new TemplateMissing($"{image.Name} {image.Version}");
        }

        using (await FileLock.TakeAsync(Path.Combine(_local.Templates, ".lock"), _clock, ct).ConfigureAwait(false))
        {
            if (!File.Exists(_local.TemplateDisk(image)) && await new TinyLinux(_local, _here, _clock, TinyLinuxFlavour.Xen).BuildAsync(image, ct).ConfigureAwait(false) is { } refusal)
            {
                return refusal;
            }

            return await UploadAsync(image, name, there is null, ct).ConfigureAwait(false);
        }
    }

    public Task<Result<StepOutcome>> EnsureRootDiskAsync(Fence fence, DomainSpec spec, CancellationToken ct) => ActAsync(fence, spec.Name, act => MakeDiskAsync(act, spec, ct));

    public Task<Result<StepOutcome>> EnsureSeedAsync(Fence fence, DomainSpec spec, CancellationToken ct) => ActAsync(fence, spec.Name, act => MakeSeedAsync(act, spec, ct));

    public Task<Result<StepOutcome>> EnsureDefinedAsync(Fence fence, DomainSpec spec, CancellationToken ct) => ActAsync(fence, spec.Name, act => DefineAsync(act, spec, ct));

    public Task<Result<StepOutcome>> EnsureRunningAsync(Fence fence, DomainName name, CancellationToken ct) => ActAsync(fence, name, act => StartAsync(act, name, ct));

    public Task<Result<StepOutcome>> AskShutdownAsync(Fence fence, DomainName name, CancellationToken ct) => ActAsync(fence, name, async act =>
        await StateAsync(name, ct).ConfigureAwait(false) is not (DomainState.Running or DomainState.Paused)
            ? await act.LookOnlyAsync(ct).ConfigureAwait(false)
            : await act.RunAsync(XlCommands.Shutdown(name.Text), "ask the guest to shut down", ct).ConfigureAwait(false));

    public Task<Result<StepOutcome>> EnsureOffAsync(Fence fence, DomainName name, CancellationToken ct) => ActAsync(fence, name, act => DestroyAsync(act, name, ct));

    public Task<Result<StepOutcome>> EnsureUndefinedAsync(Fence fence, DomainName name, CancellationToken ct) => ActAsync(fence, name, async act =>
    {
        var off = await DestroyAsync(act, name, ct).ConfigureAwait(false);
        if (!off.TryGet(out var destroyed, out _) || await StateAsync(name, ct).ConfigureAwait(false) == DomainState.Absent)
        {
            return off;
        }

        return await act.RunAsync(PortalHostCommands.Remove($"domains/{name.Text}"), "remove the configuration", ct).ConfigureAwait(false);
    });

    public Task<Result<StepOutcome>> EnsureDisksGoneAsync(Fence fence, DomainName name, CancellationToken ct) => ActAsync(fence, name, act => RemoveDisksAsync(act, name, ct));

    public async Task<IGuestConsole> OpenConsoleAsync(DomainName name, CancellationToken ct) =>
        await StateAsync(name, ct).ConfigureAwait(false) is DomainState.Running or DomainState.Paused or DomainState.Stopping
            ? _consoles.Open(name)
            : throw new HostFaultException($"The domain {name} does not run, so it has no console. Start the VM first.");

    public IReadOnlyList<string> Plan(DomainSpec spec) =>
    [
        LvmCommands.ThinSnapshot(_storage.Group, TemplateOf(spec.Template), spec.Name.Text).ToString(),
        LvmCommands.Thin(_storage.Group, _storage.Pool, spec.Name.Text + Seed, s_seed).ToString(),
        PortalHostCommands.Put($"domains/{spec.Name.Text}", "").ToString(),
        XlCommands.Create(ConfigOf(spec.Name)).ToString(),
    ];

    public async ValueTask DisposeAsync()
    {
        await _consoles.DisposeAsync().ConfigureAwait(false);
        await _shell.DisposeAsync().ConfigureAwait(false);
    }

    private static string ConfigOf(DomainName name) => $"{PortalHostCommands.Files}/domains/{name.Text}";

    // A volume's name is its domain's, or that with what it is for: p0123abcd-...-g1-seed.
    private static DomainName? DomainOf(string volume) =>
        DomainName.TryParse(volume, out var root) ? root
        : volume.LastIndexOf('-') is > 0 and var at && DomainName.TryParse(volume[..at], out var other) ? other
        : null;

    private static ByteSize Free(LogicalVolume pool) => new(pool.Size.Bytes - pool.Taken.Bytes);

    private string TemplateOf(TemplateImage image) => $"t{_host.Instance}-{image.Name}-{image.Version}";

    private static DomainReport Up(DomainName name, DomainState state) => new(name, state);

    private async Task<DomainReport> OffAsync(DomainName name, CancellationToken ct)
    {
        // Read once for each end: the log does not change any more.
        if (!_byGuest.TryGetValue(name, out var byGuest))
        {
            byGuest = XlAnswers.EndedByGuest((await RunAsync(XlCommands.Log(name.Text), ct).ConfigureAwait(false)).Output);
            _byGuest[name] = byGuest;
        }

        return new DomainReport(name, DomainState.Off, byGuest);
    }

    private async Task<DomainState> StateAsync(DomainName name, CancellationToken ct)
    {
        var answer = await RunAsync(XlCommands.ListOne(name.Text), ct).ConfigureAwait(false);
        if (answer.Succeeded && XlAnswers.Domains(answer.Output) is [var domain])
        {
            return domain.State;
        }

        if (!XlAnswers.IsAbsent(answer))
        {
            throw new HostFaultException($"xl list did not tell the state of {name}: {XlAnswers.Complaint(answer)}");
        }

        return await ConfigAsync(name, ct).ConfigureAwait(false) is null ? DomainState.Absent : DomainState.Off;
    }

    private async Task<string?> ConfigAsync(DomainName name, CancellationToken ct)
    {
        var answer = await RunAsync(PortalHostCommands.Get($"domains/{name.Text}"), ct).ConfigureAwait(false);
        return answer.Succeeded ? answer.Output
            : answer.ExitCode == 2 ? null
            : throw new HostFaultException($"The configuration of {name} cannot be read: {answer.Error.Trim()}");
    }

    private async Task<IReadOnlyList<LogicalVolume>> VolumesAsync(CancellationToken ct) => LvmAnswers.Volumes(await AskAsync(LvmCommands.List(_storage.Group), ct).ConfigureAwait(false));

    private Task<HostAnswer> RunAsync(HostCommand command, CancellationToken ct) => _shell.RunAsync(command, ct);

    private async Task<string> AskAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await RunAsync(command, ct).ConfigureAwait(false);
        return answer.Succeeded ? answer.Output : throw new HostFaultException($"`{command}` failed: {XlAnswers.Complaint(answer)}");
    }

    private async Task<Result<StepOutcome>> ActAsync(Fence fence, DomainName name, Func<Acting, Task<Result<StepOutcome>>> act)
    {
        if (fence.Vm != name.Vm)
        {
            throw new ArgumentException("The fence is another VM's.", nameof(fence));
        }

        var acting = new Acting(_shell, fence, name);
        try
        {
            return await act(acting).ConfigureAwait(false);
        }
        catch (FencedException fenced)
        {
            return fenced.Refusal;
        }
    }

    private async Task<Result<StepOutcome>> UploadAsync(TemplateImage image, string name, bool make, CancellationToken ct)
    {
        var raw = _local.TemplateDisk(image) + ".raw";
        var converted = await _here.RunAsync(ImageCommands.Qcow2ToRaw(_local.TemplateDisk(image), raw), ct).ConfigureAwait(false);
        if (!converted.Succeeded)
        {
            return DiskFull.Said(converted) ? DiskFull.Refusal(_local, ByteSize.FromMiB(64)) : new HostSaidNo("convert the image", converted.Error.Trim());
        }

        try
        {
            var disk = await File.ReadAllBytesAsync(raw, ct).ConfigureAwait(false);
            foreach (var (path, part) in new[] { (_local.TemplateKernel(image), "kernel"), (_local.TemplateInitrd(image), "initrd") })
            {
                await MustAsync(PortalHostCommands.Put($"images/{name}.{part}", await File.ReadAllBytesAsync(path, ct).ConfigureAwait(false)), ct).ConfigureAwait(false);
            }

            if (make && await MakeVolumeAsync(LvmCommands.Thin(_storage.Group, _storage.Pool, name, new ByteSize(disk.Length)), new ByteSize(disk.Length), ct).ConfigureAwait(false) is { } refusal)
            {
                return refusal;
            }

            await MustAsync(PortalHostCommands.Fill($"/dev/{_storage.Group}/{name}", disk), ct).ConfigureAwait(false);
            await MustAsync(LvmCommands.AddTag(_storage.Group, name, Whole), ct).ConfigureAwait(false);
            return StepOutcome.Changed;
        }
        finally
        {
            File.Delete(raw);
        }
    }

    private async Task MustAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await RunAsync(command, ct).ConfigureAwait(false);
        if (!answer.Succeeded)
        {
            throw new HostFaultException($"`{command}` failed: {XlAnswers.Complaint(answer)}");
        }
    }

    private async Task<Refusal?> MakeVolumeAsync(HostCommand command, ByteSize asked, CancellationToken ct)
    {
        var answer = await RunAsync(command, ct).ConfigureAwait(false);
        return answer.Succeeded ? null : NoVolume(answer, asked);
    }

    private static Refusal NoVolume(HostAnswer answer, ByteSize asked) =>
        LvmAnswers.IsFull(answer) ? new PoolFull(asked, ByteSize.Zero) : new HostSaidNo("make the volume", XlAnswers.Complaint(answer));

    private async Task<Result<StepOutcome>> MakeDiskAsync(Acting act, DomainSpec spec, CancellationToken ct)
    {
        var volumes = await VolumesAsync(ct).ConfigureAwait(false);
        var template = volumes.FirstOrDefault(v => v.Name == TemplateOf(spec.Template) && v.Tags.Contains(Whole));
        if (template is null)
        {
            return new TemplateMissing($"{spec.Template.Name} {spec.Template.Version}");
        }

        var there = volumes.FirstOrDefault(v => v.Name == spec.Name.Text);
        if (there is not null && (there.Origin != template.Name || !there.Tags.Contains(LvmCommands.Tag)))
        {
            return new Occupied($"{_storage.Group}/{there.Name}");
        }

        if (there is not null && there.Size >= spec.Disk)
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        var pool = volumes.Single(v => v.Name == _storage.Pool);
        if (Free(pool) < template.Size)
        {
            return new PoolFull(template.Size, Free(pool));
        }

        if (there is null && await act.DoAsync(LvmCommands.ThinSnapshot(_storage.Group, template.Name, spec.Name.Text), ct).ConfigureAwait(false) is { Succeeded: false } no)
        {
            return NoVolume(no, template.Size);
        }

        if (spec.Disk > template.Size && await act.DoAsync(LvmCommands.Extend(_storage.Group, spec.Name.Text, spec.Disk), ct).ConfigureAwait(false) is { Succeeded: false } full)
        {
            return NoVolume(full, spec.Disk);
        }

        return StepOutcome.Changed;
    }

    private async Task<Result<StepOutcome>> MakeSeedAsync(Acting act, DomainSpec spec, CancellationToken ct)
    {
        var name = spec.Name.Text + Seed;
        var files = SeedFiles.Of(spec);
        var mark = $"portal.seed.{files.Digest[..32]}";
        var there = (await VolumesAsync(ct).ConfigureAwait(false)).FirstOrDefault(v => v.Name == name);
        if (there is not null && !there.Tags.Contains(LvmCommands.Tag))
        {
            return new Occupied($"{_storage.Group}/{name}");
        }

        if (there is not null && there.Tags.Contains(mark))
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        // One with other content goes first: a tag says what is in it, and only when all of it is.
        if (there is not null && await act.DoAsync(LvmCommands.Remove(_storage.Group, name), ct).ConfigureAwait(false) is { Succeeded: false } kept)
        {
            return new HostSaidNo("replace the seed", XlAnswers.Complaint(kept));
        }

        var path = Path.Combine(_local.Seeds, name + ".iso");
        try
        {
            var made = await SeedImage.WriteAsync(files, path, _here, command => command, ct).ConfigureAwait(false);
            if (!made.Succeeded)
            {
                return new HostSaidNo("make the seed", made.Error.Trim());
            }

            if (await act.DoAsync(LvmCommands.Thin(_storage.Group, _storage.Pool, name, s_seed), ct).ConfigureAwait(false) is { Succeeded: false } no)
            {
                return NoVolume(no, s_seed);
            }

            await act.MustAsync(PortalHostCommands.Fill($"/dev/{_storage.Group}/{name}", await File.ReadAllBytesAsync(path, ct).ConfigureAwait(false)), ct).ConfigureAwait(false);
            await act.MustAsync(LvmCommands.AddTag(_storage.Group, name, mark), ct).ConfigureAwait(false);
            return StepOutcome.Changed;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async Task<Result<StepOutcome>> DefineAsync(Acting act, DomainSpec spec, CancellationToken ct)
    {
        var template = $"{PortalHostCommands.Files}/images/{TemplateOf(spec.Template)}";
        var wanted = XenConfig.Write(spec, _storage, $"{template}.kernel", $"{template}.initrd");
        if (await ConfigAsync(spec.Name, ct).ConfigureAwait(false) is { } there)
        {
            if (XenConfig.DigestOf(there) is not { } digest)
            {
                return new Occupied($"The domain {spec.Name}");
            }

            if (digest == XenConfig.DigestOf(wanted))
            {
                return await act.LookOnlyAsync(ct).ConfigureAwait(false);
            }
        }

        return await act.RunAsync(PortalHostCommands.Put($"domains/{spec.Name.Text}", wanted), "define the domain", ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> StartAsync(Acting act, DomainName name, CancellationToken ct)
    {
        switch (await StateAsync(name, ct).ConfigureAwait(false))
        {
            case DomainState.Running:
                return await act.LookOnlyAsync(ct).ConfigureAwait(false);
            case DomainState.Absent:
                return await act.LookOnlyAsync(ct).ConfigureAwait(false) is { Succeeded: false } late ? late : new HostSaidNo("start the domain", $"it does not know {name}.");
            case DomainState.Stopping:
                throw new HostFaultException($"The domain {name} is on its way down. Retry when it is off.");
            case DomainState.Paused:
                return await act.RunAsync(XlCommands.Unpause(name.Text), "unpause the domain", ct).ConfigureAwait(false);
            case DomainState.Crashed:
                await act.MustAsync(XlCommands.Destroy(name.Text), ct).ConfigureAwait(false);
                break;
            default:
                break;
        }

        _byGuest.TryRemove(name, out _);
        // The console begins with this boot: nobody writes to its log while the domain is off.
        await act.MustAsync(PortalHostCommands.Forget(name.Text), ct).ConfigureAwait(false);
        var started = await act.DoAsync(XlCommands.Create(ConfigOf(name)), ct).ConfigureAwait(false);
        if (!started.Succeeded && !XlAnswers.ExistsAlready(started))
        {
            return new HostSaidNo("start the domain", XlAnswers.Complaint(started));
        }

        return await StateAsync(name, ct).ConfigureAwait(false) != DomainState.Absent ? StepOutcome.Changed : throw new HostFaultException($"xl created {name}, and it is not there.");
    }

    private async Task<Result<StepOutcome>> DestroyAsync(Acting act, DomainName name, CancellationToken ct)
    {
        if (await StateAsync(name, ct).ConfigureAwait(false) is DomainState.Off or DomainState.Absent)
        {
            return await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        var answer = await act.DoAsync(XlCommands.Destroy(name.Text), ct).ConfigureAwait(false);
        if (!answer.Succeeded && !XlAnswers.IsAbsent(answer))
        {
            return new HostSaidNo("power the domain off", XlAnswers.Complaint(answer));
        }

        _byGuest[name] = false;
        // Asynchronous: it goes on dying for a while, and its disks are in use until then.
        for (var look = 0; look < 100; look++)
        {
            if (await StateAsync(name, ct).ConfigureAwait(false) is DomainState.Off or DomainState.Absent)
            {
                return StepOutcome.Changed;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), _clock, ct).ConfigureAwait(false);
        }

        throw new HostFaultException($"{name} was destroyed and is not gone yet.");
    }

    private async Task<Result<StepOutcome>> RemoveDisksAsync(Acting act, DomainName name, CancellationToken ct)
    {
        if (await StateAsync(name, ct).ConfigureAwait(false) is not (DomainState.Off or DomainState.Absent))
        {
            return new DiskInUse(name.Text);
        }

        var ours = (await VolumesAsync(ct).ConfigureAwait(false)).Where(v => DomainOf(v.Name) == name).ToList();
        if (ours.FirstOrDefault(v => !v.Tags.Contains(LvmCommands.Tag)) is { } foreign)
        {
            return new Occupied($"{_storage.Group}/{foreign.Name}");
        }

        var outcome = await act.LookOnlyAsync(ct).ConfigureAwait(false);
        foreach (var volume in ours)
        {
            // The pool hands its blocks out again zeroed (lvmthin(7), --zero y), and discards them when a thin volume goes.
            var answer = await act.DoAsync(LvmCommands.Remove(_storage.Group, volume.Name), ct).ConfigureAwait(false);
            if (!answer.Succeeded && !LvmAnswers.IsAbsent(answer))
            {
                throw new HostFaultException($"The volume {volume.Name} could not be removed: {XlAnswers.Complaint(answer)}");
            }

            outcome = StepOutcome.Changed;
        }

        await act.MustAsync(PortalHostCommands.Forget(name.Text), ct).ConfigureAwait(false);
        File.Delete(_local.ConsoleLog(name));
        return outcome;
    }

    /// <summary>Commands of one step, each under the step's fence: the host refuses them where a later worker was there.</summary>
    private sealed class Acting(SshShell shell, Fence fence, DomainName name)
    {
        /// <summary>For a step that has nothing to do: whoever is late is told so all the same.</summary>
        public async Task<Result<StepOutcome>> LookOnlyAsync(CancellationToken ct)
        {
            await DoAsync(PortalHostCommands.Get($"domains/{name.Text}"), ct).ConfigureAwait(false);
            return StepOutcome.AlreadyThere;
        }

        /// <exception cref="FencedException">A later worker was there.</exception>
        public async Task<HostAnswer> DoAsync(HostCommand command, CancellationToken ct)
        {
            var answer = await shell.RunAsync(command.Under(fence), ct).ConfigureAwait(false);
            return RemoteAnswers.Fenced(answer) is { } fenced ? throw new FencedException(fenced) : answer;
        }

        public async Task MustAsync(HostCommand command, CancellationToken ct)
        {
            var answer = await DoAsync(command, ct).ConfigureAwait(false);
            if (!answer.Succeeded)
            {
                throw new HostFaultException($"`{command}` failed: {XlAnswers.Complaint(answer)}");
            }
        }

        public async Task<Result<StepOutcome>> RunAsync(HostCommand command, string doing, CancellationToken ct)
        {
            var answer = await DoAsync(command, ct).ConfigureAwait(false);
            return answer.Succeeded ? StepOutcome.Changed : new HostSaidNo(doing, XlAnswers.Complaint(answer));
        }
    }

    private sealed class FencedException(FencedOff refusal) : Exception
    {
        public FencedOff Refusal => refusal;
    }
}
