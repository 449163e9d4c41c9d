using Microsoft.EntityFrameworkCore;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Operations;

/// <summary>
/// What hosts do to those who work on them: each fault strikes a hundred lives of VMs, at another place each time. Every operation ends done, undone, or with
/// the reason for whoever asked; no VM runs twice; when it is deleted, nothing of it is left on the host; the books agree. A host whose clock is off is not
/// among them: what it thinks the time is goes into nothing but its page.
/// </summary>
public abstract class HostFaultRuns(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private const int Runs = 100;

    private static readonly OperationKind[] s_between = [OperationKind.ShutDown, OperationKind.PowerOff, OperationKind.Reboot, OperationKind.Start, OperationKind.Change, OperationKind.Detach];

    /// <summary>A host that nothing is wrong with, whose root disks are clones that can be detached.</summary>
    protected static SimulatedShape Healthy { get; } = new() { ClonesBySnapshot = true };

    protected PortalWorld World { get; } = fixture.World;

    /// <summary>Lets the fault wait for what comes, or strike at once.</summary>
    /// <returns>Says, once the operation has ended, whether the fault was met.</returns>
    protected delegate Task<Func<bool>> Strike(Random chance, CancellationToken ct);

    /// <summary>A hundred lives: built, used, deleted, with the fault at one of the operations.</summary>
    /// <param name="heal">Ends what would last for ever.</param>
    protected async Task LiveAsync(Strike strike, Action heal)
    {
        var ct = TestContext.Current.CancellationToken;
        var met = 0;
        World.Faults.Shape = Healthy;
        for (var seed = 1; seed <= Runs; seed++)
        {
            try
            {
                met += await LiveOnceAsync(new Random(seed), strike, heal, ct) ? 1 : 0;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"Run {seed}: {e.Message}", e);
            }
            finally
            {
                heal();
                World.Faults.Clear();
            }
        }

        // Not each operation has the verb that was to fail; a fault that nobody meets would prove nothing.
        Assert.True(met >= Runs / 5, $"Only {met} of {Runs} runs met the fault.");
    }

    private async Task<bool> LiveOnceAsync(Random chance, Strike strike, Action heal, CancellationToken ct)
    {
        OperationKind[] life = [OperationKind.Build, .. chance.GetItems(s_between, 2), OperationKind.Delete];
        var struck = chance.Next(life.Length);
        var met = false;
        var vm = (await World.OrderAndApproveAsync(ct)).Single();
        for (var i = 0; i < life.Length; i++)
        {
            // Not everything can be asked for in every state: what is refused then is refused, and life goes on.
            if (i > 0 && await World.AskAsync(await World.VmAsync(vm.Id, ct), life[i], ct) is { Refusal: not null })
            {
                continue;
            }

            var wasMet = i == struck ? await strike(chance, ct) : null;
            await EndAsync(vm.Id, heal, ct);
            met |= wasMet?.Invoke() ?? false;
            heal();
        }

        // Whatever came of it: it can be left.
        if ((await World.VmAsync(vm.Id, ct)).Stage != VmStage.Deleted)
        {
            Assert.Null((await World.AskAsync(await World.VmAsync(vm.Id, ct), OperationKind.Delete, ct)).Refusal);
            await EndAsync(vm.Id, heal, ct);
        }

        vm = await World.VmAsync(vm.Id, ct);
        Assert.Equal(VmStage.Deleted, vm.Stage);
        var engine = await World.EngineAsync(ct);
        Assert.DoesNotContain(await engine.ListDomainsAsync(ct), d => d.Name.Vm == vm.Id);
        Assert.DoesNotContain(await engine.ListVolumesAsync(ct), v => v.Domain.Vm == vm.Id);
        await Picture.CheckBooksAsync(World, vm.Id, ct);
        return met;
    }

    // Until the operation has ended, as the bell and the sweep would work on it. A fault that lasts is healed once the operation rests because of it.
    private async Task EndAsync(VmId vm, Action heal, CancellationToken ct)
    {
        for (var tries = 0; tries < 20; tries++)
        {
            await World.Main.RunRungAsync(ct);
            var operation = await World.LastOperationAsync(vm, ct);
            await CheckHostAsync(vm, ct);
            if (operation.FinishedAt is not null)
            {
                Assert.True(operation.State == OperationState.Succeeded || operation.Problem is { Length: > 0 }, $"{operation.Kind} ended as {operation.State} and does not say why.");
                return;
            }

            if (operation.Rests && operation.Problem is not null)
            {
                heal();
            }

            await World.EndRestAsync(operation.Id, ct);
            await World.Main.RunAsync(operation.Id, ct);
        }

        throw new InvalidOperationException($"{(await World.LastOperationAsync(vm, ct)).Kind} does not end.");
    }

    // At most one domain of a VM runs, and it is the newest.
    private async Task CheckHostAsync(VmId id, CancellationToken ct)
    {
        if (!World.Faults.Shape.Reachable)
        {
            return;
        }

        var engine = await World.EngineAsync(ct);
        var vm = await World.VmAsync(id, ct);
        var running = (await engine.ListDomainsAsync(ct)).Where(d => d.Name.Vm == id && d.State is DomainState.Running or DomainState.Paused).ToList();
        Assert.True(running.Count <= 1, $"{running.Count} domains of one VM run.");
        Assert.All(running, d => Assert.Equal(vm.Generation, d.Name.Generation));
    }
}

