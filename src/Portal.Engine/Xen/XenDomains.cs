using System.Collections.Concurrent;
using Portal.Engine.Remote;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Domains on a Xen host: looked at, defined, started, ended.</summary>
internal sealed class XenDomains(XenHost host, TimeProvider clock)
{
    private readonly ConcurrentDictionary<DomainName, bool> _byGuest = [];

    public async Task<IReadOnlyList<DomainReport>> ListAsync(CancellationToken ct)
    {
        var defined = (await host.AskAsync(PortalHostCommands.List("domains"), ct).ConfigureAwait(false)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var running = XlAnswers.Domains(await host.AskAsync(XlCommands.List(), ct).ConfigureAwait(false)).Where(d => d.Name is not null).GroupBy(d => d.Name!).ToDictionary(g => g.Key, g => g.First().State);
        // A question more only where it has an answer.
        var saved = defined.Any(d => !running.ContainsKey(d)) ? await SavedAsync(ct).ConfigureAwait(false) : [];
        List<DomainReport> reports = [];
        foreach (var text in defined.Union(running.Keys))
        {
            if (DomainName.TryParse(text, out var name) && name.Instance == host.Instance)
            {
                reports.Add(running.TryGetValue(text, out var state) ? On(name, state) : await OffAsync(name, saved.Contains(text), ct).ConfigureAwait(false));
            }
        }

        return reports;
    }

    public async Task<DomainReport> LookAsync(DomainName name, CancellationToken ct)
    {
        var state = await host.StateAsync(name, ct).ConfigureAwait(false);
        return state == DomainState.Off ? await OffAsync(name, await IsSavedAsync(name, ct).ConfigureAwait(false), ct).ConfigureAwait(false) : On(name, state);
    }

    public async Task<Result<StepOutcome>> DefineAsync(XenActing act, DomainSpec spec, CancellationToken ct)
    {
        var template = $"{PortalHostCommands.Files}/images/{host.TemplateOf(spec.Template)}";
        var wanted = spec.Adopted is { } adopted
            ? XenConfig.Write(spec, adopted, host.Storage, $"{PortalHostCommands.Files}/images/{spec.Name.Text}")
            : spec.Template.Boot == ImageBoot.Disk ? XenConfig.WritePc(spec, host.Storage)
            : XenConfig.Write(spec, host.Storage, $"{template}.kernel", $"{template}.initrd", host.Guests);
        if (await host.ConfigAsync(spec.Name, ct).ConfigureAwait(false) is { } there)
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

    /// <summary>Also lets a paused domain go on. A file of its memory beside a domain means that it has not run since it was saved: the file goes before the guest does.</summary>
    public async Task<Result<StepOutcome>> StartAsync(XenActing act, DomainName name, CancellationToken ct)
    {
        // Behind the fence: whatever was under way on the host has ended by then.
        await act.LookOnlyAsync(ct).ConfigureAwait(false);
        switch (await host.StateAsync(name, ct).ConfigureAwait(false))
        {
            case DomainState.Running:
                await ForgetSavedAsync(act, name, ct).ConfigureAwait(false);
                return StepOutcome.AlreadyThere;
            case DomainState.Absent:
                return new HostSaidNo("start the domain", $"it does not know {name}.");
            case DomainState.Stopping:
                throw new HostFaultException($"The domain {name} is on its way down. Retry when it is off.");
            case DomainState.Paused when await IsSavedAsync(name, ct).ConfigureAwait(false):
                // A restore was cut off: how much of the guest is there, nobody knows. The file has all of it.
                await act.MustAsync(XlCommands.Destroy(name.Text), ct).ConfigureAwait(false);
                await GoneAsync(name, ct).ConfigureAwait(false);
                break;
            case DomainState.Paused:
                return await act.RunAsync(XlCommands.Unpause(name.Text), "unpause the domain", ct).ConfigureAwait(false);
            case DomainState.Crashed:
                await act.MustAsync(XlCommands.Destroy(name.Text), ct).ConfigureAwait(false);
                await GoneAsync(name, ct).ConfigureAwait(false);
                break;
            default:
                break;
        }

        _byGuest.TryRemove(name, out _);
        await EndGrowthsAsync(act, name, ct).ConfigureAwait(false);
        var guarded = await act.RunAsync(PortalHostCommands.Guard(name.Text), "keep the guest to its own addresses", ct).ConfigureAwait(false);
        if (!guarded.Succeeded)
        {
            return guarded;
        }

        if (await IsSavedAsync(name, ct).ConfigureAwait(false))
        {
            return await RestoreAsync(act, name, ct).ConfigureAwait(false);
        }

        // The console begins with this boot: nobody writes to its log while the domain is off.
        await act.MustAsync(PortalHostCommands.Forget(name.Text), ct).ConfigureAwait(false);
        var started = await act.DoAsync(XlCommands.Create(XenHost.ConfigOf(name)), ct).ConfigureAwait(false);
        if (!started.Succeeded && !XlAnswers.ExistsAlready(started))
        {
            return new HostSaidNo("start the domain", XlAnswers.Complaint(started));
        }

        return await host.StateAsync(name, ct).ConfigureAwait(false) != DomainState.Absent ? StepOutcome.Changed : throw new HostFaultException($"xl created {name}, and it is not there.");
    }

    // Only hosts on which a growth that was cut off shows what others wrote are asked.
    private async Task EndGrowthsAsync(XenActing act, DomainName name, CancellationToken ct)
    {
        if (!host.Stores.Any(s => s.ShowsOldBlocks))
        {
            return;
        }

        foreach (var volume in (await host.VolumesAsync(ct).ConfigureAwait(false)).Where(v => XenVolumes.DomainOf(v.Name) == name && host.StoreOf(v).IsGrowing(v)))
        {
            await host.StoreOf(volume).EndGrowthAsync(act, volume, ct).ConfigureAwait(false);
        }
    }

    public async Task<Result<StepOutcome>> ShutdownAsync(XenActing act, DomainName name, CancellationToken ct) =>
        await host.StateAsync(name, ct).ConfigureAwait(false) is DomainState.Running or DomainState.Paused
            ? await act.RunAsync(XlCommands.Shutdown(name.Text), "ask the guest to shut down", ct).ConfigureAwait(false)
            : await act.LookOnlyAsync(ct).ConfigureAwait(false);

    public async Task<Result<StepOutcome>> DestroyAsync(XenActing act, DomainName name, CancellationToken ct)
    {
        if (await host.StateAsync(name, ct).ConfigureAwait(false) is DomainState.Off or DomainState.Absent)
        {
            return await ForgetSavedAsync(act, name, ct).ConfigureAwait(false) ? StepOutcome.Changed : await act.LookOnlyAsync(ct).ConfigureAwait(false);
        }

        await ForgetSavedAsync(act, name, ct).ConfigureAwait(false);
        var answer = await act.DoAsync(XlCommands.Destroy(name.Text), ct).ConfigureAwait(false);
        if (!answer.Succeeded && !XlAnswers.IsAbsent(answer))
        {
            return new HostSaidNo("power the domain off", XlAnswers.Complaint(answer));
        }

        _byGuest[name] = false;
        await GoneAsync(name, ct).ConfigureAwait(false);
        return StepOutcome.Changed;
    }

    public async Task<Result<StepOutcome>> UndefineAsync(XenActing act, DomainName name, CancellationToken ct)
    {
        var off = await DestroyAsync(act, name, ct).ConfigureAwait(false);
        return !off.Succeeded || await host.StateAsync(name, ct).ConfigureAwait(false) == DomainState.Absent
            ? off
            : await act.RunAsync(PortalHostCommands.Remove($"domains/{name.Text}"), "remove the configuration", ct).ConfigureAwait(false);
    }

    /// <summary>Whether the guest's memory lies in a file, from which its next start goes on.</summary>
    public async Task<bool> IsSavedAsync(DomainName name, CancellationToken ct) => (await SavedAsync(ct).ConfigureAwait(false)).Contains(name.Text);

    /// <summary>Gives up the file of a guest's memory; false where there was none.</summary>
    public async Task<bool> ForgetSavedAsync(XenActing act, DomainName name, CancellationToken ct)
    {
        if (!await IsSavedAsync(name, ct).ConfigureAwait(false))
        {
            return false;
        }

        await act.MustAsync(PortalHostCommands.Remove(XenHost.SaveOf(name)), ct).ConfigureAwait(false);
        return true;
    }

    // Asynchronous: it goes on dying for a while, and its name and its disks are in use until then.
    private async Task GoneAsync(DomainName name, CancellationToken ct)
    {
        for (var look = 0; look < 100; look++)
        {
            if (await host.StateAsync(name, ct).ConfigureAwait(false) is DomainState.Off or DomainState.Absent)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), clock, ct).ConfigureAwait(false);
        }

        throw new HostFaultException($"{name} was destroyed and is not gone yet.");
    }

