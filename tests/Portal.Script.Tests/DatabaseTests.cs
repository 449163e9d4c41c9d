using System.Diagnostics;
using System.Globalization;

namespace Portal.Script.Tests;

public sealed class DatabaseTests
{
    [Fact]
    public async Task The_private_database_lets_the_portal_in_and_no_other_user_of_the_machine()
    {
        await using var script = new PortalScript();

        var start = await script.RunAsync("pg", "start");
        var asked = await script.RunAsync("pg", "psql", "-Atc", "select current_user, current_setting('listen_addresses'), current_setting('fsync'), current_setting('data_checksums')");
        var superuser = await script.RunAsync("pg", "psql", "-Atc", "select rolsuper or rolbypassrls from pg_roles where rolname = current_user");

        Assert.True(start.Code == 0, start.All);
        Assert.Equal("portal||on|on", asked.Out.Trim());
        Assert.Equal("f", superuser.Out.Trim());
        Assert.Equal("700", await ModeAsync(script, "postgres"));
        Assert.Equal("700", await ModeAsync(script, "run"));
        Assert.Equal("600", await ModeAsync(script, "postgres.pass"));
        Assert.NotEqual("root", await OwnerAsync(script, "postgres"));
    }

    [Theory]
    [InlineData("portal")]
    [InlineData("postgres")]
    public async Task Another_user_does_not_even_reach_the_socket_and_the_password_counts_where_one_does(string role)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can be somebody else.");
        await using var script = new PortalScript();
        await script.RunAsync("pg", "start");
        string[] psql = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "psql", "-w", "-h", script.InData("run"), "-U", role, "-d", "postgres", "-c", "select 1"];

        var shut = await script.RunAnyAsync(psql);
        File.SetUnixFileMode(script.InData("run"), (UnixFileMode)0b111_101_101);
        var opened = await script.RunAnyAsync(psql);

        Assert.Contains("Permission denied", shut.Err, StringComparison.Ordinal);
        Assert.NotEqual(0, opened.Code);
        Assert.Matches("no password supplied|Peer authentication failed", opened.Err);
    }

    [Fact]
    public async Task The_password_stands_in_no_command_line_and_no_environment()
    {
        await using var script = new PortalScript();
        await script.RunAsync("pg", "start");
        var password = (await File.ReadAllTextAsync(script.InData("postgres.pass"), Xunit.TestContext.Current.CancellationToken)).Trim().Split(':')[^1];

        var seen = Directory.GetDirectories("/proc").Where(p => int.TryParse(Path.GetFileName(p), out _))
            .SelectMany(p => new[] { Path.Combine(p, "cmdline"), Path.Combine(p, "environ") })
            .Where(f => Read(f).Contains(password, StringComparison.Ordinal));

        Assert.Equal(48, password.Length);
        Assert.Empty(seen);

        static string Read(string file)
        {
            try
            {
                return File.ReadAllText(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return "";
            }
        }
    }

    [Fact]
    public async Task A_server_killed_at_once_is_started_again_with_what_it_had_committed()
    {
        await using var script = new PortalScript();
        await script.RunAsync("pg", "start");
        await script.RunAsync("pg", "psql", "-c", "create table kept as select 42 as n");

        Process.GetProcessById(await PostmasterAsync(script)).Kill();
        var again = await script.RunAsync("pg", "start");
        var kept = await script.RunAsync("pg", "psql", "-Atc", "select n from kept");

        Assert.True(again.Code == 0, again.All);
        Assert.Equal("42", kept.Out.Trim());
    }

    [Fact]
    public async Task A_pid_file_whose_number_belongs_to_another_process_stops_nobody()
    {
        await using var script = new PortalScript();
        await script.RunAsync("pg", "start");
        await script.RunAsync("pg", "stop");
        // A process of the same user as PostgreSQL's, so that it could be asked whether it lives.
        using var other = Process.Start("setpriv", [$"--reuid={await OwnerAsync(script, "postgres")}", "--clear-groups", $"--regid={await OwnerAsync(script, "postgres")}", "sleep", "1000"]);
        await File.WriteAllTextAsync(script.InData("postgres/postmaster.pid"), $"{other.Id}\n{script.InData("postgres")}\n1700000000\n5432\n{script.InData("run")}\n\n  1 1\nready   \n", Xunit.TestContext.Current.CancellationToken);

        var start = await script.RunAsync("pg", "start");

        Assert.False(other.HasExited);
        other.Kill();
        Assert.True(start.Code == 0, start.All);
    }

    [Fact]
    public async Task A_running_server_is_taken_over()
    {
        await using var script = new PortalScript();
        await script.RunAsync("pg", "start");
        var before = await PostmasterAsync(script);

        var again = await script.RunAsync("pg", "start");

        Assert.Contains("taken over", again.Out, StringComparison.Ordinal);
        Assert.Equal(before, await PostmasterAsync(script));
    }

    [Fact]
    public async Task What_an_interrupted_first_start_left_is_no_obstacle()
    {
        await using var script = new PortalScript();
        Directory.CreateDirectory(script.InData("postgres.new/base"));
        await File.WriteAllTextAsync(script.InData("postgres.new/PG_VERSION"), "15\n", Xunit.TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(script.InData(".portal"), "", Xunit.TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(script.InData("postgres.pass.new"), "*:*:", Xunit.TestContext.Current.CancellationToken);

        var start = await script.RunAsync("pg", "start");

        Assert.True(start.Code == 0, start.All);
        Assert.False(Directory.Exists(script.InData("postgres.new")));
    }

    [Fact]
    public async Task A_lost_password_is_replaced_and_the_data_stay()
    {
        await using var script = new PortalScript();
        await script.RunAsync("pg", "start");
        await script.RunAsync("pg", "psql", "-c", "create table kept as select 42 as n");
        File.Delete(script.InData("postgres.pass"));

        await script.RunAsync("pg", "start");
        var kept = await script.RunAsync("pg", "psql", "-Atc", "select n from kept");

        Assert.Equal("42", kept.Out.Trim());
    }

    [Fact]
    public async Task A_directory_that_nobody_else_can_enter_keeps_its_database_elsewhere()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root gives the database to another user.");
        await using var script = new PortalScript();
        var closed = Path.Combine(script.Home, "closed");
        Directory.CreateDirectory(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        script.Data = Path.Combine(closed, "data");

        var start = await script.RunAsync("pg", "start");
        var elsewhere = File.ResolveLinkTarget(script.InData("shared"), returnFinalTarget: true)?.FullName;
        var asked = await script.RunAsync("pg", "psql", "-Atc", "select 1");
        await script.RunAsync("down", "--all", "--yes");

        Assert.True(start.Code == 0, start.All);
        Assert.StartsWith("/var/lib/portal/", elsewhere, StringComparison.Ordinal);
        Assert.Equal("1", asked.Out.Trim());
        Assert.False(Directory.Exists(elsewhere));
    }

    [Fact]
    public async Task A_path_that_postgresql_cannot_take_in_its_options_is_none_the_worse()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root makes a directory in /var/lib.");
        await using var script = new PortalScript();
        script.Data = Path.Combine(script.Home, "a b;c \"d\"");

        var start = await script.RunAsync("pg", "start");
        var asked = await script.RunAsync("pg", "psql", "-Atc", "select 1");
        var down = await script.RunAsync("down", "--all", "--yes");

        Assert.True(start.Code == 0, start.All);
        Assert.Equal("1", asked.Out.Trim());
        Assert.True(down.Code == 0, down.All);
        Assert.False(Directory.Exists(script.Data));
    }

    private static async Task<int> PostmasterAsync(PortalScript script) =>
        int.Parse((await File.ReadAllLinesAsync(script.InData("postgres/postmaster.pid")))[0], CultureInfo.InvariantCulture);

    private static async Task<string> ModeAsync(PortalScript script, string name) => (await script.RunAnyAsync("stat", "-c", "%a", script.InData(name))).Out.Trim();

    private static async Task<string> OwnerAsync(PortalScript script, string name) => (await script.RunAnyAsync("stat", "-c", "%U", script.InData(name))).Out.Trim();
}
