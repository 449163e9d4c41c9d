using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Portal.Script.Tests;

/// <summary>What a command of the script said and how it ended.</summary>
public sealed record Said(int Code, string Out, string Err)
{
    public string All => Out + Err;
}

/// <summary>Runs the script `portal` on a data directory of its own, and leaves nothing of it behind.</summary>
public sealed class PortalScript : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    public static string Root { get; } = FindRoot();

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("portal-script-");
    private readonly List<Process> _started = [];

    public PortalScript()
    {
        // As /home is: PostgreSQL's own user has to pass.
        File.SetUnixFileMode(_home.FullName, (UnixFileMode)0b111_101_101);
        Data = Path.Combine(_home.FullName, "data");
    }

    /// <summary>A directory that the script does not know of; goes when the test ends.</summary>
    public string Home => _home.FullName;

    public string Data { get; set; }

    /// <summary>What the script's environment has beyond the test's own; null takes a variable away.</summary>
    /// <remarks>
    /// PORTAL_APP names a program from the start, if none that is there: builds and test logs are this checkout's and not a test's, and
    /// `down --all` leaves what somebody else has built.
    /// </remarks>
    public Dictionary<string, string?> Environment { get; } = new() { ["ConnectionStrings__Portal"] = null, ["ASPNETCORE_URLS"] = null, ["PORTAL_APP"] = "/built/by/somebody/else" };

    /// <summary>What stands before the script's name, for example another user or a namespace.</summary>
    public string[] Prefix { get; set; } = [];

    public string InData(string name) => Path.Combine(Data, name);

    /// <summary>Runs a command on the data directory to its end.</summary>
    public Task<Said> RunAsync(params string[] arguments) => RunAnyAsync([.. Prefix, Path.Combine(Root, "portal"), .. arguments, "--data", Data]);

    /// <summary>Runs any program to its end.</summary>
    /// <exception cref="TimeoutException">It did not end in three minutes; it was killed with all that it had started.</exception>
    public async Task<Said> RunAnyAsync(params string[] argv)
    {
        using var process = Start(argv, out var output, out var error);
        using var limit = new CancellationTokenSource(s_limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{string.Join(' ', argv)} did not end. It said: {output}{error}");
        }

        return new Said(process.ExitCode, output.ToString(), error.ToString());
    }

    /// <summary>Starts `up` and comes back when it serves.</summary>
    public async Task<Running> UpAsync(params string[] arguments)
    {
        var running = StartUp(arguments);
        await running.SaysAsync("Portal is ready at");
        return running;
    }

    /// <summary>Starts `up` with the simulated engine on a free port and comes back at once.</summary>
    public Running StartUp(params string[] arguments)
    {
        var port = FreePort();
        string[] argv = [.. Prefix, Path.Combine(Root, "portal"), "up", "--engine", "simulated", "--port", port.ToString(CultureInfo.InvariantCulture), .. arguments, "--data", Data];
        var process = Start(argv, out var output, out var error);
        _started.Add(process);
        return new Running(process, output, error, port);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started)
        {
            if (!process.HasExited)
                process.Kill();
            process.Dispose();
        }

        if (File.Exists(InData(".portal")))
        {
            Prefix = [];
            await RunAsync("down", "--all", "--yes");
        }

        _home.Delete(recursive: true);
    }

    public static async Task<int> FieldAsync(PortalScript script, string name)
    {
        var lines = await File.ReadAllLinesAsync(script.InData("running"));
        return int.Parse(lines.Single(l => l.StartsWith(name + " ", StringComparison.Ordinal))[(name.Length + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>Waits for a condition, looking ten times a second.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var clock = TimeProvider.System;
        var started = clock.GetTimestamp();
        while (!condition())
        {
            if (clock.GetElapsedTime(started) > s_limit)
                throw new TimeoutException($"Not within {s_limit}: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), clock, Xunit.TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A process that is there and no zombie.</summary>
    public static bool Lives(int pid) => File.Exists($"/proc/{pid}/status") && !File.ReadAllText($"/proc/{pid}/status").Contains("State:\tZ", StringComparison.Ordinal);

    public static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    internal Process Start(string[] argv, out StringBuilder output, out StringBuilder error)
    {
        var start = new ProcessStartInfo(argv[0], argv[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = Home };
        foreach (var (name, value) in Environment)
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }

        var (said, complained) = (new StringBuilder(), new StringBuilder());
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Append(said, line.Data);
        process.ErrorDataReceived += (_, line) => Append(complained, line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        (output, error) = (said, complained);
        return process;

        static void Append(StringBuilder text, string? line)
        {
            lock (text)
                text.Append(line).Append('\n');
        }
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Portal.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException("No Portal.sln above the tests.");
        return directory.FullName;
    }
}

/// <summary>A portal that `up` runs in the foreground.</summary>
public sealed class Running(Process process, StringBuilder output, StringBuilder error, int port)
{
    public int Pid => process.Id;

    public int Port => port;

    public string Said
    {
        get
        {
            lock (output)
            lock (error)
                return output.ToString() + error;
        }
    }

    public async Task SaysAsync(string text)
    {
        await PortalScript.UntilAsync(() => Said.Contains(text, StringComparison.Ordinal) || process.HasExited, $"'{text}' in: {Said}");
        Assert.Contains(text, Said, StringComparison.Ordinal);
    }

    /// <summary>Sends a signal to the script alone, as `kill` does.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async Task<int> EndsAsync()
    {
        await PortalScript.UntilAsync(() => process.HasExited, $"an end; it said: {Said}");
        // Its last words; a program that outlives a killed script holds the pipe for longer.
        using var lastWords = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await process.WaitForExitAsync(lastWords.Token).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return process.ExitCode;
    }
}
