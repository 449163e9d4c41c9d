using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;
using Portal.App.Consoles;
using Portal.App.Ordering;
using Portal.App.Policies;
using Portal.App.Pricing;
using Portal.App.Tenants;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Access;

/// <summary>Two tenants with rows in every table that has a tenant.</summary>
public sealed class TwoTenants(PostgresFixture postgres) : IAsyncLifetime
{
    public PortalWorld World { get; private set; } = null!;

    public TenantId Other { get; private set; }

    public TenantId Own => World.Tenant;

    public async ValueTask InitializeAsync()
    {
        var ct = CancellationToken.None;
        World = await PortalWorld.CreateAsync(postgres, ct);
        (Other, var owner) = await World.AddTenantAsync("other", ct);
        await World.AddHostAsync("elsewhere", "0badcafd", ct);
        await PriceAsync(ct);
        await LiveAsync(Own, World.Owner, ct);
        await LiveAsync(Other, owner, ct);
    }

    public ValueTask DisposeAsync() => World.DisposeAsync();

    // What a VM costs once, a price of each one's own, and tax.
    private async Task PriceAsync(CancellationToken ct)
    {
        var biller = await World.AddPersonAsync("prices", [App.Access.PlatformRole.Biller], [], ct);
        await using var db = World.Main.Dbs.ForSystem();
        var plan = await db.Plans.Where(p => p.Name == "Nano").Select(p => p.Id).SingleAsync(ct);
        foreach (var tenant in new[] { Own, Other })
        {
            Assert.Null((await World.Main.Get<SetPrice.Handler>().HandleAsync(new(plan, new Tariff(new Price(Currency.Eur, 0.001m, 0.001m, 5)), tenant), biller, ct)).Refusal);
            db.Add(new App.Catalogue.TemplateTenant(await db.Templates.Select(t => t.Id).SingleAsync(ct), tenant));
            await db.SaveChangesAsync(ct);
            Assert.Null((await World.Main.Get<SetTaxRate.Handler>().HandleAsync(new(tenant, 19), biller, ct)).Refusal);
        }
    }

    // A little of everything that a tenant can do. A new table gets its rows here.
    private async Task LiveAsync(TenantId tenant, App.Access.Actor owner, CancellationToken ct)
    {
        var main = World.Main;
        var vm = await World.RunningVmAsync(ct, tenant, owner);
        Assert.Null((await World.AskAsync(vm, Portal.App.Operations.OperationKind.Move, ct)).Refusal);
        await main.RunRungAsync(ct);
        Assert.Null((await main.Get<Portal.App.Control.SetSchedule.Handler>().HandleAsync(new(tenant, vm.Id, new(new HashSet<DayOfWeek> { DayOfWeek.Monday }, new TimeOnly(8, 0), new TimeOnly(18, 0), "UTC")), owner, ct)).Refusal);
        var denied = await World.OrderAsync(ct, tenant: tenant, owner: owner);
        Assert.Null((await main.Get<DecideOrder.Handler>().HandleAsync(new(denied, Verdict.Deny, "Not this month."), World.Approver, ct)).Refusal);
        var waiting = await World.OrderAsync(ct, tenant: tenant, owner: owner);
        Assert.Null((await main.Get<CommentOnOrder.Handler>().HandleAsync(new(waiting, "Soon, please.", Question: false), owner, ct)).Refusal);
        Assert.Null((await main.Get<OpenConsole.Handler>().HandleAsync(new(tenant, vm.Id, "http://localhost"), owner, ct)).Refusal);
        Assert.Null((await main.Get<AddSshKey.Handler>().HandleAsync(new(tenant, "", PortalWorld.SshKey), owner, ct)).Refusal);
        Assert.Null((await main.Get<SaveOrder.Handler>().HandleAsync(new(tenant, null, SavedKind.Draft, "Later", "", await World.FormAsync("later", ct)), owner, ct)).Refusal);
        Assert.Null((await main.Get<InviteMember.Handler>().HandleAsync(new(tenant, "new@example.org", App.Access.TenantRole.Member, new App.Access.PortalAddress(new Uri("http://localhost"), new Uri("http://localhost"))), owner, ct)).Refusal);
        Assert.Null((await main.Get<SavePolicy.Handler>().HandleAsync(new(tenant, PolicySide.Tenant, PolicyBody.Nobody, "", 0), owner, ct)).Refusal);
    }
}

/// <summary>A tenant sees and writes its own rows only, whatever a query says or forgets. The tables come from the model: a new one cannot be forgotten.</summary>
public sealed class RowLevelSecurityTests(TwoTenants fixture) : IClassFixture<TwoTenants>
{
    // What every tenant reads: the catalogue has no secrets.
    private static readonly string[] s_shared = ["templates", "template_versions", "plans", "plan_prices"];

    private static readonly IModel s_model = OfflineModel.Value;

    public static TheoryData<string, string> TenantTables { get; } =
        [.. Tables().Select(t => (t.Table, Column: t.Table == "tenants" ? "id" : t.TenantColumn)).Where(t => t.Column is not null).Select(t => new TheoryDataRow<string, string>(t.Table, t.Column!))];

    public static TheoryData<string> OtherTables { get; } = [.. Tables().Where(t => t.TenantColumn is null && t.Table != "tenants" && !s_shared.Contains(t.Table)).Select(t => t.Table)];

