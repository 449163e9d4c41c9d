using Portal.Kernel;

namespace Portal.Engine.Tests.Live;

/// <summary>What can be changed of a machine that runs, through libvirt: each on a real guest, seen from within it.</summary>
[Collection(nameof(LibvirtHost))]
public sealed class LibvirtChangesTests(LibvirtHost host, LiveGuest guest) : IClassFixture<LiveGuest>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_is_given_back_and_taken_again_while_the_guest_runs()
    {
        await guest.ReadyAsync(host);
        var before = await TotalAsync();

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.SetMemory(ByteSize.FromMiB(160))));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.SetMemory(ByteSize.FromMiB(160))));
        Assert.True(await TotalAsync() < before - (20 << 10));

        await DoAsync(new DomainChange.SetMemory(guest.Spec.Memory));
        Assert.Equal(before, await TotalAsync());

        async Task<long> TotalAsync() => long.Parse((await guest.RunAsync("grep MemTotal /proc/meminfo")).Split("MemTotal:")[1].Trim().Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Processors_are_pinned_and_set_free()
    {
        await guest.ReadyAsync(host);

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.Pin(0, [0])));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.Pin(0, [0])));
        Assert.Matches(@"(?m)^ 0 +0\s*$", await VirshAsync("vcpupin"));

        await DoAsync(new DomainChange.Pin(null, []));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.Pin(null, [])));
        Assert.IsType<HostSaidNo>((await guest.TryAsync(new DomainChange.Pin(0, [511]))).Refusal);
    }

    [Fact]
    public async Task A_share_of_the_processors_has_a_weight_and_a_cap()
    {
        await guest.ReadyAsync(host);
        var offered = await VirshAsync("schedinfo");
        Assert.SkipUnless(offered.Contains("cpu_shares", StringComparison.Ordinal), $"This machine has no control groups for processors: {offered}");

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.SetShare(512, 150)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.SetShare(512, 150)));
        Assert.Matches(@"global_quota +: 150000\s", await VirshAsync("schedinfo"));

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.SetShare(256, 0)));
        Assert.Matches(@"global_quota +: -1\s", await VirshAsync("schedinfo"));
    }

    [Fact]
    public async Task A_key_of_the_emergency_keyboard_reaches_the_guests_kernel()
    {
        await guest.ReadyAsync(host);

        await DoAsync(new DomainChange.PressSysRq('s'));

        Assert.Contains("Emergency Sync", await guest.RunAsync("until dmesg | grep 'Emergency Sync'; do sleep 1; done"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_libvirt_does_not_have_is_not_offered_and_a_domain_that_is_off_is_not_changed()
    {
        var engine = await guest.ReadyAsync(host);
        DomainChange[] lacking = [new DomainChange.SetVcpus(1), new DomainChange.AttachNic(MacAddress.OfSequence(4711)), new DomainChange.AttachDevice("/dev/sdz", "vdc", ReadOnly: false)];

        foreach (var change in lacking)
        {
            Assert.DoesNotContain(change.Needs, engine.Abilities);
            Assert.Equal(new NotOffered(change.Needs), (await guest.TryAsync(change)).Refusal);
        }

        var never = An.Spec(host.Instance);
        Assert.Equal(new WrongState(never.Name.Text, "running"), (await engine.ChangeAsync(An.Fence(never), never.Name, new DomainChange.SetMemory(ByteSize.FromMiB(128)), Ct)).Refusal);
    }

    private async Task<StepOutcome> DoAsync(DomainChange change)
    {
        var done = await guest.TryAsync(change);
        Assert.True(done.Succeeded, $"{change}: {done.Refusal?.Message}");
        return done.Value;
    }

    private async Task<string> VirshAsync(string verb)
    {
        var answer = await LibvirtHost.Shell.RunAsync(new("virsh", ["--connect", "qemu:///system", verb, guest.Spec.Name.Text], TimeSpan.FromSeconds(20)), Ct);
        return answer.Output + answer.Error;
    }
}

/// <summary>One guest for the tests of the class: it boots once.</summary>
public sealed class LiveGuest : IAsyncLifetime
{
    private IVmEngine? _engine;
    private GuestShell? _shell;
    private DomainSpec? _spec;

    internal DomainSpec Spec => _spec ?? throw new InvalidOperationException("It was not made yet.");

    // It outlives the test that was the first to want it.
    private static CancellationToken Always => CancellationToken.None;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    internal async Task<IVmEngine> ReadyAsync(LibvirtHost host)
    {
        if (_engine is null)
        {
            _engine = await host.EngineAsync();
            _spec = An.Spec(host.Instance, 41);
            Done(await _engine.EnsureRootDiskAsync(An.Fence(_spec), _spec, Always));
            Done(await _engine.EnsureSeedAsync(An.Fence(_spec), _spec, Always));
            Done(await _engine.EnsureDefinedAsync(An.Fence(_spec), _spec, Always));
            await BootAsync();
        }

        return _engine;
    }

    internal Task<Result<StepOutcome>> TryAsync(DomainChange change) => _engine!.ChangeAsync(An.Fence(Spec), Spec.Name, change, TestContext.Current.CancellationToken);

    internal Task<string> RunAsync(string command) => _shell!.RunAsync(command);

    internal async Task OffAsync()
    {
        await _shell!.DisposeAsync();
        Done(await _engine!.EnsureOffAsync(An.Fence(Spec), Spec.Name, Always));
    }

    internal async Task BootAsync()
    {
        Done(await _engine!.EnsureRunningAsync(An.Fence(Spec), Spec.Name, Always));
        _shell = await GuestShell.SignInAsync(_engine, Spec, Always);
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _shell!.DisposeAsync();
            Done(await _engine.EnsureUndefinedAsync(An.Fence(Spec), Spec.Name, Always));
            Done(await _engine.EnsureDisksGoneAsync(An.Fence(Spec), Spec.Name, Always));
        }
    }

    private static void Done(Result<StepOutcome> result) => Assert.True(result.Succeeded, result.Refusal?.Message);
}
