using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Remote;

/// <summary>What portal-host does for guests that are whole PCs, and what it keeps to itself of domains that others configured.</summary>
public sealed class WholePcTests : IDisposable
{
    private static readonly VmId s_vm = new(Guid.Parse("0190a5b0-0000-7000-8000-00000000beef"));
    private static readonly DomainSpec s_spec = An.Spec(PortalHost.Instance) with { Name = new DomainName(PortalHost.Instance, s_vm, 1) };
    private static readonly string s_domain = s_spec.Name.Text;

    private readonly PortalHost _host = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_portal_writes_of_one_is_kept()
    {
        await using var channel = await _host.ConnectAsync(Ct);

        var put = await PutAsync(channel, Here(XenConfig.WritePc(s_spec, new XenStorage("vg0", "thin", "xenbr0"))));

        Assert.Equal((0, ""), (put.ExitCode, put.Error));
        Assert.Contains("type = \"hvm\"\n", (await channel.RunAsync(PortalHostCommands.Get($"domains/{s_domain}"), Ct)).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serial = \"pty\"")]
    [InlineData("serial = \"unix:/etc/cron.d/x,server=on,wait=off,logfile=LOGS/serial-DOMAIN.log,logappend=on\"")]
    [InlineData("serial = \"unix:BASE/serial/DOMAIN,server=on,wait=off,logfile=/etc/cron.d/x,logappend=on\"")]
    [InlineData("serial = \"unix:BASE/serial/OTHER,server=on,wait=off,logfile=LOGS/serial-DOMAIN.log,logappend=on\"")]
    [InlineData("serial = \"unix:BASE/serial/DOMAIN,server=on,wait=off,logfile=LOGS/serial-OTHER.log,logappend=on\"")]
    [InlineData("serial = \"unix:BASE/serial/DOMAIN,server=on,wait=off,logfile=LOGS/serial-DOMAIN.log,logappend=on,mux=on\"")]
    [InlineData("serial = [ \"unix:BASE/serial/DOMAIN,server=on,wait=off,logfile=LOGS/serial-DOMAIN.log,logappend=on\" ]")]
    [InlineData("serial = \"file:LOGS/serial-DOMAIN.log\"")]
    [InlineData("bios = \"/tmp/x\"")]
    [InlineData("bios_path_override = \"/tmp/x\"")]
    [InlineData("firmware_override = \"/tmp/x\"")]
    [InlineData("device_model_args_hvm = [ \"-monitor\", \"stdio\" ]")]
    [InlineData("vga = \"qxl\"")]
    [InlineData("disk = [ 'phy:/dev/vg0/DOMAIN,xvda,w', 'format=raw,vdev=hdc,access=r,devtype=cdrom,target=/dev/vg0/OTHER-seed' ]")]
    [InlineData("disk = [ 'phy:/dev/vg0/DOMAIN,xvda,w', 'format=raw,vdev=hdc,access=r,devtype=cdrom,target=/dev/vg0/DOMAIN' ]")]
    [InlineData("disk = [ 'phy:/dev/vg0/DOMAIN,xvda,w', 'format=qcow2,vdev=hdc,access=r,devtype=cdrom,target=/dev/vg0/DOMAIN-seed' ]")]
    [InlineData("disk = [ 'phy:/dev/vg0/DOMAIN,xvda,w', 'format=raw,vdev=hdc,access=r,devtype=cdrom,target=/etc/shadow' ]")]
    [InlineData("disk = [ 'format=raw,vdev=hdc,access=r,devtype=cdrom,target=/dev/vg0/DOMAIN-seed', 'phy:/dev/vg0/DOMAIN,xvda,w' ]")]
    public async Task What_names_another_file_or_another_VMs_is_not(string line)
    {
        await using var channel = await _host.ConnectAsync(Ct);
        line = line.Replace("DOMAIN", s_domain, StringComparison.Ordinal).Replace("OTHER", new DomainName(PortalHost.Instance, new VmId(Guid.Empty), 1).Text, StringComparison.Ordinal)
            .Replace("BASE", _host.Base, StringComparison.Ordinal).Replace("LOGS", $"{_host.Base}/console", StringComparison.Ordinal);

        var put = await PutAsync(channel, line + "\n");

        Assert.Equal(114, put.ExitCode);
        Assert.Contains("is not one that a VM of the portal has", put.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_PC_is_made_of_is_told_where_it_is_there()
    {
        await using var channel = await _host.ConnectAsync(Ct);
        Assert.Empty(await PartsAsync());

        foreach (var path in new[] { "usr/libexec/xen-qemu-system-i386", "usr/lib/xen-4.17/boot/hvmloader", "usr/share/seabios/bios-256k.bin" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_host.Base, path))!);
            await File.WriteAllTextAsync(Path.Combine(_host.Base, path), "", Ct);
        }

        Assert.Equal(["device_model", "hvmloader", "seabios"], await PartsAsync());

        async Task<IReadOnlyList<string>> PartsAsync() => HostFacts.Parse((await channel.RunAsync(PortalHostCommands.Facts(), Ct)).Output).Parts;
    }

