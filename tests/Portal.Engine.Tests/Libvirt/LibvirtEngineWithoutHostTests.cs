using Portal.Engine.Libvirt;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Tests.Libvirt;

/// <summary>What a real host does not do on request, out of recorded answers.</summary>
public sealed class LibvirtEngineWithoutHostTests : IDisposable
{
    private readonly string _pool = An.Pool();
    private readonly string _instance = An.Instance();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Libvirtd_gone_is_a_fault_that_says_how_to_start_it_and_a_finding()
    {
        await using var engine = Engine(command => command.Program == "du" ? new HostAnswer(0, "0\t/pool\n", "") : new HostAnswer(1, "", RecordedShell.File("libvirt-9.0.0-gone.err")));
        var spec = An.Spec(_instance);

        var fault = await Assert.ThrowsAsync<HostFaultException>(() => engine.EnsureOffAsync(An.Fence(spec), spec.Name, Ct));
        Assert.Contains("systemctl start libvirtd", fault.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HostFaultException>(() => engine.ListDomainsAsync(Ct));

        var finding = Assert.Single((await engine.ProbeAsync(Ct)).Findings, finding => finding.Code == "libvirt.unreachable");
        Assert.True(finding.Blocks);
    }

    [Fact]
    public async Task A_pool_without_room_refuses_and_leaves_nothing()
    {
        var full = new HostAnswer(1, "", "qemu-img: /pool/x: Could not create 'x': No space left on device\n");
        await using var engine = Engine(command => command.Arguments.Contains("create") ? full : Info());
        var spec = An.Spec(_instance);
        Template(spec);

        Assert.IsType<PoolFull>((await engine.EnsureRootDiskAsync(An.Fence(spec), spec, Ct)).Refusal);
        Assert.Empty(await engine.ListVolumesAsync(Ct));
    }

    [Fact]
    public async Task An_instance_sees_only_its_own_in_one_command()
    {
        var shell = new RecordedShell(_ => new HostAnswer(0, RecordedShell.File("libvirt-9.0.0-domstats.out"), ""));
        await using var engine = new LibvirtEngine(new HostConnection(HostId.New(), HostKind.LocalLibvirt, "deadbeef", _pool), shell, TimeProvider.System);

        Assert.Equal(DomainState.Running, Assert.Single(await engine.ListDomainsAsync(Ct)).State);
        Assert.Equal(["virsh --connect qemu:///system --quiet domstats --state --nowait"], shell.Asked);
    }

    [Fact]
    public async Task A_domain_that_vanished_between_look_and_act_is_off()
    {
        var looks = 0;
        await using var engine = Engine(command => command.Arguments.Contains("domstats")
            ? new HostAnswer(0, $"Domain: 'x'\n  state.state={(looks++ == 0 ? 1 : 5)}\n  state.reason=1\n", "")
            : new HostAnswer(1, "", RecordedShell.File("libvirt-9.0.0-off.err")));
        var spec = An.Spec(_instance);

        Assert.True((await engine.EnsureOffAsync(An.Fence(spec), spec.Name, Ct)).Succeeded);
    }

    [Fact]
    public async Task What_libvirt_says_it_did_is_looked_at()
    {
        await using var engine = Engine(_ => new HostAnswer(0, "Domain: 'x'\n  state.state=1\n  state.reason=1\n", ""));
        var spec = An.Spec(_instance);

        await Assert.ThrowsAsync<HostFaultException>(() => engine.EnsureOffAsync(An.Fence(spec), spec.Name, Ct));
    }

    [Fact]
    public async Task A_pool_behind_a_closed_directory_is_found()
    {
        var closed = Path.Combine(_pool, "closed");
        Directory.CreateDirectory(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var shell = new RecordedShell(_ => new HostAnswer(0, RecordedShell.File("libvirt-9.0.0-version.out"), ""));
        await using var engine = new LibvirtEngine(new HostConnection(HostId.New(), HostKind.LocalLibvirt, _instance, Path.Combine(closed, "pool")), shell, TimeProvider.System);

        var finding = Assert.Single((await engine.ProbeAsync(Ct)).Findings, finding => finding.Code == "pool.closed");

        Assert.Contains($"chmod o+x {closed}", finding.Remedy, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_pool, recursive: true);

    private static HostAnswer Info() => new(0, RecordedShell.File("qemu-img-7.2-overlay.json").Replace("2147483648", "67108864", StringComparison.Ordinal), "");

    private LibvirtEngine Engine(Func<HostCommand, HostAnswer> answer) =>
        new(new HostConnection(HostId.New(), HostKind.LocalLibvirt, _instance, _pool), new RecordedShell(answer), TimeProvider.System);

    private void Template(DomainSpec spec)
    {
        var pool = new PoolLayout(_pool);
        pool.Create();
        File.WriteAllText(pool.TemplateDisk(spec.Template), "");
    }
}
