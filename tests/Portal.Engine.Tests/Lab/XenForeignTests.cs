using System.Text;
using Portal.Kernel;

namespace Portal.Engine.Tests.Lab;

/// <summary>A domain that was made by hand on a real Xen, as the article made its own.</summary>
[Trait("Category", "Live")]
[Collection(nameof(LabHost))]
public sealed class XenForeignTests(LabHost lab, LabEngine engine) : IClassFixture<LabEngine>
{
    private static readonly string s_template = $"t{LabHost.Instance}-{TemplateImage.TinyLinux.Name}-{TemplateImage.TinyLinux.Version}";

    /// <summary>Listing 2 with what is on this host; the misspelt volume group and a password are there to be met.</summary>
    private static readonly string s_config = $"""
        # The kernel of the virtual machine
        kernel = "/var/lib/portal-host/images/{s_template}.kernel"
        ramdisk = "/var/lib/portal-host/images/{s_template}.initrd"
        builder='linux'
        memory = 128
        name = "Apache1"
        cpu = -1
        nics = 1
        vif = [ 'mac=aa:00:00:00:00:01, bridge=xenbr0' ]
        disk = [ 'phy:vgdisk/apache1,xvda,w', 'phy:vgswap/apache1swap,xvdb,w' ]
        root = "/dev/xvda"
        extra = 2
        restart = 'onreboot'
        vncpasswd = 'secret'

        """;

    /// <summary>The same as today's xl takes it: it stumbles over the sign of -1, wants whole paths, and does not know what only xm knew.</summary>
    private static readonly string s_today = s_config.Replace("cpu = -1\n", "", StringComparison.Ordinal).Replace("builder='linux'", "type = 'pv'", StringComparison.Ordinal).Replace("extra = 2", "extra = 'console=hvc0'", StringComparison.Ordinal).Replace("phy:", "phy:/dev/", StringComparison.Ordinal);

