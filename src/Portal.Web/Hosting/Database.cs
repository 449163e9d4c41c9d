using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App;

namespace Portal.Web.Hosting;

/// <summary>The link to PostgreSQL.</summary>
internal static class Database
{
    public static IServiceCollection AddPortalDatabase(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(_ => Source(configuration));
        // Identity and data protection work on one context a scope, as the system.
        services.AddScoped(provider => provider.GetRequiredService<PortalDbs>().ForSystem());
        return services;
    }

    public static NpgsqlDataSource Source(IConfiguration configuration)
    {
        var text = configuration.GetConnectionString("Portal")
            ?? throw new InvalidOperationException("No database is configured. Set ConnectionStrings__Portal, or start with ./portal up, which brings its own PostgreSQL.");
        var builder = new NpgsqlDataSourceBuilder(text);
        // A partition is noticed within seconds, not when TCP gives up: a dead link must not hold a worker.
        builder.ConnectionStringBuilder.KeepAlive = 5;
        builder.ConnectionStringBuilder.ApplicationName ??= "portal";
        if (!builder.ConnectionStringBuilder.ContainsKey("Maximum Pool Size"))
        {
            builder.ConnectionStringBuilder.MaxPoolSize = 60;
        }

        return builder.Build();
    }

    /// <summary>Brings the schema up to date. Safe to repeat, and by several at once: EF holds a lock over the whole.</summary>
    public static async Task MigrateAsync(IServiceProvider services, CancellationToken ct)
    {
        await using var db = services.GetRequiredService<PortalDbs>().ForMigrations();
        await db.Database.MigrateAsync(ct);
    }
}
