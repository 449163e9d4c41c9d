using Portal.Kernel;

namespace Portal.Engine.Tests.Lab;

/// <summary>A host whose disks are files, as the seed article's loop disks were.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class DirectoryPoolTests(LabHost lab, LabEngine engine) : IClassFixture<LabEngine>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_guest_boots_from_a_file_that_grows_under_it_has_another_one_for_a_while_and_all_are_deleted()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        await lab.AsRootAsync($"install -d -m 700 {LabHost.Directory}");
        var xen = await engine.GetAsync(lab, lab.Access with { Group = null, Pool = null, Directory = LabHost.Directory });
        var spec = An.Spec(LabHost.Instance, 64) with { Disk = ByteSize.FromMiB(128), Address = An.Address("10.0.2.64") };
        var (fence, data, disk) = (An.Fence(spec), VolumeLabel.Parse("data"), $"{LabHost.Directory}/{spec.Name}");

        Changed(await xen.EnsureRootDiskAsync(fence, spec, Ct));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await xen.EnsureRootDiskAsync(fence, spec, Ct)));
        Changed(await xen.EnsureSeedAsync(fence, spec, Ct));
        Changed(await xen.EnsureDefinedAsync(fence, spec, Ct));
        Changed(await DoAsync(new DomainChange.MakeVolume(data, ByteSize.FromMiB(32), VolumeFormat.Ext4)));
        Changed(await xen.EnsureRunningAsync(fence, spec.Name, Ct));
        // More of them than the eight that the article had.
        await lab.AsRootAsync($"for n in 1 2 3 4 5 6 7 8; do truncate -s 1M /tmp/loop$n; losetup -f /tmp/loop$n; done");
        await using (var guest = await GuestShell.SignInAsync(xen, spec, Ct))
        {
            Changed(await DoAsync(new DomainChange.AttachVolume(data, "xvdc", ReadOnly: false)));
            Assert.Equal(StepOutcome.AlreadyThere, Value(await DoAsync(new DomainChange.AttachVolume(data, "xvdc", ReadOnly: false))));
            await guest.RunAsync("until [ -b /dev/xvdc ]; do sleep 1; done; mkdir -p /d && mount -t ext4 /dev/xvdc /d && echo of-a-tenant > /d/file; umount /d");
            Assert.Equal(new DiskInUse($"{spec.Name}-vdata"), (await DoAsync(new DomainChange.RemoveVolume(data))).Refusal);
            Changed(await DoAsync(new DomainChange.GrowVolume(null, ByteSize.FromMiB(160))));
            Assert.Contains("\n327680\r", await guest.RunAsync("until [ $(cat /sys/block/xvda/size) = 327680 ]; do echo x >> /grow; sync; sleep 1; done; cat /sys/block/xvda/size"), StringComparison.Ordinal);
            Changed(await DoAsync(new DomainChange.DetachVolume("xvdc")));
            Assert.Contains("of-a-tenant", await lab.AsRootAsync($"grep -a -o -m 1 of-a-tenant {disk}-vdata.raw"), StringComparison.Ordinal);
        }

        Assert.Equal(new DiskInUse(spec.Name.Text), (await xen.EnsureDisksGoneAsync(fence, spec.Name, Ct)).Refusal);
        var report = await xen.ProbeAsync(Ct);
        Assert.True(report.PoolTaken > ByteSize.FromMiB(8) && report.PoolTaken < ByteSize.FromMiB(128) && report.PoolFree < report.PoolSize, $"{report}");
        Assert.DoesNotContain(report.Findings, f => f.Blocks);
        Assert.Equal(3, (await xen.ListVolumesAsync(Ct)).Count(v => v.Domain == spec.Name));
        Changed(await xen.EnsureUndefinedAsync(fence, spec.Name, Ct));
        Changed(await DoAsync(new DomainChange.RemoveVolume(data)));
        Changed(await xen.EnsureDisksGoneAsync(fence, spec.Name, Ct));
        Assert.DoesNotContain(await xen.ListVolumesAsync(Ct), v => v.Domain == spec.Name);
        Assert.DoesNotContain(spec.Name.Text, await lab.AsRootAsync($"losetup -a; ls -R {LabHost.Directory} /var/lib/portal-host; losetup -D; rm /tmp/loop?"), StringComparison.Ordinal);

        Task<Result<StepOutcome>> DoAsync(DomainChange change) => xen.ChangeAsync(fence, spec.Name, change, Ct);
    }

    private static void Changed(Result<StepOutcome> result) => Assert.Equal(StepOutcome.Changed, Value(result));

    private static StepOutcome Value(Result<StepOutcome> result) => result.TryGet(out var outcome, out var refusal) ? outcome : throw new InvalidOperationException(refusal.Message);
}
