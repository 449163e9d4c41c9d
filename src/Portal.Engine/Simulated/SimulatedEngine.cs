using System.Text;
using Portal.Engine.Consoles;
using Portal.Engine.Fences;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Simulated;

/// <summary>A host of files: domains change state at once, nothing is emulated; latency, size and faults come from <see cref="SimulatedFaults"/>.</summary>
internal sealed class SimulatedEngine : IVmEngine, IAsyncDisposable
{
    private static readonly HashSet<DomainAbility> s_abilities = [DomainAbility.Pause, DomainAbility.Save, DomainAbility.Move];
    private static readonly HashSet<DomainAbility> s_abilitiesOfClones = [.. s_abilities, DomainAbility.Detach];

    private readonly HostConnection _host;
    private readonly TimeProvider _clock;
    private readonly PoolLayout _pool;
    private readonly SimulatedStore _store;
    private readonly SimulatedParts _parts;
    private readonly SimulatedClones _clones;
    private readonly SimulatedFaults _faults;
    private readonly SimulatedForeign _foreign;
    private readonly FenceBook _fences;
    private readonly ConsoleBoard _consoles;

    public SimulatedEngine(HostConnection host, TimeProvider clock)
    {
        _host = host;
        _clock = clock;
        _pool = new PoolLayout(host.PoolPath);
        _store = new SimulatedStore(_pool, clock);
        _parts = new SimulatedParts(_pool);
        _clones = new SimulatedClones(_pool);
        _faults = new SimulatedFaults(_pool.Root);
        _foreign = new SimulatedForeign(_pool.Root);
        _fences = new FenceBook(_pool.Fences, clock);
        _consoles = new ConsoleBoard(_pool, (name, pulse) => new SimulatedLine(_pool, _store, name, pulse), clock);
    }

    public Task<HostReport> ProbeAsync(CancellationToken ct) => AskAsync(
        SimulatedVerb.Probe,
        () =>
        {
            var shape = _faults.Shape;
            return new HostReport
            {
                Hypervisor = "Simulated: no real machine",
                HardwareVirtualisation = false,
                Guests = shape.BootsDisks ? GuestKinds.Hvm : GuestKinds.None,
                Cpus = shape.Cpus,
                Memory = shape.Memory,
                BootId = _store.BootId,
                PoolSize = shape.Pool,
                PoolFree = Free(shape),
                PoolTaken = Taken(),
                Findings = shape.PoolFills ? [new HostFinding("pool.full", "The simulated pool is nearly full.", "Extend it.", Blocks: false)] : [],
            };
        },
        ct);

    public Task<Result<StepOutcome>> ExtendPoolAsync(CancellationToken ct)
    {
        var shape = _faults.Shape;
        if (!shape.PoolFills)
        {
            return Task.FromResult<Result<StepOutcome>>(StepOutcome.AlreadyThere);
        }

        _faults.Shape = shape with { PoolMiB = shape.PoolMiB * 6 / 5, PoolFills = false };
        return Task.FromResult<Result<StepOutcome>>(StepOutcome.Changed);
    }

    public Task<string> ReadLogAsync(DomainName name, DomainLog log, CancellationToken ct) => log == DomainLog.Console ? LogTail.ReadAsync(_pool.ConsoleLog(name), ct) : Task.FromResult("");

    public async Task<IReadOnlyList<HostCheck>> SurveyAsync(CancellationToken ct) => HostCheck.Of(await ProbeAsync(ct).ConfigureAwait(false));

    public IReadOnlyList<string> Papers => [];

    public Task<string> ReadPaperAsync(string paper, CancellationToken ct) => throw new ArgumentException("A simulated host has nothing to say.", nameof(paper));

    public Task<IReadOnlyList<DomainReport>> ListDomainsAsync(CancellationToken ct) => AskAsync<IReadOnlyList<DomainReport>>(
        SimulatedVerb.ListDomains,
        () => [.. _store.Names(_host.Instance).Select(Look).Where(report => report.State != DomainState.Absent)],
        ct);

