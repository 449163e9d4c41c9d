using Npgsql;

namespace Portal.Benchmarks.Bench;

/// <summary>A schema of the bench's own in the portal's database: floors are measured on the same server, and nothing of the portal's is touched.</summary>
internal sealed class Scratch : IAsyncDisposable
{
    private Scratch(NpgsqlDataSource database, string schema)
    {
        Database = database;
        Schema = schema;
    }

    public NpgsqlDataSource Database { get; }

    public string Schema { get; }

    /// <exception cref="Shortfall">No database is named, or it does not answer.</exception>
    public static async Task<Scratch> MakeAsync(CancellationToken ct)
    {
        var connection = Environment.GetEnvironmentVariable("ConnectionStrings__Portal");
        if (string.IsNullOrEmpty(connection))
        {
            throw new Shortfall("The floors are measured on the portal's own database: name it in ConnectionStrings__Portal, as for the portal. ./portal bench does that by itself.");
        }

        var database = NpgsqlDataSource.Create(connection);
        var scratch = new Scratch(database, $"bench_{Guid.CreateVersion7():N}");
        try
        {
            await scratch.ExecuteAsync($"CREATE SCHEMA {scratch.Schema}; CREATE TABLE {scratch.Schema}.commits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL)", ct);
            return scratch;
        }
        catch (NpgsqlException refused)
        {
            await database.DisposeAsync();
            throw new Shortfall($"The portal's database cannot be used: {refused.Message}", refused);
        }
    }

    /// <summary>The least that a durable change costs: one row, one commit.</summary>
    public Task CommitAsync(CancellationToken ct) => ExecuteAsync($"INSERT INTO {Schema}.commits (at) VALUES (clock_timestamp())", ct);

    public async ValueTask DisposeAsync()
    {
        await ExecuteAsync($"SET client_min_messages = warning; DROP SCHEMA {Schema} CASCADE", CancellationToken.None);
        await Database.DisposeAsync();
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(ct);
    }
}
