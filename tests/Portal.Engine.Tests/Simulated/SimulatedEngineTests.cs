using System.Text;
using Portal.Engine.Simulated;
using Portal.Kernel;

namespace Portal.Engine.Tests.Simulated;

public sealed class SimulatedEngineTests : EngineContract, IAsyncDisposable
{
    private readonly string _pool = An.Pool();
    private readonly SimulatedEngine _engine;
    private readonly SimulatedFaults _faults;

    public SimulatedEngineTests()
    {
        _engine = Make();
        _faults = new SimulatedFaults(_pool);
    }

    protected override string Instance { get; } = An.Instance();

    protected override IReadOnlyList<string> PlanWords { get; } = ["root disk", "seed", "domain", "start"];

    [Fact]
    public async Task The_host_outlives_the_engine()
    {
        var spec = await RunningAsync();

        await using var next = Make();

        Assert.Equal(DomainState.Running, Assert.Single(await next.ListDomainsAsync(Ct)).State);
        await using var console = await next.OpenConsoleAsync(spec.Name, Ct);
        await using var output = console.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        await output.UntilAsync("web-5 login: ", new());
    }

    [Fact]
    public async Task The_console_answers_what_is_typed()
    {
        var spec = await RunningAsync();
        await using var console = await _engine.OpenConsoleAsync(spec.Name, Ct);
        await using var output = console.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        var heard = new StringBuilder();

        await output.UntilAsync("web-5 login: ", heard);
        await TypeAsync(console, "root\r");
        await output.UntilAsync("root@web-5:~# ", heard);
        await TypeAsync(console, "unamx\b\x7fme -n\r");
        await output.UntilAsync("\r\nweb-5\r\n", heard);
        await TypeAsync(console, "echo a b\r");
        await output.UntilAsync("\r\na b\r\n", heard);
        await TypeAsync(console, "poweroff\r");
        await output.UntilAsync("Power down", heard);
        while (await output.MoveNextAsync())
        {
        }

        Assert.Equal(DomainState.Off, (await _engine.LookAsync(spec.Name, Ct)).State);
    }

    [Theory]
    [InlineData(SimulatedMoment.Before, DomainState.Absent)]
    [InlineData(SimulatedMoment.After, DomainState.Off)]
    public async Task A_fault_strikes_once_and_where_it_was_armed(SimulatedMoment moment, DomainState left)
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        _faults.Arm(SimulatedVerb.EnsureDefined, moment, SimulatedFault.Throw);

        await Assert.ThrowsAsync<HostFaultException>(() => engine.EnsureDefinedAsync(An.Fence(spec), spec, Ct));
        Assert.Equal(left, (await engine.LookAsync(spec.Name, Ct)).State);

        Value(await engine.EnsureDefinedAsync(An.Fence(spec), spec, Ct));
        Assert.Equal(DomainState.Off, (await engine.LookAsync(spec.Name, Ct)).State);
    }

    [Fact]
    public async Task A_guest_may_ignore_its_power_button()
    {
        var spec = await RunningAsync();
        _faults.Arm(SimulatedVerb.AskShutdown, SimulatedMoment.Before, SimulatedFault.Ignore);

        Assert.Equal(StepOutcome.Changed, Value(await _engine.AskShutdownAsync(An.Fence(spec), spec.Name, Ct)));

        Assert.Equal(DomainState.Running, (await _engine.LookAsync(spec.Name, Ct)).State);
    }

    [Fact]
    public async Task A_refusal_and_an_unreachable_host_are_told_apart()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        _faults.Arm(SimulatedVerb.EnsureSeed, SimulatedMoment.Before, SimulatedFault.Refuse);
        Assert.IsType<HostSaidNo>((await engine.EnsureSeedAsync(An.Fence(spec), spec, Ct)).Refusal);

        _faults.Shape = new SimulatedShape { Reachable = false };
        await Assert.ThrowsAsync<HostFaultException>(() => engine.ListDomainsAsync(Ct));
        await Assert.ThrowsAsync<HostFaultException>(() => engine.EnsureSeedAsync(An.Fence(spec), spec, Ct));
        _faults.Shape = new SimulatedShape();
        Value(await engine.EnsureSeedAsync(An.Fence(spec), spec, Ct));
    }

    [Fact]
    public async Task A_full_pool_refuses_the_disk_that_does_not_fit()
    {
        var engine = await EngineAsync();
        _faults.Shape = new SimulatedShape { PoolMiB = 1536 };
        var (first, second) = (An.Spec(Instance), An.Spec(Instance, 6));

        Value(await engine.EnsureRootDiskAsync(An.Fence(first), first, Ct));

        Assert.Equal(new PoolFull(ByteSize.FromGiB(1), ByteSize.FromMiB(512)), (await engine.EnsureRootDiskAsync(An.Fence(second), second, Ct)).Refusal);
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.EnsureRootDiskAsync(An.Fence(first), first, Ct)));
    }

    [Fact]
    public async Task What_went_off_by_itself_was_not_saved()
    {
        var spec = await RunningAsync();
        var fence = An.Fence(spec);
        Value(await _engine.AskShutdownAsync(fence, spec.Name, Ct));

        Assert.IsType<WrongState>((await _engine.ChangeAsync(fence, spec.Name, new DomainChange.Save(), Ct)).Refusal);

        Value(await _engine.EnsureRunningAsync(fence, spec.Name, Ct));
        Assert.Equal(StepOutcome.Changed, Value(await _engine.ChangeAsync(fence, spec.Name, new DomainChange.Save(), Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await _engine.ChangeAsync(fence, spec.Name, new DomainChange.Save(), Ct)));
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        Directory.Delete(_pool, recursive: true);
    }

    protected override async Task<IVmEngine> EngineAsync()
    {
        Value(await _engine.EnsureTemplateAsync(TemplateImage.TinyLinux, Ct));
        return _engine;
    }

    private static ValueTask TypeAsync(IGuestConsole console, string text) => console.WriteAsync(Encoding.UTF8.GetBytes(text), Ct);

    private SimulatedEngine Make() => new(new HostConnection(HostId.New(), HostKind.Simulated, Instance, _pool), TimeProvider.System);

    private async Task<DomainSpec> RunningAsync()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        await BuildAsync(engine, spec, 1);
        Value(await engine.EnsureRunningAsync(An.Fence(spec), spec.Name, Ct));
        return spec;
    }
}