    private async Task<Result<StepOutcome>> RestoreAsync(XenActing act, DomainName name, CancellationToken ct)
    {
        var restored = await act.DoAsync(XlCommands.Restore($"{PortalHostCommands.Files}/{XenHost.SaveOf(name)}"), ct).ConfigureAwait(false);
        if (!restored.Succeeded)
        {
            return new HostSaidNo("go on with the saved memory", $"{XlAnswers.Complaint(restored)} Force it off to give that memory up, then start it.");
        }

        await ForgetSavedAsync(act, name, ct).ConfigureAwait(false);
        return await act.RunAsync(XlCommands.Unpause(name.Text), "unpause the domain", ct).ConfigureAwait(false);
    }

    private async Task<HashSet<string>> SavedAsync(CancellationToken ct) => [.. (await host.AskAsync(PortalHostCommands.List("saves"), ct).ConfigureAwait(false)).Split('\n')];

    // Whoever started it: how it ended before is of before.
    private DomainReport On(DomainName name, DomainState state)
    {
        _byGuest.TryRemove(name, out _);
        return new DomainReport(name, state);
    }

    private async Task<DomainReport> OffAsync(DomainName name, bool saved, CancellationToken ct)
    {
        // Read once for each end: the log does not change any more. One that could not be read is asked for again.
        if (!_byGuest.TryGetValue(name, out var byGuest) && await host.RunAsync(XlCommands.Log(name.Text), ct).ConfigureAwait(false) is { Succeeded: true } log)
        {
            byGuest = XlAnswers.EndedByGuest(log.Output);
            _byGuest[name] = byGuest;
        }

        return new DomainReport(name, DomainState.Off, byGuest, saved);
    }
}
