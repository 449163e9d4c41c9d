using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Portal.Engine.Simulated;

[assembly: AssemblyFixture(typeof(Portal.Browser.Tests.RunningPortal))]

namespace Portal.Browser.Tests;

/// <summary>A portal as a newcomer starts it: `./portal up` with the real engine, once for the whole run.</summary>
public sealed class RunningPortal : StartedPortal;

/// <summary>A portal whose one host is the Xen host of the lab: `./portal up --engine none --lab`.</summary>
public sealed class LabPortal() : StartedPortal("--engine", "none", "--lab");

/// <summary>A portal whose one host is made up, and whose root disks are clones that cannot be without their template's volume.</summary>
public sealed class ClonesPortal() : StartedPortal("--engine", "simulated")
{
    protected override void Prepare(string data) => new SimulatedFaults(File.ReadLines(Path.Combine(data, "pools")).Last()).Shape = new SimulatedShape { ClonesBySnapshot = true };
}

/// <summary>A portal on a data directory of its own; at the end `./portal down --all` takes away everything that it made.</summary>
public abstract partial class StartedPortal(params string[] how) : IAsyncLifetime
{
    private readonly string _data = Path.Combine(Path.GetTempPath(), $"portal-browser-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4))}");

    private string? _app;

    public Uri Address { get; } = new($"http://localhost:{FreePort()}");

    /// <summary>Password by e-mail address, as the first run printed them.</summary>
    public IReadOnlyDictionary<string, string> Accounts { get; private set; } = new Dictionary<string, string>();

    /// <summary>The top of the checkout.</summary>
    public static string Root { get; } = FindRoot();

    public async ValueTask InitializeAsync()
    {
        var (built, path) = await PortalAsync("build");
        Assert.True(built == 0, $"./portal build ended with {built}:\n{path}");
        _app = path.Split('\n')[0];
        var (code, output) = await PortalAsync(["up", "--background", "--no-install", "--data", _data, "--port", Address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), .. how]);
        Assert.True(code == 0, $"./portal up ended with {code}:\n{output}");
        Prepare(_data);
        Accounts = AccountLine().Matches(await File.ReadAllTextAsync(Path.Combine(_data, "accounts.txt"))).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
    }

    public async ValueTask DisposeAsync()
    {
        var (code, output) = await PortalAsync("down", "--all", "--yes", "--data", _data);
        Assert.True(code == 0, $"./portal down --all ended with {code}:\n{output}");
        GC.SuppressFinalize(this);
    }

    /// <summary>What is to be so before anybody uses it.</summary>
    /// <param name="data">Its data directory.</param>
    protected virtual void Prepare(string data)
    {
    }

    private async Task<(int Code, string Output)> PortalAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Root, "portal"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root };
        start.Environment.Remove("ConnectionStrings__Portal");
        // Built once and named, so that `down --all` leaves builds, and the logs of this run beside them, alone.
        if (_app is not null)
        {
            start.Environment["PORTAL_APP"] = _app;
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException("./portal did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Portal.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run inside the checkout.");
        }

        return folder;
    }

    [GeneratedRegex(@"(\S+@\S+)\s+(\S+)")]
    private static partial Regex AccountLine();
}