    [Fact]
    public async Task Passwords_of_screens_stay_on_the_host_whoever_configured_them()
    {
        const string List = """
            [ { "domid": 3, "config": { "c_info": { "name": "win" }, "b_info": { "type.hvm": {
                "vnc": { "enable": "True", "listen": "0.0.0.0", "passwd": "one\"secret\\" },
                "spice": { "enable": "True", "passwd" : "secret two", "port": 6000 } } },
              "vfbs": [ { "devid": 0, "vnc": { "passwd": "" , "display": 1 } } ] } } ]
            """;
        Program("xl", $"cat <<'END'\n{List}\nEND\necho some complaint >&2\nexit 3");
        await using var channel = await _host.ConnectAsync(Ct);

        var told = await channel.RunAsync(XlCommands.ListLong(), Ct);

        Assert.Equal((3, "some complaint\n"), (told.ExitCode, told.Error));
        Assert.Equal(List.Replace("\"one\\\"secret\\\\\"", "\"hidden\"", StringComparison.Ordinal).Replace("\"secret two\"", "\"hidden\"", StringComparison.Ordinal).Replace("\"passwd\": \"\"", "\"passwd\": \"hidden\"", StringComparison.Ordinal) + "\n", told.Output);
        Assert.DoesNotContain("secret", told.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_cards_whose_addresses_end_alike_are_not_kept_apart_so_the_second_does_not_start()
    {
        Program("../nft", "true");
        await using var channel = await _host.ConnectAsync(Ct);
        var other = An.Spec(PortalHost.Instance) with { Mac = new MacAddress(0x0016_3e00_0000 | (s_spec.Mac.Value & 0xFFFF)) };
        var alike = other with { Mac = new MacAddress(0x00AA_0000_0000 | (s_spec.Mac.Value & 0xFFFF_FFFF)) };
        await StartsAsync(s_spec);
        await StartsAsync(other);
        Assert.Equal(0, (await PutAsync(channel, Config(alike), alike)).ExitCode);

        var refused = await channel.RunAsync(PortalHostCommands.Guard(alike.Name.Text).Under(An.Fence(alike)), Ct);
        var attached = await channel.RunAsync(PortalHostCommands.Guard(s_domain, alike.Mac).Under(An.Fence(s_spec)), Ct);

        Assert.All([refused, attached], no => Assert.Equal((114, true), (no.ExitCode, no.Error.Contains($"{s_domain} has the MAC address {s_spec.Mac}", StringComparison.Ordinal))));
        await StartsAsync(s_spec); // again, and it is still kept to its own
        Assert.Contains($". {s_spec.Mac}", await File.ReadAllTextAsync(Path.Combine(_host.Base, "guards.nft"), Ct), StringComparison.Ordinal);
        Assert.DoesNotContain($". {alike.Mac}", await File.ReadAllTextAsync(Path.Combine(_host.Base, "guards.nft"), Ct), StringComparison.Ordinal);
        Assert.Equal(0, (await channel.RunAsync(PortalHostCommands.Remove($"domains/{s_domain}").Under(An.Fence(s_spec)), Ct)).ExitCode);
        await StartsAsync(alike);

        async Task StartsAsync(DomainSpec spec)
        {
            Assert.Equal(0, (await PutAsync(channel, Config(spec), spec)).ExitCode);
            var guarded = await channel.RunAsync(PortalHostCommands.Guard(spec.Name.Text).Under(An.Fence(spec)), Ct);
            Assert.Equal((0, ""), (guarded.ExitCode, guarded.Error));
        }
    }

    public void Dispose() => _host.Dispose();

    private string Config(DomainSpec spec) => Here(XenConfig.WritePc(spec, new XenStorage("vg0", "thin", "xenbr0")));

    private string Here(string config) => config.Replace(PortalHostCommands.Files, _host.Base, StringComparison.Ordinal).Replace("/var/log/xen/console", $"{_host.Base}/console", StringComparison.Ordinal);

    private static Task<HostAnswer> PutAsync(HostChannel channel, string config, DomainSpec? of = null) =>
        channel.RunAsync(PortalHostCommands.Put($"domains/{(of ?? s_spec).Name.Text}", config).Under(An.Fence(of ?? s_spec)), Ct);

    private void Program(string name, string script)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_host.Base, "bin")).FullName, name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
