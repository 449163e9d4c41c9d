namespace Portal.Engine.Tests.Live;

[Collection(nameof(LibvirtHost))]
public sealed class LibvirtEngineTests(LibvirtHost host) : EngineContract
{
    protected override string Instance => host.Instance;

    protected override IReadOnlyList<string> PlanWords { get; } = ["qemu-img create", "genisoimage", "define", "start"];

    [Fact]
    public async Task A_saved_guest_goes_on_where_it_was_and_its_console_too()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance, 31);
        var fence = An.Fence(spec);
        await BuildAsync(engine, spec, 1);
        Value(await engine.EnsureRunningAsync(fence, spec.Name, Ct));
        await using (var guest = await GuestShell.SignInAsync(engine, spec, Ct))
        {
            await guest.RunAsync("kept=in-memory");
        }

        Assert.Equal(StepOutcome.Changed, Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Save(), Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Save(), Ct)));
        Assert.Equal(DomainState.Off, (await engine.LookAsync(spec.Name, Ct)).State);
        Value(await engine.EnsureRunningAsync(fence, spec.Name, Ct));

        await using (var guest = await GuestShell.GoOnAsync(engine, spec, Ct))
        {
            Assert.Contains("in-memory", await guest.RunAsync("echo $kept"), StringComparison.Ordinal);
        }

        Value(await engine.ChangeAsync(fence, spec.Name, new DomainChange.Save(), Ct));
        Assert.Equal(StepOutcome.Changed, Value(await engine.EnsureOffAsync(fence, spec.Name, Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.EnsureOffAsync(fence, spec.Name, Ct)));
        await RemoveAsync(engine, spec, 1);
    }

    [Fact]
    public async Task Another_portals_domain_and_files_are_never_touched()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        var fence = An.Fence(spec);
        var disk = Path.Combine(host.PoolPath, "disks", spec.Name.Text + ".qcow2");
        var seed = Path.Combine(host.PoolPath, "seeds", spec.Name.Text + ".iso");
        await BuildAsync(engine, spec, 1);
        await engine.EnsureDisksGoneAsync(fence, spec.Name, Ct);

        await LibvirtHost.Shell.RunAsync(new("qemu-img", ["create", "-q", "-f", "qcow2", disk, "1G"], TimeSpan.FromSeconds(20)), Ct);
        await File.WriteAllTextAsync(seed, new string('x', 40_000), Ct);

        Assert.Equal(new Occupied(disk), (await engine.EnsureRootDiskAsync(fence, spec, Ct)).Refusal);
        Assert.Equal(new Occupied(seed), (await engine.EnsureSeedAsync(fence, spec, Ct)).Refusal);
        await RemoveAsync(engine, spec, 1);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(40)]
    public async Task A_pool_on_a_full_disk_says_so_and_keeps_nothing_half_made(int sizeMiB)
    {
        await EngineAsync(); // for its libvirtd
        var pool = An.Pool();
        var mount = await LibvirtHost.Shell.RunAsync(new("mount", ["-t", "tmpfs", "-o", $"size={sizeMiB}m,mode=711", "tmpfs", pool], TimeSpan.FromSeconds(10)), Ct);
        Assert.SkipUnless(mount.Succeeded, $"This machine lets nobody mount a small disk: {mount.Error}");
        try
        {
            await using var engine = new Engine.Libvirt.LibvirtEngine(new HostConnection(Kernel.HostId.New(), HostKind.LocalLibvirt, Instance, pool), LibvirtHost.Shell, TimeProvider.System);

            var refusal = (await engine.EnsureTemplateAsync(TemplateImage.TinyLinux, Ct)).Refusal;

            Assert.IsType<PoolFull>(refusal);
            Assert.Equal([".lock"], Directory.GetFileSystemEntries(Path.Combine(pool, "templates")).Select(Path.GetFileName));
        }
        finally
        {
            await LibvirtHost.Shell.RunAsync(new("umount", [pool], TimeSpan.FromSeconds(10)), CancellationToken.None);
            Directory.Delete(pool, recursive: true);
        }
    }

    [Fact]
    public async Task A_root_disk_that_a_full_pool_cannot_hold_is_refused()
    {
        await EngineAsync();
        var pool = An.Pool();
        var spec = An.Spec(Instance);
        var templates = Directory.GetFiles(Path.Combine(host.PoolPath, "templates"), "tiny-linux-*");
        var size = (templates.Sum(file => new FileInfo(file).Length) >> 20) + 32;
        var mount = await LibvirtHost.Shell.RunAsync(new("mount", ["-t", "tmpfs", "-o", $"size={size}m,mode=711", "tmpfs", pool], TimeSpan.FromSeconds(10)), Ct);
        Assert.SkipUnless(mount.Succeeded, $"This machine lets nobody mount a small disk: {mount.Error}");
        try
        {
            Directory.CreateDirectory(Path.Combine(pool, "templates"));
            foreach (var file in templates)
            {
                File.Copy(file, Path.Combine(pool, "templates", Path.GetFileName(file)));
            }

            await using var engine = new Engine.Libvirt.LibvirtEngine(new HostConnection(Kernel.HostId.New(), HostKind.LocalLibvirt, Instance, pool), LibvirtHost.Shell, TimeProvider.System);

            Assert.IsType<PoolFull>((await engine.EnsureRootDiskAsync(An.Fence(spec), spec, Ct)).Refusal);

            Assert.Empty(Directory.GetFiles(Path.Combine(pool, "disks")));
        }
        finally
        {
            await LibvirtHost.Shell.RunAsync(new("umount", [pool], TimeSpan.FromSeconds(10)), CancellationToken.None);
            Directory.Delete(pool, recursive: true);
        }
    }

    [Fact]
    public async Task What_a_killed_portal_left_half_made_is_made_anew()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        var fence = An.Fence(spec);
        await File.WriteAllTextAsync(Path.Combine(host.PoolPath, "disks", spec.Name.Text + ".qcow2.partial"), "half", Ct);
        await File.WriteAllTextAsync(Path.Combine(host.PoolPath, "seeds", spec.Name.Text + ".iso.partial"), "half", Ct);
        Directory.CreateDirectory(Path.Combine(host.PoolPath, "seeds", spec.Name.Text + ".iso.partial.d"));

        await BuildAsync(engine, spec, 1);
        Value(await engine.EnsureRunningAsync(fence, spec.Name, Ct));

        await RemoveAsync(engine, spec, 1);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(host.PoolPath, "*", SearchOption.AllDirectories), path => path.Contains(spec.Name.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_seed_with_other_content_replaces_the_old_one()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        await BuildAsync(engine, spec, 1);

        var renamed = spec with { HostName = Kernel.VmName.Parse("renamed") };
        Assert.Equal(StepOutcome.Changed, Value(await engine.EnsureSeedAsync(An.Fence(spec), renamed, Ct)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await engine.EnsureSeedAsync(An.Fence(spec), renamed, Ct)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(host.PoolPath, "seeds", spec.Name.Text + ".iso")));
        await RemoveAsync(engine, spec, 1);
    }

    [Fact]
    public async Task A_plan_smaller_than_the_template_and_a_wrong_gateway_are_refused()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance) with { Disk = Kernel.ByteSize.FromMiB(16) };
        Assert.IsType<HostSaidNo>((await engine.EnsureRootDiskAsync(An.Fence(spec), spec, Ct)).Refusal);

        var lost = spec with { Address = spec.Address with { Gateway = System.Net.IPAddress.Parse("10.77.0.1") } };
        var refusal = Assert.IsType<HostSaidNo>((await engine.EnsureSeedAsync(An.Fence(spec), lost, Ct)).Refusal);
        Assert.Contains("10.77.2.2", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_portal_reads_along_and_takes_the_keyboard_when_the_first_lets_go()
    {
        var engine = await EngineAsync();
        var spec = An.Spec(Instance);
        await BuildAsync(engine, spec, 1);
        Value(await engine.EnsureRunningAsync(An.Fence(spec), spec.Name, Ct));
        await using var other = host.Another();

        var first = await engine.OpenConsoleAsync(spec.Name, Ct);
        await first.WriteAsync("x"u8.ToArray(), Ct);
        await using var second = await other.OpenConsoleAsync(spec.Name, Ct);
        await using var output = second.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        await output.UntilAsync("Linux version", new());
        await first.DisposeAsync();

        await second.WriteAsync("x"u8.ToArray(), Ct);
        await RemoveAsync(engine, spec, 1);
    }

    protected override Task<IVmEngine> EngineAsync() => host.EngineAsync();
}
