using Portal.App.Operations;
using Portal.Kernel;
using Portal.Testing;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Operations;

/// <summary>A process loses its lease and sleeps while another finishes its work; awake again it changes nothing, in the database or on the host.</summary>
public sealed class FencingTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private readonly PortalWorld _world = fixture.World;

    public static TheoryData<OperationKind, int, Moment> Sleeps { get; } =
        [.. from kind in new[] { OperationKind.Build, OperationKind.Delete, OperationKind.Reboot }
            from nth in Enumerable.Range(1, StepPlan.Of(kind).Count + 1)
            from moment in Enum.GetValues<Moment>()
            select new TheoryDataRow<OperationKind, int, Moment>(kind, nth, moment)];

    [Theory]
    [MemberData(nameof(Sleeps))]
    public async Task A_process_that_was_taken_over_changes_nothing(OperationKind kind, int verb, Moment moment)
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = kind == OperationKind.Build ? (await _world.OrderAndApproveAsync(ct)).Single() : await _world.RunningVmAsync(ct);
        if (kind != OperationKind.Build)
        {
            Assert.Null((await _world.AskAsync(vm, kind, ct)).Refusal);
        }

        Assert.True(_world.Main.Jobs.TryAnswer(out var operation));
        await using var sleeper = await _world.StartProcessAsync(ct);
        sleeper.Fate.SleepAt(new Point(Act.Verb, verb, moment));
        var work = sleeper.RunAsync(operation, ct);
        await sleeper.Fate.Sleeps;

        await sleeper.LoseLeaseAsync(ct);
        await _world.Main.RunAsync(operation, ct);
        var before = await Picture.OfAsync(_world, vm.Id, ct);
        var epoch = (await _world.LastOperationAsync(vm.Id, ct)).Epoch;
        sleeper.Fate.Wake();
        await work;

        Assert.Equal(before, await Picture.OfAsync(_world, vm.Id, ct));
        Assert.Equal(epoch, (await _world.LastOperationAsync(vm.Id, ct)).Epoch);
        Assert.Equal(OperationState.Succeeded, (await _world.LastOperationAsync(vm.Id, ct)).State);
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task An_operation_that_somebody_is_at_is_left_to_it()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        Assert.True(_world.Main.Jobs.TryAnswer(out var operation));
        await using var owner = await _world.StartProcessAsync(ct);
        owner.Fate.SleepAt(new Point(Act.Verb, 2, Moment.Before));
        var work = owner.RunAsync(operation, ct);
        await owner.Fate.Sleeps;
        var epoch = (await _world.LastOperationAsync(vm.Id, ct)).Epoch;

        await AgeAsync(operation, ct);

        // Another process leaves it to its owner, which lives; the owner itself knows that it is at it.
        await _world.Main.RunAsync(operation, ct);
        await owner.RunAsync(operation, ct);
        Assert.DoesNotContain(operation, await _world.Main.Get<OperationSweep>().SweepAsync(ct));
        Assert.DoesNotContain(operation, await owner.Get<OperationSweep>().SweepAsync(ct));

        Assert.Equal(epoch, (await _world.LastOperationAsync(vm.Id, ct)).Epoch);
        owner.Fate.Wake();
        await work;
        Assert.Equal(OperationState.Succeeded, (await _world.LastOperationAsync(vm.Id, ct)).State);
    }

    [Fact]
    public async Task The_sweep_rings_for_what_a_dead_process_left()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        Assert.True(_world.Main.Jobs.TryAnswer(out var operation));
        await using var victim = await _world.StartProcessAsync(ct);
        victim.Fate.DieAt(new Point(Act.Verb, 3, Moment.After));
        await victim.RunAsync(operation, ct);
        await victim.KillAsync(ct);

        // Whatever is younger than a second may still be on its way through the job server.
        await Eventually.IsAsync(async () => (await _world.Main.Get<OperationSweep>().SweepAsync(ct)).Contains(operation), ct);
        await _world.Main.RunRungAsync(ct);

        Assert.Equal(OperationState.Succeeded, (await _world.LastOperationAsync(vm.Id, ct)).State);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(11)]
    public async Task What_an_error_of_the_database_broke_off_is_not_left_to_an_owner_that_lives_and_does_nothing(int commit)
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        Assert.True(_world.Main.Jobs.TryAnswer(out var operation));
        await using var owner = await _world.StartProcessAsync(ct);
        // The first commit is the claim's own: until then it is nobody's.
        owner.Fate.BreakOffAt(new Point(Act.Commit, commit, Moment.Before));
        await Assert.ThrowsAsync<CommandBrokenOffException>(() => owner.RunAsync(operation, ct));
        var left = await _world.LastOperationAsync(vm.Id, ct);
        Assert.True(left.IsLive);
        await AgeAsync(operation, ct);

        // Others leave it to its owner, which lives; the owner itself knows that nobody is at it.
        Assert.DoesNotContain(operation, await _world.Main.Get<OperationSweep>().SweepAsync(ct));
        Assert.Contains(operation, await owner.Get<OperationSweep>().SweepAsync(ct));
        await owner.RunRungAsync(ct);

        var ended = await _world.LastOperationAsync(vm.Id, ct);
        Assert.Equal(OperationState.Succeeded, ended.State);
        Assert.True(ended.Epoch > left.Epoch);
        await Picture.CheckBooksAsync(_world, vm.Id, ct);
    }

    [Fact]
    public async Task A_bell_that_cannot_be_rung_loses_nothing_that_was_asked_for()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = await _world.RunningVmAsync(ct);
        _world.Main.Jobs.Broken = true;
        var asked = await _world.AskAsync(vm, OperationKind.PowerOff, ct);
        _world.Main.Jobs.Broken = false;
        Assert.Null(asked.Refusal);

        await Eventually.IsAsync(async () => (await _world.Main.Get<OperationSweep>().SweepAsync(ct)).Contains(asked.Value), ct);
        await _world.Main.RunRungAsync(ct);

        Assert.Equal(OperationState.Succeeded, (await _world.LastOperationAsync(vm.Id, ct)).State);
    }

    [Fact]
    public async Task A_ring_that_was_lost_is_made_good_by_the_sweep()
    {
        var ct = TestContext.Current.CancellationToken;
        var vm = (await _world.OrderAndApproveAsync(ct)).Single();
        Assert.True(_world.Main.Jobs.TryAnswer(out var operation));

        await Eventually.IsAsync(async () => (await _world.Main.Get<OperationSweep>().SweepAsync(ct)).Contains(operation), ct);

        Assert.DoesNotContain(operation, await _world.Main.Get<OperationSweep>().SweepAsync(ct));
        await _world.Main.RunRungAsync(ct);
        Assert.Equal(OperationState.Succeeded, (await _world.LastOperationAsync(vm.Id, ct)).State);
    }

    // The sweep leaves what is younger than a second to the ring that is on its way, and rings again for the same after a while.
    private Task<int> AgeAsync(OperationId operation, CancellationToken ct) =>
        _world.Database.ExecuteAsync("UPDATE operations SET created_at = created_at - interval '1 minute', rung_at = NULL WHERE id = $1", ct, operation.Value);
}
