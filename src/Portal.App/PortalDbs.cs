using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using Portal.Kernel;

namespace Portal.App;

/// <summary>Which PostgreSQL role a context acts as.</summary>
public readonly record struct DbScope
{
    private DbScope(string role, TenantId? tenant)
    {
        Role = role;
        Tenant = tenant;
    }

    /// <summary>Jobs, approvers, operators: every row.</summary>
    public static DbScope System { get; } = new("portal_system", null);

    public string? Role { get; }

    public TenantId? Tenant { get; }

    /// <summary>One tenant's rows and nothing else, whatever a query says or forgets.</summary>
    public static DbScope Of(TenantId tenant) => new("portal_tenant", tenant);
}

/// <summary>
/// Opens database contexts: one per handler call. A tenant's context acts as a PostgreSQL role under forced row-level security, so that a query
/// that forgets its tenant finds nothing.
/// </summary>
public sealed class PortalDbs
{
    private readonly NpgsqlDataSource _source;
    private readonly DbContextOptions<PortalDb> _options;

    /// <param name="watching">Who else looks on at each command and commit; nobody in the product, tests use it to let a process die between two of them.</param>
    public PortalDbs(NpgsqlDataSource source, IEnumerable<IInterceptor>? watching = null)
    {
        _source = source;
        // Without the source: EF Core keeps a model and the queries that it has compiled for each source, and where many of them are in one process, as in tests, that is most of the work.
        _options = Options(options => options.UseNpgsql(Migrations), watching);
    }

    public PortalDb ForTenant(TenantId tenant) => Open(DbScope.Of(tenant));

    public PortalDb ForSystem() => Open(DbScope.System);

    /// <summary>As whoever the connection string names: the owner of the schema. For migrations only.</summary>
    public PortalDb ForMigrations() => new(Options(options => options.UseNpgsql(_source, Migrations), null), default);

    private PortalDb Open(DbScope scope)
    {
        var db = new PortalDb(_options, scope);
        db.Database.SetDbConnection(_source.CreateConnection(), contextOwnsConnection: true);
        return db;
    }

    private static DbContextOptions<PortalDb> Options(Action<DbContextOptionsBuilder<PortalDb>> use, IEnumerable<IInterceptor>? watching)
    {
        var options = new DbContextOptionsBuilder<PortalDb>();
        use(options);
        return options.UseSnakeCaseNamingConvention().AddInterceptors([RoleOnOpen.Instance, .. watching ?? []]).Options;
    }

    private static void Migrations(NpgsqlDbContextOptionsBuilder npgsql) => npgsql.MigrationsAssembly("Portal.Migrations").MigrationsHistoryTable("migrations");

    /// <summary>Takes on the role each time a connection is opened; the pool's reset (DISCARD ALL) drops it again.</summary>
    private sealed class RoleOnOpen : DbConnectionInterceptor
    {
        public static RoleOnOpen Instance { get; } = new();

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            if (Command(connection, eventData) is { } command)
            {
                await using (command)
                {
                    await command.ExecuteNonQueryAsync(cancellationToken);
                }
            }
        }

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            if (Command(connection, eventData) is { } command)
            {
                using (command)
                {
                    command.ExecuteNonQuery();
                }
            }
        }

        private static NpgsqlCommand? Command(DbConnection connection, ConnectionEndEventData eventData)
        {
            if (eventData.Context is not PortalDb { Scope.Role: { } role } db)
            {
                return null;
            }

            return new NpgsqlCommand("SELECT set_config('role', $1, false), set_config('portal.tenant', $2, false)", (NpgsqlConnection)connection)
            {
                Parameters = { new() { Value = role }, new() { Value = db.Scope.Tenant?.ToString() ?? "" } },
            };
        }
    }
}
