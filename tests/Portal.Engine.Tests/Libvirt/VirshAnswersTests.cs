using Portal.Engine.Libvirt;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Tests.Libvirt;

public sealed class VirshAnswersTests
{
    [Fact]
    public void States_of_all_domains_are_read()
    {
        Assert.Equal(
            [("pdeadbeef-0190a5d5c0ffee00a1b2c3d4e5f60718-g1", DomainState.Running, false), ("someone's", DomainState.Off, false)],
            VirshAnswers.States(RecordedShell.File("libvirt-9.0.0-domstats.out")));
        Assert.Contains(("pdeadbeef-0190a5d5c0ffee00a1b2c3d4e5f60718-g1", DomainState.Crashed, false), VirshAnswers.States(RecordedShell.File("libvirt-9.0.0-domstats-crashed.out")));
        Assert.Empty(VirshAnswers.States("\n"));
    }

    /// <summary>virDomainShutoffReason: 1 is the guest's own shutdown; 0 is what a host says after its own reboot, 2 a power taken away.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(0, false)]
    [InlineData(2, false)]
    public void Only_a_guest_that_shut_itself_down_is_off_by_its_own_will(int reason, bool byGuest) =>
        Assert.Equal([("x", DomainState.Off, byGuest)], VirshAnswers.States($"Domain: 'x'\n  state.state=5\n  state.reason={reason}\n"));

    [Fact]
    public void A_state_that_is_not_known_is_a_fault_and_not_a_guess()
    {
        Assert.Throws<HostFaultException>(() => VirshAnswers.States("Domain: 'x'\n  state.state=99\n"));
        Assert.Throws<HostFaultException>(() => VirshAnswers.States("Domain: 'x'\n  state.state=on\n"));
        Assert.Throws<HostFaultException>(() => VirshAnswers.States("  state.state=1\n"));
    }

    [Fact]
    public void Versions_are_read() =>
        Assert.Equal(("9.0.0", "7.2.22"), VirshAnswers.Versions(RecordedShell.File("libvirt-9.0.0-version.out")));

    [Fact]
    public void What_a_guest_keeps_of_its_memory_is_read()
    {
        Assert.Equal(ByteSize.FromMiB(192), VirshAnswers.Memory(RecordedShell.File("libvirt-9.0.0-balloon.out")));
        Assert.Throws<HostFaultException>(() => VirshAnswers.Memory("Domain: 'x'\n  balloon.maximum=196608\n"));
    }

    [Fact]
    public void Pins_are_read()
    {
        var pins = VirshAnswers.Pins(RecordedShell.File("libvirt-9.0.0-vcpupin.out"));

        Assert.Equal([0, 1, 2], pins.Select(pin => pin.Vcpu));
        Assert.Equal([0, 1], pins[0].Cpus.Order());
        Assert.Equal([1], pins[2].Cpus);
        Assert.Equal([0, 1, 2, 3, 7], Assert.Single(VirshAnswers.Pins(" 0   0-3,7\n")).Cpus.Order());
        Assert.Equal([0, 1], VirshAnswers.Cpus(RecordedShell.File("libvirt-9.0.0-nodecpumap.out")).Order());
        Assert.Throws<HostFaultException>(() => VirshAnswers.Pins("no pins\n"));
        Assert.Throws<HostFaultException>(() => VirshAnswers.Pins(""));
        Assert.Throws<HostFaultException>(() => VirshAnswers.Cpus(""));
    }

    [Fact]
    public void A_share_is_read_and_means_the_same_whatever_the_hosts_period_is()
    {
        Assert.Equal(CpuShare.Of(512, 150, unified: false), VirshAnswers.Share(RecordedShell.File("libvirt-9.0.0-schedinfo.out")));
        Assert.Equal(CpuShare.Of(256, 0, unified: false), VirshAnswers.Share("cpu_shares     : 1024\nglobal_period  : 100000\nglobal_quota   : -1\n"));
        Assert.Equal(CpuShare.Of(256, 50, unified: true), VirshAnswers.Share("cpu_shares     : 100\nglobal_period  : 10000\nglobal_quota   : 5000\n"));
        Assert.Equal(CpuShare.Of(256, 0, unified: true), VirshAnswers.Share("cpu_shares     : 100\nglobal_period  : 100000\nglobal_quota   : 17592186044415000\n"));
        Assert.Throws<HostFaultException>(() => VirshAnswers.Share("Scheduler      : posix\n"));
        Assert.Equal((25600, 10_000), (CpuShare.MostWeight(unified: true), CpuShare.Of(25600, 0, unified: true).Shares));
        Assert.Equal((262140, -1), (CpuShare.Of(65535, 0, unified: false).Shares, CpuShare.Of(65535, 0, unified: false).Quota));
    }

    [Fact]
    public void Commands_are_what_virsh_reads()
    {
        Assert.Equal("virsh --connect qemu:///system --quiet send-key x KEY_LEFTALT KEY_SYSRQ KEY_S", VirshCommands.SysRq("x", 's').ToString());
        Assert.Equal("virsh --connect qemu:///system --quiet setmem x 163840KiB --live", VirshCommands.SetMemory("x", ByteSize.FromMiB(160)).ToString());
        Assert.Equal(
            "virsh --connect qemu:///system --quiet schedinfo x --live --set cpu_shares=2048 --set global_period=100000 --set global_quota=150000",
            VirshCommands.SetShare("x", CpuShare.Of(512, 150, unified: false)).ToString());
    }

    [Fact]
    public void Complaints_are_told_apart()
    {
        Assert.True(VirshAnswers.IsUnreachable(Said("libvirt-9.0.0-gone.err")));
        Assert.True(VirshAnswers.IsAbsent(Said("libvirt-9.0.0-absent.err")));
        Assert.True(VirshAnswers.IsNotRunning(Said("libvirt-9.0.0-off.err")));
        Assert.True(VirshAnswers.IsAlreadyRunning(Said("libvirt-9.0.0-running.err")));
        Assert.False(VirshAnswers.IsUnreachable(Said("libvirt-9.0.0-absent.err")));
        Assert.False(VirshAnswers.IsAbsent(Said("libvirt-9.0.0-off.err")));
        Assert.Equal("Requested operation is not valid: domain is not running", VirshAnswers.Complaint(Said("libvirt-9.0.0-off.err")));
        Assert.Equal("exit code 1", VirshAnswers.Complaint(new HostAnswer(1, "", "")));
    }

    private static HostAnswer Said(string file) => new(1, "", RecordedShell.File(file));
}
