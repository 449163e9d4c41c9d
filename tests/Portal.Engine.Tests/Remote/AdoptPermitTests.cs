using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Engine.Tests.Hostile;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Remote;

/// <summary>portal-host takes no domain over that the host's administrator did not name, and of those no more than he named.</summary>
public sealed class AdoptPermitTests : IDisposable
{
    private static readonly VmId s_vm = new(Guid.Parse("0190a5b0-0000-7000-8000-00000000beef"));
    private static readonly string s_domain = new DomainName(PortalHost.Instance, s_vm, 1).Text;

    private readonly PortalHost _host = new();

    private string Config => Path.Combine(_host.Base, "xen", "web.cfg");

    [Fact]
    public async Task What_he_named_may_be_ended_renamed_given_back_and_started_again_under_a_fence()
    {
        Allow("volume=vg0/web");

        // Done: the programs are not here, but they were let through to be started.
        Assert.All(await AskAsync(Commands()), answer => Assert.StartsWith("done", answer, StringComparison.Ordinal));
        Assert.All(await AskAsync(Commands(vm: "", epoch: "")), answer => Assert.StartsWith("forbidden", answer, StringComparison.Ordinal));
        Assert.All(await AskAsync(Commands(vm: new string('a', 32))[..2]), answer => Assert.StartsWith("forbidden", answer, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("# adopt web config={0} volume=vg0/web")]
    [InlineData("adopt db config={0}.db volume=vg0/db")]
    [InlineData("adopt web config={0} volume=vg9/web")]
    [InlineData("adopt web config={0} volume=vg0/web what=else")]
    [InlineData("adopt web config=/etc/passwd volume=vg0/web")]
    [InlineData("adopt web config={0} volume=vg0/p0123abcd-x")]
    [InlineData("adopt web config={0} volume=vg0/web kernel=/boot/../etc/shadow")]
    [InlineData("adopt web config={0} config={0} volume=vg0/web")]
    [InlineData("adopt p0123abcd-00000000000000000000000000000000-g1 config={0} volume=vg0/web")]
    [InlineData("adopt web volume=vg0/web")]
    public async Task What_he_did_not_name_or_not_so_is_forbidden(string line)
    {
        _host.Configure(string.Format(System.Globalization.CultureInfo.InvariantCulture, line, Config));

        Assert.All(await AskAsync(Commands()), answer => Assert.StartsWith("forbidden", answer, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_but_that_is_allowed_of_it()
    {
        Allow("volume=vg0/web");

        var answers = await AskAsync(
        [
            Command("lvrename", "vg0", "web", "db"), Command("lvrename", "vg0", "db", s_domain), Command("lvrename", "vg0", "web", s_domain + "-seed"), Command("lvrename", "vg.swap", "web", s_domain), Command("lvrename", "vg0", s_domain, "db"),
            Command("lvremove", "--yes", "vg0/web"), Command("lvchange", "--addtag", "portal", "vg0/web"), Command("wipe", "/dev/vg0/web"), Command("fill", "/dev/vg0/web"),
            Command("xl", "shutdown", "-F", "db"), Command("xl", "shutdown", "web"), Command("xl", "destroy", "web"), Command("xl", "pause", "web"), Command("xl", "save", "web", "/tmp/x"),
            Command("xl", "create", "-q", "/etc/xen/other.cfg"), Command("xl", "create", Config), Command("xl", "create", "-q", Config, "extra=1"), Command("type", "web"), Command("get", "../xen/web.cfg"), Command("adopt", $"p0123abcd-{new string('a', 32)}-g1", "web"),
        ]);

        Assert.All(answers, answer => Assert.StartsWith("forbidden", answer, StringComparison.Ordinal));
    }

    [Fact]
    public async Task His_word_counts_at_once_and_so_does_its_end()
    {
        var ct = TestContext.Current.CancellationToken;
        var shutdown = new HostCommand("xl", ["shutdown", "-F", "web"], TimeSpan.FromSeconds(30)) { Fence = new Fence(s_vm, 1), Changes = true };
        await using var before = await _host.ConnectAsync(ct);
        await Assert.ThrowsAsync<HostFaultException>(() => before.RunAsync(shutdown, ct));

        Allow("volume=vg0/web");
        await using var allowed = await _host.ConnectAsync(ct);
        Assert.False((await allowed.RunAsync(shutdown, ct)).Succeeded);
        _host.Unconfigure();

        await Assert.ThrowsAsync<HostOutdatedException>(() => allowed.RunAsync(shutdown, ct));
        await using var after = await _host.ConnectAsync(ct);
        Assert.Contains("forbidden", (await Assert.ThrowsAsync<HostFaultException>(() => after.RunAsync(shutdown, ct))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kernel_is_copied_for_the_vm_and_only_the_one_that_he_named()
    {
        var ct = TestContext.Current.CancellationToken;
        var kernel = Path.Combine(Path.GetDirectoryName(_host.Base)!, "vmlinuz");
        await File.WriteAllTextAsync(kernel, "kernel", ct);
        Allow($"kernel={kernel} ramdisk={kernel}.none volume=vg0/web");
        await using var channel = await _host.ConnectAsync(ct);

        var missing = await channel.RunAsync(Adopt("web"), ct);
        await File.WriteAllTextAsync(kernel + ".none", "disk", ct);
        var copied = await channel.RunAsync(Adopt("web"), ct);
        var other = await channel.RunAsync(Adopt("db"), ct);
        var told = await channel.RunAsync(new HostCommand("configs", [], TimeSpan.FromSeconds(30)), ct);

        Assert.Equal((2, 0, 114), (missing.ExitCode, copied.ExitCode, other.ExitCode));
        Assert.Equal(("kernel", "disk"), (await File.ReadAllTextAsync(Path.Combine(_host.Base, "images", s_domain + ".kernel"), ct), await File.ReadAllTextAsync(Path.Combine(_host.Base, "images", s_domain + ".initrd"), ct)));
        Assert.Equal($"adopt web config={Config} kernel={kernel} ramdisk={kernel}.none volume=vg0/web\n", told.Output);
    }

    [Fact]
    public async Task The_configuration_of_an_adopted_domain_is_one_that_it_keeps()
    {
        var ct = TestContext.Current.CancellationToken;
        var spec = An.Spec(PortalHost.Instance) with { Name = new DomainName(PortalHost.Instance, s_vm, 1), Adopted = new AdoptedDomain("web", "/etc/xen/web.cfg", ForeignDomainType.Pv, "/boot/vmlinuz", "/boot/initrd", "root=/dev/sda1 ro 2", [new AdoptedDisk("web", "sda1", false), new AdoptedDisk("swap", "sda2", true)]) };
        var config = XenConfig.Write(spec, spec.Adopted, new XenStorage("vg0", "thin", "xenbr0"), $"{_host.Base}/images/{s_domain}");
        await using var channel = await _host.ConnectAsync(ct);

        var put = await channel.RunAsync(new HostCommand("put", [$"domains/{s_domain}"], TimeSpan.FromSeconds(30)) { Input = config, Fence = new Fence(s_vm, 1), Changes = true }, ct);

        Assert.Equal((0, ""), (put.ExitCode, put.Error));
    }

    public void Dispose() => _host.Dispose();

    private void Allow(string what) => _host.Configure($"adopt web config={Config} {what}");

    private static HostCommand Adopt(string name) => new("adopt", [s_domain, name], TimeSpan.FromSeconds(30)) { Fence = new Fence(s_vm, 1), Changes = true };

    private Task<IReadOnlyList<string>> AskAsync(IEnumerable<string> commands) => _host.AskAsync(commands, TestContext.Current.CancellationToken);

    private List<string> Commands(string? vm = null, string epoch = "1") =>
    [
        Whole(vm, epoch, "lvrename", "vg0", "web", s_domain), Whole(vm, epoch, "lvrename", "vg0", s_domain + "-ad2", "web"),
        Whole(vm, epoch, "xl", "shutdown", "-F", "web"), Whole(vm, epoch, "xl", "create", "-q", Config),
    ];

    private static string Command(params string[] words) => Whole(null, "1", words);

    private static string Whole(string? vm, string epoch, params string[] words) => string.Join('\0', [vm ?? s_vm.Value.ToString("N"), epoch, "30", .. words]);
}
