using Portal.Engine.Libvirt;
using Portal.Engine.Shell;

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
