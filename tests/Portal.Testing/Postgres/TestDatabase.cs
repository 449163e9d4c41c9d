using Npgsql;

namespace Portal.Testing.Postgres;

/// <summary>A test's own database; dropped when disposed.</summary>
public sealed class TestDatabase(PostgresCluster cluster, string name, NpgsqlDataSource super) : IAsyncDisposable
{
    private NpgsqlDataSource? _inside;

    public PostgresCluster Cluster => cluster;

    public string Name => name;

    /// <summary>As the portal signs in.</summary>
    public string ConnectionString => cluster.ConnectionString(name, "portal");

    /// <summary>As the cluster's superuser, whom no policy and no right binds: for looking behind the product, and for tampering with it.</summary>
    public NpgsqlDataSource Super => _inside ??= Open();

    /// <summary>Runs SQL as the superuser.</summary>
    public async Task<int> ExecuteAsync(string sql, CancellationToken ct, params object[] values)
    {
        await using var command = Super.CreateCommand(sql);
        Array.ForEach(values, v => command.Parameters.Add(new NpgsqlParameter { Value = v }));
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>One value, read as the superuser.</summary>
    public async Task<T> ReadAsync<T>(string sql, CancellationToken ct, params object[] values)
    {
        await using var command = Super.CreateCommand(sql);
        Array.ForEach(values, v => command.Parameters.Add(new NpgsqlParameter { Value = v }));
        return await command.ExecuteScalarAsync(ct) is T value ? value : throw new InvalidOperationException($"No value of type {typeof(T).Name}: {sql}");
    }

    /// <summary>Cuts sessions of a process off, as when it is killed, and waits until the server has let go of what they held.</summary>
    public async Task CutOffAsync(string applicationName, CancellationToken ct)
    {
        await using var command = super.CreateCommand("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = $1 AND application_name = $2");
        command.Parameters.AddWithValue(name);
        command.Parameters.AddWithValue(applicationName);
        await command.ExecuteNonQueryAsync(ct);
    }

    private NpgsqlDataSource Open()
    {
        var source = NpgsqlDataSource.Create(cluster.ConnectionString(name, "postgres"));
        cluster.Stopped += (_, _) => source.Clear();
        return source;
    }

    public async ValueTask DisposeAsync()
    {
        if (_inside is not null)
        {
            await _inside.DisposeAsync();
        }

        await using var drop = super.CreateCommand($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        await drop.ExecuteNonQueryAsync();
    }
}