    public Task<DomainReport> LookAsync(DomainName name, CancellationToken ct) => AskAsync(SimulatedVerb.Look, () => Look(name), ct);

    public Task<IReadOnlyList<VolumeReport>> ListVolumesAsync(CancellationToken ct) =>
        AskAsync(SimulatedVerb.ListVolumes, () => _pool.Volumes(_host.Instance), ct);

    public string DiskNames => "xvd";

    public bool SeesForeign => true;

    public Task<IReadOnlyList<ForeignSighting>> FindForeignAsync(CancellationToken ct) =>
        AskAsync(SimulatedVerb.FindForeign, () => _foreign.Find(_host.Instance), ct);

    public Task<DomainState> LookForeignAsync(string name, CancellationToken ct) => AskAsync(SimulatedVerb.LookForeign, () => _foreign.Look(name), ct);

    public Task<Result<StepOutcome>> AskForeignShutdownAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
        ActAsync(SimulatedVerb.AskForeignShutdown, fence, spec.Name, () => Task.FromResult(_foreign.Run(spec.Adopted!, false)), ct);

    public Task<Result<StepOutcome>> EnsureTakenOverAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureTakenOver, fence, spec.Name, () => Task.FromResult(TakeOver(spec)), ct);

    public Task<Result<StepOutcome>> EnsureGivenBackAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureGivenBack, fence, spec.Name, () => Task.FromResult(GiveBack(spec)), ct);

    public Task<Result<StepOutcome>> EnsureForeignRunningAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureForeignRunning, fence, spec.Name, () => Task.FromResult(_foreign.Run(spec.Adopted!, true)), ct);

    public Task<Result<ForeignDomain>> ReadForeignAsync(string config, CancellationToken ct) => Task.FromResult(SimulatedForeign.Read(config));

    public async Task<Result<StepOutcome>> EnsureTemplateAsync(TemplateImage image, CancellationToken ct)
    {
        _pool.Create();
        if (await StrikeAsync(SimulatedVerb.EnsureTemplate, SimulatedMoment.Before, ct).ConfigureAwait(false) is { } instead)
        {
            return instead;
        }

        var outcome = Make(_pool.TemplateDisk(image), ByteSize.Zero);
        return await StrikeAsync(SimulatedVerb.EnsureTemplate, SimulatedMoment.After, ct).ConfigureAwait(false) ?? outcome;
    }

    public Task<Result<StepOutcome>> EnsureRootDiskAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureRootDisk, fence, spec.Name, () => Task.FromResult(MakeDisk(spec)), ct);

    public Task<Result<StepOutcome>> EnsureSeedAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureSeed, fence, spec.Name, () => Task.FromResult(Make(_pool.Seed(spec.Name), ByteSize.Zero, spec.UserData?.Text ?? "")), ct);

    public Task<Result<StepOutcome>> EnsureDefinedAsync(Fence fence, DomainSpec spec, CancellationToken ct) => ActAsync(
        SimulatedVerb.EnsureDefined,
        fence,
        spec.Name,
        () => ChangeAsync(
            spec.Name,
            before => (before ?? new SimulatedDomain(DomainState.Off, "", "", 0, 0)) with
            {
                HostName = spec.HostName.Text,
                Address = $"{spec.Address.Address}/{spec.Address.PrefixLength}",
                Vcpus = spec.Vcpus,
                MemoryMiB = spec.Memory.CeilingMiB,
            },
            ct),
        ct);

    public Task<Result<StepOutcome>> EnsureRunningAsync(Fence fence, DomainName name, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureRunning, fence, name, () => StartAsync(name, ct), ct);

    public Task<Result<StepOutcome>> AskShutdownAsync(Fence fence, DomainName name, CancellationToken ct) =>
        ActAsync(SimulatedVerb.AskShutdown, fence, name, () => StopAsync(name, SimulatedGuest.GoDown, byGuest: true, ct), ct);

    public Task<Result<StepOutcome>> EnsureOffAsync(Fence fence, DomainName name, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureOff, fence, name, () => StopAsync(name, "", byGuest: false, ct), ct);

    public Task<Result<StepOutcome>> EnsureUndefinedAsync(Fence fence, DomainName name, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureUndefined, fence, name, () => ChangeAsync(name, _ => null, ct), ct);

    public IReadOnlySet<DomainAbility> Abilities => _faults.Shape.ClonesBySnapshot ? s_abilitiesOfClones : s_abilities;

    public Task<Result<StepOutcome>> ChangeAsync(Fence fence, DomainName name, DomainChange change, CancellationToken ct) =>
        ActAsync(SimulatedVerb.Change, fence, name, () => ChangeAsync(name, change, ct), ct);

    public Task<Result<StepOutcome>> EnsureDisksGoneAsync(Fence fence, DomainName name, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureDisksGone, fence, name, () => Task.FromResult(RemoveFiles(name)), ct);

    public Task<DiskListing> ListDisksAsync(DomainName name, CancellationToken ct) => AskAsync(SimulatedVerb.ListDisks, () => List(name), ct);

    public Task<Result<StepOutcome>> EnsureEmptyDisksAsync(Fence fence, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureEmptyDisks, fence, name, () => Task.FromResult(MakeEmpty(name, disks)), ct);

    public Task<Result<IReadOnlyList<PartDigest>>> DigestPartsAsync(Fence fence, DomainName name, DomainDisk disk, int first, int count, CancellationToken ct) => ActAsync(
        SimulatedVerb.DigestParts,
        fence,
        name,
        () => Task.FromResult(IsDown(name)
            ? Result<IReadOnlyList<PartDigest>>.Of([.. Enumerable.Range(first, count).Select(part => _parts.Digest(name, disk, part))])
            : new WrongState(name.Text, "off")),
        ct);

    public Task<Result<ReadOnlyMemory<byte>>> ReadPartAsync(Fence fence, DomainName name, DomainDisk disk, int part, CancellationToken ct) =>
        ActAsync(SimulatedVerb.ReadPart, fence, name, () => Task.FromResult(Result<ReadOnlyMemory<byte>>.Of(_parts.Read(name, disk, part))), ct);

    public Task<Result<StepOutcome>> WritePartAsync(Fence fence, DomainName name, DomainDisk disk, int part, ReadOnlyMemory<byte> content, bool overZeros, CancellationToken ct) => ActAsync(
        SimulatedVerb.WritePart,
        fence,
        name,
        () =>
        {
            _parts.Write(name, disk.Suffix, part, content.Span);
            return Task.FromResult<Result<StepOutcome>>(StepOutcome.Changed);
        },
        ct);

    public Task<Result<StepOutcome>> EnsureDisksWholeAsync(Fence fence, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct) =>
        ActAsync(SimulatedVerb.EnsureDisksWhole, fence, name, () => Task.FromResult<Result<StepOutcome>>(StepOutcome.AlreadyThere), ct);

    public async Task<Result<StepOutcome>> DetachAsync(Fence fence, DomainName name, DetachStage stage, CopyProgress progress, CancellationToken ct) =>
        _clones.Find(name) is { Replaced: false } clone && stage is DetachStage.Copy or DetachStage.Take && await progress(clone.Size, clone.Size, ct).ConfigureAwait(false) is { } enough
            ? Result<StepOutcome>.Of(enough)
            : await ActAsync(SimulatedVerb.Detach, fence, name, () => Task.FromResult(_clones.Do(name, stage, IsDown(name), Free(_faults.Shape))), ct).ConfigureAwait(false);

    public Task<IGuestConsole> OpenConsoleAsync(DomainName name, CancellationToken ct) => AskAsync(
        SimulatedVerb.OpenConsole,
        () => Look(name).State == DomainState.Running
            ? _consoles.Open(name)
            : throw new HostFaultException($"The domain {name} does not run, so it has no console. Start the VM first."),
        ct);

    public IReadOnlyList<string> Plan(DomainSpec spec) =>
    [
        $"# simulated: a root disk of {spec.Disk} from {spec.Template.Name} {spec.Template.Version}",
        $"# simulated: a seed with host name {spec.HostName} and {spec.SshKeys.Count} keys",
        $"# simulated: the domain {spec.Name} with {spec.Vcpus} vCPU and {spec.Memory}",
        $"# simulated: its start, at {spec.Address.Address}",
    ];

    public ValueTask DisposeAsync() => _consoles.DisposeAsync();

    internal static void Print(PoolLayout pool, DomainName name, string text)
    {
        if (text.Length > 0)
        {
            using var log = new FileStream(pool.ConsoleLog(name), FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            log.Write(Encoding.UTF8.GetBytes(text));
        }
    }

    private async Task<T> AskAsync<T>(SimulatedVerb verb, Func<T> answer, CancellationToken ct)
    {
        await StrikeAsync(verb, SimulatedMoment.Before, ct).ConfigureAwait(false);
        var given = answer();
        await StrikeAsync(verb, SimulatedMoment.After, ct).ConfigureAwait(false);
        return given;
    }

    private async Task<Result<T>> ActAsync<T>(
        SimulatedVerb verb, Fence fence, DomainName name, Func<Task<Result<T>>> act, CancellationToken ct)
    {
        if (fence.Vm != name.Vm)
        {
            throw new ArgumentException("The fence is another VM's.", nameof(fence));
        }

        _pool.Create();
        if (await StrikeAsync(verb, SimulatedMoment.Before, ct).ConfigureAwait(false) is { } instead)
        {
            return Instead<T>(instead);
        }

        var entered = await _fences.EnterAsync(fence, ct).ConfigureAwait(false);
        if (!entered.TryGet(out var hold, out var fenced))
        {
            return Result<T>.Of(fenced);
        }

        using (hold)
        {
            var outcome = await act().ConfigureAwait(false);
            return await StrikeAsync(verb, SimulatedMoment.After, ct).ConfigureAwait(false) is { } after ? Instead<T>(after) : outcome;
        }
    }

    // To say that it was done says nothing where an answer was asked for.
    private static Result<T> Instead<T>(Result<StepOutcome> instead) =>
        instead.Refusal is { } refusal ? Result<T>.Of(refusal) : instead is Result<T> same ? same : throw new HostFaultException("Simulated fault: the host answered nothing.");

    /// <summary>Waits the host's latency and does what is armed; null where the verb goes on.</summary>
    private async Task<Result<StepOutcome>?> StrikeAsync(SimulatedVerb verb, SimulatedMoment moment, CancellationToken ct)
    {
        var shape = _faults.Shape;
        if (moment == SimulatedMoment.Before && shape.LatencyMs > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(shape.LatencyMs), _clock, ct).ConfigureAwait(false);
        }

        if (!shape.Reachable)
        {
            throw new HostFaultException("The simulated host does not answer.");
        }

        switch (_faults.Take(verb, moment))
        {
            case SimulatedFault.Throw:
                throw new HostFaultException($"Simulated fault: the host went away {(moment == SimulatedMoment.Before ? "before" : "after")} {verb}.");
            case SimulatedFault.Die:
                OwnProcess.Die();
                return null;
            case SimulatedFault.Refuse:
                return new HostSaidNo(verb.ToString(), "simulated refusal");
            case SimulatedFault.Hang:
                await Task.Delay(Timeout.InfiniteTimeSpan, _clock, ct).ConfigureAwait(false);
                return null;
            case SimulatedFault.Ignore:
                return StepOutcome.Changed;
            default:
                return null;
        }
    }

    private DomainReport Look(DomainName name) =>
        _store.Read(name) is { } domain ? new(name, domain.State, domain is { State: DomainState.Off, ByGuest: true }, domain is { State: DomainState.Off, Saved: true }) : new(name, DomainState.Absent);

    private ByteSize Free(SimulatedShape shape) => new(Math.Max(0, shape.Pool.Bytes - Taken().Bytes));

    private ByteSize Taken() => new(_pool.Volumes(_host.Instance).Sum(volume => volume.Size.Bytes) + _clones.Beside(_host.Instance));

    private Result<StepOutcome> MakeDisk(DomainSpec spec)
    {
        if (spec.Template.Nfs is not null)
        {
            // What is looked for when it starts, and takes nothing.
            return Make(_pool.Disk(spec.Name), ByteSize.Zero);
        }

        if (!File.Exists(_pool.TemplateDisk(spec.Template)))
        {
            return new TemplateMissing($"{spec.Template.Name} {spec.Template.Version}");
        }

        var free = Free(_faults.Shape);
        if (!File.Exists(_pool.Disk(spec.Name)) && spec.Disk > free)
        {
            return new PoolFull(spec.Disk, free);
        }

        if (!File.Exists(_pool.Disk(spec.Name)) && _faults.Shape.ClonesBySnapshot)
        {
            _clones.Make(spec.Name, $"{spec.Template.Name}-{spec.Template.Version}");
        }

        return Make(_pool.Disk(spec.Name), spec.Disk);
    }

    // A file with a hole: it has the size of the disk and takes no room.
    private static Result<StepOutcome> Make(string path, ByteSize size, string content = "")
    {
        if (File.Exists(path))
        {
            return StepOutcome.AlreadyThere;
        }

        using (var file = File.Create(WholeFile.PartialOf(path)))
        {
            file.Write(Encoding.UTF8.GetBytes(content));
            file.SetLength(Math.Max(file.Length, size.Bytes));
        }

        File.Move(WholeFile.PartialOf(path), path, overwrite: true);
        return StepOutcome.Changed;
    }

    private Result<StepOutcome> TakeOver(DomainSpec spec)
    {
        if (_foreign.Take(spec.Adopted!, spec.Name.Text) is { } refusal)
        {
            return refusal;
        }

        var disk = Make(_pool.Disk(spec.Name), spec.Disk);
        return Make(_pool.Seed(spec.Name), ByteSize.Zero).TryGet(out var seed, out _) && seed == StepOutcome.Changed ? StepOutcome.Changed : disk;
    }

    private Result<StepOutcome> GiveBack(DomainSpec spec)
    {
        _parts.Remove(spec.Name);
        _clones.Remove(spec.Name);
        var removed = _pool.RemoveFilesOf(spec.Name);
        return SimulatedForeign.GiveBack(spec.Adopted!) ? StepOutcome.Changed : removed;
    }

    private async Task<Result<StepOutcome>> StartAsync(DomainName name, CancellationToken ct)
    {
        Result<StepOutcome> outcome = StepOutcome.AlreadyThere;
        await _store.ChangeAsync(
            name,
            before =>
            {
                if (before is null)
                {
                    outcome = new HostSaidNo("start the domain", $"it does not know {name}.");
                }
                else if (!File.Exists(_pool.Disk(name)) || !File.Exists(_pool.Seed(name)))
                {
                    outcome = new HostSaidNo("start the domain", $"disk or seed of {name} is missing.");
                }
                else if (before.State == DomainState.Paused || before.Saved)
                {
                    outcome = StepOutcome.Changed;
                    return before with { State = DomainState.Running, Saved = false };
                }
                else if (before.State != DomainState.Running)
                {
                    var after = before with { State = DomainState.Running, Boots = before.Boots + 1, SignedIn = false, Typed = "" };
                    File.Delete(_pool.ConsoleLog(name));
                    Print(_pool, name, SimulatedGuest.Boot(after));
                    _parts.Write(name, "", 0, Encoding.UTF8.GetBytes($"{after.HostName} has booted {after.Boots} times"));
                    outcome = StepOutcome.Changed;
                    return after;
                }

                return before;
            },
            ct).ConfigureAwait(false);
        return outcome;
    }

    private Task<Result<StepOutcome>> StopAsync(DomainName name, string words, bool byGuest, CancellationToken ct) => ChangeAsync(
        name,
        before =>
        {
            if (before is not { State: DomainState.Running or DomainState.Paused })
            {
                // Its power is taken away for good: what was kept of it goes.
                return byGuest || before is null ? before : before with { Saved = false };
            }

            Print(_pool, name, words);
            return before with { State = DomainState.Off, ByGuest = byGuest, SignedIn = false, Typed = "" };
        },
        ct);

    private async Task<Result<StepOutcome>> ChangeAsync(DomainName name, DomainChange change, CancellationToken ct)
    {
        var (from, after) = change switch
        {
            DomainChange.Pause => (DomainState.Running, DomainState.Paused),
            DomainChange.Resume => (DomainState.Paused, DomainState.Running),
            DomainChange.Save => (DomainState.Running, DomainState.Off),
            _ => (DomainState.Absent, DomainState.Absent),
        };
        if (after == DomainState.Absent)
        {
            return new NotOffered(change.Needs);
        }

        var state = Look(name).State;
        // A domain that went off by itself in the meantime is not a saved one.
        return state == after && (change is not DomainChange.Save || _store.Read(name) is { Saved: true }) ? StepOutcome.AlreadyThere
            : state != from ? new WrongState(name.Text, from == DomainState.Paused ? "paused" : "running")
            : await ChangeAsync(name, before => before! with { State = after, Saved = change is DomainChange.Save }, ct).ConfigureAwait(false);
    }

    private async Task<Result<StepOutcome>> ChangeAsync(DomainName name, Func<SimulatedDomain?, SimulatedDomain?> change, CancellationToken ct)
    {
        var outcome = StepOutcome.AlreadyThere;
        await _store.ChangeAsync(
            name,
            before =>
            {
                var after = change(before);
                outcome = after == before ? StepOutcome.AlreadyThere : StepOutcome.Changed;
                return after;
            },
            ct).ConfigureAwait(false);
        return outcome;
    }

    private Result<StepOutcome> RemoveFiles(DomainName name)
    {
        if (Look(name).State is DomainState.Running or DomainState.Paused)
        {
            return new DiskInUse(name.Text);
        }

        _parts.Remove(name);
        _clones.Remove(name);
        return _pool.RemoveFilesOf(name);
    }

    private DiskListing List(DomainName name) => new(
        [
            .. File.Exists(_pool.Disk(name)) ? (DomainDisk[])[new("", new ByteSize(new FileInfo(_pool.Disk(name)).Length), new ByteSize((long)DomainDisk.PartSize * _parts.Count(name, "")), false)] : [],
            .. File.Exists(_pool.Seed(name)) ? (DomainDisk[])[new("-seed", ByteSize.Zero, ByteSize.Zero, false)] : [],
        ],
        _store.Read(name) is { Saved: true } ? ["Its memory is saved on this host. Start it, or force it off to give that memory up."] : [])
    {
        Cloned = _clones.Find(name),
    };

    private Result<StepOutcome> MakeEmpty(DomainName name, IReadOnlyList<DomainDisk> disks)
    {
        if (!IsDown(name))
        {
            return new WrongState(name.Text, "off");
        }

        Result<StepOutcome> outcome = StepOutcome.AlreadyThere;
        foreach (var disk in disks)
        {
            var (path, free) = (disk.Suffix.Length == 0 ? _pool.Disk(name) : _pool.Seed(name), Free(_faults.Shape));
            if (!File.Exists(path) && disk.Size > free)
            {
                return new PoolFull(disk.Size, free);
            }

            outcome = Make(path, disk.Size).Value == StepOutcome.Changed ? StepOutcome.Changed : outcome;
        }

        return outcome;
    }

    private bool IsDown(DomainName name) => Look(name).State is DomainState.Off or DomainState.Absent or DomainState.Crashed;
}
