using CsCheck;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Billing;
using Portal.App.Metering;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Metering;

public sealed class UsageTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 20, 0, 0, 0, TimeSpan.Zero);

    // What is counted from an instant on; instants grow mostly, and sometimes another replica's clock is behind.
    private static readonly Gen<(long Seconds, bool Allocated, bool Running)[]> s_history =
        Gen.Select(Gen.Long[-600, 1_000_000], Gen.Frequency((1, Gen.Const(false)), (4, Gen.Const(true))), Gen.Bool).Array[1, 8];

    private readonly PortalWorld _world = fixture.World;

    [Fact]
    public async Task Stretches_never_overlap_and_their_sums_are_what_a_stop_watch_says()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        await s_history.SampleAsync(
            async history =>
            {
                await using var db = _world.Main.Dbs.ForSystem();
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                var at = s_start;
                var watches = new Dictionary<Meter, StopWatch> { [Meter.VmAllocated] = new(), [Meter.VmRunning] = new() };
                foreach (var (seconds, allocated, running) in history)
                {
                    at = at.AddSeconds(seconds);
                    await db.SettleUsageAsync(vm, allocated, allocated && running, at, ct);
                    await db.SaveChangesAsync(ct);
                    watches[Meter.VmAllocated].Set(allocated, at);
                    watches[Meter.VmRunning].Set(allocated && running, at);
                }

                var stretches = await db.UsageIntervals.AsNoTracking().Where(u => u.VmId == vm.Id).OrderBy(u => u.From).ThenBy(u => u.To).ToListAsync(ct);
                foreach (var (meter, watch) in watches)
                {
                    var own = stretches.Where(u => u.Meter == meter).ToList();
                    Assert.Equal(watch.Closed, own.Where(u => u.To is not null).Sum(u => (u.To!.Value - u.From).TotalSeconds));
                    Assert.Equal(watch.OpenSince, own.SingleOrDefault(u => u.To is null)?.From);
                    Assert.All(own.Zip(own.Skip(1)), pair => Assert.True(pair.First.To <= pair.Second.From));
                }
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public async Task The_database_itself_refuses_an_overlap()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        await AddAsync(vm, Meter.VmRunning, 0, 100, ct);
        await AddAsync(vm, Meter.VmRunning, 100, 200, ct);
        await AddAsync(vm, Meter.VmAllocated, 50, 150, ct);

        await IsRefusedAsync(() => AddAsync(vm, Meter.VmRunning, 199, 300, ct), PostgresErrorCodes.ExclusionViolation);
        await IsRefusedAsync(() => AddAsync(vm, Meter.VmRunning, 150, null, ct), PostgresErrorCodes.ExclusionViolation);
        await AddAsync(vm, Meter.VmRunning, 200, null, ct);
        await IsRefusedAsync(() => AddAsync(vm, Meter.VmRunning, 10_000, 10_001, ct), PostgresErrorCodes.ExclusionViolation);
    }

    [Fact]
    public async Task What_has_ended_stays_as_it_was()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        await _world.DoAsync(vm, OperationKind.Delete, ct);

        // Even for the superuser, as long as the triggers are awake.
        foreach (var sql in new[]
        {
            "UPDATE usage_intervals SET \"to\" = \"to\" + interval '1 hour' WHERE vm_id = $1", "DELETE FROM usage_intervals WHERE vm_id = $1", "UPDATE usage_intervals SET rate_per_hour = 0 WHERE vm_id = $1",
            "UPDATE operations SET state = 'Failed' WHERE vm_id = $1", "UPDATE operations SET finished_at = NULL, state = 'Waiting' WHERE vm_id = $1", "UPDATE vms SET stage = 'Ready', deleted_at = NULL WHERE id = $1", "UPDATE vms SET name = 'x' WHERE id = $1",
        })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => _world.Database.ExecuteAsync(sql, ct, vm.Id.Value));
            Assert.Equal(PostgresErrorCodes.CheckViolation, refused.SqlState);
        }
    }

    [Fact]
    public async Task A_months_lines_are_cut_at_its_edges_and_cost_seconds_times_rate()
    {
        var ct = TestContext.Current.CancellationToken;
        var (tenant, owner) = await _world.AddTenantAsync("metered", ct);
        var vm = (await _world.OrderAndApproveAsync(ct, tenant: tenant, owner: owner)).Single();
        // From 20 January 0:00: into February, then a stop, then into March.
        const long Day = 86_400;
        await AddAsync(vm, Meter.VmAllocated, 0, 60 * Day, ct);
        await AddAsync(vm, Meter.VmRunning, 3, (20 * Day) + 7, ct);
        await AddAsync(vm, Meter.VmRunning, 30 * Day, 60 * Day, ct);

        var january = await UsageAsync(1);
        var february = await UsageAsync(2);
        var march = await UsageAsync(3);

        Assert.Equal((12 * Day) - 3, Line(january, Meter.VmRunning).Seconds);
        Assert.Equal(12 * Day, Line(january, Meter.VmAllocated).Seconds);
        Assert.Equal((8 * Day) + 7 + (10 * Day), Line(february, Meter.VmRunning).Seconds);
        Assert.Equal(28 * Day, Line(february, Meter.VmAllocated).Seconds);
        Assert.Equal(20 * Day, Line(march, Meter.VmRunning).Seconds);
        Assert.Empty((await UsageAsync(4)).Lines);
        foreach (var usage in new[] { january, february, march })
        {
            Assert.All(usage.Lines, l => Assert.Equal(l.Seconds * l.RatePerHour / 3600m, l.Amount));
            Assert.All(usage.Lines.SelectMany(l => l.Stretches), s => Assert.True(s.From >= usage.From && s.To <= usage.To && !s.Open));
            Assert.Equal(Math.Round(usage.Lines.Sum(l => l.Amount), 2, MidpointRounding.ToEven), usage.Total.Amount);
        }

        Assert.Equal(0.0030000000m, Line(march, Meter.VmRunning).RatePerHour);
        Assert.Equal(20 * 24 * 0.003m, Line(march, Meter.VmRunning).Amount);

        async Task<MonthUsage.Usage> UsageAsync(int month) =>
            (await _world.Main.Get<MonthUsage.Handler>().HandleAsync(new(tenant, new DateTimeOffset(2026, month, 15, 0, 0, 0, TimeSpan.Zero)), owner, ct)).Value;

        static MonthUsage.Line Line(MonthUsage.Usage usage, Meter meter) => usage.Lines.Single(l => l.Meter == meter);
    }

    [Fact]
    public async Task A_life_is_billed_from_the_build_to_the_deletion_and_running_only_while_it_runs()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        await _world.DoAsync(vm, OperationKind.PowerOff, ct);
        await _world.DoAsync(vm, OperationKind.Start, ct);
        await _world.DoAsync(vm, OperationKind.Reboot, ct);
        await _world.DoAsync(vm, OperationKind.Delete, ct);

        await using var db = _world.Main.Dbs.ForSystem();
        var ends = await db.Operations.Where(o => o.VmId == vm.Id).OrderBy(o => o.CreatedAt).Select(o => o.FinishedAt!.Value).ToListAsync(ct);
        var usage = await db.UsageIntervals.Where(u => u.VmId == vm.Id).OrderBy(u => u.Meter).ThenBy(u => u.From).Select(u => new { u.Meter, u.From, u.To }).ToListAsync(ct);
        Assert.Equal([(ends[0], ends[4])], usage.Where(u => u.Meter == Meter.VmAllocated).Select(u => (u.From, u.To!.Value)));
        Assert.Equal([(ends[0], ends[1]), (ends[2], ends[4])], usage.Where(u => u.Meter == Meter.VmRunning).Select(u => (u.From, u.To!.Value)));
    }

    [Fact]
    public void Amounts_are_multiplied_before_they_are_divided() => Gen.Select(Gen.Long[0, 100_000], Gen.Decimal[0m, 10m].Select(d => Math.Round(d, 10))).Sample((hours, rate) =>
        Assert.Equal(hours * rate, MonthUsage.Amount(hours * 3600m, rate)));

    private async Task AddAsync(Vm vm, Meter meter, long from, long? to, CancellationToken ct)
    {
        await using var db = _world.Main.Dbs.ForSystem();
        var stretch = UsageInterval.Open(vm, meter, s_start.AddSeconds(from));
        if (to is { } end)
        {
            stretch.Close(s_start.AddSeconds(end));
        }

        db.Add(stretch);
        await db.SaveChangesAsync(ct);
    }

    private static async Task IsRefusedAsync(Func<Task> act, string state) =>
        Assert.Equal(state, Assert.IsType<PostgresException>((await Assert.ThrowsAsync<DbUpdateException>(act)).InnerException).SqlState);

    // The oracle: adds up by itself, and never goes back.
    private sealed class StopWatch
    {
        private DateTimeOffset _last = DateTimeOffset.MinValue;

        public double Closed { get; private set; }

        public DateTimeOffset? OpenSince { get; private set; }

        public void Set(bool on, DateTimeOffset at)
        {
            if (on == OpenSince is not null)
            {
                return;
            }

            at = at > _last ? at : _last;
            if (on)
            {
                OpenSince = at;
            }
            else
            {
                Closed += (at - OpenSince!.Value).TotalSeconds;
                OpenSince = null;
            }

            _last = at;
        }
    }
}
