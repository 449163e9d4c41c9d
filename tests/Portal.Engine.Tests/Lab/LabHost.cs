using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Portal.Engine.Remote;
using Portal.Engine.Tests.Lab;
using Portal.Kernel;
using Renci.SshNet;

[assembly: AssemblyFixture(typeof(LabHost))]

namespace Portal.Engine.Tests.Lab;

/// <summary>
/// The Xen host of `./portal lab up`, made a host of this test run by the installation that an operator would run. `./portal test` starts it and says
/// so in PORTAL_LAB_RUNS; without that the tests that need it are skipped. Those that do are one collection, one after the other: among them are some that cut
/// every connection to the host.
/// </summary>
public sealed class LabHost : IAsyncLifetime
{
    public const string Instance = "1ab1ab1a";

    /// <summary>In which it lets the portal keep disks as files; who needs it makes it.</summary>
    public const string Directory = "/srv/portal";

    /// <summary>A frame of kind H, number 0 and thirteen bytes.</summary>
    public const string Greeting = "H\0\0\0\0\0\0\0\rportal-host 5";

    private readonly string _lab = Environment.GetEnvironmentVariable("PORTAL_LAB") ?? Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "/tmp", ".cache"), "portal", "lab");
    private readonly PortalKeyPair _pair = PortalKeyPair.New();
    private string? _key;
    private Process? _door;

    public static bool Runs => Environment.GetEnvironmentVariable("PORTAL_LAB_RUNS") == "1";

    public static bool RunsAll => Environment.GetEnvironmentVariable("PORTAL_LAB_ALL") == "1";

    public const string TakesLong = "It takes minutes on an emulated host: PORTAL_LAB_ALL=1 runs it.";

    internal SshTarget Target { get; private set; } = default!;

    public XenAccess Access => new(Target.Address, Target.Port, Target.Key, "vgdisk", "thin", "xenbr0");

    /// <summary>The portal's own key; the lab's opens the door to root, and is for tests alone.</summary>
    public Task<string> PortalKeyAsync(CancellationToken ct) => Task.FromResult(_pair.PrivatePem);

    private string[] Ssh => ["-F", "none", "-p", $"{Target.Port}", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", $"UserKnownHostsFile={Path.Combine(_lab, "known_hosts")}", "-o", "LogLevel=ERROR"];

    private string[] AsRoot => ["-S", _key! + ".door", "-i", Path.Combine(_lab, "id"), .. Ssh, $"root@{Target.Address}"];

    internal IPrivateKeySource Key => new PrivateKeyFile(_key ?? throw new InvalidOperationException("There is no lab."));

    public async ValueTask InitializeAsync()
    {
        if (!Runs)
        {
            return;
        }

        _key = Path.Combine(System.IO.Directory.CreateTempSubdirectory("portal-lab-").FullName, "key");
        await File.WriteAllTextAsync(_key, _pair.PrivatePem + "\n");
        File.SetUnixFileMode(_key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.True(SshPublicKey.TryParse(await File.ReadAllTextAsync(Path.Combine(_lab, "host_key.pub")), out var host));
        Target = new SshTarget("127.0.0.1", int.Parse(await File.ReadAllTextAsync(Path.Combine(_lab, "port")), System.Globalization.CultureInfo.InvariantCulture), HostInstall.User, host);
        // Held open: a handshake takes an emulated host a second, and root is asked some hundred times.
        _door = Start("ssh", ["-M", "-N", .. AsRoot]);
        var script = HostInstall.Script(Instance, ["vgdisk", "vgswap"], _pair.Public, "small", ["/dev/vgdisk/raw"], Directory);
        foreach (var _ in Enumerable.Range(0, 2))
        {
            Assert.Contains("ready for the portal", await AsRootAsync("sh -s", script), StringComparison.Ordinal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_door is not null)
        {
            _door.Kill();
            await _door.WaitForExitAsync();
            _door.Dispose();
        }

        if (_key is not null)
        {
            System.IO.Directory.Delete(Path.GetDirectoryName(_key)!, recursive: true);
        }
    }

    /// <summary>As root of the host, past the portal: to prepare and to look behind it. Over the door that is held open; where that broke, by itself.</summary>
    public Task<string> AsRootAsync(string command, string input = "") => RunAsync("ssh", [.. AsRoot, command], input);

    /// <summary>What ssh says that signs in with the portal's key and asks for this command.</summary>
    public async Task<(int Code, string Output)> AsPortalAsync(string command)
    {
        using var process = Start("ssh", ["-i", _key!, .. Ssh, $"{Target.User}@{Target.Address}", command]);
        // Its greeting comes while the portal is there; it goes with its input.
        var greeting = new char[Greeting.Length];
        var length = await process.StandardOutput.ReadBlockAsync(greeting);
        process.StandardInput.Close();
        var output = new string(greeting, 0, length) + await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }

    /// <summary>Nothing runs on the host until <see cref="ThawAsync"/>; its clock stands still.</summary>
    public Task FreezeAsync() => TellQemuAsync("stop");

    public Task ThawAsync() => TellQemuAsync("cont");

    /// <summary>As its reset button does it: nothing on it is told. It boots anew from the same disks, which takes a minute or more.</summary>
    public async Task ResetAsync()
    {
        await TellQemuAsync("set-action", ""","arguments":{"reboot":"reset"}""");
        await TellQemuAsync("system_reset");
    }

    internal SshShell Shell() => new(async ct => await SshLink.ConnectAsync(Target, Key, ct), TimeProvider.System);

    private async Task TellQemuAsync(string command, string arguments = "")
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_lab, "monitor")));
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($$"""{"execute":"qmp_capabilities"}{"execute":"{{command}}"{{arguments}},"id":"asked"}"""));
        while (await reader.ReadLineAsync() is { } line)
        {
            Assert.DoesNotContain("\"error\"", line, StringComparison.Ordinal);
            if (line.Contains("\"asked\"", StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"QEMU did not answer '{command}'.");
    }

    private static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, string input)
    {
        using var process = Start(program, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {process.ExitCode}\n{await output}{await error}");
        return await output;
    }

    private static Process Start(string program, IReadOnlyList<string> arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })
        ?? throw new InvalidOperationException($"{program} did not start.");
}
