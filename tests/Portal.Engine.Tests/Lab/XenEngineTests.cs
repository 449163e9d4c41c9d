using System.Text;
using Portal.Engine.Tests.Live;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Lab;

/// <summary>The Xen engine on a real Xen with real LVM: all that every engine keeps to, and a guest's life.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class XenEngineTests(LabHost lab, LabEngine engine) : EngineContract, IClassFixture<LabEngine>
{
    protected override string Instance => LabHost.Instance;

    [Fact]
    public async Task A_guest_boots_answers_on_its_console_keeps_its_disk_and_shuts_down_when_asked()
    {
        var xen = await EngineAsync();
        var spec = An.Spec(Instance, 21) with { Address = An.Address("10.0.2.21") };
        var fence = An.Fence(spec);
        await BuildAsync(xen, spec, 1);
        Value(await xen.EnsureRunningAsync(fence, spec.Name, Ct));

        await using (var console = await xen.OpenConsoleAsync(spec.Name, Ct))
        {
            await using var output = console.ReadAsync(Ct).GetAsyncEnumerator(Ct);
            var heard = new StringBuilder();
            var boot = await output.UntilAsync("web-21 login: ", heard);
            Assert.Contains("Linux version", boot, StringComparison.Ordinal);
            await console.WriteAsync("root\n"u8.ToArray(), Ct);
            await output.UntilAsync("root@web-21:~# ", heard);
            await console.WriteAsync("uname -n; df -m / | tail -1; echo kept > note; echo answer-$((6*7))\n"u8.ToArray(), Ct);
            var answer = await output.UntilAsync("answer-42", heard);
            Assert.Contains("\nweb-21\r", answer, StringComparison.Ordinal);
            Assert.Matches("/dev/xvda +9[0-9]{2} ", answer);

            Assert.Equal(StepOutcome.Changed, Value(await xen.AskShutdownAsync(fence, spec.Name, Ct)));
            while (await output.MoveNextAsync())
            {
                // To its end: the console ends with the domain.
            }
        }

        var off = (await xen.ListDomainsAsync(Ct)).Single(d => d.Name == spec.Name);
        Assert.Equal((DomainState.Off, true), (off.State, off.ByGuest));
        Value(await xen.EnsureRunningAsync(fence, spec.Name, Ct));
        await using (var again = await xen.OpenConsoleAsync(spec.Name, Ct))
        {
            await using var output = again.ReadAsync(Ct).GetAsyncEnumerator(Ct);
            var heard = new StringBuilder();
            var boot = await output.UntilAsync("web-21 login: ", heard);
            // The console begins with this boot, and the disk was left in order.
            Assert.Equal(1, boot.Split("Linux version").Length - 1);
            Assert.DoesNotContain("recovery", boot, StringComparison.Ordinal);
            await again.WriteAsync("root\n"u8.ToArray(), Ct);
            await output.UntilAsync("root@web-21:~# ", heard);
            await again.WriteAsync("cat note\n"u8.ToArray(), Ct);
            await output.UntilAsync("kept\r", heard);
        }

        Value(await xen.EnsureOffAsync(fence, spec.Name, Ct));
        Assert.False((await xen.ListDomainsAsync(Ct)).Single(d => d.Name == spec.Name).ByGuest);
        await RemoveAsync(xen, spec, 1);
        Assert.DoesNotContain(spec.Name.Text, await lab.AsRootAsync("lvs --noheadings -o lv_name; ls /var/lib/portal-host/* /var/log/xen/console"), StringComparison.Ordinal);
    }

    protected override async Task BuildOfAnotherAsync(IVmEngine engine, DomainSpec others)
    {
        await Assert.ThrowsAsync<HostFaultException>(() => engine.EnsureRootDiskAsync(An.Fence(others), others, Ct));
        await lab.AsRootAsync($"lvcreate -qy -V 64m --thinpool thin -n {others.Name.Text} vgdisk && touch /var/lib/portal-host/domains/{others.Name.Text}");
    }

    protected override async Task RemoveOfAnotherAsync(IVmEngine engine, DomainSpec others) =>
        await lab.AsRootAsync($"lvremove -qy vgdisk/{others.Name.Text} && rm /var/lib/portal-host/domains/{others.Name.Text}");

    protected override async Task<IVmEngine> EngineAsync()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        return await engine.GetAsync(lab);
    }
}

/// <summary>One engine for the tests of the class, with the template on the host.</summary>
public sealed class LabEngine : IAsyncLifetime
{
    private readonly string _local = An.Pool();
    private XenEngine? _engine;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async Task<IVmEngine> GetAsync(LabHost lab)
    {
        if (_engine is null)
        {
            _engine = new XenEngine(
                new HostConnection(HostId.New(), HostKind.LocalLibvirt, LabHost.Instance, _local), new XenStorage("vgdisk", "thin", "xenbr0"), lab.Shell(), LibvirtHost.Shell, TimeProvider.System);
            var made = await _engine.EnsureTemplateAsync(TemplateImage.TinyLinux, TestContext.Current.CancellationToken);
            Assert.True(made.Succeeded, made.Refusal?.Message);
        }

        return _engine;
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        Directory.Delete(_local, recursive: true);
    }
}
