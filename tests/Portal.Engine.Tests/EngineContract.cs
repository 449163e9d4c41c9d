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

    [Fact]
    public async Task Every_step_changes_once_and_is_there_when_repeated()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        var fence = An.Fence(spec);

        await BothAsync(() => engine.EnsureRootDiskAsync(fence, spec, Ct));
        await BothAsync(() => engine.EnsureSeedAsync(fence, spec, Ct));
        await BothAsync(() => engine.EnsureDefinedAsync(fence, spec, Ct));
        Assert.Equal(DomainState.Off, (await engine.LookAsync(spec.Name, Ct)).State);
        await BothAsync(() => engine.EnsureRunningAsync(fence, spec.Name, Ct));
        Assert.Equal(DomainState.Running, (await engine.LookAsync(spec.Name, Ct)).State);
        await BothAsync(() => engine.EnsureOffAsync(fence, spec.Name, Ct));
        Assert.Equal(DomainState.Off, (await engine.LookAsync(spec.Name, Ct)).State);
        await BothAsync(() => engine.EnsureUndefinedAsync(fence, spec.Name, Ct));
        Assert.Equal(DomainState.Absent, (await engine.LookAsync(spec.Name, Ct)).State);
        await BothAsync(() => engine.EnsureDisksGoneAsync(fence, spec.Name, Ct));
        Assert.DoesNotContain(await engine.ListVolumesAsync(Ct), volume => volume.Domain == spec.Name);

        static async Task BothAsync(Func<Task<Result<StepOutcome>>> step)
        {
            Assert.Equal(StepOutcome.Changed, Value(await step()));
            Assert.Equal(StepOutcome.AlreadyThere, Value(await step()));
        }
    }

    [Fact]
    public async Task A_lower_epoch_is_refused_by_every_verb_and_changes_nothing()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        await BuildAsync(engine, spec, 7);
        var late = An.Fence(spec, 6);

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
            Assert.Equal(new FencedOff(6, 7), (await verb()).Refusal);
        }

        Assert.Equal(DomainState.Off, (await engine.LookAsync(spec.Name, Ct)).State);
        Assert.Equal(2, (await engine.ListVolumesAsync(Ct)).Count(volume => volume.Domain == spec.Name));
        await RemoveAsync(engine, spec, 7);

        // The fence outlives the VM.
        Assert.Equal(new FencedOff(6, 7), (await engine.EnsureRootDiskAsync(late, spec, Ct)).Refusal);
    }

    [Fact]
    public async Task A_successor_takes_over_at_any_point()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);

        Value(await engine.EnsureRootDiskAsync(An.Fence(spec, 1), spec, Ct));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.EnsureRootDiskAsync(An.Fence(spec, 2), spec, Ct)));
        Value(await engine.EnsureSeedAsync(An.Fence(spec, 3), spec, Ct));

        Assert.IsType<FencedOff>((await engine.EnsureSeedAsync(An.Fence(spec, 2), spec, Ct)).Refusal);
        await RemoveAsync(engine, spec, 3);
    }

    [Fact]
    public async Task A_fence_of_another_vm_is_a_bug()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);

        await Assert.ThrowsAsync<ArgumentException>(() => engine.EnsureOffAsync(new Fence(VmId.New(), 1), spec.Name, Ct));
    }

    [Fact]
    public async Task Listings_show_what_this_instance_made_and_nothing_else()
    {
        var engine = await EngineAsync();
        var (ours, others) = (An.Spec(Instance), An.Spec(An.Instance()));
        await BuildAsync(engine, ours, 1);
        await BuildOfAnotherAsync(engine, others);

        var domains = await engine.ListDomainsAsync(Ct);
        var volumes = await engine.ListVolumesAsync(Ct);

        Assert.Equal(DomainState.Off, Assert.Single(domains, report => report.Name == ours.Name).State);
        Assert.DoesNotContain(domains, report => report.Name == others.Name);
        Assert.Equal(2, volumes.Count(volume => volume.Domain == ours.Name));
        Assert.DoesNotContain(volumes, volume => volume.Domain == others.Name);
        await RemoveAsync(engine, ours, 1);
        await RemoveOfAnotherAsync(engine, others);
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
    public async Task A_running_domain_keeps_its_disk_and_is_powered_off_by_its_removal()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        var fence = An.Fence(spec);
        await BuildAsync(engine, spec, 1);
        Value(await engine.EnsureRunningAsync(fence, spec.Name, Ct));

        Assert.Equal(new DiskInUse(spec.Name.Text), (await engine.EnsureDisksGoneAsync(fence, spec.Name, Ct)).Refusal);
        Assert.Equal(StepOutcome.Changed, Value(await engine.EnsureUndefinedAsync(fence, spec.Name, Ct)));
        Assert.Equal(DomainState.Absent, (await engine.LookAsync(spec.Name, Ct)).State);
        Value(await engine.EnsureDisksGoneAsync(fence, spec.Name, Ct));
    }

    [Fact]
    public async Task Two_generations_of_a_vm_exist_beside_each_other()
    {
        var engine = await EngineAsync();
        var first = An.Spec(Instance);
        var second = first with { Name = new DomainName(Instance, first.Name.Vm, 2) };
        await BuildAsync(engine, first, 1);
        await BuildAsync(engine, second, 1);

        Assert.Equal(2, (await engine.ListDomainsAsync(Ct)).Count(report => report.Name.Vm == first.Name.Vm));
        await RemoveAsync(engine, first, 1);
        Assert.Equal(DomainState.Off, (await engine.LookAsync(second.Name, Ct)).State);
        await RemoveAsync(engine, second, 1);
    }

    [Fact]
    public async Task Two_viewers_see_the_same_from_the_first_byte_and_end_with_the_domain()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        var fence = An.Fence(spec);
        await BuildAsync(engine, spec, 1);
        Value(await engine.EnsureRunningAsync(fence, spec.Name, Ct));

        await using var first = await engine.OpenConsoleAsync(spec.Name, Ct);
        await using var output = first.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        var heard = new StringBuilder();
        var start = await output.UntilAsync("Linux version", heard);
        await using var second = await engine.OpenConsoleAsync(spec.Name, Ct);
        var all = ReadAllAsync(second);
        Value(await engine.EnsureOffAsync(fence, spec.Name, Ct));

        var rest = new StringBuilder().Append(heard);
        while (await output.MoveNextAsync())
        {
            rest.Append(Encoding.UTF8.GetString(output.Current.Span));
        }

        var whole = (await all).ToString();
        Assert.StartsWith(start, whole, StringComparison.Ordinal);
        Assert.Equal(start[..(start.IndexOf("Linux version", StringComparison.Ordinal) + "Linux version".Length)] + rest, whole);
        await Assert.ThrowsAsync<HostFaultException>(async () => await first.WriteAsync("x"u8.ToArray(), Ct));
        await RemoveAsync(engine, spec, 1);
    }

    [Fact]
    public async Task A_domain_pauses_and_goes_on_as_often_as_it_is_asked_and_one_that_is_off_does_not()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        var fence = An.Fence(spec);
        await BuildAsync(engine, spec, 1);
        Assert.IsType<WrongState>((await engine.ChangeAsync(fence, spec.Name, new DomainChange.Pause(), Ct)).Refusal);
        Value(await engine.EnsureRunningAsync(fence, spec.Name, Ct));

        Assert.Equal(StepOutcome.Changed, Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Pause(), Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Pause(), Ct)));
        Assert.Equal(DomainState.Paused, (await engine.LookAsync(spec.Name, Ct)).State);
        Assert.Equal(StepOutcome.Changed, Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Resume(), Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Resume(), Ct)));
        Assert.Equal(DomainState.Running, (await engine.LookAsync(spec.Name, Ct)).State);

        var late = new Fence(spec.Name.Vm, 0);
        Assert.Equal(new FencedOff(0, 1), (await engine.ChangeAsync(late, spec.Name, new DomainChange.Pause(), Ct)).Refusal);
        await RemoveAsync(engine, spec, 1);
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
