using System.Xml.Linq;
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

    [Fact]
    public async Task A_volume_is_made_with_a_file_system_given_to_the_running_guest_grown_under_it_and_taken_away()
    {
        var engine = await guest.ReadyAsync(host);
        var data = VolumeLabel.Parse("data1");
        var attach = new DomainChange.AttachVolume(data, "vdc", ReadOnly: false);

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.MakeVolume(data, ByteSize.FromMiB(64), VolumeFormat.Ext4)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.MakeVolume(data, ByteSize.FromMiB(64), VolumeFormat.Ext4)));
        Assert.Equal(3, (await engine.ListVolumesAsync(Ct)).Count(volume => volume.Domain == guest.Spec.Name));
        Assert.Equal(StepOutcome.Changed, await DoAsync(attach));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(attach));
        // Under the same name, but not the same; and the same under another name.
        Assert.Contains("data1.raw as vdc", Assert.IsType<HostSaidNo>((await guest.TryAsync(attach with { ReadOnly = true })).Refusal).Answer, StringComparison.Ordinal);
        Assert.Contains("data1.raw as vdc", Assert.IsType<HostSaidNo>((await guest.TryAsync(attach with { Device = "vdd" })).Refusal).Answer, StringComparison.Ordinal);
        Assert.Contains("data1", await guest.RunAsync("until [ -b /dev/vdc ]; do sleep 1; done; cat /sys/block/vdc/serial; mkdir -p /d && mount -t ext4 /dev/vdc /d && echo mine > /d/file; sync"), StringComparison.Ordinal);
        Assert.Equal(new DiskInUse(guest.Spec.Name.Text), (await guest.TryAsync(new DomainChange.RemoveVolume(data))).Refusal);

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.GrowVolume(data, ByteSize.FromMiB(128))));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.GrowVolume(data, ByteSize.FromMiB(100))));
        Assert.Contains("\n262144\r", await guest.RunAsync("until [ $(cat /sys/block/vdc/size) = 262144 ]; do sleep 1; done; cat /sys/block/vdc/size"), StringComparison.Ordinal);

        await guest.RunAsync("umount /d");
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.DetachVolume("vdc")));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.DetachVolume("vdc")));
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.GrowVolume(data, ByteSize.FromMiB(160))));
        Assert.Equal(StepOutcome.Changed, await DoAsync(attach with { ReadOnly = true }));
        Assert.Contains("\nmine\r", await guest.RunAsync("until [ \"$(cat /sys/block/vdc/size)\" = 327680 ]; do sleep 1; done; mount -t ext4 -o ro /dev/vdc /d && cat /d/file; umount /d"), StringComparison.Ordinal);
        await DoAsync(new DomainChange.DetachVolume("vdc"));
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.RemoveVolume(data)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.RemoveVolume(data)));
        Assert.Equal(2, (await engine.ListVolumesAsync(Ct)).Count(volume => volume.Domain == guest.Spec.Name));
        // The root disk and the seed are not to be taken, whoever asks.
        Assert.IsType<HostSaidNo>((await guest.TryAsync(new DomainChange.DetachVolume("vda"))).Refusal);
    }

    [Fact]
    public async Task A_swap_volume_is_swapped_to()
    {
        await guest.ReadyAsync(host);
        var swap = VolumeLabel.Parse("swap");

        await DoAsync(new DomainChange.MakeVolume(swap, ByteSize.FromMiB(32), VolumeFormat.Swap));
        await DoAsync(new DomainChange.AttachVolume(swap, "vdd", ReadOnly: false));

        Assert.Contains("swapped-to-it", await guest.RunAsync("until disk=$(grep -lx swap /sys/block/*/serial); do sleep 1; done; disk=/dev/$(basename $(dirname $disk)); swapon $disk && grep -q $disk /proc/swaps && swapoff $disk && echo swapped-to-it"), StringComparison.Ordinal);
        await DoAsync(new DomainChange.DetachVolume("vdd"));
        await DoAsync(new DomainChange.RemoveVolume(swap));
    }

    [Fact]
    public async Task More_than_the_pool_has_is_refused_with_what_it_has()
    {
        await guest.ReadyAsync(host);
        var (label, more) = (VolumeLabel.Parse("huge"), ByteSize.FromGiB(1L << 20));

        Assert.Equal(more, Assert.IsType<PoolFull>((await guest.TryAsync(new DomainChange.MakeVolume(label, more, VolumeFormat.None))).Refusal).Asked);
        Assert.IsType<PoolFull>((await guest.TryAsync(new DomainChange.GrowVolume(null, more))).Refusal);

        Assert.Contains("there is no", Assert.IsType<HostSaidNo>((await guest.TryAsync(new DomainChange.GrowVolume(label, ByteSize.FromMiB(1)))).Refusal).Answer, StringComparison.Ordinal);
        Assert.Contains("there is no", Assert.IsType<HostSaidNo>((await guest.TryAsync(new DomainChange.AttachVolume(label, "vdc", ReadOnly: false))).Refusal).Answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_goes_back_to_its_snapshot_and_the_snapshot_stays_and_a_larger_disk_is_seen()
    {
        await guest.ReadyAsync(host);
        var (before, number) = (VolumeLabel.Parse("before"), VolumeLabel.Parse("1"));
        await guest.RunAsync("echo first > /note; sync");
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.TakeSnapshot(before)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.TakeSnapshot(before)));
        Assert.Equal(new WrongState(guest.Spec.Name.Text, "off"), (await guest.TryAsync(new DomainChange.RevertToSnapshot(before))).Refusal);
        await guest.RunAsync("echo second > /note; sync");
        // Qemu's own number of the first is 1, too.
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.TakeSnapshot(number)));

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.GrowVolume(null, ByteSize.FromMiB(1100))));
        Assert.Contains("\n2252800\r", await guest.RunAsync("until [ $(cat /sys/block/vda/size) = 2252800 ]; do sleep 1; done; cat /sys/block/vda/size"), StringComparison.Ordinal);

        await guest.OffAsync();
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.RemoveSnapshot(number)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.RemoveSnapshot(number)));
        Assert.IsType<HostSaidNo>((await guest.TryAsync(new DomainChange.RevertToSnapshot(number))).Refusal);
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.RevertToSnapshot(before)));
        // Again, as whoever repeats a step that was cut off: it is what it was either way.
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.RevertToSnapshot(before)));
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.TakeSnapshot(number)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.TakeSnapshot(number)));
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.GrowVolume(null, ByteSize.FromMiB(1200))));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.GrowVolume(null, ByteSize.FromMiB(1200))));
        await guest.BootAsync();

        Assert.Contains("\nfirst\r", await guest.RunAsync("cat /note"), StringComparison.Ordinal);
        Assert.Contains("\n2457600\r", await guest.RunAsync("cat /sys/block/vda/size"), StringComparison.Ordinal);
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.RemoveSnapshot(before)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.RemoveSnapshot(before)));
    }

    [Fact]
    public async Task A_domain_that_an_earlier_portal_made_is_changed_once_it_was_started_again()
    {
        var engine = await guest.ReadyAsync(host);
        var spec = An.Spec(host.Instance, 42);
        var fence = An.Fence(spec);
        Done(await engine.EnsureRootDiskAsync(fence, spec, Ct));
        Done(await engine.EnsureSeedAsync(fence, spec, Ct));
        Done(await engine.EnsureDefinedAsync(fence, spec, Ct));
        await AsEarlierAsync(spec.Name);

        // What runs is as it was started.
        Assert.Contains("start it once", Assert.IsType<HostSaidNo>((await engine.ChangeAsync(fence, spec.Name, new DomainChange.SetMemory(ByteSize.FromMiB(160)), Ct)).Refusal).Answer, StringComparison.Ordinal);
        var data = VolumeLabel.Parse("data");
        Done(await engine.ChangeAsync(fence, spec.Name, new DomainChange.MakeVolume(data, ByteSize.FromMiB(1), VolumeFormat.None), Ct));
        var attach = new DomainChange.AttachVolume(data, "vdc", ReadOnly: false);
        Assert.Contains("start it once", Assert.IsType<HostSaidNo>((await engine.ChangeAsync(fence, spec.Name, attach, Ct)).Refusal).Answer, StringComparison.Ordinal);

        Done(await engine.EnsureOffAsync(fence, spec.Name, Ct));
        Done(await engine.EnsureRunningAsync(fence, spec.Name, Ct));

        Done(await engine.ChangeAsync(fence, spec.Name, attach, Ct));
        Done(await engine.EnsureUndefinedAsync(fence, spec.Name, Ct));
        Done(await engine.EnsureDisksGoneAsync(fence, spec.Name, Ct));
        Assert.DoesNotContain(await engine.ListVolumesAsync(Ct), volume => volume.Domain == spec.Name);

        static void Done(Result<StepOutcome> result) => Assert.True(result.Succeeded, result.Refusal?.Message);
    }

    // Without what this portal's definition has more, and running.
    private static async Task AsEarlierAsync(DomainName name)
    {
        var domain = XElement.Parse(await RunAsync("dumpxml", "--inactive", name.Text));
        var devices = domain.Element("devices")!;
        devices.Elements("controller").Where(c => c.Attribute("type")?.Value == "pci").Remove();
        devices.Element("memballoon")!.ReplaceWith(new XElement("memballoon", new XAttribute("model", "none")));
        await RunAsync("undefine", name.Text);
        await RunAsync("define", "/dev/stdin", domain.ToString());
        await RunAsync("start", name.Text);

        static async Task<string> RunAsync(string verb, string word, string? more = null)
        {
            var isInput = verb == "define";
            var answer = await LibvirtHost.Shell.RunAsync(
                new("virsh", ["--connect", "qemu:///system", verb, word, .. more is null || isInput ? (ReadOnlySpan<string>)[] : [more]], TimeSpan.FromSeconds(60)) { Input = isInput ? more : null }, Ct);
            Assert.True(answer.Succeeded, answer.Error);
            return answer.Output;
        }
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
