using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Audit;

/// <summary>Nobody changes what was written; whoever is superuser and can, is found out.</summary>
public sealed class AuditTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    [Theory]
    [InlineData("changes a word", "UPDATE audit_entries SET details = details || '!' WHERE id = {0}")]
    [InlineData("changes the time", "UPDATE audit_entries SET at = at + interval '1 microsecond' WHERE id = {0}")]
    [InlineData("changes who it was", "UPDATE audit_entries SET actor_id = NULL, actor_name = 'Portal' WHERE id = {0}")]
    [InlineData("removes an entry with its link", "DELETE FROM audit_links WHERE entry_id = {0}; DELETE FROM audit_entries WHERE id = {0}")]
    [InlineData("removes a link", "DELETE FROM audit_links WHERE entry_id = {0}")]
    [InlineData("swaps two entries", "UPDATE audit_links SET entry_id = -1 WHERE entry_id = {0}; UPDATE audit_links SET entry_id = {0} WHERE entry_id = {1}; UPDATE audit_links SET entry_id = {1} WHERE entry_id = -1")]
    [InlineData("adds an entry", "INSERT INTO audit_entries OVERRIDING SYSTEM VALUE SELECT 1000000, tenant_id, at, actor_id, actor_name, verb, object_id, object_name, details FROM audit_entries WHERE id = {0}")]
    [InlineData("writes a hash over", "UPDATE audit_links SET hash = sha256('x') WHERE entry_id = {0}")]
    [InlineData("moves an entry to another chain", "UPDATE audit_entries SET tenant_id = '00000000-0000-0000-0000-000000000000' WHERE id = {0}")]
    public async Task Tampering_is_found(string what, string sql)
    {
        var ct = TestContext.Current.CancellationToken;
        await _world.OrderAsync(ct);
        await _world.OrderAsync(ct);
        await using var connection = await _world.Database.Super.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        Assert.Null(await FirstBrokenAsync(connection, ct));
        var last = (long)(await ScalarAsync(connection, $"SELECT max(id) FROM audit_entries WHERE tenant_id = '{_world.Tenant}'", ct))!;
        var before = (long)(await ScalarAsync(connection, $"SELECT max(id) FROM audit_entries WHERE tenant_id = '{_world.Tenant}' AND id < {last}", ct))!;
        var place = (long)(await ScalarAsync(connection, $"SELECT seq FROM audit_links WHERE entry_id = {before}", ct))!;

        // As a superuser who puts the triggers to sleep.
        await ScalarAsync(connection, "SET LOCAL session_replication_role = replica", ct);
        await ScalarAsync(connection, string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, before, last), ct);

        var broken = await FirstBrokenAsync(connection, ct);
        Assert.True(broken is not null, $"Nobody notices who {what}.");
        Assert.True(broken >= place, $"The chain is broken at {broken}, where {place} was touched.");
    }

    [Theory]
    [InlineData("portal_system")]
    [InlineData("portal_tenant")]
    [InlineData("portal")]
    public async Task What_was_written_can_only_be_added_to(string role)
    {
        var ct = TestContext.Current.CancellationToken;
        await _world.OrderAsync(ct);
        foreach (var sql in new[]
        {
            "UPDATE audit_entries SET verb = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries CASCADE", "UPDATE audit_links SET seq = 1", "DELETE FROM audit_links", "TRUNCATE audit_links",
        })
        {
            await using var connection = new NpgsqlConnection(_world.Database.ConnectionString + ";Pooling=false");
            await connection.OpenAsync(ct);
            await ScalarAsync(connection, $"SET ROLE {role}", ct);
            await ScalarAsync(connection, $"SELECT set_config('portal.tenant', '{_world.Tenant}', false)", ct);

            var refused = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(connection, sql, ct));

            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }
    }

    [Fact]
    public async Task Entries_written_at_once_form_one_chain()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("chained", ct);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _world.OrderAsync(ct, tenant: tenant, owner: owner)));

        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Null(await db.Database.SqlQuery<long?>($"SELECT audit_first_broken({tenant.Value}) AS \"Value\"").SingleAsync(ct));
        var links = await db.AuditLinks.Where(l => l.TenantId == tenant).OrderBy(l => l.Seq).Select(l => l.Seq).ToListAsync(ct);
        Assert.Equal(Enumerable.Range(1, links.Count).Select(n => (long)n), links);
        // The tenant, and its orders.
        Assert.Equal(21, links.Count);
    }

    [Fact]
    public async Task A_person_who_is_gone_stays_in_history()
    {
        var ct = TestContext.Current.CancellationToken;
        var gone = await _world.AddPersonAsync("Gone", [], [(_world.Tenant, App.Access.TenantRole.Member)], ct);
        var order = await _world.OrderAsync(ct, owner: gone);

        await _world.Database.ExecuteAsync("DELETE FROM memberships WHERE user_id = $1", ct, gone.User!.Value.Value);
        await _world.Database.ExecuteAsync("DELETE FROM users WHERE id = $1", ct, gone.User.Value.Value);

        await using var db = _world.Main.Dbs.ForSystem();
        Assert.Equal("Gone", (await db.Orders.SingleAsync(o => o.Id == order, ct)).RequestedBy);
        Assert.Equal("Gone", (await db.AuditEntries.SingleAsync(e => e.ObjectId == order.Value, ct)).ActorName);
        Assert.Null(await db.Database.SqlQuery<long?>($"SELECT audit_first_broken({_world.Tenant.Value}) AS \"Value\"").SingleAsync(ct));
    }

    private async Task<long?> FirstBrokenAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await ScalarAsync(connection, $"SELECT audit_first_broken('{_world.Tenant}')", ct) as long?;

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(ct);
    }
}
