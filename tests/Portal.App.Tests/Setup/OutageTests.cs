using Npgsql;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Testing;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Setup;

public sealed class OutageTests
{
    [Fact]
    public async Task When_PostgreSQL_comes_back_leases_and_sweeps_come_back_and_what_was_under_way_ends()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var postgres = new PostgresFixture();
        await postgres.InitializeAsync();
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var main = world.Main;
        var vm = (await world.OrderAndApproveAsync(ct)).Single();
        Assert.True(main.Jobs.TryAnswer(out var operation));
        var lease = main.Get<ProcessLease>().Current;
        main.Fate.SleepAt(new Point(Act.Verb, 2, Moment.After));
        var work = main.Get<OperationRunner>().RunAsync(operation, ct);
        await main.Fate.Sleeps;
        var sweep = main.Get<OperationSweep>();
        await sweep.StartAsync(ct);

        await postgres.Cluster.StopAsync(ct);
        main.Fate.Wake();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => work);
        await Eventually.IsAsync(() => Task.FromResult(main.Get<ProcessLease>().Current is null), ct);
        await postgres.Cluster.StartAsync(ct);

        await Eventually.IsAsync(() => Task.FromResult(main.Get<ProcessLease>().Current is { } current && current != lease), ct);
        await Eventually.IsAsync(() => Task.FromResult(main.Jobs.Rung.Contains(operation)), ct);
        await sweep.StopAsync(ct);
        await main.RunRungAsync(ct);

        Assert.Equal(OperationState.Succeeded, (await world.LastOperationAsync(vm.Id, ct)).State);
        Assert.Equal(VmStage.Ready, (await world.VmAsync(vm.Id, ct)).Stage);
    }
}
