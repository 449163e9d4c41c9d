namespace Portal.Engine.Tests.Lab;

/// <summary>The other kind of guest, on a lab whose emulated processor has nested paging: that is slower and less sure of itself, so no run waits for it.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class XenPvhTests(LabHost lab, LabEngine engine) : IClassFixture<LabEngine>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_guest_boots_as_PVH_and_what_was_saved_goes_on_as_PV_until_its_next_start()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        Assert.SkipUnless((await lab.AsRootAsync("xl info")).Contains(" hap", StringComparison.Ordinal), "The lab's processor has no nested paging: PORTAL_LAB_CPU=qemu64,+svm,+npt ./portal lab up boots one that has.");
        var (pv, pvh) = (await engine.GetAsync(lab), await engine.GetAsync(lab, lab.Access with { Guests = KernelGuests.Pvh }));
        Assert.True((await pvh.ProbeAsync(Ct)).Guests.HasFlag(GuestKinds.Pvh));
        var spec = An.Spec(LabHost.Instance, 61) with { Address = An.Address("10.0.2.61") };
        var fence = An.Fence(spec);
        Value(await pv.EnsureRootDiskAsync(fence, spec, Ct));
        Value(await pv.EnsureSeedAsync(fence, spec, Ct));
        await StartAsync(pv);
        await using (var shell = await GuestShell.SignInAsync(pv, spec, Ct))
        {
            Assert.Contains("\nPV\r", await shell.RunAsync("cat /sys/hypervisor/guest_type"), StringComparison.Ordinal);
        }

        Value(await pv.ChangeAsync(fence, spec.Name, new DomainChange.Save(), Ct));
        Assert.True((await pvh.LookAsync(spec.Name, Ct)).Saved);

        await StartAsync(pvh);
        Assert.Contains("\"type\": \"pv\"", await lab.AsRootAsync($"xl list -l {spec.Name}"), StringComparison.Ordinal);
        Value(await pvh.EnsureOffAsync(fence, spec.Name, Ct));

        await StartAsync(pvh);
        Assert.Contains("\"type\": \"pvh\"", await lab.AsRootAsync($"xl list -l {spec.Name}"), StringComparison.Ordinal);
        await using (var shell = await GuestShell.SignInAsync(pvh, spec, Ct))
        {
            Assert.Contains("\nPVH\r", await shell.RunAsync("cat /sys/hypervisor/guest_type"), StringComparison.Ordinal);
            Assert.Equal(StepOutcome.Changed, Value(await pvh.AskShutdownAsync(fence, spec.Name, Ct)));
        }

        while ((await pvh.LookAsync(spec.Name, Ct)).State != DomainState.Off)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Ct);
        }

        Value(await pvh.EnsureUndefinedAsync(fence, spec.Name, Ct));
        Value(await pvh.EnsureDisksGoneAsync(fence, spec.Name, Ct));

        async Task StartAsync(IVmEngine xen)
        {
            Value(await xen.EnsureDefinedAsync(fence, spec, Ct));
            Value(await xen.EnsureRunningAsync(fence, spec.Name, Ct));
        }
    }

    private static StepOutcome Value(Kernel.Result<StepOutcome> result) => result.Succeeded ? result.Value : throw new InvalidOperationException(result.Refusal?.Message);
}
