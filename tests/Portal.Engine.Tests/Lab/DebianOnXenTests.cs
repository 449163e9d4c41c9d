using System.Text;
using Portal.Engine.Images;
using Portal.Engine.Pools;
using Portal.Kernel;

[assembly: AssemblyFixture(typeof(Portal.Engine.Tests.Lab.BuiltDebian))]

namespace Portal.Engine.Tests.Lab;

/// <summary>Builds the Debian meanwhile: that takes this machine a minute and more, in which the lab is busy with other tests.</summary>
[Trait("Category", "Live")]
public sealed class DebianBuildTests(BuiltDebian debian)
{
    [Fact]
    public async Task A_Debian_is_built_here()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        var options = await debian.BuiltAsync();

        Assert.True(File.Exists(new PoolLayout(options.WorkPath).TemplateDisk(DebianOnXenTests.Image)));
    }
}

/// <summary>The Debian that both need, built once by whichever asks first.</summary>
public sealed class BuiltDebian : IDisposable
{
    // Kept for the next run of the same day where it says so: what is tested is what a build gives.
    private readonly string? _kept = Environment.GetEnvironmentVariable("PORTAL_DEBIAN");

    private readonly Lazy<Task<string>> _path;

    public BuiltDebian() => _path = new(BuildAsync);

    internal async Task<EngineOptions> BuiltAsync() => new() { WorkPath = await _path.Value };

    public void Dispose()
    {
        if (_kept is null && _path is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            Directory.Delete(_path.Value.Result, recursive: true);
        }
    }

    private async Task<string> BuildAsync()
    {
        var path = _kept ?? An.Pool();
        var heard = new StringBuilder();
        var workshop = new ImageWorkshop(TimeProvider.System, new EngineOptions { WorkPath = path });
        var built = await workshop.EnsureDebianAsync(DebianOnXenTests.Image, "bookworm", piece => { lock (heard) { heard.Append(piece); } }, CancellationToken.None);
        Assert.True(built.Succeeded, built.Refusal?.Message + "\n" + heard);
        return path;
    }
}

/// <summary>A Debian that mmdebstrap built here boots on a real Xen.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class DebianOnXenTests(LabHost lab, BuiltDebian debian)
{
    internal static readonly TemplateImage Image = new("debian-12", "1");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_Debian_is_built_copied_to_the_host_boots_answers_on_its_console_and_shuts_down()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        var options = await debian.BuiltAsync();
        await using var engines = new VmEngines(TimeProvider.System, options, lab.PortalKeyAsync);
        var xen = engines.For(new HostConnection(default, HostKind.Xen, LabHost.Instance, "") { Xen = lab.Access });
        var copied = await xen.EnsureTemplateAsync(Image, Ct);
        Assert.True(copied.Succeeded, copied.Refusal?.Message);
        TestContext.Current.TestOutputHelper?.WriteLine("copied");

        var spec = An.Spec(LabHost.Instance, 27) with { Template = Image, Memory = ByteSize.FromMiB(384), Address = An.Address("10.0.2.27") };
        var fence = An.Fence(spec);
        await xen.EnsureRootDiskAsync(fence, spec, Ct);
        await xen.EnsureSeedAsync(fence, spec, Ct);
        await xen.EnsureDefinedAsync(fence, spec, Ct);
        Assert.True((await xen.EnsureRunningAsync(fence, spec.Name, Ct)).Succeeded);
        await using (var console = await xen.OpenConsoleAsync(spec.Name, Ct))
        {
            await using var output = console.ReadAsync(Ct).GetAsyncEnumerator(Ct);
            var said = new StringBuilder();
            await output.UntilAsync("web-27 login: ", said);
            await console.WriteAsync("root\n"u8.ToArray(), Ct);
            await output.UntilAsync("root@web-27:~# ", said);
            await console.WriteAsync("cat /etc/debian_version /root/.ssh/authorized_keys; ip -4 -o addr; df -m / | tail -1; ls /etc/ssh; grep ^root /etc/shadow; systemctl is-active ssh; echo answer-$((6*7))\n"u8.ToArray(), Ct);
            var answer = await output.UntilAsync("answer-42", said);
            // Its shell says before it what it does with a paste.
            Assert.Matches(@"[\r\n]12\.[0-9]+\r", answer);
            Assert.Contains(An.Key, answer, StringComparison.Ordinal);
            Assert.Contains("10.0.2.27/16", answer, StringComparison.Ordinal);
            Assert.Matches("/dev/xvda +9[0-9]{2} ", answer);
            Assert.Contains("ssh_host_ed25519_key", answer, StringComparison.Ordinal);
            Assert.Contains("root:*:", answer, StringComparison.Ordinal);
            Assert.Contains("\nactive\r", answer, StringComparison.Ordinal);

            Assert.True((await xen.AskShutdownAsync(fence, spec.Name, Ct)).Succeeded);
            while (await output.MoveNextAsync())
            {
                // To its end: the console ends with the domain.
            }
        }

        Assert.True((await xen.ListDomainsAsync(Ct)).Single(d => d.Name == spec.Name).ByGuest);
        await xen.EnsureUndefinedAsync(fence, spec.Name, Ct);
        await xen.EnsureDisksGoneAsync(fence, spec.Name, Ct);
    }
}
