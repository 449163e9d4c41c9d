using System.Text.Json;
using Hangfire;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Portal.App;
using Portal.App.Hosts;

namespace Portal.Web.Hosting;

/// <summary>What a load balancer and an operator ask.</summary>
internal static class Health
{
    public static IServiceCollection AddPortalHealth(this IServiceCollection services)
    {
        services.AddHealthChecks()
            .AddCheck<DatabaseCheck>("database")
            .AddCheck<JobsCheck>("jobs")
            .AddCheck<HostsCheck>("hosts");
        return services;
    }

    public static void MapPortalHealth(this WebApplication app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = WriteAsync });
    }

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(
            context.Response.Body,
            new { status = report.Status.ToString(), checks = report.Entries.ToDictionary(e => e.Key, e => new { status = e.Value.Status.ToString(), e.Value.Description }) },
            JsonSerializerOptions.Web,
            context.RequestAborted);
    }

    private sealed class DatabaseCheck(PortalDbs dbs) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await using var db = dbs.ForMigrations();
                var pending = (await db.Database.GetPendingMigrationsAsync(cancellationToken)).Count();
                return pending == 0 ? HealthCheckResult.Healthy("Reached, schema up to date.") : HealthCheckResult.Unhealthy($"{pending} migrations are missing: run the portal with --migrate.");
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException or TimeoutException)
            {
                return HealthCheckResult.Unhealthy("The database cannot be reached.");
            }
        }
    }

    private sealed class JobsCheck(JobStorage storage) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                var servers = storage.GetMonitoringApi().Servers().Count;
                return Task.FromResult(servers > 0 ? HealthCheckResult.Healthy($"{servers} job servers.") : HealthCheckResult.Unhealthy("No job server is running."));
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException or TimeoutException)
            {
                return Task.FromResult(HealthCheckResult.Unhealthy("The job server's store cannot be reached."));
            }
        }
    }

    private sealed class HostsCheck(PortalDbs dbs) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await using var db = dbs.ForSystem();
                var hosts = await db.Hosts.CountAsync(h => h.Mode != HostMode.WrittenOff, cancellationToken);
                var working = await db.Hosts.CountAsync(h => h.Mode != HostMode.WrittenOff && h.Problem == null && h.SeenAt != null, cancellationToken);
                // A host in trouble is an operator's matter: the portal itself can serve, so its balancer must not take it out.
                return hosts > 0 && working == 0 ? HealthCheckResult.Degraded("No host works.") : HealthCheckResult.Healthy($"{working} of {hosts} hosts work.");
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException or TimeoutException)
            {
                return HealthCheckResult.Degraded("Hosts cannot be looked up.");
            }
        }
    }
}
