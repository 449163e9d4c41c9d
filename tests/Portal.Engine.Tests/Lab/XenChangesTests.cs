using Portal.Kernel;

namespace Portal.Engine.Tests.Lab;

/// <summary>What the seed article's administrator did to a running machine by hand, and what Xen has learned since: each on a real guest, seen from within it.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class XenChangesTests(LabHost lab, LabGuest guest) : IClassFixture<LabGuest>
{
    private const string Heard = "\nan-answer";
    private const string Unheard = "\nno-answer";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_is_given_back_and_taken_again_while_the_guest_runs()
    {
        await ReadyAsync();
        var before = await TotalAsync();

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.SetMemory(ByteSize.FromMiB(160))));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.SetMemory(ByteSize.FromMiB(160))));
        Assert.True(await TotalAsync() < before - (20 << 10));

        await DoAsync(new DomainChange.SetMemory(guest.Spec.Memory));
        Assert.Equal(before, await TotalAsync());

        async Task<long> TotalAsync() => long.Parse((await guest.RunAsync("grep MemTotal /proc/meminfo")).Split("MemTotal:")[1].Trim().Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Processors_are_taken_away_and_given_back_while_the_guest_runs()
    {
        await ReadyAsync();

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.SetVcpus(1)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.SetVcpus(1)));
        Assert.Contains("\n0\r", await guest.RunAsync("cat /sys/devices/system/cpu/online"), StringComparison.Ordinal);

        await DoAsync(new DomainChange.SetVcpus(2));
        Assert.Contains("0-1", await guest.RunAsync("cd /sys/devices/system/cpu; until echo 1 > cpu1/online; do sleep 1; done; cat online; cd"), StringComparison.Ordinal);
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.SetVcpus(2)));
        Assert.IsType<HostSaidNo>((await TryAsync(new DomainChange.SetVcpus(3))).Refusal);
    }

    [Fact]
    public async Task Processors_are_pinned_and_set_free()
    {
        await ReadyAsync();

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.Pin(0, [1])));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.Pin(0, [1])));
        Assert.Matches(@" 0 +\S+ +\S+ +\S+ +1 / all", await AsRootAsync("xl vcpu-list"));

        await DoAsync(new DomainChange.Pin(null, []));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.Pin(null, [])));
    }

    [Fact]
    public async Task A_share_of_the_processors_has_a_weight_and_a_cap()
    {
        await ReadyAsync();

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.SetShare(512, 150)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.SetShare(512, 150)));
        Assert.Matches(@" 512 +150\s", await AsRootAsync("xl sched-credit2 -d"));

        await DoAsync(new DomainChange.SetShare(256, 0));
    }

    [Fact]
    public async Task A_key_of_the_emergency_keyboard_reaches_the_guests_kernel()
    {
        await ReadyAsync();

        await DoAsync(new DomainChange.PressSysRq('s'));

        Assert.Contains("Emergency Sync", await guest.RunAsync("until dmesg | grep 'Emergency Sync'; do sleep 1; done"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_volume_is_made_with_a_file_system_given_to_the_running_guest_grown_under_it_and_taken_away()
    {
        await ReadyAsync();
        var data = VolumeLabel.Parse("data1");

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.MakeVolume(data, ByteSize.FromMiB(64), VolumeFormat.Ext4)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.MakeVolume(data, ByteSize.FromMiB(64), VolumeFormat.Ext4)));
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.AttachVolume(data, "xvdc", ReadOnly: false)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.AttachVolume(data, "xvdc", ReadOnly: false)));
        await guest.RunAsync("until [ -b /dev/xvdc ]; do sleep 1; done; mkdir -p /d && mount -t ext4 /dev/xvdc /d && echo mine > /d/file; sync");
        Assert.Equal(new DiskInUse($"{guest.Spec.Name}-vdata1"), (await TryAsync(new DomainChange.RemoveVolume(data))).Refusal);

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.GrowVolume(data, ByteSize.FromMiB(128))));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.GrowVolume(data, ByteSize.FromMiB(100))));
        Assert.Contains("\n262144\r", await guest.RunAsync("until [ $(cat /sys/block/xvdc/size) = 262144 ]; do echo x >> /d/file; sync; sleep 1; done; cat /sys/block/xvdc/size"), StringComparison.Ordinal);

        await guest.RunAsync("umount /d");
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.DetachVolume("xvdc")));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.DetachVolume("xvdc")));
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.RemoveVolume(data)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.RemoveVolume(data)));
        Assert.DoesNotContain("vdata1", await lab.AsRootAsync("lvs --noheadings -o lv_name vgdisk"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_swap_volume_is_swapped_to()
    {
        await ReadyAsync();
        var swap = VolumeLabel.Parse("swap");

        await DoAsync(new DomainChange.MakeVolume(swap, ByteSize.FromMiB(32), VolumeFormat.Swap));
        Assert.Contains(guest.Spec.Name.Text, await lab.AsRootAsync("lvs --noheadings -o lv_name vgswap"), StringComparison.Ordinal);
        await DoAsync(new DomainChange.AttachVolume(swap, "xvdd", ReadOnly: false));

        Assert.Contains("/dev/xvdd", await guest.RunAsync("until [ -b /dev/xvdd ]; do sleep 1; done; swapon /dev/xvdd; cat /proc/swaps; swapoff /dev/xvdd"), StringComparison.Ordinal);
        await DoAsync(new DomainChange.DetachVolume("xvdd"));
        await DoAsync(new DomainChange.RemoveVolume(swap));
    }

    [Fact]
    public async Task A_disk_of_the_host_itself_is_given_to_the_guest_and_comes_back_with_what_it_wrote()
    {
        await ReadyAsync();
        await lab.AsRootAsync("lvcreate -qy -L 16M -n raw vgdisk && printf of-the-host >/dev/vgdisk/raw");
        var given = new DomainChange.AttachDevice("/dev/vgdisk/raw", "xvde", ReadOnly: false);

        // What the host's root did not name is not given, whoever asks.
        Assert.Contains("/dev/vda", Assert.IsType<HostSaidNo>((await TryAsync(given with { Path = "/dev/vda" })).Refusal).Answer, StringComparison.Ordinal);
        Assert.Equal(StepOutcome.Changed, await DoAsync(given));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(given));
        // Under the same name, but not the same.
        Assert.Contains("/dev/vgdisk/raw as xvde", Assert.IsType<HostSaidNo>((await TryAsync(given with { ReadOnly = true })).Refusal).Answer, StringComparison.Ordinal);
        Assert.Contains("of-the-host", await guest.RunAsync("until [ -b /dev/xvde ]; do sleep 1; done; head -c 11 /dev/xvde; printf of-a-guest! | dd of=/dev/xvde conv=notrunc,fsync 2>/dev/null"), StringComparison.Ordinal);
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.DetachVolume("xvde")));

        Assert.Equal("of-a-guest!", await lab.AsRootAsync("dd if=/dev/vgdisk/raw bs=512 count=1 iflag=direct status=none | head -c 11; lvremove -qy vgdisk/raw >&2"));
    }

    [Fact]
    public async Task A_second_network_interface_comes_and_goes()
    {
        await ReadyAsync();
        var mac = MacAddress.OfSequence(4711);

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.AttachNic(mac)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.AttachNic(mac)));
        Assert.Contains(mac.ToString(), await guest.RunAsync($"until cat /sys/class/net/*/address | grep {mac}; do sleep 1; done"), StringComparison.Ordinal);

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.DetachNic(mac)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.DetachNic(mac)));
    }

    [Fact]
    public async Task A_guest_is_heard_with_its_own_addresses_and_with_no_others()
    {
        await ReadyAsync();
        var card = (await guest.RunAsync("grep -l 02:70 /sys/class/net/*/address")).Split("/sys/class/net/")[^1].Split('/')[0];

        Assert.Contains(Heard, await PingAsync("10.0.2.41"), StringComparison.Ordinal);
        // Another's address: no packet and no question for the host's own comes through.
        await guest.RunAsync($"ip addr add 10.0.2.99/24 dev {card}; ip neigh flush dev {card}");
        Assert.Contains(Unheard, await PingAsync("10.0.2.99"), StringComparison.Ordinal);
        Assert.DoesNotContain("10.0.2.99", await lab.AsRootAsync("ip neigh show dev xenbr0"), StringComparison.Ordinal);
        Assert.Contains(Heard, await PingAsync("10.0.2.41"), StringComparison.Ordinal);
        Assert.Contains(Unheard, await PingAsync("10.0.2.99"), StringComparison.Ordinal);
        // Another's MAC with its own address.
        var own = (await guest.RunAsync($"cat /sys/class/net/{card}/address")).Split('\n')[1].Trim();
        await guest.RunAsync($"ip addr del 10.0.2.99/24 dev {card}; ip link set {card} down; ip link set {card} address 02:70:00:00:99:99; ip link set {card} up");
        Assert.Contains(Unheard, await PingAsync("10.0.2.41"), StringComparison.Ordinal);
        await guest.RunAsync($"ip link set {card} down; ip link set {card} address {own}; ip link set {card} up");
        Assert.Contains(Heard, await PingAsync("10.0.2.41"), StringComparison.Ordinal);

        Task<string> PingAsync(string from) => guest.RunAsync($"for n in 1 2 3; do ping -c 1 -W 1 -I {from} 10.0.2.15 >/dev/null && s=an || s=no; [ $s = no ] || break; done; echo $s-answer");
    }

    [Fact]
    public async Task A_saved_guest_goes_on_where_it_was()
    {
        var xen = await ReadyAsync();
        await guest.RunAsync("kept=in-memory");

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.Save()));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.Save()));
        Assert.Equal(DomainState.Off, (await xen.LookAsync(guest.Spec.Name, Ct)).State);
        Assert.Contains(guest.Spec.Name.Text, await lab.AsRootAsync("ls /var/lib/portal-host/saves"), StringComparison.Ordinal);

        await guest.GoOnAsync();
        Assert.Contains("in-memory", await guest.RunAsync("echo $kept"), StringComparison.Ordinal);
        // What was written since would make the old memory a trap.
        Assert.DoesNotContain(guest.Spec.Name.Text, await lab.AsRootAsync("ls /var/lib/portal-host/saves"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restore_that_was_cut_off_is_made_anew_from_the_file()
    {
        Assert.SkipUnless(LabHost.RunsAll, LabHost.TakesLong);
        await ReadyAsync();
        await guest.RunAsync("kept=still-there");
        await DoAsync(new DomainChange.Save());
        // As a portal leaves it that dies between the restore and what follows it.
        await lab.AsRootAsync($"xl restore -p /var/lib/portal-host/saves/{guest.Spec.Name} >/dev/null 2>&1");
        var halfway = (await AsRootAsync("xl domid")).Trim();

        await guest.GoOnAsync();

        Assert.NotEqual(halfway, (await AsRootAsync("xl domid")).Trim());
        Assert.Contains("still-there", await guest.RunAsync("echo $kept"), StringComparison.Ordinal);
        Assert.DoesNotContain(guest.Spec.Name.Text, await lab.AsRootAsync("ls /var/lib/portal-host/saves"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guest_that_reboots_itself_is_another_domain_of_the_same_name_and_boots_on_the_same_log()
    {
        var xen = await ReadyAsync();
        var before = await AsRootAsync("xl domid");

        await guest.RebootAsync(async () => await lab.AsRootAsync($"xl domid {guest.Spec.Name} 2>/dev/null || echo {before.Trim()}") is var now && now.Trim() != before.Trim());

        Assert.Equal(DomainState.Running, (await xen.LookAsync(guest.Spec.Name, Ct)).State);
        Assert.Contains("answer-42", await guest.RunAsync("echo answer-$((6*7))"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_than_the_pool_has_is_refused_with_what_it_has()
    {
        await ReadyAsync();

        var refused = Assert.IsType<PoolFull>((await TryAsync(new DomainChange.MakeVolume(VolumeLabel.Parse("huge"), ByteSize.FromGiB(100), VolumeFormat.None))).Refusal);

        Assert.Equal(ByteSize.FromGiB(100), refused.Asked);
        Assert.InRange(refused.Free.CeilingGiB, 1, 8);
    }

    [Fact]
    public async Task A_disk_goes_back_to_its_snapshot_and_the_snapshot_stays()
    {
        await ReadyAsync();
        var label = VolumeLabel.Parse("before");
        await guest.RunAsync("echo first > /note; sync");
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.TakeSnapshot(label)));
        Assert.Equal(StepOutcome.AlreadyThere, await DoAsync(new DomainChange.TakeSnapshot(label)));
        Assert.IsType<WrongState>((await TryAsync(new DomainChange.RevertToSnapshot(label))).Refusal);
        await guest.RunAsync("echo second > /note; sync");

        await guest.OffAsync();
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.RevertToSnapshot(label)));
        // Again, as whoever repeats a step that was cut off: it is what it was either way.
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.RevertToSnapshot(label)));
        await guest.BootAsync();

        Assert.Contains("\nfirst\r", await guest.RunAsync("cat /note"), StringComparison.Ordinal);
        Assert.Contains("-sbefore", await lab.AsRootAsync("lvs --noheadings -o lv_name vgdisk"), StringComparison.Ordinal);
        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.RemoveSnapshot(label)));
    }

    [Fact]
    public async Task The_root_disk_grows_under_the_running_guest_which_sees_it()
    {
        await ReadyAsync();

        Assert.Equal(StepOutcome.Changed, await DoAsync(new DomainChange.GrowVolume(null, ByteSize.FromMiB(1100))));

        Assert.Contains("\n2252800\r", await guest.RunAsync("until [ $(cat /sys/block/xvda/size) = 2252800 ]; do echo x >> /grow; sync; sleep 1; done; cat /sys/block/xvda/size"), StringComparison.Ordinal);
        await guest.RunAsync("resize2fs /dev/xvda");
        Assert.Matches("/dev/xvda +1[0-9]{3} ", await guest.RunAsync("df -m / | tail -1"));
    }

    private async Task<IVmEngine> ReadyAsync()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        return await guest.ReadyAsync(lab);
    }

    private async Task<StepOutcome> DoAsync(DomainChange change)
    {
        var done = await TryAsync(change);
        Assert.True(done.Succeeded, $"{change}: {done.Refusal?.Message}");
        return done.Value;
    }

    private async Task<Result<StepOutcome>> TryAsync(DomainChange change) => await (await guest.ReadyAsync(lab)).ChangeAsync(guest.Fence, guest.Spec.Name, change, Ct);

    private Task<string> AsRootAsync(string command) => lab.AsRootAsync($"{command} {guest.Spec.Name}");
}

