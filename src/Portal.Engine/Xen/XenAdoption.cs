using Portal.Engine.Lvm;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Takes over a domain that somebody else made, and gives it back. portal-host allows only what the host's administrator wrote down.</summary>
internal sealed class XenAdoption(XenHost host, XenForeign foreign)
{
    public async Task<DomainState> LookAsync(string name, CancellationToken ct) =>
        XlAnswers.Domains(await host.AskAsync(XlCommands.List(), ct).ConfigureAwait(false)).FirstOrDefault(d => d.Name == name)?.State ?? DomainState.Off;

    public async Task<Result<StepOutcome>> AskShutdownAsync(XenActing act, DomainSpec spec, CancellationToken ct)
    {
        var adopted = Adopted(spec);
        return await LookAsync(adopted.Name, ct).ConfigureAwait(false) is not (DomainState.Running or DomainState.Paused) ? await act.LookOnlyAsync(ct).ConfigureAwait(false)
            : !await IsPermittedAsync(adopted, ct).ConfigureAwait(false) ? new AdoptionNotPermitted(adopted.Name)
            : await act.RunAsync(XlCommands.Shutdown(adopted.Name), "ask the guest to shut down", ct).ConfigureAwait(false);
    }

    public async Task<Result<StepOutcome>> TakeAsync(XenActing act, DomainSpec spec, CancellationToken ct)
    {
        var adopted = Adopted(spec);
        if (await LookAsync(adopted.Name, ct).ConfigureAwait(false) != DomainState.Off)
        {
            return new WrongState(adopted.Name, "off");
        }

        if (!await IsPermittedAsync(adopted, ct).ConfigureAwait(false))
        {
            return new AdoptionNotPermitted(adopted.Name);
        }

        var outcome = await act.LookOnlyAsync(ct).ConfigureAwait(false);
        var volumes = (await host.Store.ListAsync(ct).ConfigureAwait(false)).ToDictionary(v => v.Name);
        for (var i = 0; i < adopted.Disks.Count; i++)
        {
            var (before, after) = (adopted.Disks[i].Volume, AdoptedDomain.VolumeOf(spec.Name, i));
            if (!volumes.TryGetValue(after, out var there))
            {
                if (!volumes.TryGetValue(before, out var old))
                {
                    return new HostSaidNo("take over a disk", $"there is no volume {host.Store.Place}/{before}.");
                }

                if (old.IsOwn)
                {
                    return new Occupied($"{host.Store.Place}/{before}");
                }

                if (await act.DoAsync(LvmCommands.Rename(host.Store.Place, before, after), ct).ConfigureAwait(false) is { Succeeded: false } no)
                {
                    return new HostSaidNo("rename a volume", XlAnswers.Complaint(no));
                }

                outcome = StepOutcome.Changed;
            }

            if (there is not { IsOwn: true })
            {
                await act.MustAsync(LvmCommands.AddTag(host.Store.Place, after, StoredVolume.Own), ct).ConfigureAwait(false);
                outcome = StepOutcome.Changed;
            }
        }

        if (adopted.Kernel is null || (await ImagesAsync(spec.Name, ct).ConfigureAwait(false)).Count == (adopted.Ramdisk is null ? 1 : 2))
        {
            return outcome;
        }

        return await act.RunAsync(PortalHostCommands.Adopt(spec.Name.Text, adopted.Name), "copy its kernel", ct).ConfigureAwait(false);
    }

    public async Task<Result<StepOutcome>> GiveBackAsync(XenActing act, DomainSpec spec, CancellationToken ct)
    {
        var adopted = Adopted(spec);
        var outcome = await act.LookOnlyAsync(ct).ConfigureAwait(false);
        var volumes = (await host.Store.ListAsync(ct).ConfigureAwait(false)).ToDictionary(v => v.Name);
        for (var i = 0; i < adopted.Disks.Count; i++)
        {
            if (volumes.TryGetValue(AdoptedDomain.VolumeOf(spec.Name, i), out var ours))
            {
                if (ours.IsOwn)
                {
                    await act.MustAsync(LvmCommands.RemoveTag(host.Store.Place, ours.Name, StoredVolume.Own), ct).ConfigureAwait(false);
                }

                await act.MustAsync(LvmCommands.Rename(host.Store.Place, ours.Name, adopted.Disks[i].Volume), ct).ConfigureAwait(false);
                outcome = StepOutcome.Changed;
            }
        }

        foreach (var image in await ImagesAsync(spec.Name, ct).ConfigureAwait(false))
        {
            await act.MustAsync(PortalHostCommands.Remove($"images/{image}"), ct).ConfigureAwait(false);
            outcome = StepOutcome.Changed;
        }

        return outcome;
    }

    public async Task<Result<StepOutcome>> StartAgainAsync(XenActing act, DomainSpec spec, CancellationToken ct)
    {
        var adopted = Adopted(spec);
        var state = await LookAsync(adopted.Name, ct).ConfigureAwait(false);
        return state == DomainState.Stopping ? throw new HostFaultException($"{adopted.Name} is on its way down. It is started again once it is off.")
            : state != DomainState.Off ? await act.LookOnlyAsync(ct).ConfigureAwait(false)
            : await act.RunAsync(XlCommands.Create(adopted.File), "start the domain again", ct).ConfigureAwait(false);
    }

    private async Task<bool> IsPermittedAsync(AdoptedDomain adopted, CancellationToken ct) => (await foreign.PermitsAsync(ct).ConfigureAwait(false)).Contains(adopted.Permit(host.Store.Place));

    private async Task<IReadOnlyList<string>> ImagesAsync(DomainName name, CancellationToken ct) =>
        [.. (await host.AskAsync(PortalHostCommands.List("images"), ct).ConfigureAwait(false)).Split('\n').Where(file => file == $"{name.Text}.kernel" || file == $"{name.Text}.initrd")];

    private static AdoptedDomain Adopted(DomainSpec spec) => spec.Adopted ?? throw new ArgumentException("This spec adopts nothing.", nameof(spec));
}
