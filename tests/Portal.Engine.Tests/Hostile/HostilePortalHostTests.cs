using System.Text.RegularExpressions;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Engine.Tests.Remote;
using Portal.Engine.Tests.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Hostile;

/// <summary>What somebody can do on a host who has the portal's key.</summary>
public sealed partial class HostilePortalHostTests : IClassFixture<Trap>, IDisposable
{
    private static readonly VmId s_vm = new(Guid.Parse("0190a5b0-0000-7000-8000-00000000beef"));
    private static readonly string s_domain = new DomainName(PortalHost.Instance, s_vm, 1).Text;

    // All that portal-host knows, and in each command the places for a word of the caller's: "*". "D" is a domain of the portal's.
    private static readonly string[] s_places =
    [
        "*", "xl *", "lvs *", "lvs --options *", "lvs --select *", "vgs *", "pvs *", "cat *", "df *", "uname *", "blockdev --getsize64 *",
        "lvcreate --name * vg0/D", "lvcreate --size * --name D vg0", "lvcreate --thinpool * --name D vg0", "lvcreate --addtag * --name D vg0", "lvcreate --name D *",
        "lvextend --size * vg0/D", "lvextend --size 1b *", "lvremove *", "lvrename vg0 D *", "lvchange --addtag * vg0/D", "lvchange --deltag * vg0/D", "lvconvert --splitsnapshot *", "blkdiscard --offset * /dev/vg0/D",
        "xl info *", "xl dmesg *", "xl list *", "xl domid *", "xl create *", "xl restore *", "xl save D *", "xl sysrq D *", "xl trigger D *", "xl mem-set D *", "xl mem-max D *",
        "xl vcpu-set D *", "xl vcpu-pin D all *", "xl vcpu-list *", "xl block-list *", "xl block-attach D *", "xl block-detach D *", "xl network-list *", "xl network-attach D *",
        "xl network-attach D mac=02:70:00:00:00:01 *", "xl network-detach D *", "xl sched-credit -d D -w *", "xl sched-credit2 -d *", "xl pause *", "xl unpause *", "xl shutdown *",
        "xl reboot *", "xl destroy *", "put *", "get *", "remove *", "list *", "fill *", "fill /dev/vg0/D *", "fill /dev/vg0/D all * gzip", "digests *", "digests /dev/vg0/D *", "digests /dev/vg0/D 0 *", "read *", "read /dev/vg0/D *", "wipe *", "copy *", "copy * /dev/vg0/D", "copy /dev/vg0/t0123abcd-tiny *", "catch-up *", "catch-up * /dev/vg0/D-own 0 1", "catch-up /dev/vg0/D * 0 1", "catch-up /dev/vg0/t0123abcd-tiny * 0 1", "catch-up /dev/vg0/D /dev/vg0/D-own * 1", "catch-up /dev/vg0/D /dev/vg0/D-own 0 *", "lvconvert --splitsnapshot vg0/*", "follow *", "type *", "forget *", "guard *", "guard D *",
        "guard D 02:70:00:00:00:01 *", "unguard D *", "volumes *", "volume-make * 1b", "volume-make /srv/portal/D.raw *", "volume-clone * /srv/portal/D.raw 1b", "volume-clone /srv/portal/t0123abcd-tiny.raw * 1b",
        "volume-grow * 1b", "volume-grow /srv/portal/D.raw *", "volume-remove *", "volume-tag /srv/portal/D.raw *", "volume-untag * portal.whole", "mkfs.ext4 *", "mkswap *", "sha256sum *", "xl block-attach D format=raw,vdev=xvdc,access=w,script=block,target=*", "xl network-attach D mac=02:70:00:00:00:01 bridge=xenbr0 *",
    ];