/// <summary>Faults of the line, and of a host that is slow or gone.</summary>
public sealed class HostGoneTests(WorldFixture fixture) : HostFaultRuns(fixture)
{
    private static readonly SimulatedVerb[] s_verbs =
    [
        SimulatedVerb.Look, SimulatedVerb.EnsureRootDisk, SimulatedVerb.EnsureSeed, SimulatedVerb.EnsureDefined, SimulatedVerb.EnsureRunning, SimulatedVerb.AskShutdown,
        SimulatedVerb.EnsureOff, SimulatedVerb.EnsureUndefined, SimulatedVerb.EnsureDisksGone, SimulatedVerb.Change, SimulatedVerb.Detach, SimulatedVerb.ListDisks,
    ];

    [Fact]
    public Task A_connection_is_cut_before_a_command_has_begun() => LiveAsync((chance, _) => ArmSome(chance, SimulatedMoment.Before), () => { });

    [Fact]
    public Task An_answer_is_lost_after_it_was_done() => LiveAsync((chance, _) => ArmSome(chance, SimulatedMoment.After), () => { });

    [Fact]
    public Task A_host_goes_silent_and_is_back_later()
    {
        var silences = 0;
        return LiveAsync(
            (_, _) =>
            {
                var before = silences;
                World.Faults.Shape = Healthy with { Reachable = false };
                return Task.FromResult(() => silences > before);
            },
            () =>
            {
                silences += World.Faults.Shape.Reachable ? 0 : 1;
                World.Faults.Shape = Healthy;
            });
    }

    private Task<Func<bool>> ArmSome(Random chance, SimulatedMoment moment)
    {
        var verbs = chance.GetItems(s_verbs, chance.Next(1, 6));
        foreach (var verb in verbs)
        {
            World.Faults.Arm(verb, moment, SimulatedFault.Throw);
        }

        return Task.FromResult(() => World.Faults.Clear() < verbs.Length);
    }
}

/// <summary>Hosts that say no.</summary>
public sealed class HostSaysNoTests(WorldFixture fixture) : HostFaultRuns(fixture)
{
    [Fact]
    public Task The_pool_is_full() => LiveAsync(
        (_, _) =>
        {
            World.Faults.Shape = Healthy with { PoolMiB = 16 };
            return Task.FromResult(() => Failed("engine.pool_full"));
        },
        () => World.Faults.Shape = Healthy);

