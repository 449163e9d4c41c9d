using Portal.Kernel;

namespace Portal.Engine.Tests.Lab;

/// <summary>The lab's host boots anew, with its disks as they were.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class XenRebootTests(LabHost lab, LabEngine engine) : IClassFixture<LabEngine>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_that_is_reset_under_its_domain_says_that_it_booted_and_starts_it_again_kept_to_its_addresses()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        Assert.SkipUnless(LabHost.RunsAll, LabHost.TakesLong);
        var xen = await engine.GetAsync(lab);
        var spec = An.Spec(LabHost.Instance, 31);
        var fence = An.Fence(spec);
        Done(await xen.EnsureRootDiskAsync(fence, spec, Ct));
        Done(await xen.EnsureSeedAsync(fence, spec, Ct));
        Done(await xen.EnsureDefinedAsync(fence, spec, Ct));
        Done(await xen.EnsureRunningAsync(fence, spec.Name, Ct));
        var before = (await xen.ProbeAsync(Ct)).BootId;
        Assert.Equal(before, (await xen.ProbeAsync(Ct)).BootId);
        // The journal is the disk's: what was made must have reached it, as on any host that has run for some seconds.
        await lab.AsRootAsync("sync");

        await lab.ResetAsync();

        var after = await WhenItIsBackAsync(xen, before);
        Assert.Matches("^[0-9a-f-]{36}$", after);
        var seen = (await xen.ListDomainsAsync(Ct)).Single(d => d.Name == spec.Name);
        Assert.Equal((DomainState.Off, false), (seen.State, seen.ByGuest));
        // A fence outlives the boot, so who was cut off before it is late after it.
        Assert.IsType<FencedOff>((await xen.EnsureRunningAsync(fence with { Epoch = fence.Epoch - 1 }, spec.Name, Ct)).Refusal);
        Assert.Equal(StepOutcome.Changed, Done(await xen.EnsureRunningAsync(fence, spec.Name, Ct)));
        Assert.Equal(DomainState.Running, (await xen.LookAsync(spec.Name, Ct)).State);
        Assert.Contains($"\"pt-{spec.Mac.Value & 0xFFFF_FFFF:x8}\" . {spec.Address.Address}", await lab.AsRootAsync("nft list set bridge portal addresses"), StringComparison.Ordinal);
        Done(await xen.EnsureUndefinedAsync(fence, spec.Name, Ct));
        Done(await xen.EnsureDisksGoneAsync(fence, spec.Name, Ct));
        Assert.DoesNotContain("pt-", await lab.AsRootAsync("nft list set bridge portal addresses"), StringComparison.Ordinal);
    }

    private static async Task<string> WhenItIsBackAsync(IVmEngine xen, string before)
    {
        while (true)
        {
            try
            {
                if ((await xen.ProbeAsync(Ct)).BootId is var now && now != before)
                {
                    return now;
                }
            }
            catch (HostFaultException)
            {
                // Not back yet, or half of it.
            }

            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, Ct);
        }
    }

    private static StepOutcome Done(Result<StepOutcome> result)
    {
        Assert.True(result.Succeeded, result.Refusal?.Message);
        return result.Value;
    }
}
