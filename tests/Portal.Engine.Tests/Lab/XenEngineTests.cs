using System.Text;
using Portal.Kernel;

namespace Portal.Engine.Tests.Lab;

/// <summary>The Xen engine on a real Xen with real LVM: all that every engine keeps to, and a guest's life.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class XenEngineTests(LabHost lab, LabEngine engine) : EngineContract, IClassFixture<LabEngine>
{
    protected override string Instance => LabHost.Instance;

    protected override IReadOnlyList<string> PlanWords { get; } = ["--snapshot --name", "-seed", "cat > /var/lib/portal-host/domains/", "nft -f", "xl create"];

    [Fact]
    public async Task A_guest_boots_once_its_host_was_mended_answers_on_its_console_keeps_its_disk_and_shuts_down_when_asked()
    {
        var xen = await EngineAsync();
        var spec = An.Spec(Instance, 21) with { Address = An.Address("10.0.2.21") };
        var fence = An.Fence(spec);
        await BuildAsync(xen, spec, 1);

        await lab.AsRootAsync($"lvchange -an vgdisk/{spec.Name.Text}");
        var refused = Assert.IsType<HostSaidNo>((await xen.EnsureRunningAsync(fence, spec.Name, Ct)).Refusal);
        TestContext.Current.TestOutputHelper?.WriteLine(refused.Message);
        Assert.Contains(spec.Name.Text, refused.Answer, StringComparison.Ordinal);
        // Its configuration is kept: what was mended is all that was missing.
        Assert.Equal(DomainState.Off, (await xen.LookAsync(spec.Name, Ct)).State);
        await lab.AsRootAsync($"lvchange -ay vgdisk/{spec.Name.Text}");
        Assert.Equal(StepOutcome.Changed, Value(await xen.EnsureRunningAsync(fence, spec.Name, Ct)));

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

        // Also of a domain that is gone: why it ended is what is asked then.
        Assert.Contains("Linux version", await xen.ReadLogAsync(spec.Name, DomainLog.Console, Ct), StringComparison.Ordinal);
        Assert.Contains("Done", await xen.ReadLogAsync(spec.Name, DomainLog.Hypervisor, Ct), StringComparison.Ordinal);
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

    [Fact]
    public async Task A_guest_has_its_root_on_a_server_in_a_directory_of_its_own_and_no_disk()
    {
        var xen = await EngineAsync();
        var server = new NfsServer(lab);
        var spec = NfsServer.Guest(23, NfsServer.Own);
        var fence = An.Fence(spec);
        await server.ServeAsync(spec);
        Value(await xen.EnsureTemplateAsync(spec.Template, Ct));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await xen.EnsureTemplateAsync(spec.Template with { Nfs = NfsServer.Shared }, Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await xen.EnsureRootDiskAsync(fence, spec, Ct)));
        Value(await xen.EnsureSeedAsync(fence, spec, Ct));
        Value(await xen.EnsureDefinedAsync(fence, spec, Ct));
        Value(await xen.EnsureRunningAsync(fence, spec.Name, Ct));

        await using (var shell = await GuestShell.SignInAsync(xen, spec, Ct))
        {
            var said = await shell.RunAsync("awk '$2 == \"/\" {print $3}' /proc/mounts; ls /sys/block; echo kept >/var/note");
            Assert.Contains("\nnfs4\r\nxvdb\r", said, StringComparison.Ordinal);
            Value(await xen.AskShutdownAsync(fence, spec.Name, Ct));
        }

        while ((await xen.LookAsync(spec.Name, Ct)).State != DomainState.Off)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Ct);
        }

        Assert.Equal("kept\n", await lab.AsRootAsync("cat /srv/nfs/own/10.0.2.23/var/note"));
        // Of a root disk, which is not there, there is no more and no snapshot.
        Assert.IsType<HostSaidNo>((await xen.ChangeAsync(fence, spec.Name, new DomainChange.GrowVolume(null, ByteSize.FromGiB(2)), Ct)).Refusal);
        Assert.IsType<HostSaidNo>((await xen.ChangeAsync(fence, spec.Name, new DomainChange.TakeSnapshot(VolumeLabel.Parse("one")), Ct)).Refusal);
        Assert.Equal(["-seed"], (await xen.ListDisksAsync(spec.Name, Ct)).Disks.Select(d => d.Suffix));
        await RemoveAsync(xen, spec, 1);
        await server.StopAsync();
    }

    [Fact]
    public async Task A_guest_shares_its_root_on_a_server_and_what_it_writes_stays_in_its_memory()
    {
        Assert.SkipUnless(LabHost.RunsAll, LabHost.TakesLong);
        var xen = await EngineAsync();
        var server = new NfsServer(lab);
        var spec = NfsServer.Guest(24, NfsServer.Shared);
        await server.ServeAsync(spec);
        Value(await xen.EnsureTemplateAsync(spec.Template, Ct));
        await BuildAsync(xen, spec, 1);
        Value(await xen.EnsureRunningAsync(An.Fence(spec), spec.Name, Ct));

        await using (var shell = await GuestShell.SignInAsync(xen, spec, Ct))
        {
            // One file is new, the other is the server's.
            var said = await shell.RunAsync("awk '$2 == \"/\" {print $3}' /proc/mounts; echo mine >/var/note; echo mine >>/etc/issue; cat /var/note; tail -n 1 /etc/issue");
            Assert.Contains("\noverlay\r\nmine\r\nmine\r", said, StringComparison.Ordinal);
        }

        Assert.Equal("", await lab.AsRootAsync("grep -rl mine /srv/nfs/shared/var /srv/nfs/shared/etc || true"));
        Value(await xen.EnsureOffAsync(An.Fence(spec), spec.Name, Ct));
        await RemoveAsync(xen, spec, 1);
        await server.StopAsync();
    }

    [Fact]
    public async Task A_survey_finds_a_host_that_works_and_its_papers_are_read()
    {
        var xen = await EngineAsync();

        var checks = await xen.SurveyAsync(Ct);
        var papers = await Task.WhenAll(xen.Papers.Select(paper => xen.ReadPaperAsync(paper, Ct)));

        Assert.All(checks.Where(c => c.Code != "clock.off"), c => Assert.True(c.Level == CheckLevel.Good, $"{c.Subject}: {c.Found}. {c.Remedy}"));
        Assert.Equal(["bridge", "clock", "consoles", "cpus", "group", "guard", "guests", "hypervisor", "kernel", "load", "memory", "pcs.none", "pool", "pool.zeroes", "tools"], checks.Select(c => c.Code.Replace(".off", "", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal));
        Assert.All(papers, Assert.NotEmpty);
        Assert.Contains(papers, paper => paper.Contains("xen_version", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_host_lacks_is_found_with_its_remedy()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        var access = lab.Access with { Bridge = "xenbr7", Pool = "thick", SwapGroup = "vgother" };
        await using var engines = new VmEngines(TimeProvider.System, new EngineOptions { WorkPath = An.Pool() }, lab.PortalKeyAsync);
        var xen = engines.For(new HostConnection(default, HostKind.Xen, LabHost.Instance, "") { Xen = access });

        var bad = (await xen.SurveyAsync(Ct)).Where(c => c.Level == CheckLevel.Bad).ToList();
        var report = await xen.ProbeAsync(Ct);

        Assert.Equal(["pool.missing", "group.forbidden", "bridge.missing"], bad.Select(c => c.Code));
        Assert.Contains("lvcreate --type thin-pool --name thick", bad[0].Remedy, StringComparison.Ordinal);
        Assert.Contains("vgdisk, vgswap", bad[1].Found, StringComparison.Ordinal);
        Assert.Contains("xenbr0", bad[2].Found, StringComparison.Ordinal);
        Assert.Equal(["pool.missing", "group.forbidden", "bridge.missing"], report.Findings.Where(f => f.Blocks).Select(f => f.Code));
    }

    [Fact]
    public async Task The_journal_has_what_was_done_and_not_what_was_asked()
    {
        var xen = await EngineAsync();
        var spec = An.Spec(Instance, 22);
        using var journal = HostJournal.Begin();

        Value(await xen.EnsureRootDiskAsync(An.Fence(spec), spec, Ct));
        Value(await xen.EnsureRootDiskAsync(An.Fence(spec), spec, Ct));
        Value(await xen.EnsureDisksGoneAsync(An.Fence(spec), spec.Name, Ct));

        Assert.Equal(["lvcreate", "lvextend", "lvremove", "rm", "rm"], journal.Lines.Select(l => l.Command.Split(' ')[0]));
        Assert.All(journal.Lines, line => Assert.Equal(0, line.ExitCode));
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
    private VmEngines? _engines;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public Task<IVmEngine> GetAsync(LabHost lab) => GetAsync(lab, lab.Access);

    public async Task<IVmEngine> GetAsync(LabHost lab, XenAccess access)
    {
        var host = new HostConnection(default, HostKind.Xen, LabHost.Instance, "") { Xen = access };
        if (_engines is null)
        {
            _engines = new VmEngines(TimeProvider.System, new EngineOptions { WorkPath = _local }, lab.PortalKeyAsync);
            var made = await _engines.For(host).EnsureTemplateAsync(TemplateImage.TinyLinux, TestContext.Current.CancellationToken);
            Assert.True(made.Succeeded, made.Refusal?.Message);
        }

        return _engines.For(host);
    }

    public async ValueTask DisposeAsync()
    {
        if (_engines is not null)
        {
            await _engines.DisposeAsync();
        }

        Directory.Delete(_local, recursive: true);
    }
}
