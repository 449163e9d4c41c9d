using Portal.Engine.Consoles;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Xen through xl, disks as volumes of LVM or as files, on a host reached through portal-host: which checks every command and keeps the fences.</summary>
internal sealed class XenEngine : IVmEngine, IAsyncDisposable
{
    private readonly XenHost _host;
    private readonly XenDomains _domains;
    private readonly XenVolumes _volumes;
    private readonly XenChanges _changes;
    private readonly XenVolumeChanges _volumeChanges;
    private readonly XenDisks _disks;
    private readonly XenDetach _detach;
    private readonly XenProbe _probe;
    private readonly XenForeign _foreign;
    private readonly XenAdoption _adoption;
    private readonly ConsoleBoard _consoles;
    private readonly ConsoleLogs _copies;

    /// <param name="work">A directory of the portal's own machine: what is made here on its way to the host lies there, and copies of consoles.</param>
    /// <param name="shell">The host's.</param>
    /// <param name="here">The portal's own machine, on which images and seeds are made.</param>
    public XenEngine(HostConnection host, string work, SshShell shell, IHostShell here, TimeProvider clock)
    {
        var local = new PoolLayout(work);
        local.Create();
        _host = new XenHost(shell, host.Instance, host.Xen ?? throw new ArgumentException("A Xen host is reached somewhere.", nameof(host)));
        Abilities = Enum.GetValues<DomainAbility>().Except(_host.Store.Lacks).ToHashSet();
        _domains = new XenDomains(_host, clock);
        _volumes = new XenVolumes(_host, local, here, clock);
        _changes = new XenChanges(_host, _domains, clock);
        _volumeChanges = new XenVolumeChanges(_host, _domains);
        _disks = new XenDisks(_host, _domains, clock);
        _detach = new XenDetach(_host, clock);
        _probe = new XenProbe(_host, clock);
        _foreign = new XenForeign(_host);
        _adoption = new XenAdoption(_host, _foreign);
        _copies = new ConsoleLogs(local, here);
        _consoles = new ConsoleBoard(
            local,
            (name, pulse) => new XenLine(shell, name.Text, local.ConsoleLog(name), pulse, async ct => await _host.StateAsync(name, ct).ConfigureAwait(false) is not (DomainState.Off or DomainState.Absent or DomainState.Crashed), clock),
            clock);
    }

    public IReadOnlyList<string> Papers => XenProbe.Papers;

    public Task<HostReport> ProbeAsync(CancellationToken ct) => _probe.ReportAsync(ct);

    public Task<IReadOnlyList<HostCheck>> SurveyAsync(CancellationToken ct) => _probe.SurveyAsync(ct);

    public Task<string> ReadLogAsync(DomainName name, DomainLog log, CancellationToken ct) => _host.ReadLogAsync(name, log, ct);

    public Task<string> ReadPaperAsync(string paper, CancellationToken ct) => _probe.ReadPaperAsync(paper, ct);

    public async Task<IReadOnlyList<DomainReport>> ListDomainsAsync(CancellationToken ct)
    {
        var reports = await _domains.ListAsync(ct).ConfigureAwait(false);
        await _copies.BoundAsync(reports, ct).ConfigureAwait(false);
        return reports;
    }

    public Task<DomainReport> LookAsync(DomainName name, CancellationToken ct) => _domains.LookAsync(name, ct);

    public async Task<IReadOnlyList<VolumeReport>> ListVolumesAsync(CancellationToken ct) =>
        [.. from volume in await _host.VolumesAsync(ct).ConfigureAwait(false)
            let domain = XenVolumes.DomainOf(volume.Name)
            where domain is { } of && of.Instance == _host.Instance
            select new VolumeReport(domain.Value, volume.Name, volume.Size)];

    public string DiskNames => "xvd";

    public bool SeesForeign => true;

    public Task<IReadOnlyList<ForeignSighting>> FindForeignAsync(CancellationToken ct) => _foreign.FindAsync(ct);

    public Task<Result<ForeignDomain>> ReadForeignAsync(string config, CancellationToken ct) => _foreign.ReadAsync(config, ct);

    public async Task<Result<StepOutcome>> ExtendPoolAsync(CancellationToken ct) => await _host.Store.ExtendAsync(await _host.VolumesAsync(ct).ConfigureAwait(false), ct).ConfigureAwait(false);

    public Task<DomainState> LookForeignAsync(string name, CancellationToken ct) => _adoption.LookAsync(name, ct);

    public Task<Result<StepOutcome>> AskForeignShutdownAsync(Fence fence, DomainSpec spec, CancellationToken ct) => _host.ActAsync(fence, spec.Name, act => _adoption.AskShutdownAsync(act, spec, ct));

    public Task<Result<StepOutcome>> EnsureTakenOverAsync(Fence fence, DomainSpec spec, CancellationToken ct) => _host.ActAsync(fence, spec.Name, act => _adoption.TakeAsync(act, spec, ct));

    public Task<Result<StepOutcome>> EnsureGivenBackAsync(Fence fence, DomainSpec spec, CancellationToken ct) => _host.ActAsync(fence, spec.Name, act => _adoption.GiveBackAsync(act, spec, ct));

    public Task<Result<StepOutcome>> EnsureForeignRunningAsync(Fence fence, DomainSpec spec, CancellationToken ct) => _host.ActAsync(fence, spec.Name, act => _adoption.StartAgainAsync(act, spec, ct));

