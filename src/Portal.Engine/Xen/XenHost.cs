using Portal.Engine.Consoles;
using Portal.Engine.Lvm;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>A Xen host as it is asked and told: questions as they come, changes of a VM under its fence.</summary>
internal sealed class XenHost : IAsyncDisposable
{
    private readonly SshShell _shell;

    public XenHost(SshShell shell, string instance, XenAccess access)
    {
        _shell = shell;
        Instance = instance;
        ExtendsPool = access.ExtendsPool;
        Guests = access.Guests;
        Storage = access.Directory is { } directory
            ? XenStorage.InDirectory(directory, access.Bridge, access.SwapGroup)
            : new XenStorage(access.Group ?? throw new ArgumentException("Disks lie somewhere.", nameof(access)), access.Pool, access.Bridge, access.SwapGroup);
        Store = VolumeStore.Of(this);
        Swap = Storage.SwapGroup is { } other ? new ThickStore(this, other) : Store;
    }

    /// <summary>Its names are what they should be, wherever they come from: they become parts of commands and configurations.</summary>
    public XenStorage Storage { get; }

    /// <summary>Whether the thin pool is made larger by the portal itself.</summary>
    public bool ExtendsPool { get; }

    /// <summary>How guests run that are started with a kernel of their template.</summary>
    public KernelGuests Guests { get; }

    /// <summary>Where disks are made.</summary>
    public VolumeStore Store { get; }

    /// <summary>Where swap volumes are made; the same where the host has no other place for them.</summary>
    public VolumeStore Swap { get; }

    /// <summary>The places for volumes, each once.</summary>
    public IReadOnlyList<VolumeStore> Stores => Swap == Store ? [Store] : [Store, Swap];

    /// <summary>The portal's mark on the host.</summary>
    public string Instance { get; }

    public SshShell Shell => _shell;

    public static string ConfigOf(DomainName name) => $"{PortalHostCommands.Files}/domains/{name.Text}";

    public static string SaveOf(DomainName name) => $"saves/{name.Text}";

    public string TemplateOf(TemplateImage image) => $"t{Instance}-{image.Stored.Name}-{image.Stored.Version}";

    public async Task<DomainState> StateAsync(DomainName name, CancellationToken ct)
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

    /// <summary>The configuration that the portal put there; null where there is none.</summary>
    public async Task<string?> ConfigAsync(DomainName name, CancellationToken ct)
    {
        var answer = await RunAsync(PortalHostCommands.Get($"domains/{name.Text}"), ct).ConfigureAwait(false);
        return answer.Succeeded ? answer.Output
            : answer.ExitCode == 2 ? null
            : throw new HostFaultException($"The configuration of {name} cannot be read: {answer.Error.Trim()}");
    }

    /// <summary>The end of a log that the host keeps of a domain; empty where there is none.</summary>
    public async Task<string> ReadLogAsync(DomainName name, DomainLog log, CancellationToken ct)
    {
        // A whole PC has both: what xenconsoled keeps of it is not its console.
        foreach (var file in log == DomainLog.Console ? new[] { PortalHostCommands.SerialLog(name.Text), PortalHostCommands.ConsoleLog(name.Text) } : [$"/var/log/xen/xl-{name.Text}.log"])
        {
            var answer = await RunAsync(PortalHostCommands.Tail(file, LogTail.Length), ct).ConfigureAwait(false);
            if (answer.Succeeded)
            {
                return LogTail.Clean(answer.Output);
            }

            if (!answer.Error.Contains("No such file", StringComparison.Ordinal))
            {
                throw new HostFaultException($"The log of {name} cannot be read: {XlAnswers.Complaint(answer)}");
            }
        }

        return "";
    }

    /// <summary>All volumes where disks are made, and those of VMs where swap volumes are.</summary>
    public async Task<IReadOnlyList<StoredVolume>> VolumesAsync(CancellationToken ct)
    {
        var volumes = await Store.ListAsync(ct).ConfigureAwait(false);
        return Swap == Store ? volumes : [.. volumes, .. (await Swap.ListAsync(ct).ConfigureAwait(false)).Where(v => XenVolumes.DomainOf(v.Name) is not null)];
    }

    /// <summary>All volume groups of the host; none where it has no LVM.</summary>
    public async Task<IReadOnlyList<VolumeGroup>> GroupsAsync(HostFacts facts, CancellationToken ct) =>
        facts.Tools.Contains("lvcreate") ? LvmAnswers.Groups(await AskAsync(LvmCommands.Groups(), ct).ConfigureAwait(false)) : [];

    /// <summary>Where a volume that was listed lies.</summary>
    public VolumeStore StoreOf(StoredVolume volume) => volume.Place == Swap.Place ? Swap : Store;

    public Task<HostAnswer> RunAsync(HostCommand command, CancellationToken ct) => _shell.RunAsync(command, ct);

    /// <summary>What it printed.</summary>
    /// <exception cref="HostFaultException">It failed, or the host could not be asked.</exception>
    public async Task<string> AskAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await RunAsync(command, ct).ConfigureAwait(false);
        return answer.Succeeded ? answer.Output : throw new HostFaultException($"`{command}` failed: {XlAnswers.Complaint(answer)}");
    }

    /// <summary>Changes something of one VM. A later worker's fence comes back as the refusal that it is.</summary>
    public async Task<Result<T>> ActAsync<T>(Fence fence, DomainName name, Func<XenActing, Task<Result<T>>> act)
    {
        if (fence.Vm != name.Vm)
        {
            throw new ArgumentException("The fence is another VM's.", nameof(fence));
        }

        try
        {
            return await act(new XenActing(_shell, fence, name)).ConfigureAwait(false);
        }
        catch (XenActing.FencedException fenced)
        {
            return Result<T>.Of(fenced.Refusal);
        }
    }

    public ValueTask DisposeAsync() => _shell.DisposeAsync();
}