    [Fact]
    public Task A_name_is_taken() => LiveAsync(
        (chance, _) =>
        {
            World.Refusals[chance.GetItems([SimulatedVerb.EnsureRootDisk, SimulatedVerb.EnsureSeed, SimulatedVerb.EnsureDefined], 1)[0]] = new Occupied("somebody's");
            return Task.FromResult(() => Failed("engine.occupied"));
        },
        World.Refusals.Clear);

    [Fact]
    public Task A_disk_is_still_in_use_when_it_is_to_go() => LiveAsync(
        (chance, _) =>
        {
            var times = chance.Next(1, 5);
            for (var i = 0; i < times; i++)
            {
                World.Faults.Arm(SimulatedVerb.EnsureDisksGone, SimulatedMoment.Before, SimulatedFault.Throw);
            }

            return Task.FromResult(() => World.Faults.Clear() < times);
        },
        () => { });

    [Fact]
    public Task A_start_is_refused() => LiveAsync(
        (_, _) =>
        {
            World.Faults.Arm(SimulatedVerb.EnsureRunning, SimulatedMoment.Before, SimulatedFault.Refuse);
            return Task.FromResult(() => World.Faults.Clear() == 0);
        },
        () => { });

    private bool Failed(string code)
    {
        using var db = World.Main.Dbs.ForSystem();
        return db.Operations.OrderByDescending(o => o.FinishedAt).First().ProblemCode == code;
    }
}

/// <summary>A command that hangs, and a host that loses its power.</summary>
public sealed class HostFreezesTests(WorldFixture fixture) : HostFaultRuns(fixture)
{
    [Fact]
    public Task A_host_loses_its_power_between_two_commands() => LiveAsync(
        async (_, ct) =>
        {
            var ran = await World.Faults.LosePowerAsync(PortalWorld.Instance, TimeProvider.System, ct);
            return () => ran > 0;
        },
        () => { });

    [Fact]
    public async Task A_command_hangs_and_is_done_after_all_and_nobody_else_did_it_meanwhile()
    {
        await using var slow = await World.StartProcessAsync(TestContext.Current.CancellationToken);
        await LiveAsync((chance, ct) => HangAsync(slow, chance, power: false, ct), () => { });
    }

    [Fact]
    public async Task A_host_loses_its_power_under_a_command()
    {
        await using var slow = await World.StartProcessAsync(TestContext.Current.CancellationToken);
        await LiveAsync((chance, ct) => HangAsync(slow, chance, power: true, ct), () => { });
    }

    private async Task<Func<bool>> HangAsync(WorldProcess slow, Random chance, bool power, CancellationToken ct)
    {
        Assert.True(World.Main.Jobs.TryAnswer(out var operation));
        slow.Fate.SleepAt(new Point(Act.Verb, chance.Next(1, 4), chance.GetItems([Moment.Before, Moment.After], 1)[0]));
        var work = slow.RunAsync(operation, ct);
        await Task.WhenAny(work, slow.Fate.Sleeps);
        var sleeps = slow.Fate.Sleeps.IsCompleted;
        // Its owner lives: whoever else hears the bell leaves it alone.
        var before = await ReadAsync();
        await World.Main.RunAsync(operation, ct);
        if (sleeps)
        {
            Assert.Equal(before, await ReadAsync());
        }

        if (power)
        {
            await World.Faults.LosePowerAsync(PortalWorld.Instance, TimeProvider.System, ct);
        }

        slow.Fate.Wake();
        await work;
        return () => sleeps;

        async Task<(ProcessId? Owner, long Epoch, int Tries)> ReadAsync()
        {
            await using var db = World.Main.Dbs.ForSystem();
            var now = await db.Operations.AsNoTracking().Include(o => o.Steps).SingleAsync(o => o.Id == operation, ct);
            return (now.Owner, now.Epoch, now.Steps.Sum(s => s.Tries));
        }
    }
}
