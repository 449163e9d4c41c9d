using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App;
using Portal.Testing.Worlds;
using Xunit;

namespace Portal.Testing.Postgres;

/// <summary>One cluster for all tests of an assembly, with two templates: one migrated, one also filled by the first run.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private const string Migrated = "migrated";
    private const string Filled = "filled";

    // Two at once would meet in the template, which nobody may use while it is copied.
    private readonly SemaphoreSlim _copying = new(1, 1);
    private PostgresCluster? _cluster;
    private NpgsqlDataSource? _super;
    private int _made;

    public PostgresCluster Cluster => _cluster ?? throw new InvalidOperationException("The cluster is not started.");

    private NpgsqlDataSource Super => _super ?? throw new InvalidOperationException("The cluster is not started.");

    public async ValueTask InitializeAsync()
    {
        _cluster = await PostgresCluster.StartNewAsync(CancellationToken.None);
        _super = NpgsqlDataSource.Create(Cluster.ConnectionString("postgres", "postgres"));
        _cluster.Stopped += (_, _) => _super.Clear();
        await MakeTemplatesAsync(Cluster, Super);
    }

    /// <summary>A database of its own, with the schema and nothing in it.</summary>
    public Task<TestDatabase> NewEmptyAsync(CancellationToken ct) => NewAsync(Migrated, ct);

    /// <summary>A database of its own, as the first run leaves it: accounts, a tenant, the catalogue, a simulated host.</summary>
    public Task<TestDatabase> NewFilledAsync(CancellationToken ct) => NewAsync(Filled, ct);

    public async ValueTask DisposeAsync()
    {
        _copying.Dispose();
        if (_super is not null)
        {
            await _super.DisposeAsync();
        }

        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    /// <summary>Makes both templates in a cluster.</summary>
    internal static async Task MakeTemplatesAsync(PostgresCluster cluster, NpgsqlDataSource super)
    {
        await ExecuteAsync(super, $"CREATE DATABASE {Migrated} OWNER portal", CancellationToken.None);
        await using (var source = NpgsqlDataSource.Create(cluster.ConnectionString(Migrated, "portal") + ";Pooling=false"))
        await using (var db = new PortalDbs(source).ForMigrations())
        {
            await db.Database.MigrateAsync();
        }

        await ExecuteAsync(super, $"CREATE DATABASE {Filled} TEMPLATE {Migrated} OWNER portal", CancellationToken.None);
        await PortalWorld.FillAsync(new TestDatabase(cluster, Filled, super));
    }

    private async Task<TestDatabase> NewAsync(string template, CancellationToken ct)
    {
        var name = $"test_{Interlocked.Increment(ref _made)}";
        await _copying.WaitAsync(ct);
        try
        {
            await ExecuteAsync(Super, $"CREATE DATABASE {name} TEMPLATE {template} OWNER portal", ct);
        }
        finally
        {
            _copying.Release();
        }

        return new TestDatabase(Cluster, name, Super);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(ct);
    }
}