/// <summary>One guest of two processors for the tests of the class: it boots once.</summary>
public sealed class LabGuest : IAsyncLifetime
{
    private readonly LabEngine _lab = new();
    private IVmEngine? _engine;
    private GuestShell? _shell;

    internal DomainSpec Spec { get; } = An.Spec(LabHost.Instance, 41) with { Vcpus = 2, Address = An.Address("10.0.2.41") };

    internal Fence Fence => An.Fence(Spec);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    internal async Task<IVmEngine> ReadyAsync(LabHost lab)
    {
        if (_engine is null)
        {
            _engine = await _lab.GetAsync(lab, lab.Access with { SwapGroup = "vgswap" });
            Done(await _engine.EnsureRootDiskAsync(Fence, Spec, Always));
            Done(await _engine.EnsureSeedAsync(Fence, Spec, Always));
            Done(await _engine.EnsureDefinedAsync(Fence, Spec, Always));
            await BootAsync();
        }

        return _engine;
    }

    // It outlives the test that was the first to want it.
    private static CancellationToken Always => CancellationToken.None;

    internal Task<string> RunAsync(string command) => _shell!.RunAsync(command);

    internal async Task OffAsync()
    {
        await _shell!.DisposeAsync();
        Done(await _engine!.EnsureOffAsync(Fence, Spec.Name, Always));
    }