    // The lines of a domain's configuration, and in each the place for a value.
    private static readonly string[] s_lines =
    [
        "*", "# *", "cmdline = \"*\"", "name = \"*\"", "kernel = \"*\"", "memory = *", "on_crash = \"*\"", "disk = [ '*' ]", "disk = [ 'phy:/dev/vg0/*,xvda,w' ]", "disk = [ 'format=raw,vdev=xvda,access=w,script=block,target=/srv/portal/*' ]", "disk = [ 'format=*,vdev=xvda,access=w,script=block,target=/srv/portal/D.raw' ]",
        "serial = \"*\"", "serial = \"unix:*,server=on,wait=off,logfile=*,logappend=on\"", "bios = \"*\"", $"disk = [ 'phy:/dev/vg0/{s_domain},xvda,w', 'format=raw,vdev=hdc,access=r,devtype=cdrom,target=/dev/vg0/*' ]",
        "vif = [ 'mac=02:70:00:00:00:01,bridge=*' ]",
    ];

    // A hundred programs with which a host could be harmed or read.
    private static readonly string[] s_foreign =
        """
        sh bash dash su sudo ssh scp rsync perl python3 awk sed tar dd cp mv rm ln chmod chown tee touch find xargs env nohup setsid timeout nice mount umount
        mkfs fdisk parted losetup dmsetup lvm lvconvert lvresize lvreduce vgremove vgcreate vgextend pvremove pvcreate pvmove qemu-img qemu-nbd nbd-client
        virsh xenstore-write xenstore-rm xenstore-read xentop xen-detach kpartx cryptsetup mdadm zfs zpool btrfs nc curl wget ip brctl iptables nft sysctl
        modprobe insmod rmmod kexec telinit runuser chroot poweroff halt systemctl service init kill pkill crontab at batch useradd usermod passwd chpasswd
        visudo apt-get dpkg vi ed less more gdb strace busybox
        """.Split(' ', '\n');

    private readonly PortalHost _host = new();
    private readonly Trap _trap;

    public HostilePortalHostTests(Trap trap)
    {
        _trap = trap;
        _host.Configure("directory /srv/portal");
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_word_in_any_place_of_any_command_is_refused_or_has_plain_characters_alone()
    {
        var asked = s_places.SelectMany(_ => _trap.Strings, (place, word) => (Place: place, Word: word)).ToList();

        // Without a fence: what has the right form and would change something is refused for that, so none of it is done.
        var ends = await _host.AskAsync(asked.Select(ask => Line("", "", "5", [.. ask.Place.Split(' ').Select(part => part == "*" ? ask.Word : part.Replace("D", s_domain, StringComparison.Ordinal))])), Ct);

        var let = asked.Zip(ends).Where(pair => !pair.Second.StartsWith("forbidden ", StringComparison.Ordinal) || pair.Second.EndsWith("needs its fence", StringComparison.Ordinal)).ToList();
        Assert.All(let, pair => Assert.All(pair.First.Word.Split('\0'), word => Assert.Matches(Plain(), word))); // a NUL makes two words of one
        Assert.InRange(let.Count, 1, asked.Count / 100);
        Assert.DoesNotContain("no answer", ends);
        Assert.False(_trap.IsSprung);
    }

    [Fact]
    public async Task What_stands_before_a_command_is_refused_or_a_number()
    {
        var vm = s_vm.Value.ToString("N");
        var asked = _trap.Strings.SelectMany(text => (string[][])[[text, "1", "5"], [vm, text, "5"], [vm, "1", text]], (text, head) => (Text: text, Head: head)).ToList();

        var ends = await _host.AskAsync(asked.Select(ask => Line(ask.Head[0], ask.Head[1], ask.Head[2], "forget", s_domain)), Ct);

        var let = asked.Zip(ends).Where(pair => pair.Second.StartsWith("done ", StringComparison.Ordinal)).ToList();
        Assert.All(let, pair => Assert.Matches("^[0-9]+\\z", pair.First.Text));
        Assert.All(asked.Zip(ends).Except(let), pair => Assert.Matches("^(forbidden|protocol) ", pair.Second));
        Assert.NotEmpty(let);
    }

    [Fact]
    public async Task A_stolen_key_can_run_nothing_else()
    {
        var foreign = s_foreign.SelectMany(program => (string[][])
        [
            [program], [program, "-c", $"touch {_trap.Home}/canary"], [program, "--help"], ["/bin/" + program], ["./" + program], ["../../usr/bin/" + program, "-rf", "/"],
            ["xl", program, s_domain], ["xl", "-v", program], [program.ToUpperInvariant()], [program + "\n"],
        ]).ToList();
        Assert.Equal(1_000, foreign.Count);

        await using var channel = await _host.ConnectAsync(Ct);
        var refused = 0;
        foreach (var words in foreign)
        {
            var no = await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(new HostCommand(words[0], words[1..], TimeSpan.FromSeconds(30)) { Fence = new Fence(s_vm, 1) }, Ct));
            Assert.Contains("forbidden", no.Message, StringComparison.Ordinal);
            refused++;
        }

        Assert.Equal(1_000, refused);
        Assert.Equal(0, (await channel.RunAsync(new HostCommand("uname", ["--kernel-release"], TimeSpan.FromSeconds(30)), Ct)).ExitCode);
        Assert.False(_trap.IsSprung);
    }

