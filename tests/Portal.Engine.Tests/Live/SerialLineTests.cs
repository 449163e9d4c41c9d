using System.Diagnostics;
using System.Text;
using Portal.Engine.Remote;
using Portal.Engine.Tests.Remote;
using Portal.Engine.Xen;

namespace Portal.Engine.Tests.Live;

/// <summary>The console of a whole PC on a Xen host: QEMU, Xen's device model, with the line that the portal writes for it, and portal-host at its other end.</summary>
public sealed class SerialLineTests : IDisposable
{
    private static readonly DomainSpec s_spec = An.Spec(PortalHost.Instance);

    private readonly PortalHost _host = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_that_it_says_is_kept_from_the_first_byte_on_and_what_is_typed_is_heard_whoever_typed_before()
    {
        await using var channel = await _host.ConnectAsync(Ct);
        var config = XenConfig.WritePc(s_spec, new XenStorage("vg0", "thin", "xenbr0")).Replace(PortalHostCommands.Files, _host.Base, StringComparison.Ordinal).Replace("/var/log/xen/console", $"{_host.Base}/console", StringComparison.Ordinal);
        Assert.Equal(0, (await channel.RunAsync(PortalHostCommands.Put($"domains/{s_spec.Name.Text}", config).Under(An.Fence(s_spec)), Ct)).ExitCode);
        Directory.CreateDirectory(Path.Combine(_host.Base, "console"));
        var disk = Path.Combine(_host.Base, "disk.raw");
        await File.WriteAllBytesAsync(disk, [.. BootRecord.Speaking(), .. new byte[(1 << 20) - 512]], Ct);
        var serial = config.Split('\n').Single(line => line.StartsWith("serial = ", StringComparison.Ordinal))["serial = \"".Length..^1];
        // As libxl starts it, but for Xen.
        using var qemu = Process.Start(new ProcessStartInfo(
            "qemu-system-x86_64",
            ["-machine", "pc,accel=tcg", "-m", "32", "-nodefaults", "-no-user-config", "-vga", "none", "-display", "none", "-serial", serial, "-boot", "order=c", "-drive", $"file={disk},if=ide,index=0,media=disk,format=raw,cache=writeback"]))!;
        try
        {
            var heard = new StringBuilder();
            await using var follows = await channel.OpenAsync(PortalHostCommands.Follow(s_spec.Name.Text, 0), came => { lock (heard) { heard.Append(Encoding.ASCII.GetString(came.Span)); } }, Ct);
            await UntilAsync(() => Said(heard) == 1);

            for (var hand = 1; hand <= 2; hand++)
            {
                await using var types = await channel.OpenAsync(PortalHostCommands.Type(s_spec.Name.Text), _ => { }, Ct);
                await types.WriteAsync("ab"u8.ToArray(), Ct);
                await UntilAsync(() => Said(heard) == 1 + (2 * hand));
            }

            Assert.StartsWith("at 0\n", heard.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            qemu.Kill();
            await qemu.WaitForExitAsync(CancellationToken.None);
        }

        await UntilAsync(async () => (await channel.RunAsync(PortalHostCommands.Type(s_spec.Name.Text) with { Timeout = TimeSpan.FromSeconds(10) }, Ct)) is { ExitCode: 2 } gone && gone.Error.Contains("no serial line", StringComparison.Ordinal));
        Assert.Equal(0, (await channel.RunAsync(PortalHostCommands.Forget(s_spec.Name.Text).Under(An.Fence(s_spec)), Ct)).ExitCode);
        Assert.Empty(Directory.GetFiles(Path.Combine(_host.Base, "console")));
        Assert.Equal(0, (await channel.RunAsync(PortalHostCommands.Remove($"domains/{s_spec.Name.Text}").Under(An.Fence(s_spec)), Ct)).ExitCode);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_host.Base, "serial")));
    }

    public void Dispose() => _host.Dispose();

    private static int Said(StringBuilder heard)
    {
        lock (heard)
        {
            return heard.ToString().Split("disk login: ").Length - 1;
        }
    }

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
    }
}
