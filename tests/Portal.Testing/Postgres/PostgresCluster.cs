using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Portal.Testing.Postgres;

/// <summary>
/// A private PostgreSQL of a test run: UNIX socket only, in a directory that only its owner and root can enter, fsync off. It stops when it is
/// disposed, and also when the test run is killed: its watchman reads a pipe that ends with this process.
/// </summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    // Started as PostgreSQL's own user. Ends with its input, whoever closed it and why; the directory goes with the last word.
    private const string Watchman =
        """
        trap '' INT TERM HUP
        cd "$1" || exit 1
        [ -f data/PG_VERSION ] || "$2/initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
        "$2/postgres" -D data -k "$1" -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
            -c max_connections=200 -c timezone=UTC -c shared_buffers=64MB -c autovacuum=off >>server.log 2>&1 </dev/null &
        server=$!
        echo started
        read -r word
        kill -INT "$server"
        wait "$server"
        [ "$word" = keep ] || { cd / && rm -rf -- "$1"; }
        """;

    private readonly string _directory;
    private readonly string _programs;
    private Process? _watchman;

    /// <summary>The server is stopped: links that a pool still holds are dead.</summary>
    public event EventHandler? Stopped;

    private PostgresCluster(string directory, string programs)
    {
        _directory = directory;
        _programs = programs;
    }

    /// <summary>Makes and starts a cluster.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed or did not start; the message says what to do.</exception>
    public static async Task<PostgresCluster> StartNewAsync(CancellationToken ct)
    {
        var directory = Directory.CreateTempSubdirectory("portal-pg-").FullName;
        var cluster = new PostgresCluster(directory, FindPrograms());
        if (Environment.IsPrivilegedProcess)
        {
            using var chown = Process.Start("chown", ["postgres", directory]);
            await chown.WaitForExitAsync(ct);
        }

        await cluster.StartAsync(ct);
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString("postgres", "postgres"));
        // The portal's role is what ./portal up makes: neither a superuser nor past row-level security.
        await using var role = source.CreateCommand("CREATE ROLE portal LOGIN CREATEROLE");
        await role.ExecuteNonQueryAsync(ct);
        return cluster;
    }

    /// <summary>Who may sign in: <c>postgres</c> is the superuser, <c>portal</c> the owner of the portal's schema.</summary>
    public string ConnectionString(string database, string user) => new NpgsqlConnectionStringBuilder
    {
        Host = _directory,
        Database = database,
        Username = user,
        MaxPoolSize = 40,
    }.ConnectionString;

    /// <summary>Starts the server and waits until it answers.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        var asPostgres = new[] { "--reuid=postgres", "--regid=postgres", "--init-groups", "--reset-env", "sh" };
        string[] words = [.. Environment.IsPrivilegedProcess ? asPostgres : [], "-c", Watchman, "watchman", _directory, _programs];
        var start = new ProcessStartInfo(Environment.IsPrivilegedProcess ? "setpriv" : "sh", words)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment["LC_ALL"] = "C.UTF-8";
        _watchman = Process.Start(start) ?? throw new InvalidOperationException("The shell that watches PostgreSQL did not start.");
        if (await _watchman.StandardOutput.ReadLineAsync(ct) != "started")
        {
            throw new InvalidOperationException($"PostgreSQL could not be made: {await _watchman.StandardError.ReadToEndAsync(ct)}");
        }

        await using var source = NpgsqlDataSource.Create(ConnectionString("postgres", "postgres") + ";Pooling=false");
        await Eventually.IsAsync(async () => _watchman.HasExited || await AnswersAsync(source, ct), ct);
        if (_watchman.HasExited)
        {
            throw new InvalidOperationException($"PostgreSQL did not start: {await File.ReadAllTextAsync(Path.Combine(_directory, "server.log"), ct)}");
        }
    }

    /// <summary>Stops the server, cutting its sessions off; what it holds stays for the next start.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        if (_watchman is { } watchman)
        {
            await watchman.StandardInput.WriteLineAsync("keep".AsMemory(), ct);
            watchman.StandardInput.Close();
            await watchman.WaitForExitAsync(ct);
            watchman.Dispose();
            _watchman = null;
            Stopped?.Invoke(this, EventArgs.Empty);
        }
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_watchman is { } watchman)
        {
            watchman.StandardInput.Close();
            await watchman.WaitForExitAsync();
            watchman.Dispose();
        }

        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private static async Task<bool> AnswersAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static string FindPrograms()
    {
        var named = Environment.GetEnvironmentVariable("PORTAL_PG_BIN");
        var installed = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var version) ? version : 0).Select(d => Path.Combine(d, "bin"))
            : [];
        return new[] { named }.OfType<string>().Concat(installed).FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")))
            ?? throw new InvalidOperationException("PostgreSQL is missing. Install it with: apt-get install postgresql");
    }
}
