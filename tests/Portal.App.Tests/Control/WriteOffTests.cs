using Microsoft.EntityFrameworkCore;
using Portal.App.Control;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Control;

public sealed class WriteOffTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_host_that_stays_away_is_written_off_and_nothing_on_it_is_stuck_billed_or_held()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var running = await world.RunningVmAsync(ct);
        var deleting = await world.RunningVmAsync(ct);
        var built = (await world.OrderAndApproveAsync(ct)).Single();
        await world.Main.Get<HostWatch>().LookAsync(ct);
        world.Faults.Shape = new SimulatedShape { Reachable = false };
        await world.AskAsync(deleting, OperationKind.Delete, ct);
        await world.Main.RunRungAsync(ct);
        await world.Main.Get<HostWatch>().LookAsync(ct);
        await world.Database.ExecuteAsync("UPDATE hosts SET seen_at = seen_at - interval '1 minute'", ct);
        // What was counted began before that.
        await world.Database.ExecuteAsync("UPDATE usage_intervals SET \"from\" = \"from\" - interval '1 hour'", ct);
        var host = await world.HostAsync(ct);

        var lost = await world.Main.Get<WriteOffHost.Handler>().HandleAsync(new(host.Id, host.Name), world.Administrator, ct);

        Assert.Equal(3, lost.Value);
        await using var db = world.Main.Dbs.ForSystem();
        Assert.Equal(HostMode.WrittenOff, (await db.Hosts.SingleAsync(ct)).Mode);
        Assert.Equal(0, await db.Vms.CountAsync(v => v.DeletedAt == null, ct));
        Assert.Equal(0, await db.Operations.CountAsync(o => o.FinishedAt == null, ct));
        Assert.Equal(0, await db.Addresses.CountAsync(a => a.VmId != null, ct));
        Assert.All(await db.UsageIntervals.ToListAsync(ct), u => Assert.Equal(host.SeenAt, u.To));
        Assert.Equal([VolumeState.Lost, VolumeState.Lost, VolumeState.Lost], await db.Volumes.Select(v => v.State).ToListAsync(ct));
        Assert.Equal(3, await db.AuditEntries.CountAsync(e => e.Verb == "vm.lost", ct));
        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.Verb == "host.written_off" && e.ObjectId == host.Id.Value, ct));
        var mail = await db.Outbox.SingleAsync(m => m.Subject == "VMs were lost with their host", ct);
        Assert.All([running.Name, deleting.Name, built.Name], name => Assert.Contains(name, mail.Body, StringComparison.Ordinal));

        // Nobody asks it again, the names are free, and what rings late finds nothing to do.
        await world.Main.Get<HostWatch>().LookAsync(ct);
        await world.Main.RunRungAsync(ct);
        Assert.Equal(0, (await world.Main.Get<WriteOffHost.Handler>().HandleAsync(new(host.Id, host.Name), world.Administrator, ct)).Value);
        Assert.Equal("ordering.no_host_fits", (await world.Main.Get<App.Ordering.PlaceOrder.Handler>().HandleAsync(
            new(world.Tenant, await world.FormAsync(running.Name, ct), "again"), world.Owner, ct)).Refusal?.Code);
        Assert.Empty((await world.Main.Get<ListHosts.Handler>().HandleAsync(new(), world.Administrator, ct)).Value);
    }

    [Fact]
    public async Task A_worker_in_the_middle_of_a_step_can_change_nothing_after_its_host_was_written_off()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var vm = (await world.OrderAndApproveAsync(ct)).Single();
        Assert.True(world.Main.Jobs.TryAnswer(out var operation));
        var worker = await world.StartProcessAsync(ct);
        worker.Fate.SleepAt(new Point(Act.Verb, 2, Moment.After));
        var work = worker.RunAsync(operation, ct);
        await worker.Fate.Sleeps;
        world.Faults.Shape = new SimulatedShape { Reachable = false };
        await world.Main.Get<HostWatch>().LookAsync(ct);
        world.Faults.Shape = new SimulatedShape();
        await world.Database.ExecuteAsync("UPDATE hosts SET seen_at = seen_at - interval '1 minute'", ct);
        var host = await world.HostAsync(ct);

        Assert.Equal(1, (await world.Main.Get<WriteOffHost.Handler>().HandleAsync(new(host.Id, host.Name), world.Administrator, ct)).Value);
        worker.Fate.Wake();
        await work;

        Assert.Equal((OperationState.Failed, "hosts.written_off"), await StateAsync());
        Assert.Equal(VmStage.Deleted, (await world.VmAsync(vm.Id, ct)).Stage);

        async Task<(OperationState, string?)> StateAsync()
        {
            var ended = await world.LastOperationAsync(vm.Id, ct);
            return (ended.State, ended.ProblemCode);
        }
    }

    [Fact]
    public async Task What_is_asked_for_while_a_host_is_written_off_is_ended_with_it()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var vm = await world.RunningVmAsync(ct);
        world.Faults.Shape = new SimulatedShape { Reachable = false };
        await world.Main.Get<HostWatch>().LookAsync(ct);
        await world.Database.ExecuteAsync("UPDATE hosts SET seen_at = seen_at - interval '1 minute'", ct);
        var host = await world.HostAsync(ct);

        // Somebody asks for a start: the VM is locked, its operation not yet written.
        Task<Result<int>> writingOff;
        await using (var asking = world.Main.Dbs.ForSystem())
        {
            await using var transaction = await asking.Database.BeginTransactionAsync(ct);
            var locked = (await asking.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {vm.Id.Value} FOR UPDATE").ToListAsync(ct)).Single();
            writingOff = world.Main.Get<WriteOffHost.Handler>().HandleAsync(new(host.Id, host.Name), world.Administrator, ct);
            await Eventually.IsAsync(async () =>
            {
                await using var db = world.Main.Dbs.ForSystem();
                return await db.Database.SqlQuery<int>($"SELECT count(*)::int AS \"Value\" FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')").SingleAsync(ct) > 0;
            }, ct);
            asking.Add(Operation.Asked(locked, OperationKind.Start, world.Owner, await asking.NowAsync(ct)));
            await asking.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
        }

        Assert.Equal(1, (await writingOff).Value);
        Assert.Equal((OperationState.Failed, "hosts.written_off"), ((await world.LastOperationAsync(vm.Id, ct)).State, (await world.LastOperationAsync(vm.Id, ct)).ProblemCode));
        Assert.Equal(VmStage.Deleted, (await world.VmAsync(vm.Id, ct)).Stage);
    }

    [Fact]
    public async Task A_host_that_answers_a_wrong_name_and_whoever_may_not_are_refused()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        await world.RunningVmAsync(ct);
        await world.Main.Get<HostWatch>().LookAsync(ct);
        var host = await world.HostAsync(ct);
        var handler = world.Main.Get<WriteOffHost.Handler>();

        Assert.Equal("hosts.answers", (await handler.HandleAsync(new(host.Id, host.Name), world.Administrator, ct)).Refusal?.Code);
        Assert.Equal("confirmName", (await handler.HandleAsync(new(host.Id, "other"), world.Administrator, ct)).Refusal?.Field);
        Assert.Equal(RefusalKind.Forbidden, (await handler.HandleAsync(new(host.Id, host.Name), world.Owner, ct)).Refusal?.Kind);
        Assert.Equal("mode", (await world.Main.Get<ChangeHostMode.Handler>().HandleAsync(new(host.Id, HostMode.WrittenOff), world.Administrator, ct)).Refusal?.Field);
        await using var db = world.Main.Dbs.ForSystem();
        Assert.Equal(1, await db.Vms.CountAsync(v => v.DeletedAt == null, ct));
    }
}
