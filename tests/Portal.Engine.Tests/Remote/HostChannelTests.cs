using System.Diagnostics;
using System.Globalization;
using System.Text;
using CsCheck;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Remote;

/// <summary>The portal's end and the host's end of the channel, with each other.</summary>
public sealed class HostChannelTests : IDisposable
{
    private static readonly VmId s_vm = new(Guid.Parse("0190a5b0-0000-7000-8000-00000000beef"));
    private static readonly string s_domain = new DomainName(PortalHost.Instance, s_vm, 1).Text;

    private readonly PortalHost _host = new();

    [Fact]
    public async Task A_command_answers_with_its_output_and_its_code()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);

        var kernel = await channel.RunAsync(Command("uname", ["--kernel-release"]), ct);
        var absent = await channel.RunAsync(Command("get", [$"domains/{s_domain}"]), ct);

        Assert.Equal((0, File.ReadAllText("/proc/sys/kernel/osrelease"), ""), (kernel.ExitCode, kernel.Output, kernel.Error));
        Assert.Equal((2, ""), (absent.ExitCode, absent.Output));
        Assert.Contains("No such file", absent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_of_the_portals_own_are_put_whole_listed_read_and_removed()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);
        var content = string.Concat(Enumerable.Range(0, 400_000).Select(n => $"{n} ä\n"));

        var put = await channel.RunAsync(Fenced(1, "put", $"seeds/{s_domain}") with { Input = content }, ct);
        var listed = await channel.RunAsync(Command("list", ["seeds"]), ct);
        var read = await channel.RunAsync(Command("get", [$"seeds/{s_domain}"]), ct);
        var removed = await channel.RunAsync(Fenced(1, "remove", $"seeds/{s_domain}"), ct);
        var again = await channel.RunAsync(Fenced(1, "remove", $"seeds/{s_domain}"), ct);
        var after = await channel.RunAsync(Command("list", ["seeds"]), ct);

        Assert.Equal((0, ""), (put.ExitCode, put.Error));
        Assert.Equal(s_domain + "\n", listed.Output);
        Assert.Equal(content[..(4 << 19)], read.Output[..(4 << 19)]);
        Assert.Equal((0, 0, ""), (removed.ExitCode, again.ExitCode, after.Output));
    }

    [Fact]
    public async Task A_console_that_prints_for_ever_takes_no_more_than_its_share_of_the_disk_and_is_read_on_at_the_same_place()
    {
        var ct = TestContext.Current.CancellationToken;
        var log = Path.Combine(Directory.CreateDirectory(Path.Combine(_host.Base, "console")).FullName, $"guest-{s_domain}.log");
        await using (var file = File.Create(log))
        {
            await file.WriteAsync(Enumerable.Repeat((byte)'y', 20 << 20).ToArray(), ct);
        }

        await using var channel = await _host.ConnectAsync(ct);
        Assert.Contains("vg vg0\nvg vg.swap\npool vg0/thin\ndevice /dev/sdb1\n", (await channel.RunAsync(Command("facts", []), ct)).Output, StringComparison.Ordinal);
        var end = await channel.RunAsync(Command("tail", ["--bytes", "5", log]), ct);
        await File.AppendAllTextAsync(log, "last words", ct);
        var heard = new StringBuilder();
        await using (await channel.OpenAsync(Command("follow", [s_domain, "0"]), came => { lock (heard) { heard.Append(Encoding.ASCII.GetString(came.Span)); } }, ct))
        {
            while (!Ended())
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, ct);
            }
        }

        Assert.Equal("yyyyy", end.Output);
        Assert.Equal((20 << 20) + 10, new FileInfo(log).Length);
        using var du = Process.Start(new ProcessStartInfo("du", ["--block-size=1", log]) { RedirectStandardOutput = true })!;
        Assert.InRange(long.Parse((await du.StandardOutput.ReadToEndAsync(ct)).Split('\t')[0], CultureInfo.InvariantCulture), 1 << 20, 2 << 20);
        var at = heard.ToString().Split('\n')[0];
        Assert.Matches("^at [0-9]+$", at);
        // Where it begins and what came add up to all that was ever printed, so that who reads on misses nothing and reads nothing twice.
        Assert.Equal((20 << 20) + 10, long.Parse(at[3..], CultureInfo.InvariantCulture) + heard.Length - at.Length - 1);

        bool Ended()
        {
            lock (heard)
            {
                return heard.ToString().EndsWith("last words", StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task What_its_root_has_said_anew_counts_from_the_next_command_on()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);
        Assert.Contains("forbidden", (await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(Command("blockdev", ["--getsize64", $"/dev/more/{s_domain}"]), ct))).Message, StringComparison.Ordinal);

        _host.Configure("vg more");

        await Assert.ThrowsAsync<HostOutdatedException>(() => channel.RunAsync(Command("facts", []), ct));
        await using var next = await _host.ConnectAsync(ct);
        Assert.False((await next.RunAsync(Command("blockdev", ["--getsize64", $"/dev/more/{s_domain}"]), ct)).Succeeded);
    }

    [Fact]
    public async Task Who_works_on_a_host_whose_root_says_something_anew_notices_nothing_of_it()
    {
        var ct = TestContext.Current.CancellationToken;
        List<PortalHost.Link> links = [];
        await using var shell = new SshShell(_ => Task.FromResult<IHostLink>(_host.Started(links)), TimeProvider.System);
        Assert.True((await shell.RunAsync(Command("facts", []), ct)).Succeeded);
        // The VM's lock is held, so that what changes it is under way until it is let go.
        var fence = Path.Combine(_host.Base, "fences", $"{s_vm.Value:N}");
        Assert.True((await shell.RunAsync(Fenced(1, "remove", $"seeds/{s_domain}"), ct)).Succeeded);
        using var holder = Process.Start(new ProcessStartInfo("flock", [fence, "sh", "-c", "echo held; read line"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await holder.StandardOutput.ReadLineAsync(ct);
        var begun = shell.RunAsync(Fenced(1, "put", $"seeds/{s_domain}") with { Input = "begun before" }, ct);
        Assert.True((await shell.RunAsync(Command("facts", []), ct)).Succeeded);

        _host.Configure("vg more");
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => shell.RunAsync(Command("facts", []), ct)));

        Assert.All(answers, a => Assert.Contains("vg more", a.Output, StringComparison.Ordinal));
        Assert.Equal(2, shell.Connections);
        Assert.False(begun.IsCompleted);
        Assert.False(links[0].HasEnded);
        await holder.StandardInput.WriteLineAsync();
        await holder.WaitForExitAsync(ct);
        Assert.True((await begun).Succeeded);
        Assert.Equal("begun before", (await shell.RunAsync(Command("get", [$"seeds/{s_domain}"]), ct)).Output);
        await links[0].Ended;
    }

    [Fact]
    public async Task A_console_that_has_said_much_is_read_from_near_its_end_on()
    {
        var ct = TestContext.Current.CancellationToken;
        var log = Path.Combine(Directory.CreateDirectory(Path.Combine(_host.Base, "console")).FullName, $"guest-{s_domain}.log");
        await File.WriteAllTextAsync(log, new string('y', 100_000) + "last words", ct);
        var heard = new StringBuilder();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await using var channel = await _host.ConnectAsync(ct);
        await using (await channel.OpenAsync(Command("follow", [s_domain, "0", "14"]), Came, ct))
        {
            await ended.Task.WaitAsync(ct);
        }

        Assert.Equal("at 99996\nyyyylast words", heard.ToString());

        void Came(ReadOnlyMemory<byte> bytes)
        {
            heard.Append(Encoding.ASCII.GetString(bytes.Span));
            if (heard.ToString().EndsWith("words", StringComparison.Ordinal))
            {
                ended.TrySetResult();
            }
        }
    }

    [Fact]
    public async Task Sixty_at_once_each_have_their_own_answer()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);
        var names = Enumerable.Range(1, 60).Select(n => new DomainName(PortalHost.Instance, s_vm, n).Text).ToList();

        await Task.WhenAll(names.Select(n => channel.RunAsync(Fenced(1, "put", $"seeds/{n}") with { Input = n }, ct)));
        var read = await Task.WhenAll(names.Select(n => channel.RunAsync(Command("get", [$"seeds/{n}"]), ct)));

        Assert.Equal(names, read.Select(r => r.Output));
    }

    [Fact]
    public async Task A_lower_epoch_than_the_highest_ever_seen_is_refused_also_by_another_portal_host()
    {
        var ct = TestContext.Current.CancellationToken;
        await using (var first = await _host.ConnectAsync(ct))
        {
            Assert.Equal(0, (await first.RunAsync(Fenced(7, "put", $"seeds/{s_domain}") with { Input = "new" }, ct)).ExitCode);
        }

        await using var second = await _host.ConnectAsync(ct);
        var late = await second.RunAsync(Fenced(6, "put", $"seeds/{s_domain}") with { Input = "old" }, ct);
        var same = await second.RunAsync(Fenced(7, "remove", $"seeds/{s_domain}"), ct);

        Assert.Equal("fenced 6 7\n", late.Error);
        Assert.Equal(RemoteAnswers.FencedCode, late.ExitCode);
        Assert.Equal(new FencedOff(6, 7), RemoteAnswers.Fenced(late));
        Assert.Equal(0, same.ExitCode);
        Assert.Null(RemoteAnswers.Fenced(same));
    }

    [Fact]
    public async Task What_a_portal_that_went_had_begun_runs_on_and_its_successor_waits_for_it()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var link = _host.Start();
        var first = new HostChannel(link, TimeProvider.System);
        await first.GreetedAsync(TimeSpan.FromSeconds(30), ct);
        var fence = Path.Combine(_host.Base, "fences", s_vm.Value.ToString("N"));
        // Something that holds the VM's lock for as long as we like: a command of the first portal then waits in the middle of its work.
        using var pause = new FileStream(Touch(fence), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        var cut = first.RunAsync(Fenced(1, "put", $"seeds/{s_domain}") with { Input = "of the first" }, ct);
        await UntilAsync(() => Waiting(fence) == 1, ct);
        link.Break();
        // Its end was seen, and the command goes on all the same.
        await using var second = await _host.ConnectAsync(ct);
        var read = second.RunAsync(Fenced(2, "get", $"seeds/{s_domain}"), ct);
        await UntilAsync(() => Waiting(fence) == 2, ct);
        Assert.False(link.HasEnded);

        pause.Dispose();

        await Assert.ThrowsAsync<HostFaultException>(() => cut);
        Assert.Contains((await read).Output, (string[])["of the first", ""]);
        await UntilAsync(() => link.HasEnded, ct);
    }

    [Fact]
    public async Task What_portal_host_writes_itself_holds_its_vms_fence_to_the_end()
    {
        var ct = TestContext.Current.CancellationToken;
        var first = await _host.ConnectAsync(ct);
        await using var next = await _host.ConnectAsync(ct);
        Assert.True((await first.RunAsync(Fenced(1, "remove", $"seeds/{s_domain}"), ct)).Succeeded);
        using var stat = Process.Start(new ProcessStartInfo("stat", ["--format=%i", Path.Combine(_host.Base, "fences", $"{s_vm.Value:N}")]) { RedirectStandardOutput = true })!;
        var inode = (await stat.StandardOutput.ReadToEndAsync(ct)).Trim();
        // Its input has not ended, so it is under way.
        var begun = await first.OpenAsync(Fenced(1, "put", $"seeds/{s_domain}"), _ => { }, ct);
        await LockedAsync($":{inode} ", held => !held.Contains("->", StringComparison.Ordinal));

        var successor = next.RunAsync(Fenced(2, "remove", $"seeds/{s_domain}"), ct);
        await LockedAsync($":{inode} ", held => held.Contains("->", StringComparison.Ordinal));

        Assert.False(successor.IsCompleted);
        await first.DisposeAsync();
        Assert.True((await successor).Succeeded);
        await begun.DisposeAsync();

        async Task LockedAsync(string file, Func<string, bool> how)
        {
            while (!File.ReadLines("/proc/locks").Any(line => line.Contains(file, StringComparison.Ordinal) && how(line)))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, ct);
            }
        }
    }

    [Fact]
    public async Task A_command_beyond_its_time_is_stopped_and_one_that_is_called_off_ends_at_once()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);
        var fence = Path.Combine(_host.Base, "fences", s_vm.Value.ToString("N"));
        using var pause = new FileStream(Touch(fence), FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        var late = await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(Fenced(1, "remove", $"seeds/{s_domain}") with { Timeout = TimeSpan.FromSeconds(1) }, ct));
        using var calledOff = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var waits = channel.RunAsync(Fenced(1, "remove", $"seeds/{s_domain}"), calledOff.Token);
        await UntilAsync(() => Waiting(fence) == 1, ct);
        await calledOff.CancelAsync();

        Assert.Contains("was not done after 1 s", late.Message, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        await UntilAsync(() => Waiting(fence) == 0, ct);
        Assert.Equal(0, (await channel.RunAsync(Command("uname", ["--kernel-release"]), ct)).ExitCode);
    }

    [Theory]
    [InlineData("sh", "-c", "id")]
    [InlineData("/bin/sh", "-c", "id")]
    [InlineData("perl", "-e", "1")]
    [InlineData("cat", "/etc/shadow")]
    [InlineData("cat", "/proc/../etc/shadow")]
    [InlineData("lvremove", "--yes", "vg0/system")]
    [InlineData("lvremove", "--yes", "other/p0123abcd-0190a5b00000700080000000000beef0-g1")]
    [InlineData("lvextend", "--size", "1073741824b", "vg0/other")]
    [InlineData("lvextend", "--poolmetadatasize", "1073741824b", "vg.swap/thin")]
    [InlineData("lvremove", "--yes", "vg0/thin")]
    [InlineData("lvs", "--config", "devices{}")]
    [InlineData("vgs", "other")]
    [InlineData("xl", "create", "/etc/passwd")]
    [InlineData("xl", "destroy", "Domain-0")]
    [InlineData("xl", "destroy", "0")]
    [InlineData("xl", "-vvv", "list")]
    [InlineData("xl")]
    [InlineData("put", "domains/../../etc/cron.d/x")]
    [InlineData("put", "saves/p0123abcd-0190a5b0000070008000000000000beef-g1")]
    [InlineData("xl", "block-attach", "p0123abcd-0190a5b000007000800000000000beef-g1", "phy:/dev/vg0/p0123abcd-0190a5b000007000800000000000dead-g1,xvdb,w")]
    [InlineData("xl", "block-attach", "p0123abcd-0190a5b000007000800000000000beef-g1", "phy:/dev/sdb,xvde,w")]
    [InlineData("xl", "block-attach", "p0123abcd-0190a5b000007000800000000000beef-g1", "phy:/dev/sdb10,xvde,w")]
    [InlineData("xl", "block-attach", "p0123abcd-0190a5b000007000800000000000beef-g1", "file:/dev/sdb1,xvde,w")]
    [InlineData("fill", "/dev/sdb1")]
    [InlineData("blkdiscard", "--zeroout", "/dev/sdb1")]
    [InlineData("put", "fences/p0123abcd-0190a5b0000070008000000000000beef-g1")]
    [InlineData("get", "domains/p0123abcd-../../x")]
    [InlineData("fill", "/dev/sda")]
    [InlineData("fill", "/dev/vg0/root")]
    [InlineData("fill", "/dev/vg0/t0123abcd-x", "sparse", "-1", "gzip")]
    [InlineData("fill", "/dev/vg0/t0123abcd-x", "sparse", "0", "sh")]
    [InlineData("fill", "/dev/vg0/t0123abcd-x", "0")]
    [InlineData("fill", "/dev/vg0/t0123abcd-x", "all")]
    [InlineData("fill", "/dev/vg0/t0123abcd-x", "all", "0")]
    [InlineData("read", "/dev/vg0/root", "0")]
    [InlineData("read", "/dev/vg0/t0123abcd-x", "0")]
    [InlineData("read", "/dev/sda", "0")]
    [InlineData("read", "/dev/other/p0123abcd-0190a5b000007000800000000000beef-g1", "0")]
    [InlineData("read", "/dev/vg0/p0123abcd-0190a5b000007000800000000000dead-g1", "0")]
    [InlineData("read", "/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-g1-snightly", "0")]
    [InlineData("read", "/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-g1/../root", "0")]
    [InlineData("read", "/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-g1", "-1")]
    [InlineData("read", "/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-g1", "0", "1")]
    [InlineData("read", "/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-g1")]
    [InlineData("digests", "/dev/vg0/root", "0", "1")]
    [InlineData("digests", "/dev/vg0/p0123abcd-0190a5b000007000800000000000dead-g1", "0", "1")]
    [InlineData("digests", "/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-g1", "0", "1000")]
    [InlineData("digests", "/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-g1", "0", "0")]
    [InlineData("put", "domains/p0123abcd-0190a5b000007000800000000000beef-g1", "gzip")]
    [InlineData("sha256sum", "/dev/vg0/root")]
    [InlineData("sha256sum", "/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-g1")]
    [InlineData("sha256sum", "/etc/shadow")]
    [InlineData("wipe", "/dev/vg0/p0123abcd-x/../../sda")]
    [InlineData("copy", "/dev/sda", "/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-g1")]
    [InlineData("copy", "/dev/vg0/p0123abcd-0190a5b000007000800000000000dead-g1", "/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-g1")]
    [InlineData("copy", "/dev/vg0/t0123abcd-tiny-linux-3", "/dev/vg0/root")]
    [InlineData("copy", "/dev/vg0/t0123abcd-tiny-linux-3")]
    [InlineData("lvconvert", "--yes", "vg0/p0123abcd-0190a5b000007000800000000000beef-g1")]
    [InlineData("lvconvert", "--merge", "vg0/p0123abcd-0190a5b000007000800000000000beef-g1")]
    [InlineData("lvconvert", "--splitsnapshot", "--yes", "vg0/root")]
    [InlineData("lvchange", "--deltag", "portal", "vg0/p0123abcd-0190a5b000007000800000000000beef-g1")]
    [InlineData("uname", "--kernel-release", "x")]
    [InlineData("")]
    public async Task Anything_else_is_refused(params string[] words)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);

        var refused = await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(Fenced(1, words[0], words[1..]), ct));

        Assert.Contains("forbidden", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_domains_configuration_is_kept_as_it_was_sent()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);
        var config = Config();

        var put = await channel.RunAsync(Fenced(1, "put", $"domains/{s_domain}") with { Input = config }, ct);
        var read = await channel.RunAsync(Command("get", [$"domains/{s_domain}"]), ct);

        Assert.Equal((0, ""), (put.ExitCode, put.Error));
        Assert.Equal(config, read.Output.TrimEnd('\n') + "\n");
    }

    [Fact]
    public async Task So_is_that_of_a_guest_whose_root_is_on_a_server_however_long_its_path()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);
        var nfs = new NfsRoot("192.0.2.10", $"/{new string('a', NfsRoot.MaxPath - 3)}%s", writable: true);
        var spec = An.Spec(PortalHost.Instance) with { Name = new DomainName(PortalHost.Instance, s_vm, 1), Template = new TemplateImage("diskless", "1") { Nfs = nfs }, HostName = VmName.Parse(new string('h', VmName.MaxLength)) };
        var image = $"{_host.Base}/images/t{PortalHost.Instance}-nfs-boot-1";
        var config = XenConfig.Write(spec, new XenStorage("vg0", "thin", "xenbr0"), $"{image}.kernel", $"{image}.initrd");

        var put = await channel.RunAsync(Fenced(1, "put", $"domains/{spec.Name}") with { Input = config }, ct);

        Assert.Equal((0, ""), (put.ExitCode, put.Error));
        Assert.Equal(config, (await channel.RunAsync(Command("get", [$"domains/{spec.Name}"]), ct)).Output.TrimEnd('\n') + "\n");
    }

    [Fact]
    public async Task A_packed_kernel_is_unpacked_and_one_that_is_broken_is_not_kept()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);
        var kernel = Enumerable.Range(0, 3 << 20).Select(i => (byte)(i * i)).ToArray();
        var command = PortalHostCommands.PutImage("t0123abcd-x-1.kernel", kernel);

        var put = await channel.RunAsync(command, ct);
        var broken = await channel.RunAsync(PortalHostCommands.PutImage("t0123abcd-x-2.kernel", kernel) with { Content = command.Content!.Value[..^9] }, ct);

        Assert.Equal((0, ""), (put.ExitCode, put.Error));
        Assert.Equal(kernel, await File.ReadAllBytesAsync(Path.Combine(_host.Base, "images", "t0123abcd-x-1.kernel"), ct));
        Assert.NotEqual(0, broken.ExitCode);
        Assert.False(File.Exists(Path.Combine(_host.Base, "images", "t0123abcd-x-2.kernel")));
    }

    [Theory]
    [InlineData("name = \"Domain-0\"")]
    [InlineData("kernel = \"/etc/shadow\"")]
    [InlineData("kernel = \"/var/lib/portal-host/images/../../../etc/shadow\"")]
    [InlineData("bootloader = \"/bin/sh\"")]
    [InlineData("bootloader_args = [ \"-c\", \"id\" ]")]
    [InlineData("device_model_override = \"/tmp/x\"")]
    [InlineData("device_model_args = [ \"-chardev\" ]")]
    [InlineData("cmdline = \"quiet\" bootloader = \"/bin/sh\"")]
    [InlineData("cmdline = \"quiet\\\"")]
    [InlineData("cmdline = 'quiet'")]
    [InlineData("disk = [ 'phy:/dev/sda,xvda,w' ]")]
    [InlineData("disk = [ 'phy:/dev/other/p0123abcd-0190a5b000007000800000000000beef-g1,xvda,w' ]")]
    [InlineData("disk = [ 'phy:/dev/vg0/p0123abcd-0190a5b000007000800000000000dead-g1,xvda,w' ]")]
    [InlineData("disk = [ 'phy:/dev/vg0/p0123abcd-0190a5b000007000800000000000beef-../sda,xvda,w' ]")]
    [InlineData("disk = [ 'script=block-evil,target=x,xvda,w' ]")]
    [InlineData("disk = [ 'file:/etc/shadow,xvda,r' ]")]
    [InlineData("vif = [ 'mac=02:00:00:00:00:01,bridge=br0,script=/tmp/x' ]")]
    [InlineData("pci = [ '00:1f.2' ]")]
    [InlineData("usbdev = [ 'type=hostdev' ]")]
    [InlineData("memory = 256; bootloader = \"/bin/sh\"")]
    [InlineData("memory = 256 \\")]
    [InlineData("include \"/etc/shadow\"")]
    [InlineData("xsm_label = \"x\"")]
    public async Task A_configuration_that_names_what_is_not_the_vms_own_is_not_written(string line)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);

        foreach (var config in new[] { $"{line}\n", $"{Config()}{line}\n", $"{line}\n{Config()}" })
        {
            var put = await channel.RunAsync(Fenced(1, "put", $"domains/{s_domain}") with { Input = config }, ct);

            Assert.Equal(114, put.ExitCode);
            Assert.Contains("is not one that a VM of the portal has", put.Error, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.GetFiles(Path.Combine(_host.Base, "domains")));
    }

    [Fact]
    public async Task What_changes_a_vm_needs_that_vms_own_fence()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);
        var other = new Fence(VmId.New(), 1);

        var without = await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(Command("put", [$"seeds/{s_domain}"]), ct));
        var anothers = await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(Command("put", [$"seeds/{s_domain}"]) with { Fence = other }, ct));

        Assert.All([without, anothers], e => Assert.Contains("needs its fence", e.Message, StringComparison.Ordinal));
        Assert.Empty(Directory.GetFiles(Path.Combine(_host.Base, "seeds")));
    }

    [Fact]
    public async Task Hostile_words_reach_no_program_and_a_channel_survives_them()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);
        string[] programs = ["xl", "lvcreate", "lvremove", "lvs", "put", "get", "fill", "cat", "sh", "rm"];
        var word = Gen.OneOf(
            Gen.String[Gen.Char["abc0 '\"$`\\;|&<>()[]{}*?~#!-/.\n\t\r\u00e9"], 0, 30],
            OneOf("$(touch /tmp/canary)", "`touch /tmp/canary`", "; touch /tmp/canary", "--config", "../../etc/passwd", "-", "--", "vg0/root", "xl", "create", "destroy", "Domain-0"));

        await Gen.Select(OneOf(programs), word.Array[0, 5]).SampleAsync(
            async (program, words) =>
            {
                try
                {
                    // Whatever was let through would have to be one of the two that only look.
                    var answer = await channel.RunAsync(Command(program, words), ct);
                    return (program is "lvs" && words.All(w => w.Length == 0)) || answer.ExitCode != 0;
                }
                catch (HostFaultException refused)
                {
                    return refused.Message.Contains("forbidden", StringComparison.Ordinal);
                }
            },
            iter: 1000, threads: 1);

        Assert.False(File.Exists("/tmp/canary"));
        Assert.Equal(0, (await channel.RunAsync(Command("uname", ["--kernel-release"]), ct)).ExitCode);
    }

    [Fact]
    public async Task A_guest_is_kept_to_the_addresses_of_its_configuration_until_it_is_removed_and_again_after_somebody_flushed_all_rules()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var channel = await _host.ConnectAsync(ct);
        var (rules, flushed) = (Path.Combine(_host.Base, "guards.nft"), Path.Combine(_host.Base, "in-force"));
        Nft($"case $1 in list) cat {flushed} ;; -f) echo ' iifname \"pt-*\" jump from_guest' > {flushed} ;; esac");
        // What xendomains kept of it when the host went down is of before this start.
        var kept = Path.Combine(Directory.CreateDirectory(Path.Combine(_host.Base, "xendomains")).FullName, s_domain);
        File.WriteAllText(kept, "old memory");
        Assert.Equal(0, (await channel.RunAsync(Fenced(1, "put", $"domains/{s_domain}") with { Input = Config() }, ct)).ExitCode);

        var guarded = await channel.RunAsync(Fenced(1, "guard", s_domain), ct);
        var more = await channel.RunAsync(Fenced(1, "guard", s_domain, "02:70:00:00:00:02"), ct);

        Assert.Equal((0, "", 0), (guarded.ExitCode, guarded.Error, more.ExitCode));
        Assert.False(File.Exists(kept));
        Assert.Contains("""macs { type ifname . ether_addr; elements = { "pt-00000001" . 02:70:00:00:00:01, "pt-00000001-emu" . 02:70:00:00:00:01, "pt-00000002" . 02:70:00:00:00:02, """, File.ReadAllText(rules), StringComparison.Ordinal);
        Assert.Contains("""addresses { type ifname . ipv4_addr; elements = { "pt-00000001" . 10.0.0.5, "pt-00000001-emu" . 10.0.0.5 }""", File.ReadAllText(rules), StringComparison.Ordinal);

        File.Delete(flushed);
        // It is looked at twice a minute.
        File.SetLastWriteTimeUtc(Path.Combine(_host.Base, "guards.lock"), DateTime.UnixEpoch);
        await channel.RunAsync(Command("facts", []), ct);
        Assert.True(File.Exists(flushed));

        Assert.Equal(0, (await channel.RunAsync(Fenced(1, "unguard", s_domain, "02:70:00:00:00:02"), ct)).ExitCode);
        Assert.DoesNotContain("pt-00000002", File.ReadAllText(rules), StringComparison.Ordinal);
        Nft("echo no such family >&2; exit 1");
        var refused = await channel.RunAsync(Fenced(1, "guard", s_domain), ct);
        Assert.Equal((114, true), (refused.ExitCode, refused.Error.Contains("no such family", StringComparison.Ordinal)));
        Assert.Contains("\nguards failed\n", (await channel.RunAsync(Command("facts", []), ct)).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await channel.RunAsync(Fenced(1, "remove", $"domains/{s_domain}"), ct)).ExitCode);
        Assert.DoesNotContain("elements", File.ReadAllText(rules), StringComparison.Ordinal);
        Assert.Equal(114, (await channel.RunAsync(Fenced(1, "guard", s_domain), ct)).ExitCode);

        void Nft(string script)
        {
            var nft = Path.Combine(_host.Base, "nft");
            File.WriteAllText(nft, $"#!/bin/sh\n{script}\n");
            File.SetUnixFileMode(nft, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    public void Dispose() => _host.Dispose();

    private string Config() => $"""
        # made by the portal, digest 0123456789abcdef
        name = "{s_domain}"
        uuid = "{s_vm.Value:D}"
        type = "pv"
        kernel = "{_host.Base}/images/t{PortalHost.Instance}-tiny-linux-3.kernel"
        ramdisk = "{_host.Base}/images/t{PortalHost.Instance}-tiny-linux-3.initrd"
        cmdline = "root=/dev/xvda ro console=hvc0"
        memory = 256
        maxmem = 256
        vcpus = 1
        cpu_weight = 256
        on_poweroff = "destroy"
        on_reboot = "restart"
        on_crash = "preserve"
        disk = [ 'phy:/dev/vg0/{s_domain},xvda,w', 'phy:/dev/vg.swap/{s_domain}-swap,xvdb,w' ]
        vif = [ 'mac=02:70:00:00:00:01,bridge=xenbr0,ip=10.0.0.5,vifname=pt-00000001' ]

        """;

    private static HostCommand Command(string program, IReadOnlyList<string> words) => new(program, words, TimeSpan.FromSeconds(30));

    private static HostCommand Fenced(long epoch, string program, params string[] words) => Command(program, words) with { Fence = new Fence(s_vm, epoch) };

    private static Gen<string> OneOf(params string[] words) => Gen.Int[0, words.Length - 1].Select(i => words[i]);

    private static async Task UntilAsync(Func<bool> condition, CancellationToken ct)
    {
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, ct);
        }
    }

    private static string Touch(string path)
    {
        File.Create(path).Dispose();
        return path;
    }

    /// <summary>How many wait for the lock, by the kernel's own list of them.</summary>
    private static int Waiting(string path)
    {
        using var stat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%i", path]) { RedirectStandardOutput = true })!;
        var inode = stat.StandardOutput.ReadToEnd().Trim();
        return File.ReadAllLines("/proc/locks").Count(l => l.Contains("->", StringComparison.Ordinal) && l.Contains($":{inode} ", StringComparison.Ordinal));
    }
}
