using Portal.Kernel;

namespace Portal.Engine.Tests.Lab;

/// <summary>A host whose disks are thick volumes, as the seed article's were: in the lab's second volume group, which has no thin pool.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class ThickPoolTests(LabHost lab, LabEngine engine) : IClassFixture<LabEngine>
{
    private static readonly ByteSize s_template = ByteSize.FromMiB(64);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_guest_on_a_classic_snapshot_boots_and_when_it_is_deleted_its_blocks_are_zero()
    {
        var xen = await EngineAsync();
        var spec = An.Spec(LabHost.Instance, 61) with { Disk = s_template, Address = An.Address("10.0.2.61") };
        var fence = An.Fence(spec);
        Changed(await xen.EnsureRootDiskAsync(fence, spec, Ct));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await xen.EnsureRootDiskAsync(fence, spec, Ct)));
        Changed(await xen.EnsureSeedAsync(fence, spec, Ct));
        Changed(await xen.EnsureDefinedAsync(fence, spec, Ct));
        // A growth that was cut off before its blocks were overwritten ends before a guest sees the volume.
        var late = $"vgswap/{spec.Name}-vlate";
        await lab.AsRootAsync($"lvcreate -qqy -L 8m -n {spec.Name}-vlate --addtag portal --addtag portal.whole vgswap");
        await CutOffAsync();
        Changed(await xen.EnsureRunningAsync(fence, spec.Name, Ct));
        Assert.Equal("4194304 portal,portal.whole", await OfOthersAsync());
        await CutOffAsync();
        Changed(await xen.ChangeAsync(fence, spec.Name, new DomainChange.AttachVolume(VolumeLabel.Parse("late"), "xvdc", ReadOnly: false), Ct));
        Assert.Equal("4194304 portal,portal.whole", await OfOthersAsync());
        await using (var guest = await GuestShell.SignInAsync(xen, spec, Ct))
        {
            await guest.RunAsync("yes written-by-a-tenant | head -c 100000 > /note; sync");
        }

        Assert.Contains("swi-aos", await lab.AsRootAsync($"lvs --noheadings -o lv_attr vgswap/{spec.Name}"), StringComparison.Ordinal);
        // Neither grows nor is taken away under its guest.
        Assert.IsType<HostSaidNo>((await xen.ChangeAsync(fence, spec.Name, new DomainChange.GrowVolume(null, ByteSize.FromMiB(128)), Ct)).Refusal);
        Assert.IsType<DiskInUse>((await xen.EnsureDisksGoneAsync(fence, spec.Name, Ct)).Refusal);
        Changed(await xen.EnsureUndefinedAsync(fence, spec.Name, Ct));
        // Of the group's only disk, past every cache: what the guest wrote, and what LVM noted of it.
        var read = (await lab.AsRootAsync($"lvs --noheadings -o seg_pe_ranges vgswap --select 'lv_name=~^{spec.Name}'")).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(range => range.Split(':')[1].Split('-').Select(int.Parse).ToArray()).Select(pe => $"dd if=/dev/vdc bs=1M iflag=direct status=none skip={1 + pe[0] * 4} count={(pe[1] - pe[0] + 1) * 4}").ToList();
        Assert.Equal(3, read.Count);
        Assert.Contains("written-by-a-tenant", await lab.AsRootAsync($"{{ {string.Join("; ", read)}; }} | grep -a -m 1 -o written-by-a-tenant"), StringComparison.Ordinal);

        using var journal = HostJournal.Begin();
        Changed(await xen.EnsureDisksGoneAsync(fence, spec.Name, Ct));

        Assert.Equal("0", (await lab.AsRootAsync($"{{ {string.Join("; ", read)}; }} | tr -d '\\0' | wc -c")).Trim());
        Assert.Contains(journal.Lines, line => line.Command == $"blkdiscard --zeroout --offset 0 /dev/vgswap/{spec.Name}" && line.ExitCode == 0);
        Assert.DoesNotContain(spec.Name.Text, await lab.AsRootAsync("lvs --noheadings -o lv_name vgswap"), StringComparison.Ordinal);

        Task CutOffAsync() => lab.AsRootAsync($"lvchange -qq --addtag portal.grows.4194304 {late} && tr '\\0' x </dev/zero | dd of=/dev/{late} bs=1M count=8 iflag=fullblock oflag=direct status=none");

        async Task<string> OfOthersAsync() => (await lab.AsRootAsync($"blockdev --flushbufs /dev/{late}; echo $(tr -d '\\0' </dev/{late} | wc -c) $(lvs --noheadings -o lv_tags {late})")).Trim();
    }

    [Fact]
    public async Task Other_sizes_are_copies_and_new_blocks_show_nothing_of_what_was_in_the_group_before()
    {
        var xen = await EngineAsync();
        var spec = An.Spec(LabHost.Instance, 62) with { Disk = ByteSize.FromMiB(96) };
        var fence = An.Fence(spec);
        var (data, plain) = (VolumeLabel.Parse("data"), VolumeLabel.Parse("plain"));
        await lab.AsRootAsync("lvcreate -qy -L 400M -n before vgswap && { yes of-an-earlier-owner | dd of=/dev/vgswap/before bs=1M count=400 iflag=fullblock oflag=direct status=none; lvremove -qy vgswap/before; }");

        Changed(await xen.EnsureRootDiskAsync(fence, spec, Ct));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await xen.EnsureRootDiskAsync(fence, spec, Ct)));
        Changed(await xen.ChangeAsync(fence, spec.Name, new DomainChange.MakeVolume(data, ByteSize.FromMiB(32), VolumeFormat.Ext4), Ct));
        Changed(await xen.ChangeAsync(fence, spec.Name, new DomainChange.MakeVolume(plain, ByteSize.FromMiB(32), VolumeFormat.None), Ct));
        Changed(await xen.ChangeAsync(fence, spec.Name, new DomainChange.GrowVolume(null, ByteSize.FromMiB(128)), Ct));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await xen.ChangeAsync(fence, spec.Name, new DomainChange.GrowVolume(null, ByteSize.FromMiB(128)), Ct)));

        var disk = $"/dev/vgswap/{spec.Name}";
        Assert.Equal("same", (await lab.AsRootAsync($"cmp -n 67108864 {disk} /dev/vgswap/t{LabHost.Instance}-tiny-linux-{TemplateImage.TinyLinux.Version} && echo same")).Trim());
        Assert.Equal("134217728 0", (await lab.AsRootAsync($"echo $(blockdev --getsize64 {disk}) $(tail -c +67108865 {disk} | tr -d '\\0' | wc -c)")).Trim());
        Assert.Equal("0", (await lab.AsRootAsync($"tr -d '\\0' <{disk}-vplain | wc -c")).Trim());
        Assert.Equal("ext4 none", (await lab.AsRootAsync($"echo $(blkid -p -o value -s TYPE {disk}-vdata) $(grep -a -o -m 1 of-an-earlier-owner {disk}-vdata || echo none)")).Trim());
        Assert.Equal("portal,portal.whole", (await lab.AsRootAsync($"lvs --noheadings -o lv_tags vgswap/{spec.Name}")).Trim());

        // What such a place cannot do is not offered; what it has no room for is refused with what it has.
        Assert.DoesNotContain(DomainAbility.Snapshots, xen.Abilities);
        Assert.IsType<NotOffered>((await xen.ChangeAsync(fence, spec.Name, new DomainChange.TakeSnapshot(data), Ct)).Refusal);
        Assert.InRange(Assert.IsType<PoolFull>((await xen.ChangeAsync(fence, spec.Name, new DomainChange.MakeVolume(VolumeLabel.Parse("huge"), ByteSize.FromGiB(100), VolumeFormat.None), Ct)).Refusal).Free.CeilingGiB, 1, 20);
        var another = An.Spec(LabHost.Instance, 63) with { Disk = ByteSize.FromGiB(100) };
        Assert.IsType<PoolFull>((await xen.EnsureRootDiskAsync(An.Fence(another), another, Ct)).Refusal);

        // What somebody has open keeps its content.
        await lab.AsRootAsync($"setsid sh -c 'echo $$ >/tmp/holder; exec sleep 600' <{disk}-vdata >/dev/null 2>&1 & until [ -s /tmp/holder ]; do sleep 0.1; done");
        Assert.IsType<DiskInUse>((await xen.ChangeAsync(fence, spec.Name, new DomainChange.RemoveVolume(data), Ct)).Refusal);
        Assert.Equal("ext4", (await lab.AsRootAsync($"kill $(cat /tmp/holder); rm /tmp/holder; blkid -p -o value -s TYPE {disk}-vdata")).Trim());
        Changed(await xen.ChangeAsync(fence, spec.Name, new DomainChange.RemoveVolume(data), Ct));
        Changed(await xen.EnsureDisksGoneAsync(fence, spec.Name, Ct));
        Assert.DoesNotContain(spec.Name.Text, await lab.AsRootAsync("lvs --noheadings -o lv_name vgswap"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clone_is_detached_with_what_was_written_to_it_and_nothing_of_it_needs_its_template_any_more()
    {
        var xen = await EngineAsync();
        var spec = An.Spec(LabHost.Instance, 64) with { Disk = s_template };
        var (fence, disk, template) = (An.Fence(spec), $"/dev/vgswap/{spec.Name}", $"t{LabHost.Instance}-tiny-linux-{TemplateImage.TinyLinux.Version}");
        Changed(await xen.EnsureRootDiskAsync(fence, spec, Ct));
        await lab.AsRootAsync($"yes written-by-a-tenant | dd of={disk} bs=1M count=2 seek=20 iflag=fullblock oflag=direct status=none");
        Assert.Equal((template, false), ((await xen.ListDisksAsync(spec.Name, Ct)).Cloned?.Of, (await xen.ListDisksAsync(spec.Name, Ct)).Cloned?.Replaced));

        Changed(await DetachAsync(DetachStage.Copy));
        Changed(await DetachAsync(DetachStage.Take));
        Assert.Equal("same written-by-a-tenant", (await lab.AsRootAsync($"blockdev --flushbufs {disk}; echo $(cmp {disk} {disk}-clone && echo same) $(dd if={disk} bs=1M skip=20 count=1 iflag=direct status=none | head -n 1)")).Trim());
        Assert.True((await xen.ListDisksAsync(spec.Name, Ct)).Cloned?.Replaced);
        var pe = (await lab.AsRootAsync($"lvs --noheadings -o seg_pe_ranges vgswap/{spec.Name}-clone")).Trim().Split(':')[1].Split('-').Select(int.Parse).ToArray();
        var blocks = $"dd if=/dev/vdc bs=1M iflag=direct status=none skip={1 + (pe[0] * 4)} count={(pe[1] - pe[0] + 1) * 4}";
        Assert.Equal("written-by-a-tenant", (await lab.AsRootAsync($"{blocks} | grep -a -m 1 -o written-by-a-tenant")).Trim());
        Changed(await DetachAsync(DetachStage.Clear));

        Assert.Equal("0", (await lab.AsRootAsync($"{blocks} | tr -d '\\0' | wc -c")).Trim());
        Assert.Null((await xen.ListDisksAsync(spec.Name, Ct)).Cloned);
        Assert.Equal("", (await lab.AsRootAsync($"lvs --noheadings -o lv_name --select origin={template} vgswap")).Trim());
        Changed(await xen.EnsureDisksGoneAsync(fence, spec.Name, Ct));
        Assert.DoesNotContain(spec.Name.Text, await lab.AsRootAsync("lvs --noheadings -o lv_name vgswap"), StringComparison.Ordinal);

        Task<Result<StepOutcome>> DetachAsync(DetachStage stage) => xen.DetachAsync(fence, spec.Name, stage, (_, _, _) => Task.FromResult<Refusal?>(null), Ct);
    }

    [Fact]
    public async Task Its_checks_look_at_the_group()
    {
        var xen = await EngineAsync();

        var checks = await xen.SurveyAsync(Ct);
        var report = await xen.ProbeAsync(Ct);

        Assert.Contains(checks, c => c is { Code: "pool", Subject: "Volume group vgswap, room", Level: CheckLevel.Good });
        Assert.DoesNotContain(checks, c => c.Level == CheckLevel.Bad);
        Assert.InRange(report.PoolSize.CeilingGiB, 19, 20);
        Assert.InRange(report.PoolFree.CeilingGiB, 1, 20);
    }

    private static void Changed(Result<StepOutcome> result) => Assert.Equal(StepOutcome.Changed, Value(result));

    private static StepOutcome Value(Result<StepOutcome> result) => result.TryGet(out var outcome, out var refusal) ? outcome : throw new InvalidOperationException(refusal.Message);

    private async Task<IVmEngine> EngineAsync()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        return await engine.GetAsync(lab, lab.Access with { Group = "vgswap", Pool = null });
    }
}
