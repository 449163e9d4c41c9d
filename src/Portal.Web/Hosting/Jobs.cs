using Hangfire;
using Hangfire.AspNetCore;
using Hangfire.PostgreSql;
using Npgsql;
using Portal.App.Operations;

namespace Portal.Web.Hosting;

/// <summary>Hangfire on PostgreSQL: the doorbell.</summary>
internal static class Jobs
{
    public static IServiceCollection AddPortalJobs(this IServiceCollection services)
    {
        // Hangfire's own wiring hands over what stands in JobStorage.Current and JobActivator.Current at that moment. Those are one for the whole
        // process: of two portals that start in one process (tests), one would ring in the other's database. Both are this container's own.
        services.AddSingleton<JobStorage>(provider => new PostgreSqlStorage(
            new FromDataSource(provider.GetRequiredService<NpgsqlDataSource>()),
            new PostgreSqlStorageOptions
            {
                // Woken by NOTIFY; the poll is for a lost one. The lease on a fetched job is renewed while it is worked on.
                EnableLongPolling = true,
                QueuePollInterval = TimeSpan.FromSeconds(5),
                UseSlidingInvisibilityTimeout = true,
                InvisibilityTimeout = TimeSpan.FromMinutes(5),
                PrepareSchemaIfNecessary = true,
            }));
        services.AddSingleton<JobActivator>(provider => new AspNetCoreJobActivator(provider.GetRequiredService<IServiceScopeFactory>()));
        services.AddHangfire(hangfire => hangfire.UseSimpleAssemblyNameTypeSerializer().UseRecommendedSerializerSettings());
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