    [Fact]
    public async Task A_value_in_a_configuration_without_quotes_is_kept_and_Xen_reads_it_as_it_was()
    {
        await using var channel = await _host.ConnectAsync(Ct);
        var values = _trap.Strings.Where(value => Unquoted().IsMatch(value)).ToList();
        Assert.InRange(values.Count, 1000, HostileStrings.Count - 1000);

        foreach (var some in values.Chunk(100)) // a configuration has at most 64 KiB
        {
            var config = string.Concat(some.Select(value => $"cmdline = \"{value}\"\n"));
            var put = await channel.RunAsync(Put(config), Ct);
            var kept = await channel.RunAsync(PortalHostCommands.Get($"domains/{s_domain}"), Ct);

            Assert.Equal((0, ""), (put.ExitCode, put.Error));
            Assert.Equal(config + "\n", kept.Output);
            Assert.All(some.Zip(kept.Output.Split('\n')), pair =>
            {
                using var read = new XenParser(pair.Second);
                Assert.Equal(pair.First, read.Text("cmdline"));
            });
        }

        Assert.False(_trap.IsSprung);
    }

    [Fact]
    public async Task Any_other_value_in_any_line_of_a_configuration_is_refused()
    {
        await using var channel = await _host.ConnectAsync(Ct);
        var plain = _trap.Strings.Where(value => Unquoted().IsMatch(value)).ToHashSet(StringComparer.Ordinal);
        List<(string Line, string Value)> kept = [];

        for (var n = 0; n < _trap.Strings.Count; n += 13) // a process each: with every string it would take a minute
        {
            var (line, value) = (s_lines[n % s_lines.Length], _trap.Strings[n]);
            if (!plain.Contains(value) && (await channel.RunAsync(Put(line.Replace("D.raw", s_domain + ".raw", StringComparison.Ordinal).Replace("*", value, StringComparison.Ordinal)), Ct)).ExitCode == 0)
            {
                kept.Add((line, value));
            }
        }

        Assert.Empty(kept);
        Assert.False(_trap.IsSprung);
    }

    public void Dispose() => _host.Dispose();

    private static HostCommand Put(string config) => PortalHostCommands.Put($"domains/{s_domain}", config).Under(new Fence(s_vm, 1));

    private static string Line(string vm, string epoch, string seconds, params string[] words) => string.Join('\0', (string[])[vm, epoch, seconds, .. words]);

    // Printable, and nothing that ends a string of xl.cfg(5) or escapes in one.
    [GeneratedRegex("^[\\x20-\\x7e-[\"'\\\\]]{0,1000}\\z")]
    private static partial Regex Unquoted();

    // Nothing that a shell, a configuration or a directory would make something of.
    [GeneratedRegex("^(?!.*\\.\\./)[A-Za-z0-9_.,:=+^/-]*\\z")]
    private static partial Regex Plain();
}