    [Theory]
    [MemberData(nameof(TenantTables))]
    public async Task Only_ones_own_rows_are_seen(string table, string column)
    {
        var ct = TestContext.Current.CancellationToken;
        var own = await AsSuperAsync($"SELECT count(*) FROM {table} WHERE {column} = $1", fixture.Own, ct);
        Assert.True(own > 0 && await AsSuperAsync($"SELECT count(*) FROM {table} WHERE {column} = $1", fixture.Other, ct) > 0, $"Give {table} rows of both tenants in {nameof(TwoTenants)}.");

        // No word of a tenant in the query: the policy alone says which rows.
        var seen = await AsTenantAsync(fixture.Own, $"SELECT count(*), count(*) FILTER (WHERE {column} = $1) FROM {table}", fixture.Other.Value, ct);

        Assert.Equal(0, seen?.Foreign ?? 0);
        Assert.True(seen is null || seen.Value.All == own, $"{table}: {seen?.All} of {own} own rows are seen.");
    }

    [Theory]
    [MemberData(nameof(TenantTables))]
    public async Task With_no_tenant_set_there_are_no_rows(string table, string column)
    {
        var ct = TestContext.Current.CancellationToken;

        var seen = await AsTenantAsync(null, $"SELECT count(*), count(*) FILTER (WHERE {column} = $1) FROM {table}", fixture.Other.Value, ct);

        Assert.Equal(0, seen?.All ?? 0);
    }

    [Theory]
    [MemberData(nameof(TenantTables))]
    public async Task Anothers_rows_cannot_be_changed_removed_or_made(string table, string column)
    {
        var ct = TestContext.Current.CancellationToken;
        var row = await fixture.World.Database.ReadAsync<string>($"SELECT to_jsonb(t)::text FROM {table} t WHERE {column} = $1 LIMIT 1", ct, fixture.Other.Value);

        Assert.Equal(0, await WriteAsync($"UPDATE {table} SET {column} = {column} WHERE {column} = $1", fixture.Other.Value, ct) ?? 0);
        Assert.Equal(0, await WriteAsync($"DELETE FROM {table} WHERE {column} = $1", fixture.Other.Value, ct) ?? 0);
        // A row is never given away, nor made for another: refused before any other constraint is looked at.
        Assert.Null(await WriteAsync($"UPDATE {table} SET {column} = $1", fixture.Other.Value, ct));
        Assert.Null(await WriteAsync($"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_record(NULL::{table}, $1::jsonb)", row, ct));
    }

    [Theory]
    [MemberData(nameof(TenantTables))]
    public async Task Security_holds_for_the_owner_of_the_table_too(string table, string column)
    {
        Assert.NotEmpty(column);
        Assert.True(table == "audit_links" || await fixture.World.Database.ReadAsync<bool>(
            $"SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = '{table}'::regclass", TestContext.Current.CancellationToken), $"{table} needs ENABLE and FORCE ROW LEVEL SECURITY in a migration.");
    }

    [Theory]
    [MemberData(nameof(OtherTables))]
    public async Task What_is_no_tenants_is_not_to_be_read_by_one(string table)
    {
        var ct = TestContext.Current.CancellationToken;

        Assert.Null(await AsTenantAsync(fixture.Own, $"SELECT count(*), 0::bigint + count($1::text) FROM {table}", "", ct));
    }

    [Fact]
    public async Task A_handlers_query_without_a_filter_finds_ones_own_only()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var db = fixture.World.Main.Dbs.ForTenant(fixture.Own);

        var tenants = await db.Vms.Select(v => v.TenantId).Distinct().ToListAsync(ct);

        Assert.Equal([fixture.Own], tenants);
    }

    [Fact]
    public async Task A_link_that_goes_back_to_the_pool_keeps_no_role_and_no_tenant()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var source = NpgsqlDataSource.Create(fixture.World.Database.ConnectionString + ";Maximum Pool Size=1");
        var dbs = new PortalDbs(source);
        await using (var tenant = dbs.ForTenant(fixture.Own))
        {
            Assert.NotEqual(0, await tenant.Vms.CountAsync(ct));
        }

        await using var command = source.CreateCommand("SELECT current_user || coalesce(nullif(current_setting('portal.tenant', true), ''), '')");

        Assert.Equal("portal", await command.ExecuteScalarAsync(ct));
    }

    private static IEnumerable<(string Table, string? TenantColumn)> Tables() =>
        from entity in s_model.GetEntityTypes()
        let table = entity.GetTableName()
        where table is not null
        select (table, entity.GetProperties().SingleOrDefault(p => p.ClrType == typeof(TenantId) && p.Name == "TenantId")?.GetColumnName());

    private Task<long> AsSuperAsync(string sql, TenantId tenant, CancellationToken ct) => fixture.World.Database.ReadAsync<long>(sql, ct, tenant.Value);

    // Null where the role may not even ask.
    private async Task<(long All, long Foreign)?> AsTenantAsync(TenantId? tenant, string sql, object value, CancellationToken ct)
    {
        await using var connection = await ConnectAsync(tenant, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = value } } };
        try
        {
            await using var reader = await command.ExecuteReaderAsync(ct);
            Assert.True(await reader.ReadAsync(ct));
            return (reader.GetInt64(0), reader.GetInt64(1));
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return null;
        }
    }

    // The number of rows, all rolled back; null where the database refused: by right, by policy, or because what has ended stays so.
    private async Task<int?> WriteAsync(string sql, object value, CancellationToken ct)
    {
        await using var connection = await ConnectAsync(fixture.Own, ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection, transaction) { Parameters = { new() { Value = value } } };
        try
        {
            return await command.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.CheckViolation)
        {
            return null;
        }
    }

    private async Task<NpgsqlConnection> ConnectAsync(TenantId? tenant, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(fixture.World.Database.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(ct);
        await using var role = new NpgsqlCommand("SELECT set_config('role', 'portal_tenant', false), set_config('portal.tenant', $1, false)", connection);
        role.Parameters.AddWithValue(tenant?.ToString() ?? "");
        await role.ExecuteNonQueryAsync(ct);
        return connection;
    }
}
