using Portal.Engine.Consoles;
using Portal.Engine.Lvm;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>A Xen host as it is asked and told: questions as they come, changes of a VM under its fence.</summary>
internal sealed class XenHost(SshShell shell, string instance, XenAccess access) : IAsyncDisposable
{
    /// <summary>Its names are what they should be, wherever they come from: they become parts of commands and configurations.</summary>
    public XenStorage Storage { get; } = new(access.Group, access.Pool, access.Bridge);

    /// <summary>The portal's mark on the host.</summary>
    public string Instance => instance;

    public SshShell Shell => shell;

    public static string ConfigOf(DomainName name) => $"{PortalHostCommands.Files}/domains/{name.Text}";

    public static string SaveOf(DomainName name) => $"saves/{name.Text}";

    public string TemplateOf(TemplateImage image) => $"t{instance}-{image.Name}-{image.Version}";

    public string DeviceOf(string volume) => $"/dev/{Storage.Group}/{volume}";

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
        var answer = await RunAsync(PortalHostCommands.Tail(log == DomainLog.Console ? PortalHostCommands.ConsoleLog(name.Text) : $"/var/log/xen/xl-{name.Text}.log", LogTail.Length), ct).ConfigureAwait(false);
        return answer.Succeeded ? LogTail.Clean(answer.Output)
            : answer.Error.Contains("No such file", StringComparison.Ordinal) ? ""
            : throw new HostFaultException($"The log of {name} cannot be read: {XlAnswers.Complaint(answer)}");
    }

    public async Task<IReadOnlyList<LogicalVolume>> VolumesAsync(CancellationToken ct) => LvmAnswers.Volumes(await AskAsync(LvmCommands.List(Storage.Group), ct).ConfigureAwait(false));

    public Task<HostAnswer> RunAsync(HostCommand command, CancellationToken ct) => shell.RunAsync(command, ct);

    /// <summary>What it printed.</summary>
    /// <exception cref="HostFaultException">It failed, or the host could not be asked.</exception>
    public async Task<string> AskAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await RunAsync(command, ct).ConfigureAwait(false);
        return answer.Succeeded ? answer.Output : throw new HostFaultException($"`{command}` failed: {XlAnswers.Complaint(answer)}");
    }

    /// <summary>Changes something of one VM. A later worker's fence comes back as the refusal that it is.</summary>
    public async Task<Result<StepOutcome>> ActAsync(Fence fence, DomainName name, Func<XenActing, Task<Result<StepOutcome>>> act)
    {
        if (fence.Vm != name.Vm)
        {
            throw new ArgumentException("The fence is another VM's.", nameof(fence));
        }

        try
        {
            return await act(new XenActing(shell, fence, name)).ConfigureAwait(false);
        }
        catch (XenActing.FencedException fenced)
        {
            return fenced.Refusal;
        }
    }

    public ValueTask DisposeAsync() => shell.DisposeAsync();
}
