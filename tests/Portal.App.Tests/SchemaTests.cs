using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Portal.Kernel;
using Portal.Testing.Postgres;

namespace Portal.App.Tests;

/// <summary>The schema is disciplined: what the model says of lengths, precision, versions and history, and that the migrations have made it so.</summary>
public sealed class SchemaTests(PostgresFixture postgres)
{
    // Written once and never changed, or changed only by the database itself.
    private static readonly string[] s_withoutVersion =
    [
        "audit_entries", "audit_links", "setup_charges", "approval_policies", "order_comments", "approval_votes", "quota_reservations", "ssh_keys", "staff_roles", "portal_keys", "template_versions", "processes",
        // Changed by one statement that says what it expects to find.
        "addresses", "console_tickets", "usage_intervals", "outbox", "template_builds", "plan_prices", "tenant_prices", "tax_rates", "template_tenants",
        // Identity's and data protection's own.
        "users", "user_claims", "user_logins", "user_tokens", "data_protection_keys",
    ];

    // The provider's own; every other table says whose its rows are.
    private static readonly string[] s_withoutTenant =
    [
        "users", "user_claims", "user_logins", "user_tokens", "data_protection_keys", "staff_roles", "settings", "tenants", "templates", "template_versions", "template_builds", "plans", "plan_prices",
        "hosts", "portal_keys", "pools", "pool_images", "networks", "addresses", "processes",
    ];

    private static IEnumerable<(IEntityType Entity, string Table)> Tables => OfflineModel.Value.GetEntityTypes().Where(e => e.GetTableName() is not null).Select(e => (e, e.GetTableName()!));

    private static IEnumerable<(string Name, IProperty Property)> Columns => from table in Tables from property in table.Entity.GetProperties() select ($"{table.Table}.{property.GetColumnName()}", property);

    [Fact]
    public async Task The_migrations_make_what_the_model_says()
    {
        await using var database = await postgres.NewEmptyAsync(TestContext.Current.CancellationToken);
        await using var source = Npgsql.NpgsqlDataSource.Create(database.ConnectionString + ";Pooling=false");
        await using var db = new PortalDbs(source).ForMigrations();

        Assert.False(db.Database.HasPendingModelChanges(), "The model has changed: add a migration (dotnet ef migrations add NAME --project migrations).");
        Assert.Empty(await db.Database.GetPendingMigrationsAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_guards_can_be_run_again()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await postgres.NewFilledAsync(ct);
        await database.ExecuteAsync("DELETE FROM migrations WHERE migration_id LIKE '%_Guards'", ct);
        await using var source = Npgsql.NpgsqlDataSource.Create(database.ConnectionString + ";Pooling=false");
        await using var db = new PortalDbs(source).ForMigrations();

        await db.Database.MigrateAsync(ct);

        Assert.Empty(await db.Database.GetPendingMigrationsAsync(ct));
    }

    [Fact]
    public void Every_text_has_a_bound() =>
        Assert.Empty(Columns.Where(c => !c.Name.StartsWith("data_protection_keys.", StringComparison.Ordinal) && c.Property.GetRelationalTypeMapping().ClrType == typeof(string) && c.Property.GetMaxLength() is null).Select(c => c.Name));

    [Fact]
    public void Every_decimal_keeps_ten_decimals() =>
        Assert.Empty(Columns.Where(c => Unwrapped(c.Property) == typeof(decimal) && c.Property.GetColumnType() != "numeric(20,10)").Select(c => c.Name));

    [Fact]
    public void Every_enum_is_a_word() =>
        Assert.Empty(Columns.Where(c => Unwrapped(c.Property).IsEnum && !c.Property.GetColumnType().StartsWith("character varying", StringComparison.Ordinal)).Select(c => c.Name));

    [Fact]
    public void Every_instant_has_its_zone() =>
        Assert.Empty(Columns.Where(c => Unwrapped(c.Property) is { } type && (type == typeof(DateTimeOffset) || type == typeof(DateTime)) && c.Property.GetColumnType() != "timestamp with time zone").Select(c => c.Name));

    [Fact]
    public void What_changes_has_a_version() =>
        Assert.Equal(s_withoutVersion.Order(), Tables.Where(t => t.Entity.FindProperty("xmin") is null).Select(t => t.Table).Order());

    [Fact]
    public void What_is_not_the_providers_says_whose_it_is() =>
        Assert.Equal(s_withoutTenant.Order(), Tables.Where(t => !t.Entity.GetProperties().Any(p => p.ClrType == typeof(TenantId) && p.GetColumnName() == "tenant_id")).Select(t => t.Table).Order());

    [Fact]
    public void Nothing_cascades_but_an_accounts_own_sign_ins()
    {
        string[] own = ["user_claims", "user_logins", "user_tokens"];

        var cascades = from table in Tables from key in table.Entity.GetForeignKeys() where key.DeleteBehavior is not (DeleteBehavior.Restrict or DeleteBehavior.NoAction) select table.Table;

        Assert.Equal(own, cascades.Order());
    }

    [Fact]
    public void No_history_hangs_on_an_account() =>
        Assert.Empty(from table in Tables from key in table.Entity.GetForeignKeys() where key.PrincipalEntityType.GetTableName() == "users" && !table.Table.StartsWith("user_", StringComparison.Ordinal) select table.Table);

    [Fact]
    public void Unique_keys_have_no_column_that_may_be_empty() =>
        // A filter that leaves the empty ones out says so itself.
        Assert.Empty(from table in Tables
                     from index in table.Entity.GetIndexes()
                     where index.IsUnique && index.GetFilter() is null && index.Properties.Any(p => p.IsNullable) && table.Table != "users"
                     select $"{table.Table}: {index.GetDatabaseName()}");

    private static Type Unwrapped(IProperty property) => Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
}
