using System.Text;

namespace Portal.Engine.Tests.Live;

[Collection(nameof(LibvirtHost))]
public sealed class JourneyTests(LibvirtHost host)
{
    [Fact]
    public async Task A_guest_is_built_boots_is_worked_on_shuts_down_and_leaves_nothing()
    {
        var ct = TestContext.Current.CancellationToken;
        var engine = await host.EngineAsync();
        const string Script = "#!/bin/sh\necho \"ran as $(id -un) 'with $HOME'\" é; echo once >> ~/ran\n";
        var spec = An.Spec(host.Instance, 20) with { UserData = An.Data(Script) };
        var fence = An.Fence(spec);

        Assert.Equal(StepOutcome.Changed, (await engine.EnsureRootDiskAsync(fence, spec, ct)).Value);
        Assert.Equal(StepOutcome.Changed, (await engine.EnsureSeedAsync(fence, spec, ct)).Value);
        Assert.Equal(StepOutcome.Changed, (await engine.EnsureDefinedAsync(fence, spec, ct)).Value);
        Assert.Equal(StepOutcome.Changed, (await engine.EnsureRunningAsync(fence, spec.Name, ct)).Value);

        var console = await engine.OpenConsoleAsync(spec.Name, ct);
        await using (console)
        {
            await using var output = console.ReadAsync(ct).GetAsyncEnumerator(ct);
            var heard = new StringBuilder();
            var boot = await output.UntilAsync("web-20 login: ", heard);
            Assert.Contains("Linux version", boot, StringComparison.Ordinal);

            await TypeAsync(console, "root\n", ct);
            await output.UntilAsync("root@web-20:~# ", heard);
            await TypeAsync(console, "uname -n; ip -4 addr show eth0; df -m / | tail -1; cat .ssh/authorized_keys; echo do''ne\n", ct);
            var answer = await output.UntilAsync("done", heard);
            Assert.Contains("\nweb-20\r", answer, StringComparison.Ordinal);
            Assert.Contains("inet 10.77.0.20/16", answer, StringComparison.Ordinal);
            Assert.Contains(An.Key, answer, StringComparison.Ordinal);
            Assert.Matches("/dev/vda +9[0-9]{2} ", answer);

            // Until its last word is on the console as well: it would come into the middle of the answer.
            await TypeAsync(console, "until grep ended /var/log/owner-data.log && ! pidof tee; do sleep 1; done; cat /var/log/owner-data.log ran /var/lib/tiny/owner-data; echo t''old\n", ct);
            var told = await output.UntilAsync("told", heard);
            Assert.Contains("\nran as root 'with /root' é\r\nTiny Linux: the user data ended with exit code 0\r\nonce\r\n#!/bin/sh\r\n", told, StringComparison.Ordinal);

            await TypeAsync(console, "ping -c 1 10.77.2.2 && echo kept > /root/note && sync && echo st''ored\n", ct);
            await output.UntilAsync("stored", heard);

            Assert.IsType<DiskInUse>((await engine.EnsureDisksGoneAsync(fence, spec.Name, ct)).Refusal);
            Assert.Equal(StepOutcome.Changed, (await engine.AskShutdownAsync(fence, spec.Name, ct)).Value);
            await output.UntilAsync("Power down", heard);
            while (await output.MoveNextAsync())
            {
                // To its end: the console ends with the domain.
            }
        }

        await host.StateAsync(engine, spec.Name, DomainState.Off, ct);

        Assert.Equal(StepOutcome.Changed, (await engine.EnsureRunningAsync(fence, spec.Name, ct)).Value);
        var again = await engine.OpenConsoleAsync(spec.Name, ct);
        await using (again)
        {
            await using var output = again.ReadAsync(ct).GetAsyncEnumerator(ct);
            var heard = new StringBuilder();
            var boot = await output.UntilAsync("web-20 login: ", heard);
            // It was shut down in order, so its disk has nothing to recover.
            Assert.Contains("EXT4-fs (vda): mounted", boot, StringComparison.Ordinal);
            Assert.DoesNotContain("recovery", boot, StringComparison.Ordinal);
            await TypeAsync(again, "root\n", ct);
            await output.UntilAsync("root@web-20:~# ", heard);
            await TypeAsync(again, "cat note ran; echo a''ll\n", ct);
            Assert.Contains("\nkept\r\nonce\r\nall", await output.UntilAsync("\nall", heard), StringComparison.Ordinal);
        }

        Assert.Equal(StepOutcome.Changed, (await engine.EnsureOffAsync(fence, spec.Name, ct)).Value);
        Assert.Equal(StepOutcome.Changed, (await engine.EnsureUndefinedAsync(fence, spec.Name, ct)).Value);
        Assert.Equal(StepOutcome.Changed, (await engine.EnsureDisksGoneAsync(fence, spec.Name, ct)).Value);
        Assert.DoesNotContain(await engine.ListDomainsAsync(ct), report => report.Name == spec.Name);
        Assert.DoesNotContain(Directory.EnumerateFiles(host.PoolPath, "*", SearchOption.AllDirectories), path => path.Contains(spec.Name.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_guest_and_its_console_survive_libvirtd()
    {
        var ct = TestContext.Current.CancellationToken;
        var engine = await host.EngineAsync();
        var spec = An.Spec(host.Instance, 21);
        var fence = An.Fence(spec);
        await engine.EnsureRootDiskAsync(fence, spec, ct);
        await engine.EnsureSeedAsync(fence, spec, ct);
        await engine.EnsureDefinedAsync(fence, spec, ct);
        await engine.EnsureRunningAsync(fence, spec.Name, ct);

        var console = await engine.OpenConsoleAsync(spec.Name, ct);
        await using (console)
        {
            await using var output = console.ReadAsync(ct).GetAsyncEnumerator(ct);
            var heard = new StringBuilder();
            await host.WithoutLibvirtdAsync(async () =>
            {
                await Assert.ThrowsAsync<HostFaultException>(() => engine.LookAsync(spec.Name, ct));
                Assert.Contains((await engine.ProbeAsync(ct)).Findings, finding => finding is { Code: "libvirt.unreachable", Blocks: true });
                await output.UntilAsync("web-21 login: ", heard);
            });

            Assert.Equal(DomainState.Running, (await engine.LookAsync(spec.Name, ct)).State);
            await TypeAsync(console, "root\n", ct);
            await output.UntilAsync("root@web-21:~# ", heard);
        }

        await engine.EnsureUndefinedAsync(fence, spec.Name, ct);
        await engine.EnsureDisksGoneAsync(fence, spec.Name, ct);
    }

    internal static ValueTask TypeAsync(IGuestConsole console, string text, CancellationToken ct) => console.WriteAsync(Encoding.UTF8.GetBytes(text), ct);
}
