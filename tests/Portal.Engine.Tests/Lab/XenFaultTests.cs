using Portal.Kernel;

namespace Portal.Engine.Tests.Lab;

/// <summary>What a real host does to those who work on it: each fault once here, a hundred times each on the simulated host.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class XenFaultTests(LabHost lab, LabEngine engine) : IClassFixture<LabEngine>
{
    private readonly DomainSpec _spec = An.Spec(LabHost.Instance, 41) with { Address = An.Address("10.0.2.41") };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connections_that_are_cut_under_each_command_leave_one_domain_with_its_disks_and_then_nothing()
    {
        Assert.SkipUnless(LabHost.RunsAll, LabHost.TakesLong);
        var xen = await EngineAsync();
        var cuts = 0;
        var epoch = 0L;

        await CutAsync("lvcreate", fence => xen.EnsureRootDiskAsync(fence, _spec, Ct));
        await CutAsync("lvextend", fence => xen.EnsureRootDiskAsync(fence, _spec, Ct));
        await CutAsync("lvcreate", fence => xen.EnsureSeedAsync(fence, _spec, Ct));
        await CutAsync("lvchange", fence => xen.EnsureSeedAsync(fence, _spec, Ct));
        Value(await xen.EnsureDefinedAsync(An.Fence(_spec, ++epoch), _spec, Ct));
        await CutAsync("xl create", fence => xen.EnsureRunningAsync(fence, _spec.Name, Ct));
        Assert.True(cuts > 0, "No connection was cut under any command.");
        Assert.Equal(DomainState.Running, (await xen.LookAsync(_spec.Name, Ct)).State);
        Assert.Equal("1", (await lab.AsRootAsync($"xl list | grep -c {_spec.Name}")).Trim());
        Assert.Equal("2", (await lab.AsRootAsync($"xl block-list {_spec.Name} | tail -n +2 | wc -l")).Trim());
        Assert.Equal("2", (await lab.AsRootAsync($"lvs --noheadings -o lv_name vgdisk | grep -c {_spec.Name}")).Trim());

        await CutAsync("xl destroy", fence => xen.EnsureUndefinedAsync(fence, _spec.Name, Ct));
        await CutAsync("lvremove", fence => xen.EnsureDisksGoneAsync(fence, _spec.Name, Ct));
        Assert.Equal("none", (await lab.AsRootAsync($"(xl list; lvs --noheadings -o lv_name; ls /var/lib/portal-host/domains) | grep {_spec.Name} || echo none")).Trim());

        // Whoever was cut off does not know whether it was done; his successor looks, and does what is left.
        async Task CutAsync(string command, Func<Fence, Task<Result<StepOutcome>>> step)
        {
            // In brackets, so that what waits does not find itself.
            var cut = lab.AsRootAsync($"for i in $(seq 600); do pgrep -f '[{command[0]}]{command[1..]} .*{_spec.Name}' >/dev/null && pkill -KILL -u portal sshd && exit; [ -e /tmp/enough ] && break; sleep 0.02; done; rm -f /tmp/enough");
            try
            {
                Value(await step(An.Fence(_spec, ++epoch)));
            }
            catch (HostFaultException)
            {
                cuts++;
            }

            await lab.AsRootAsync("touch /tmp/enough");
            await cut;
            await lab.AsRootAsync("rm -f /tmp/enough");
            await AgainAsync(() => step(An.Fence(_spec, ++epoch)));
        }
    }

    [Fact]
    public async Task A_host_that_freezes_is_a_fault_and_goes_on_once_it_thaws_with_a_clock_that_is_noticed()
    {
        var xen = await EngineAsync();
        Value(await xen.EnsureRootDiskAsync(An.Fence(_spec), _spec, Ct));
        Value(await xen.EnsureSeedAsync(An.Fence(_spec), _spec, Ct));
        Value(await xen.EnsureDefinedAsync(An.Fence(_spec), _spec, Ct));

        await lab.FreezeAsync();
        try
        {
            await Assert.ThrowsAsync<HostFaultException>(() => xen.EnsureRunningAsync(An.Fence(_spec), _spec.Name, Ct));
        }
        finally
        {
            await lab.ThawAsync();
        }

        Assert.Equal(StepOutcome.Changed, await AgainAsync(() => xen.EnsureRunningAsync(An.Fence(_spec, 2), _spec.Name, Ct)));
        Assert.Equal("1", (await lab.AsRootAsync($"xl list | grep -c {_spec.Name}")).Trim());
        // Its clock stood still as long as it did.
        var clock = (await xen.SurveyAsync(Ct)).Single(c => c.Subject == "Clock");
        Assert.Equal(("clock.off", CheckLevel.Warning), (clock.Code, clock.Level));
        await lab.AsRootAsync($"date -s @{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}");
        Value(await xen.EnsureUndefinedAsync(An.Fence(_spec, 2), _spec.Name, Ct));
        Value(await xen.EnsureDisksGoneAsync(An.Fence(_spec, 2), _spec.Name, Ct));
    }

    [Fact]
    public async Task What_has_a_vms_name_and_is_not_the_portals_is_refused_and_left_alone()
    {
        var xen = await EngineAsync();
        var config = $"/var/lib/portal-host/domains/{_spec.Name}";
        await lab.AsRootAsync($"lvcreate -qy -V 64m --thinpool thin -n {_spec.Name} vgdisk; lvcreate -qy -V 4m --thinpool thin -n {_spec.Name}-seed vgdisk; echo somebodys > {config}");

        Assert.IsType<Occupied>((await xen.EnsureRootDiskAsync(An.Fence(_spec), _spec, Ct)).Refusal);
        Assert.IsType<Occupied>((await xen.EnsureSeedAsync(An.Fence(_spec), _spec, Ct)).Refusal);
        Assert.IsType<Occupied>((await xen.EnsureDefinedAsync(An.Fence(_spec), _spec, Ct)).Refusal);
        Assert.IsType<Occupied>((await xen.EnsureDisksGoneAsync(An.Fence(_spec), _spec.Name, Ct)).Refusal);

        Assert.Equal("2", (await lab.AsRootAsync($"lvs --noheadings -o lv_name vgdisk | grep -c {_spec.Name}")).Trim());
        Assert.Equal("somebodys", (await lab.AsRootAsync($"cat {config}")).Trim());
        await lab.AsRootAsync($"lvremove -qy vgdisk/{_spec.Name} vgdisk/{_spec.Name}-seed; rm {config}");
    }

    [Fact]
    public async Task A_volume_that_somebody_holds_open_is_not_said_to_be_gone_and_goes_when_it_is_let_go()
    {
        var xen = await EngineAsync();
        Value(await xen.EnsureRootDiskAsync(An.Fence(_spec), _spec, Ct));
        await lab.AsRootAsync($"setsid sh -c 'echo $$ >/tmp/holder; exec sleep 600' </dev/vgdisk/{_spec.Name} >/dev/null 2>&1 & until [ -s /tmp/holder ]; do sleep 0.1; done");

        var fault = await Assert.ThrowsAsync<HostFaultException>(() => xen.EnsureDisksGoneAsync(An.Fence(_spec), _spec.Name, Ct));

        Assert.Contains("in use", fault.Message, StringComparison.Ordinal);
        Assert.Contains(await xen.ListVolumesAsync(Ct), v => v.Domain == _spec.Name);
        await lab.AsRootAsync("kill $(cat /tmp/holder); rm /tmp/holder");
        Assert.Equal(StepOutcome.Changed, await AgainAsync(() => xen.EnsureDisksGoneAsync(An.Fence(_spec), _spec.Name, Ct)));
    }

    [Fact]
    public async Task A_pool_that_fills_up_refuses_says_so_is_extended_and_goes_on()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        await lab.AsRootAsync("lvcreate -qy --type thin-pool -L 64M -n small vgdisk");
        await using var engines = new VmEngines(TimeProvider.System, new EngineOptions { WorkPath = An.Pool() }, lab.PortalKeyAsync);
        var xen = engines.For(new HostConnection(default, HostKind.Xen, LabHost.Instance, "") { Xen = lab.Access with { Pool = "small", ExtendsPool = true } });
        var spec = An.Spec(LabHost.Instance, 64);
        Assert.Equal(StepOutcome.AlreadyThere, Value(await xen.ExtendPoolAsync(Ct)));
        Value(await MakeAsync("a", 60));
        await lab.AsRootAsync($"yes | dd of=/dev/vgdisk/{spec.Name}-va bs=1M count=60 iflag=fullblock oflag=direct status=none");

        Assert.Equal(new PoolFull(ByteSize.FromMiB(16), ByteSize.FromMiB(4)), (await MakeAsync("b", 16)).Refusal);
        var warned = Assert.Single((await xen.ProbeAsync(Ct)).Findings);
        Assert.Equal(("pool.full", false), (warned.Code, warned.Blocks));
        Assert.Equal(StepOutcome.Changed, Value(await xen.ExtendPoolAsync(Ct)));

        Assert.Equal(StepOutcome.AlreadyThere, Value(await xen.ExtendPoolAsync(Ct)));
        Assert.Empty((await xen.ProbeAsync(Ct)).Findings);
        Assert.Equal("80", (await lab.AsRootAsync("lvs --noheadings --nosuffix --units m -o lv_size vgdisk/small")).Trim().Split('.')[0]);
        Assert.Equal(StepOutcome.Changed, Value(await MakeAsync("b", 16)));
        Value(await xen.EnsureDisksGoneAsync(An.Fence(spec), spec.Name, Ct));
        await lab.AsRootAsync("lvremove -qy vgdisk/small");

        Task<Result<StepOutcome>> MakeAsync(string label, long mib) => xen.ChangeAsync(An.Fence(spec), spec.Name, new DomainChange.MakeVolume(VolumeLabel.Parse(label), ByteSize.FromMiB(mib), VolumeFormat.None), Ct);
    }

    private static StepOutcome Value(Result<StepOutcome> result) => result.TryGet(out var outcome, out var refusal) ? outcome : throw new InvalidOperationException(refusal.Message);

    private static async Task<StepOutcome> AgainAsync(Func<Task<Result<StepOutcome>>> step)
    {
        while (true)
        {
            try
            {
                return Value(await step());
            }
            catch (HostFaultException)
            {
                // The connection is being made anew, or what it held is being let go.
            }
        }
    }

    private async Task<IVmEngine> EngineAsync()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        return await engine.GetAsync(lab);
    }
}
