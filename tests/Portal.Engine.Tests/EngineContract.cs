using System.Text;
using Portal.Kernel;

namespace Portal.Engine.Tests;

/// <summary>What every engine keeps to; each driver runs all of it.</summary>
public abstract class EngineContract
{
    protected abstract string Instance { get; }

    /// <summary>A word of each line of a plan, in its order: disk, seed, domain, start, and what the engine does between them.</summary>
    protected abstract IReadOnlyList<string> PlanWords { get; }

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract Task<IVmEngine> EngineAsync();

    // One machine's life and not a machine for each of its chapters: on an emulated host each costs half a minute.
    [Fact]
    public async Task Every_step_from_the_first_volume_to_the_last_changes_once_is_there_when_repeated_and_is_refused_to_who_comes_late()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        var epoch = await BuiltAsync(engine, spec);
        await WatchedByTwoAsync(engine, spec, ++epoch);
        await LateAsync(engine, spec, epoch);
        await PausedAsync(engine, spec, ++epoch);
        await RemovedWhileItRunsAsync(engine, spec, ++epoch);

        // The fence outlives the VM.
        Assert.Equal(new FencedOff(epoch - 1, epoch), (await engine.EnsureRootDiskAsync(An.Fence(spec, epoch - 1), spec, Ct)).Refusal);
    }

    [Fact]
    public async Task Listings_show_what_this_instance_made_each_generation_by_itself_and_nothing_else()
    {
        var engine = await EngineAsync();
        var (ours, others) = (An.Spec(Instance), An.Spec(An.Instance()));
        var next = ours with { Name = new DomainName(Instance, ours.Name.Vm, 2) };
        await BuildAsync(engine, ours, 1);
        await BuildAsync(engine, next, 1);
        await BuildOfAnotherAsync(engine, others);

        var domains = await engine.ListDomainsAsync(Ct);
        var volumes = await engine.ListVolumesAsync(Ct);

        Assert.Equal(DomainState.Off, Assert.Single(domains, report => report.Name == ours.Name).State);
        Assert.Equal(2, domains.Count(report => report.Name.Vm == ours.Name.Vm));
        Assert.DoesNotContain(domains, report => report.Name == others.Name);
        Assert.Equal((2, 2), (volumes.Count(volume => volume.Domain == ours.Name), volumes.Count(volume => volume.Domain == next.Name)));
        Assert.DoesNotContain(volumes, volume => volume.Domain == others.Name);
        await RemoveAsync(engine, ours, 1);
        Assert.Equal(DomainState.Off, (await engine.LookAsync(next.Name, Ct)).State);
        await RemoveAsync(engine, next, 1);
        await RemoveOfAnotherAsync(engine, others);
    }

    [Fact]
    public async Task A_fence_of_another_vm_is_a_bug()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);

        await Assert.ThrowsAsync<ArgumentException>(() => engine.EnsureOffAsync(new Fence(VmId.New(), 1), spec.Name, Ct));
    }

    [Fact]
    public async Task Verbs_on_a_domain_that_never_was_do_nothing_or_say_why()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        var fence = An.Fence(spec);

        Assert.Equal(DomainState.Absent, (await engine.LookAsync(spec.Name, Ct)).State);
        Assert.IsType<HostSaidNo>((await engine.EnsureRunningAsync(fence, spec.Name, Ct)).Refusal);
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.AskShutdownAsync(fence, spec.Name, Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.EnsureOffAsync(fence, spec.Name, Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.EnsureUndefinedAsync(fence, spec.Name, Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.EnsureDisksGoneAsync(fence, spec.Name, Ct)));
        await Assert.ThrowsAsync<HostFaultException>(() => engine.OpenConsoleAsync(spec.Name, Ct));
    }

    [Fact]
    public async Task A_template_that_is_not_there_is_refused()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance) with { Template = new TemplateImage("nothing", "1") };

        Assert.IsType<TemplateMissing>((await engine.EnsureRootDiskAsync(An.Fence(spec), spec, Ct)).Refusal);
    }

    [Fact]
    public async Task The_plan_names_each_step_of_a_build_in_its_order()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);

        var plan = engine.Plan(spec);

        Assert.Equal(PlanWords.Count, plan.Count);
        Assert.All(plan.Zip(PlanWords), step => Assert.Contains(step.Second, step.First, StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains(An.Key, StringComparison.Ordinal));
        Assert.Contains(plan, line => line.Contains(spec.Name.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_host_says_what_it_is()
    {
        var engine = await EngineAsync();

        var report = await engine.ProbeAsync(Ct);

        Assert.NotEmpty(report.Hypervisor);
        Assert.InRange(report.Cpus, 1, 4096);
        Assert.True(report.Memory > ByteSize.FromMiB(256));
        Assert.True(report.PoolFree <= report.PoolSize);
        var before = report.PoolTaken;
        await BuildAsync(engine, An.Spec(Instance), 1);
        Assert.True((await engine.ProbeAsync(Ct)).PoolTaken > before);
        Assert.DoesNotContain(report.Findings, finding => finding.Blocks);
    }

    /// <summary>Another instance's machine on the same host. Where the host lets an instance touch nothing of another's, that one makes it some other way.</summary>
    protected virtual Task BuildOfAnotherAsync(IVmEngine engine, DomainSpec others) => BuildAsync(engine, others, 1);

    protected virtual Task RemoveOfAnotherAsync(IVmEngine engine, DomainSpec others) => RemoveAsync(engine, others, 1);

    protected static StepOutcome Value(Result<StepOutcome> result)
    {
        Assert.True(result.Succeeded, result.Refusal?.Message);
        return result.Value;
    }

    protected static async Task BuildAsync(IVmEngine engine, DomainSpec spec, long epoch)
    {
        var fence = An.Fence(spec, epoch);
        Value(await engine.EnsureRootDiskAsync(fence, spec, Ct));
        Value(await engine.EnsureSeedAsync(fence, spec, Ct));
        Value(await engine.EnsureDefinedAsync(fence, spec, Ct));
    }

    protected static async Task RemoveAsync(IVmEngine engine, DomainSpec spec, long epoch)
    {
        var fence = An.Fence(spec, epoch);
        Value(await engine.EnsureUndefinedAsync(fence, spec.Name, Ct));
        Value(await engine.EnsureDisksGoneAsync(fence, spec.Name, Ct));
    }

    // Who takes over finds each step done; who was taken over from does nothing.
    private static async Task<long> BuiltAsync(IVmEngine engine, DomainSpec spec)
    {
        var epoch = 0L;
        await OnceAsync(fence => engine.EnsureRootDiskAsync(fence, spec, Ct));
        await OnceAsync(fence => engine.EnsureSeedAsync(fence, spec, Ct));
        await OnceAsync(fence => engine.EnsureDefinedAsync(fence, spec, Ct));
        Assert.Equal(DomainState.Off, (await engine.LookAsync(spec.Name, Ct)).State);
        Assert.IsType<WrongState>((await engine.ChangeAsync(An.Fence(spec, epoch), spec.Name, new DomainChange.Pause(), Ct)).Refusal);
        await OnceAsync(fence => engine.EnsureRunningAsync(fence, spec.Name, Ct));
        Assert.Equal(DomainState.Running, (await engine.LookAsync(spec.Name, Ct)).State);
        return epoch;

        async Task OnceAsync(Func<Fence, Task<Result<StepOutcome>>> step)
        {
            Assert.Equal(StepOutcome.Changed, Value(await step(An.Fence(spec, ++epoch))));
            Assert.Equal(StepOutcome.AlreadyThere, Value(await step(An.Fence(spec, ++epoch))));
            Assert.Equal(new FencedOff(epoch - 1, epoch), (await step(An.Fence(spec, epoch - 1))).Refusal);
        }
    }

    // Both see the same from the first byte on, and end with the domain.
    private static async Task WatchedByTwoAsync(IVmEngine engine, DomainSpec spec, long epoch)
    {
        await using var first = await engine.OpenConsoleAsync(spec.Name, Ct);
        await using var output = first.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        var heard = new StringBuilder();
        var start = await output.UntilAsync("Linux version", heard);
        await using var second = await engine.OpenConsoleAsync(spec.Name, Ct);
        var all = ReadAllAsync(second);
        Assert.Equal(StepOutcome.Changed, Value(await engine.EnsureOffAsync(An.Fence(spec, epoch), spec.Name, Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.EnsureOffAsync(An.Fence(spec, epoch), spec.Name, Ct)));

        var rest = new StringBuilder().Append(heard);
        while (await output.MoveNextAsync())
        {
            rest.Append(Encoding.UTF8.GetString(output.Current.Span));
        }

        var whole = (await all).ToString();
        Assert.StartsWith(start, whole, StringComparison.Ordinal);
        Assert.Equal(start[..(start.IndexOf("Linux version", StringComparison.Ordinal) + "Linux version".Length)] + rest, whole);
        await Assert.ThrowsAsync<HostFaultException>(async () => await first.WriteAsync("x"u8.ToArray(), Ct));
    }

    private static async Task LateAsync(IVmEngine engine, DomainSpec spec, long epoch)
    {
        var late = An.Fence(spec, epoch - 1);
        Func<Task<Result<StepOutcome>>>[] verbs =
        [
            () => engine.EnsureRootDiskAsync(late, spec, Ct),
            () => engine.EnsureSeedAsync(late, spec, Ct),
            () => engine.EnsureDefinedAsync(late, spec, Ct),
            () => engine.EnsureRunningAsync(late, spec.Name, Ct),
            () => engine.AskShutdownAsync(late, spec.Name, Ct),
            () => engine.EnsureOffAsync(late, spec.Name, Ct),
            () => engine.EnsureUndefinedAsync(late, spec.Name, Ct),
            () => engine.EnsureDisksGoneAsync(late, spec.Name, Ct),
        ];
        foreach (var verb in verbs)
        {
            Assert.Equal(new FencedOff(epoch - 1, epoch), (await verb()).Refusal);
        }

        Assert.Equal(DomainState.Off, (await engine.LookAsync(spec.Name, Ct)).State);
        Assert.Equal(2, (await engine.ListVolumesAsync(Ct)).Count(volume => volume.Domain == spec.Name));
    }

    private static async Task PausedAsync(IVmEngine engine, DomainSpec spec, long epoch)
    {
        var fence = An.Fence(spec, epoch);
        Value(await engine.EnsureRunningAsync(fence, spec.Name, Ct));
        Assert.Equal(StepOutcome.Changed, Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Pause(), Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Pause(), Ct)));
        Assert.Equal(DomainState.Paused, (await engine.LookAsync(spec.Name, Ct)).State);
        Assert.Equal(StepOutcome.Changed, Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Resume(), Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Resume(), Ct)));
        Assert.Equal(DomainState.Running, (await engine.LookAsync(spec.Name, Ct)).State);
        Assert.Equal(new FencedOff(epoch - 1, epoch), (await engine.ChangeAsync(An.Fence(spec, epoch - 1), spec.Name, new DomainChange.Pause(), Ct)).Refusal);
    }

    private static async Task RemovedWhileItRunsAsync(IVmEngine engine, DomainSpec spec, long epoch)
    {
        var fence = An.Fence(spec, epoch);
        Assert.Equal(new DiskInUse(spec.Name.Text), (await engine.EnsureDisksGoneAsync(fence, spec.Name, Ct)).Refusal);
        Assert.Equal(StepOutcome.Changed, Value(await engine.EnsureUndefinedAsync(fence, spec.Name, Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.EnsureUndefinedAsync(fence, spec.Name, Ct)));
        Assert.Equal(DomainState.Absent, (await engine.LookAsync(spec.Name, Ct)).State);
        Assert.Equal(StepOutcome.Changed, Value(await engine.EnsureDisksGoneAsync(fence, spec.Name, Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.EnsureDisksGoneAsync(fence, spec.Name, Ct)));
        Assert.DoesNotContain(await engine.ListVolumesAsync(Ct), volume => volume.Domain == spec.Name);
    }

    private static async Task<StringBuilder> ReadAllAsync(IGuestConsole console)
    {
        var all = new StringBuilder();
        await foreach (var part in console.ReadAsync(Ct))
        {
            all.Append(Encoding.UTF8.GetString(part.Span));
        }

        return all;
    }
}
