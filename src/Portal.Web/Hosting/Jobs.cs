using Hangfire;
using Hangfire.PostgreSql;
using Npgsql;
using Portal.App.Operations;

namespace Portal.Web.Hosting;

/// <summary>Hangfire on PostgreSQL: the doorbell.</summary>
internal static class Jobs
{
    public static IServiceCollection AddPortalJobs(this IServiceCollection services)
    {
        services.AddHangfire((provider, hangfire) => hangfire
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings()
            .UsePostgreSqlStorage(
                storage => storage.UseConnectionFactory(new FromDataSource(provider.GetRequiredService<NpgsqlDataSource>())),
                new PostgreSqlStorageOptions
                {
                    // Woken by NOTIFY; the poll is for a lost one. The lease on a fetched job is renewed while it is worked on.
                    EnableLongPolling = true,
                    QueuePollInterval = TimeSpan.FromSeconds(5),
                    UseSlidingInvisibilityTimeout = true,
                    InvisibilityTimeout = TimeSpan.FromMinutes(5),
                    PrepareSchemaIfNecessary = true,
                }));
        services.AddHangfireServer((provider, server) =>
        {
            server.WorkerCount = provider.GetRequiredService<Microsoft.Extensions.Options.IOptions<PortalOptions>>().Value.Workers;
            server.Queues = [RunOperation.Queue];
            server.ShutdownTimeout = TimeSpan.FromSeconds(10);
            server.CancellationCheckInterval = TimeSpan.FromSeconds(1);
        });
        return services;
    }

    private sealed class FromDataSource(NpgsqlDataSource source) : IConnectionFactory
    {
        public NpgsqlConnection GetOrCreateConnection() => source.CreateConnection();
    }
}
