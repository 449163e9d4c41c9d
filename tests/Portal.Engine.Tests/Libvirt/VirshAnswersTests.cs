using Portal.Engine.Libvirt;
using Portal.Engine.Shell;

namespace Portal.Engine.Tests.Libvirt;

public sealed class VirshAnswersTests
{
    [Fact]
    public void States_of_all_domains_are_read()
    {
        Assert.Equal(
            [("pdeadbeef-0190a5d5c0ffee00a1b2c3d4e5f60718-g1", DomainState.Running), ("someone's", DomainState.Off)],
            VirshAnswers.States(RecordedShell.File("libvirt-9.0.0-domstats.out")));
        Assert.Contains(("pdeadbeef-0190a5d5c0ffee00a1b2c3d4e5f60718-g1", DomainState.Crashed), VirshAnswers.States(RecordedShell.File("libvirt-9.0.0-domstats-crashed.out")));
        Assert.Empty(VirshAnswers.States("\n"));
    }

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
