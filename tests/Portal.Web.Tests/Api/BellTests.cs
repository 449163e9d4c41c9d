using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Portal.App.Operations;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Portal.Web.Hosting;

namespace Portal.Web.Tests.Api;

/// <summary>Where a ring goes: several portals may live in one process, as these tests' do.</summary>
public sealed class BellTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Portals_that_start_at_once_in_one_process_ring_each_in_its_own_database()
    {
        var ct = TestContext.Current.CancellationToken;
        var databases = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => postgres.NewEmptyAsync(ct)));
        try
        {
            using var start = new Barrier(databases.Length);
            await Task.WhenAll(databases.Select(d => Task.Factory.StartNew(() => Ring(d, start), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

            foreach (var database in databases)
            {
                Assert.Equal(1, await database.ReadAsync<long>("SELECT count(*) FROM hangfire.job", ct));
            }
        }
        finally
        {
            foreach (var database in databases)
            {
                await database.DisposeAsync();
            }
        }
    }

    private static void Ring(TestDatabase database, Barrier start)
    {
        using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton(source);
        services.AddPortalJobs();
        using var portal = services.BuildServiceProvider();
        start.SignalAndWait();
        new Doorbell(portal.GetRequiredService<IBackgroundJobClient>(), NullLogger<Doorbell>.Instance).Ring(OperationId.New());
    }
}