    internal async Task BootAsync()
    {
        Done(await _engine!.EnsureRunningAsync(Fence, Spec.Name, Always));
        _shell = await GuestShell.SignInAsync(_engine, Spec, Always);
    }

    /// <param name="isAnother">Whether the domain is the one after the reboot.</param>
    internal async Task RebootAsync(Func<Task<bool>> isAnother)
    {
        await _shell!.RunAsync("{ sleep 1; reboot; } & true");
        await _shell.DisposeAsync();
        // Between the two there is none for a moment.
        while (!await isAnother() || (await _engine!.LookAsync(Spec.Name, Always)).State != DomainState.Running)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        }

        _shell = await GuestShell.SignInAgainAsync(_engine!, Spec, Always);
    }

    /// <summary>After it was saved.</summary>
    internal async Task GoOnAsync()
    {
        await _shell!.DisposeAsync();
        Done(await _engine!.EnsureRunningAsync(Fence, Spec.Name, Always));
        _shell = await GuestShell.GoOnAsync(_engine, Spec, Always);
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _shell!.DisposeAsync();
            Done(await _engine.EnsureUndefinedAsync(Fence, Spec.Name, Always));
            Done(await _engine.EnsureDisksGoneAsync(Fence, Spec.Name, Always));
            await _lab.DisposeAsync();
        }
    }

    private static void Done(Result<StepOutcome> result) => Assert.True(result.Succeeded, result.Refusal?.Message);
}
