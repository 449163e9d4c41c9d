using System.Diagnostics;
using System.Globalization;

namespace Portal.Script.Tests;

/// <summary>By itself, so that what it times is the start and not the other tests.</summary>
[CollectionDefinition(nameof(UpTests), DisableParallelization = true)]
public sealed class ByItself;

[Collection(nameof(UpTests))]
public sealed class UpTests(BuiltPortal built)
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task Up_serves_and_a_signal_stops_all_that_it_started(string signal)
    {
        await using var script = await built.ScriptAsync();
        var up = await script.UpAsync();
        var program = await PortalScript.FieldAsync(script, "program");
        var postmaster = await PostmasterAsync(script);
        using var http = new HttpClient();
        var page = await http.GetAsync(new Uri($"http://127.0.0.1:{up.Port}/health/live"), Xunit.TestContext.Current.CancellationToken);

        up.Signal(signal);
        var code = await up.EndsAsync();

        Assert.True(page.IsSuccessStatusCode);
        Assert.True(code == 0, up.Said);
        Assert.False(PortalScript.Lives(program));
        Assert.False(PortalScript.Lives(postmaster));
        Assert.False(File.Exists(script.InData("running")));
        Assert.Contains("Portal is ready at", await File.ReadAllTextAsync(script.InData("log/portal.log"), Xunit.TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_portal_on_the_same_data_is_told_who_is_there_and_harms_nothing()
    {
        await using var script = await built.ScriptAsync();
        var first = await script.UpAsync();

        var second = await script.RunAsync("up", "--engine", "simulated", "--port", "18999");
        var alone = await script.RunAsync("pg", "stop");
        var asked = await script.RunAsync("pg", "psql", "-Atc", "select 1");

        Assert.Equal(1, second.Code);
        Assert.Contains($"process {first.Pid}", second.Err, StringComparison.Ordinal);
        Assert.Contains($":{first.Port}", second.Err, StringComparison.Ordinal);
        Assert.Contains("./portal down", second.Err, StringComparison.Ordinal);
        Assert.Equal(1, alone.Code);
        Assert.Equal("1", asked.Out.Trim());
        first.Signal("TERM");
        await first.EndsAsync();
    }

    [Fact]
    public async Task A_pool_of_its_own_is_empty_first_and_loses_nothing_that_is_not_the_portals()
    {
        var ct = Xunit.TestContext.Current.CancellationToken;
        await using var script = await built.ScriptAsync();
        var pool = Path.Combine(script.Home, "pool");
        Directory.CreateDirectory(pool);
        await File.WriteAllTextAsync(Path.Combine(pool, "mine.txt"), "mine", ct);
        script.Environment["PORTAL_POOL"] = pool;

        var refused = await script.RunAsync("up", "--engine", "simulated", "--port", PortalScript.FreePort().ToString(CultureInfo.InvariantCulture));
        Assert.Equal(1, refused.Code);
        Assert.Contains("has files in it that no portal has made", refused.Err, StringComparison.Ordinal);

        File.Delete(Path.Combine(pool, "mine.txt"));
        var up = await script.UpAsync();
        up.Signal("TERM");
        await up.EndsAsync();
        await File.WriteAllTextAsync(Path.Combine(pool, "mine.txt"), "mine", ct);
        // Whatever PORTAL_POOL says by then: what the portal used is written down.
        script.Environment["PORTAL_POOL"] = script.Home;
        var down = await script.RunAsync("down", "--all", "--yes");

        Assert.True(down.Code == 0, down.All);
        Assert.Equal(["mine.txt"], Directory.GetFileSystemEntries(pool).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Two_portals_do_not_share_a_pool_and_a_start_that_failed_can_be_removed()
    {
        var ct = Xunit.TestContext.Current.CancellationToken;
        await using var script = await built.ScriptAsync();
        await using var other = await built.ScriptAsync();
        var pool = Path.Combine(script.Home, "pool");
        script.Environment["PORTAL_POOL"] = other.Environment["PORTAL_POOL"] = pool;
        var up = await script.UpAsync();
        await File.WriteAllTextAsync(Path.Combine(pool, "disks", "precious"), "x", ct);

        var refused = await other.RunAsync("up", "--engine", "simulated", "--port", PortalScript.FreePort().ToString(CultureInfo.InvariantCulture));
        Assert.Equal(1, refused.Code);
        Assert.Contains($"is the pool of the portal in {script.Data}", refused.Err, StringComparison.Ordinal);
        var down = await other.RunAsync("down", "--all", "--yes");
        Assert.True(down.Code == 0, down.All);
        Assert.False(Directory.Exists(other.Data));
        Assert.True(File.Exists(Path.Combine(pool, "disks", "precious")));
        up.Signal("TERM");
        await up.EndsAsync();
    }

    [Fact]
    public async Task Who_is_locked_out_and_has_nobody_to_ask_makes_a_link_where_the_portal_runs()
    {
        await using var script = await built.ScriptAsync();
        var up = await script.UpAsync();

        var made = await script.RunAsync("password-link", "admin@portal.example");
        var unknown = await script.RunAsync("password-link", "nobody@portal.example");

        Assert.True(made.Code == 0, made.All);
        Assert.Contains($"http://127.0.0.1:{up.Port}/account/new-password?user=", made.Out, StringComparison.Ordinal);
        Assert.Equal(1, unknown.Code);
        up.Signal("TERM");
        await up.EndsAsync();
    }

    [Fact]
    public async Task A_taken_port_is_named_with_its_owner_before_anything_is_made()
    {
        await using var script = await built.ScriptAsync();
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;

        var up = await script.RunAsync("up", "--engine", "simulated", "--port", port.ToString(CultureInfo.InvariantCulture));

        Assert.Equal(1, up.Code);
        Assert.Contains($"Port {port} is taken", up.Err, StringComparison.Ordinal);
        Assert.False(Directory.Exists(script.InData("postgres")));
    }

    [Fact]
    public async Task A_killed_script_leaves_a_portal_that_down_stops()
    {
        await using var script = await built.ScriptAsync();
        var up = await script.UpAsync();
        var program = await PortalScript.FieldAsync(script, "program");
        var postmaster = await PostmasterAsync(script);
        up.Signal("KILL");
        await up.EndsAsync();

        var second = await script.RunAsync("up", "--engine", "simulated", "--port", "18998");
        var down = await script.RunAsync("down");

        Assert.Contains($"process {up.Pid}", second.Err, StringComparison.Ordinal);
        Assert.True(down.Code == 0, down.All);
        Assert.False(PortalScript.Lives(program));
        Assert.False(PortalScript.Lives(postmaster));
    }

    [Fact]
    public async Task Script_and_program_killed_the_next_start_takes_the_database_over()
    {
        await using var script = await built.ScriptAsync();
        var up = await script.UpAsync();
        var program = await PortalScript.FieldAsync(script, "program");
        var postmaster = await PostmasterAsync(script);
        up.Signal("KILL");
        Process.GetProcessById(program).Kill();
        await up.EndsAsync();

        var again = await script.UpAsync();

        Assert.Contains("taken over", again.Said, StringComparison.Ordinal);
        Assert.Equal(postmaster, await PostmasterAsync(script));
        again.Signal("TERM");
        await again.EndsAsync();
        Assert.False(PortalScript.Lives(postmaster));
    }

    [Theory]
    [InlineData("Portal in")]
    [InlineData("making a private")]
    [InlineData("started")]
    public async Task A_first_run_killed_at_any_stage_is_ended_well_by_the_next(string stage)
    {
        await using var script = await built.ScriptAsync();
        var first = script.StartUp();
        await first.SaysAsync(stage);
        first.Signal("KILL");
        await first.EndsAsync();
        await script.RunAsync("down");

        var second = await script.UpAsync();

        second.Signal("TERM");
        Assert.Equal(0, await second.EndsAsync());
    }

    [Fact]
    public async Task A_first_run_told_to_stop_in_the_middle_leaves_no_process()
    {
        await using var script = await built.ScriptAsync();
        var first = script.StartUp();
        await first.SaysAsync("making a private");
        first.Signal("TERM");

        await first.EndsAsync();

        Assert.False(await RunsAnythingInAsync(script.Data));
    }

    [Fact]
    public async Task A_program_that_dies_ends_up_with_its_code_and_the_database_stops()
    {
        await using var script = await built.ScriptAsync();
        var up = await script.UpAsync();
        var postmaster = await PostmasterAsync(script);

        Process.GetProcessById(await PortalScript.FieldAsync(script, "program")).Kill();

        Assert.Equal(1, await up.EndsAsync());
        Assert.Contains("ended with code", up.Said, StringComparison.Ordinal);
        Assert.False(PortalScript.Lives(postmaster));
    }

    [Fact]
    public async Task In_the_background_it_comes_back_when_it_serves_and_down_stops_it()
    {
        await using var script = await built.ScriptAsync();
        var port = PortalScript.FreePort().ToString(CultureInfo.InvariantCulture);

        var up = await script.RunAsync("up", "--engine", "simulated", "--port", port, "--background");
        var status = await script.RunAsync("status");
        var down = await script.RunAsync("down");
        var after = await script.RunAsync("status");

        Assert.Contains("Portal is ready at", up.Out, StringComparison.Ordinal);
        Assert.Equal(0, status.Code);
        Assert.Contains(port, status.Out, StringComparison.Ordinal);
        Assert.Equal(0, down.Code);
        Assert.Equal(3, after.Code);
        Assert.False(await RunsAnythingInAsync(script.Data));
    }

    [Theory]
    [InlineData("--port", "0")]
    [InlineData("--port", "http")]
    [InlineData("--engine", "xen")]
    [InlineData("--colour", "blue")]
    [InlineData("--port")]
    public async Task Nonsense_is_refused_with_advice_and_makes_nothing(params string[] arguments)
    {
        await using var script = await built.ScriptAsync();

        var up = await script.RunAnyAsync([Path.Combine(PortalScript.Root, "portal"), "up", "--data", script.Data, .. arguments]);

        Assert.Equal(1, up.Code);
        Assert.StartsWith("portal: ", up.Err, StringComparison.Ordinal);
        Assert.False(Directory.Exists(script.Data));
    }

    [Fact]
    public async Task A_directory_of_other_files_is_neither_used_nor_removed()
    {
        await using var script = await built.ScriptAsync();
        Directory.CreateDirectory(script.Data);
        await File.WriteAllTextAsync(script.InData("thesis.txt"), "three years", Xunit.TestContext.Current.CancellationToken);

        var up = await script.RunAsync("up", "--engine", "simulated");
        var down = await script.RunAsync("down", "--all", "--yes");

        Assert.Equal(1, up.Code);
        Assert.Equal(1, down.Code);
        Assert.True(File.Exists(script.InData("thesis.txt")));
    }

    [Fact]
    public async Task Down_all_asks_and_with_yes_leaves_nothing()
    {
        await using var script = await built.ScriptAsync();
        await script.RunAsync("up", "--engine", "simulated", "--port", PortalScript.FreePort().ToString(CultureInfo.InvariantCulture), "--background");

        var unanswered = await script.RunAsync("down", "--all");
        var serves = await script.RunAsync("status");
        var removed = await script.RunAsync("down", "--all", "--yes");
        var again = await script.RunAsync("down", "--all", "--yes");

        Assert.Equal(1, unanswered.Code);
        Assert.Contains("--yes", unanswered.Err, StringComparison.Ordinal);
        Assert.Equal(0, serves.Code);
        Assert.True(removed.Code == 0, removed.All);
        Assert.Contains("packages", removed.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(script.Data));
        Assert.Equal(0, again.Code);
    }

    [Fact]
    public async Task An_ordinary_user_runs_it_without_any_right_of_root()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can be somebody else.");
        await using var script = await built.ScriptAsync();
        var home = Path.Combine(script.Home, "home");
        Directory.CreateDirectory(home);
        await script.RunAnyAsync("chown", "nobody", home);
        script.Data = Path.Combine(home, "data");
        script.Environment["HOME"] = home;
        script.Prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"];
        var readable = await script.RunAnyAsync([.. script.Prefix, "test", "-r", await built.AppAsync(), "-a", "-x", Path.Combine(PortalScript.Root, "portal")]);
        Assert.SkipUnless(readable.Code == 0, "This checkout lies where other users cannot read it.");

        var up = await script.UpAsync();
        var owners = (await script.RunAnyAsync("find", script.Data, "-printf", "%u\n")).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct();

        Assert.Equal(["nobody"], owners);
        await script.RunAnyAsync([.. script.Prefix, "kill", "-TERM", up.Pid.ToString(CultureInfo.InvariantCulture)]);
        Assert.Equal(0, await up.EndsAsync());
        Assert.False(await RunsAnythingInAsync(script.Data));
    }

    private static async Task<int> PostmasterAsync(PortalScript script) =>
        int.Parse((await File.ReadAllLinesAsync(script.InData("postgres/postmaster.pid")))[0], CultureInfo.InvariantCulture);

    /// <summary>Any process that stands in the directory or names it on its command line, the test's own aside.</summary>
    private static async Task<bool> RunsAnythingInAsync(string directory)
    {
        await Task.Yield();
        return Directory.GetDirectories("/proc").Select(p => Path.GetFileName(p)).Where(n => int.TryParse(n, out _) && n != Environment.ProcessId.ToString(CultureInfo.InvariantCulture)).Any(n =>
        {
            try
            {
                return PortalScript.Lives(int.Parse(n, CultureInfo.InvariantCulture))
                    && (File.ReadAllText($"/proc/{n}/cmdline").Contains(directory, StringComparison.Ordinal)
                        || (File.ResolveLinkTarget($"/proc/{n}/cwd", returnFinalTarget: false)?.FullName.StartsWith(directory, StringComparison.Ordinal) ?? false));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        });
    }
}