    public async Task<Result<StepOutcome>> EnsureTemplateAsync(TemplateImage image, CancellationToken ct) =>
        image.Boot == ImageBoot.Disk && (await _probe.KindsAsync(ct).ConfigureAwait(false)).WhyNoPcs is { } why ? new DiskNotBooted($"{image.Name} {image.Version}", why) : await _volumes.EnsureTemplateAsync(image, ct).ConfigureAwait(false);

    public Task<Result<StepOutcome>> EnsureRootDiskAsync(Fence fence, DomainSpec spec, CancellationToken ct) => _host.ActAsync(fence, spec.Name, act => _volumes.MakeDiskAsync(act, spec, ct));

    public Task<Result<StepOutcome>> EnsureSeedAsync(Fence fence, DomainSpec spec, CancellationToken ct) => _host.ActAsync(fence, spec.Name, act => _volumes.MakeSeedAsync(act, spec, ct));

    public Task<Result<StepOutcome>> EnsureDefinedAsync(Fence fence, DomainSpec spec, CancellationToken ct) => _host.ActAsync(fence, spec.Name, act => _domains.DefineAsync(act, spec, ct));

    public Task<Result<StepOutcome>> EnsureRunningAsync(Fence fence, DomainName name, CancellationToken ct) => _host.ActAsync(fence, name, act => _domains.StartAsync(act, name, ct));

    public Task<Result<StepOutcome>> AskShutdownAsync(Fence fence, DomainName name, CancellationToken ct) => _host.ActAsync(fence, name, act => _domains.ShutdownAsync(act, name, ct));

    public Task<Result<StepOutcome>> EnsureOffAsync(Fence fence, DomainName name, CancellationToken ct) => _host.ActAsync(fence, name, act => _domains.DestroyAsync(act, name, ct));

    public Task<Result<StepOutcome>> EnsureUndefinedAsync(Fence fence, DomainName name, CancellationToken ct) => _host.ActAsync(fence, name, act => _domains.UndefineAsync(act, name, ct));

    public IReadOnlySet<DomainAbility> Abilities { get; }

    public Task<Result<StepOutcome>> ChangeAsync(Fence fence, DomainName name, DomainChange change, CancellationToken ct) =>
        _host.ActAsync(fence, name, act => change is DomainChange.MakeVolume or DomainChange.RemoveVolume or DomainChange.GrowVolume or DomainChange.TakeSnapshot or DomainChange.RevertToSnapshot or DomainChange.RemoveSnapshot
            ? _volumeChanges.DoAsync(act, name, change, ct)
            : _changes.DoAsync(act, name, change, ct));

    public Task<Result<StepOutcome>> EnsureDisksGoneAsync(Fence fence, DomainName name, CancellationToken ct) => _host.ActAsync(fence, name, act => _volumes.RemoveDisksAsync(act, name, ct));

    public Task<DiskListing> ListDisksAsync(DomainName name, CancellationToken ct) => _disks.ListAsync(name, ct);

    public Task<Result<StepOutcome>> EnsureEmptyDisksAsync(Fence fence, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct) => _host.ActAsync(fence, name, act => _disks.MakeAsync(act, name, disks, ct));

    public Task<Result<IReadOnlyList<PartDigest>>> DigestPartsAsync(Fence fence, DomainName name, DomainDisk disk, int first, int count, CancellationToken ct) =>
        _host.ActAsync(fence, name, act => _disks.DigestsAsync(act, name, disk, first, count, ct));

    public Task<Result<ReadOnlyMemory<byte>>> ReadPartAsync(Fence fence, DomainName name, DomainDisk disk, int part, CancellationToken ct) => _host.ActAsync(fence, name, act => _disks.ReadAsync(act, name, disk, part, ct));

    public Task<Result<StepOutcome>> WritePartAsync(Fence fence, DomainName name, DomainDisk disk, int part, ReadOnlyMemory<byte> content, bool overZeros, CancellationToken ct) =>
        _host.ActAsync(fence, name, act => _disks.WriteAsync(act, name, disk, part, content, overZeros, ct));

    public Task<Result<StepOutcome>> EnsureDisksWholeAsync(Fence fence, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct) => _host.ActAsync(fence, name, act => _disks.SealAsync(act, name, disks, ct));

    public Task<Result<StepOutcome>> DetachAsync(Fence fence, DomainName name, DetachStage stage, CopyProgress progress, CancellationToken ct) => _host.ActAsync(fence, name, act => _detach.DoAsync(act, name, stage, progress, ct));

    public async Task<IGuestConsole> OpenConsoleAsync(DomainName name, CancellationToken ct) =>
        await _host.StateAsync(name, ct).ConfigureAwait(false) is DomainState.Running or DomainState.Paused or DomainState.Stopping
            ? _consoles.Open(name)
            : throw new HostFaultException($"The domain {name} does not run, so it has no console. Start the VM first.");

    public IReadOnlyList<string> Plan(DomainSpec spec) =>
    [
        .. spec.Template.Nfs is null ? _host.Store.Plan(_host.TemplateOf(spec.Template), spec.Name.Text, spec.Disk).Select(c => c.ForPeople) : [],
        .. _host.Store.PlanEmpty(spec.Name.Text + XenVolumes.Seed, XenVolumes.SeedSize).Select(c => c.ForPeople),
        PortalHostCommands.Put($"domains/{spec.Name.Text}", "").ForPeople,
        PortalHostCommands.Guard(spec.Name.Text).ForPeople,
        XlCommands.Create(XenHost.ConfigOf(spec.Name)).ForPeople,
    ];

    public async ValueTask DisposeAsync()
    {
        await _consoles.DisposeAsync().ConfigureAwait(false);
        await _host.DisposeAsync().ConfigureAwait(false);
    }
}
