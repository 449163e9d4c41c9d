using System.Text;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Tests.Lab;

/// <summary>The portal's way to a host, with a real sshd, sudo, Xen and LVM at the other end.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class SshTests(LabHost lab)
{
    // Each test's own: a fence remembers the highest epoch, whichever test came first.
    private readonly VmId _vm = VmId.New();

    private string Domain => new DomainName(LabHost.Instance, _vm, 1).Text;

    [Fact]
    public async Task A_hundred_commands_take_one_connection_and_xen_and_lvm_answer()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        var ct = TestContext.Current.CancellationToken;
        await using var shell = lab.Shell();

        var info = await shell.RunAsync(Command("xl", "info"), ct);
        var groups = await shell.RunAsync(Command("vgs", "--reportformat=json", "--units=b", "--nosuffix"), ct);
        // More at once than sshd lets a connection have sessions, which is ten.
        var many = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => shell.RunAsync(Command("uname", "--kernel-release"), ct)));

        TestContext.Current.TestOutputHelper?.WriteLine(info.Output);
        Assert.Matches(@"xen_version\s+: 4\.17", info.Output);
        Assert.Contains("vgdisk", groups.Output, StringComparison.Ordinal);
        Assert.All(many, m => Assert.Equal((0, many[0].Output), (m.ExitCode, m.Output)));
        Assert.Equal(1, shell.Connections);
    }

    [Fact]
    public async Task A_thin_volume_is_made_under_its_fence_filled_listed_and_removed()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        var ct = TestContext.Current.CancellationToken;
        await using var shell = lab.Shell();

        var made = await shell.RunAsync(Fenced(5, "lvcreate", "--yes", "--virtualsize", "67108864b", "--thinpool", "thin", "--name", Domain, "--addtag", "portal", "vgdisk"), ct);
        Assert.True(made.Succeeded, made.Error);
        var again = await shell.RunAsync(Fenced(5, "lvcreate", "--yes", "--virtualsize", "67108864b", "--thinpool", "thin", "--name", Domain, "vgdisk"), ct);
        var late = await shell.RunAsync(Fenced(4, "lvremove", "--yes", $"vgdisk/{Domain}"), ct);
        var filled = await shell.RunAsync(Fenced(5, "fill", $"/dev/vgdisk/{Domain}") with { Input = "what stands at the start" }, ct);
        Assert.True(filled.Succeeded, filled.Error);
        var listed = await shell.RunAsync(Command("lvs", "--reportformat=json", "--units=b", "--nosuffix", "--options", "lv_name,lv_size,lv_tags", "vgdisk"), ct);
        var first = await lab.AsRootAsync($"head -c 24 /dev/vgdisk/{Domain}");
        var removed = await shell.RunAsync(Fenced(6, "lvremove", "--yes", $"vgdisk/{Domain}"), ct);
        var after = await lab.AsRootAsync("lvs --noheadings -o lv_name vgdisk");

        Assert.Equal(5, again.ExitCode);
        Assert.Contains("already exists", again.Error, StringComparison.Ordinal);
        Assert.Equal(new FencedOff(4, 5), RemoteAnswers.Fenced(late));
        Assert.Contains($"\"lv_name\":\"{Domain}\", \"lv_size\":\"67108864\", \"lv_tags\":\"portal\"", listed.Output, StringComparison.Ordinal);
        Assert.Equal("what stands at the start", first);
        Assert.True(removed.Succeeded, removed.Error);
        Assert.DoesNotContain(Domain, after, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_with_another_key_is_refused_before_it_is_told_anything()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        var ct = TestContext.Current.CancellationToken;
        Assert.True(SshPublicKey.TryParse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl other", out var other));
        var before = await AuthenticationsAsync();

        var changed = await Assert.ThrowsAsync<HostKeyChangedException>(() => SshLink.ConnectAsync(lab.Target with { Key = other }, lab.Key, ct));

        Assert.Equal((other.Fingerprint, lab.Target.Key.Fingerprint), (changed.Pinned, changed.Shown));
        Assert.Equal(before, await AuthenticationsAsync());
    }

    [Fact]
    public async Task A_host_shows_its_key_to_whoever_asks_and_nobody_has_signed_in()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        var ct = TestContext.Current.CancellationToken;
        var door = new HostDoor();
        var before = await AuthenticationsAsync();

        var shown = await door.KeyOfAsync(lab.Target.Address, lab.Target.Port, lab.Target.Key, ct);
        var any = await door.KeyOfAsync(lab.Target.Address, lab.Target.Port, null, ct);
        var closed = await Assert.ThrowsAsync<HostFaultException>(() => door.KeyOfAsync(lab.Target.Address, 1, null, ct));

        Assert.Equal(lab.Target.Key.Fingerprint, shown.Fingerprint);
        Assert.StartsWith("SHA256:", any.Fingerprint, StringComparison.Ordinal);
        Assert.Contains("takes no connection on port 1", closed.Message, StringComparison.Ordinal);
        Assert.Equal(before, await AuthenticationsAsync());
    }

    [Fact]
    public async Task Sixty_consoles_and_commands_beside_them_take_one_connection()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        var ct = TestContext.Current.CancellationToken;
        await using var shell = lab.Shell();
        var log = $"/var/log/xen/console/guest-{Domain}.log";
        await lab.AsRootAsync($"printf 'first byte' > {log}");
        var heard = Enumerable.Range(0, 60).Select(_ => new StringBuilder()).ToList();
        var consoles = await Task.WhenAll(heard.Select(viewer => shell.OpenAsync(PortalHostCommands.Follow(Domain, 0), bytes => viewer.Append(Encoding.UTF8.GetString(bytes.Span)), ct)));

        await HeardAsync("first byte");
        await lab.AsRootAsync($"printf ', and more' >> {log}");
        await HeardAsync("first byte, and more");
        var beside = await shell.RunAsync(Command("uname", "--kernel-release"), ct);

        Assert.True(beside.Succeeded, beside.Error);
        Assert.Equal(1, shell.Connections);
        foreach (var console in consoles)
        {
            await console.DisposeAsync();
        }

        await lab.AsRootAsync($"rm {log}");

        async Task HeardAsync(string text)
        {
            while (!heard.All(viewer => viewer.ToString() == "at 0\n" + text))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
            }
        }
    }

    [Theory]
    [InlineData("id")]
    [InlineData("sh -c id")]
    [InlineData("sudo id")]
    [InlineData("/usr/local/lib/portal/portal-host --here /tmp/conf /tmp/base")]
    public async Task The_key_runs_portal_host_whatever_it_asks_for(string command)
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");

        var (code, output) = await lab.AsPortalAsync(command);

        Assert.Equal((0, LabHost.Greeting), (code, output));
    }

    [Fact]
    public async Task A_connection_that_breaks_is_a_fault_for_what_was_under_way_and_made_again_for_what_comes()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        var ct = TestContext.Current.CancellationToken;
        await using var shell = lab.Shell();
        Assert.True((await shell.RunAsync(Fenced(9, "remove", $"seeds/{Domain}"), ct)).Succeeded);
        var fence = $"/var/lib/portal-host/fences/{_vm.Value:N}";
        // The VM's lock is held by somebody, so that the command is under way when the connection goes; by the kernel's own list it waits.
        await lab.AsRootAsync($"rm -f /tmp/held; setsid flock {fence} sh -c 'touch /tmp/held; exec sleep 600' >/dev/null 2>&1 </dev/null & until [ -e /tmp/held ]; do sleep 0.1; done");
        var waits = shell.RunAsync(Fenced(9, "remove", $"seeds/{Domain}"), ct);
        await lab.AsRootAsync($"inode=$(stat -c %i {fence}); until grep -q -- \"->.*:$inode \" /proc/locks; do sleep 0.1; done");

        await lab.AsRootAsync("pkill -KILL -u portal sshd");

        var cut = await Assert.ThrowsAsync<HostFaultException>(() => waits);
        Assert.Contains("may or may not have been done", cut.Message, StringComparison.Ordinal);
        await lab.AsRootAsync("pkill -f 'sleep 600'");
        var back = await EventuallyAsync(() => shell.RunAsync(Command("uname", "--kernel-release"), ct), ct);
        Assert.True(back.Succeeded);
        Assert.Equal(2, shell.Connections);
    }

    private static async Task<HostAnswer> EventuallyAsync(Func<Task<HostAnswer>> ask, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (HostFaultException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
            }
        }
    }

    private async Task<int> AuthenticationsAsync() =>
        (await lab.AsRootAsync("journalctl --no-pager -o cat -t sshd")).Split('\n').Count(l => l.Contains("portal", StringComparison.Ordinal) && (l.StartsWith("Accepted", StringComparison.Ordinal) || l.StartsWith("Failed", StringComparison.Ordinal)));

    private static HostCommand Command(string program, params string[] words) => new(program, words, TimeSpan.FromSeconds(60));

    private HostCommand Fenced(long epoch, string program, params string[] words) => Command(program, words) with { Fence = new Fence(_vm, epoch) };
}