    [Fact]
    public async Task A_domain_made_by_hand_is_seen_off_and_running_and_nothing_of_it_is_changed()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        var ct = TestContext.Current.CancellationToken;
        var xen = await engine.GetAsync(lab);
        await lab.AsRootAsync($"lvcreate -qy -kn -s -n apache1 vgdisk/{s_template} && lvcreate -qy -L 8m -n apache1swap vgswap && mkdir -p /etc/xen/auto && cat >/etc/xen/apache1.cfg && ln -s ../apache1.cfg /etc/xen/auto/apache1", s_config);
        try
        {
            var off = Assert.Single(await xen.FindForeignAsync(ct), s => s.Name == "Apache1");
            await lab.AsRootAsync("cat >/etc/xen/apache1.cfg && xl create -q /etc/xen/apache1.cfg", s_today);
            var running = Assert.Single(await xen.FindForeignAsync(ct), s => s.Name == "Apache1");
            var pasted = (await xen.ReadForeignAsync(s_config.Replace("vgswap", "vgsdap", StringComparison.Ordinal), ct)).Value;

            Assert.Equal((DomainState.Off, "/etc/xen/apache1.cfg", true), (off.State, off.Readings.Single().Source, off.Readings[0].Autostart));
            Assert.Empty(off.Readings[0].Domain.NotUnderstood);
            Assert.DoesNotContain(off.Readings[0].Domain.Understood, u => u.Value.Contains("secret", StringComparison.Ordinal));
            Assert.Contains(running.State, new[] { DomainState.Running, DomainState.Paused });
            Assert.Equal(["xl list -l", "/etc/xen/apache1.cfg"], running.Readings.Select(r => r.Source));
            Assert.All(running.Readings, r =>
            {
                Assert.Equal((ByteSize.FromMiB(128), 1, "aa:00:00:00:00:01"), (r.Domain.Memory, r.Domain.Vcpus, r.Domain.Vifs.Single().Mac?.ToString()));
                Assert.Equal([new ForeignVolume("vgdisk", "apache1"), new ForeignVolume("vgswap", "apache1swap")], r.Domain.Disks.Select(d => d.Volume));
            });
            Assert.Contains("The volume group vgsdap is not on this host; did you mean vgswap?", pasted.Warnings);
            Assert.DoesNotContain(await xen.ListDomainsAsync(ct), d => d.Name.Text == "Apache1");
            Assert.Equal(s_today, await lab.AsRootAsync("cat /etc/xen/apache1.cfg; lvs -o lv_tags --noheadings vgdisk/apache1 | tr -d ' \\n'"));
        }
        finally
        {
            await lab.AsRootAsync("xl destroy Apache1; rm -f /etc/xen/apache1.cfg /etc/xen/auto/apache1; lvremove -qfy vgdisk/apache1 vgswap/apache1swap");
        }
    }

    [Fact]
    public async Task A_domain_made_by_hand_is_given_back_running_or_adopted_and_answers_on_its_console()
    {
        Assert.SkipUnless(LabHost.Runs, "The lab does not run.");
        Assert.SkipUnless(LabHost.RunsAll, LabHost.TakesLong);
        var ct = TestContext.Current.CancellationToken;
        var xen = await engine.GetAsync(lab);
        var config = s_today.Replace("Apache1", "Web1", StringComparison.Ordinal).Replace("vgdisk/apache1", "vgdisk/web1", StringComparison.Ordinal).Replace("vgswap/apache1swap", "vgdisk/web1swap", StringComparison.Ordinal);
        await lab.AsRootAsync($"lvcreate -qy -kn -s -n web1 vgdisk/{s_template} && lvcreate -qy -L 8m -n web1swap vgdisk && cat >/etc/xen/web1.cfg && xl create -q /etc/xen/web1.cfg", config);
        try
        {
            var offer = Assert.Single(await xen.FindForeignAsync(ct), s => s.Name == "Web1").Offer!;
            Assert.Empty(offer.Obstacles);
            var spec = An.Spec(LabHost.Instance, 31) with { Memory = ByteSize.FromMiB(128), Disk = offer.Disk, Mac = offer.Mac!.Value, Adopted = offer.Domain };
            var fence = An.Fence(spec);

            // Not without the word of the host's administrator.
            Assert.IsType<AdoptionNotPermitted>((await xen.AskForeignShutdownAsync(fence, spec, ct)).Refusal);
            Assert.Equal(DomainState.Running, await xen.LookForeignAsync("Web1", ct));
            await lab.AsRootAsync($"echo '{offer.Permit}' >> /etc/portal-host.conf");
            Assert.True((await xen.FindForeignAsync(ct)).Single(s => s.Name == "Web1").Offer!.Permitted);

            await EndAsync(xen, spec, ct);
            Value(await xen.EnsureTakenOverAsync(fence, spec, ct));
            Assert.Equal(StepOutcome.AlreadyThere, Value(await xen.EnsureTakenOverAsync(fence, spec, ct)));
            Value(await xen.EnsureDefinedAsync(fence, spec, ct));
            // It is taken back, the last step first: the domain runs as before, and nothing of the portal's is left.
            Value(await xen.EnsureUndefinedAsync(fence, spec.Name, ct));
            Value(await xen.EnsureGivenBackAsync(fence, spec, ct));
            Value(await xen.EnsureForeignRunningAsync(fence, spec, ct));
            Assert.NotEqual(DomainState.Off, await xen.LookForeignAsync("Web1", ct));
            Assert.DoesNotContain(spec.Name.Text, await lab.AsRootAsync("lvs --noheadings -o lv_name,lv_tags; ls /var/lib/portal-host/*"), StringComparison.Ordinal);

            await EndAsync(xen, spec, ct);
            Value(await xen.EnsureTakenOverAsync(fence, spec, ct));
            Value(await xen.EnsureDefinedAsync(fence, spec, ct));
            Value(await xen.EnsureRunningAsync(fence, spec.Name, ct));
            Assert.Contains(await xen.ListDomainsAsync(ct), d => d.Name == spec.Name && d.State != DomainState.Off);
            await using (var console = await xen.OpenConsoleAsync(spec.Name, ct))
            {
                await using var output = console.ReadAsync(ct).GetAsyncEnumerator(ct);
                var heard = new StringBuilder();
                await output.UntilAsync(" login: ", heard);
                await console.WriteAsync("root\n"u8.ToArray(), ct);
                await output.UntilAsync(":~# ", heard);
                await console.WriteAsync("cat /proc/cmdline; echo answer-$((6*7))\n"u8.ToArray(), ct);
                Assert.Contains("root=/dev/xvda console=hvc0", await output.UntilAsync("answer-42", heard), StringComparison.Ordinal);
            }

            Assert.DoesNotContain(await xen.FindForeignAsync(ct), s => s is { Name: "Web1", State: not DomainState.Off });
            Value(await xen.EnsureUndefinedAsync(fence, spec.Name, ct));
            Value(await xen.EnsureDisksGoneAsync(fence, spec.Name, ct));
            Assert.DoesNotContain("web1", await lab.AsRootAsync("lvs --noheadings -o lv_name"), StringComparison.Ordinal);
            Assert.DoesNotContain(spec.Name.Text, await lab.AsRootAsync("lvs --noheadings -o lv_name; ls /var/lib/portal-host/*"), StringComparison.Ordinal);
        }
        finally
        {
            await lab.AsRootAsync("xl destroy Web1; rm -f /etc/xen/web1.cfg; lvremove -qfy vgdisk/web1 vgdisk/web1swap; sed -i '/^adopt /d' /etc/portal-host.conf");
        }
    }

    private static async Task EndAsync(IVmEngine xen, DomainSpec spec, CancellationToken ct)
    {
        Value(await xen.AskForeignShutdownAsync(An.Fence(spec), spec, ct));
        while (await xen.LookForeignAsync(spec.Adopted!.Name, ct) != DomainState.Off)
        {
            // A guest that was still starting heard nothing.
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, ct);
            Value(await xen.AskForeignShutdownAsync(An.Fence(spec), spec, ct));
        }
    }

    private static T Value<T>(Result<T> result) => result.TryGet(out var value, out var refusal) ? value : throw new InvalidOperationException(refusal.Message);
}
