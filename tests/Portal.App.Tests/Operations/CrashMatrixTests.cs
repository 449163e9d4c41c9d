using System.Collections.Concurrent;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Operations;

/// <summary>What was seen of an operation that nobody disturbed, by its kind and whether the host refused.</summary>
public sealed class CrashFixture(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly SemaphoreSlim _hosts = new(1, 1);
    private Portal.App.Hosts.Host? _other;

    internal ConcurrentDictionary<(OperationKind, bool), Task<string>> Undisturbed { get; } = [];

    public PortalWorld World { get; private set; } = null!;

    public async ValueTask InitializeAsync() => World = await PortalWorld.CreateAsync(postgres, CancellationToken.None);

    /// <summary>Makes sure that there is another host to move to.</summary>
    internal async Task WithTwoHostsAsync(CancellationToken ct)
    {
        await _hosts.WaitAsync(ct);
        try
        {
            _other ??= await World.AddHostAsync("other", "0badcafd", ct);
        }
        finally
        {
            _hosts.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _hosts.Dispose();
        await World.DisposeAsync();
    }
}

/// <summary>
/// A process dies before or after each call of the engine and each commit of an operation; another takes over. Whatever the point, the end is the same
/// as if nothing had happened. The points are made from <see cref="StepPlan"/>: a new step is in here by itself.
/// </summary>
public abstract class CrashMatrix(CrashFixture fixture) : IClassFixture<CrashFixture>
{
    /// <summary>The claim, a row before and after each step, one where the steps run out, one at the end.</summary>
    protected static int CommitsOf(int steps) => (2 * steps) + 3;

    /// <summary>A call for each step, and the last look.</summary>
    protected static int VerbsOf(int steps) => steps + 1;

    protected static TheoryData<OperationKind, Act, int, Moment> PointsOf(OperationKind kind, int commits, int verbs)
    {
        var points = new TheoryData<OperationKind, Act, int, Moment>();
        foreach (var (act, count) in new[] { (Act.Commit, commits), (Act.Verb, verbs) })
        {
            for (var nth = 1; nth <= count; nth++)
            {
                points.Add(kind, act, nth, Moment.Before);
                points.Add(kind, act, nth, Moment.After);
            }
        }

        return points;
    }

    /// <summary>The last step that is taken back where it fails is refused, so that all that was done before is.</summary>
    private static KeyValuePair<SimulatedVerb, Refusal> LastStepRefused(OperationKind kind) => kind switch
    {
        OperationKind.Move => new(SimulatedVerb.EnsureDefined, new HostSaidNo("define the domain", "no such kernel")),
        OperationKind.Detach => new(SimulatedVerb.Detach, new HostSaidNo("exchange the disk", "no such name")),
        _ => new(SimulatedVerb.EnsureRunning, new HostSaidNo("start the domain", "no such CPU")),
    };

    /// <summary>Kinds whose steps are not all one call each: they have a matrix of their own.</summary>
    protected static bool IsSpecial(OperationKind kind) => kind is OperationKind.Build or OperationKind.Move or OperationKind.Detach;

    protected async Task DieAndBeTakenOverAsync(OperationKind kind, bool refused, Point point)
    {
        var ct = TestContext.Current.CancellationToken;
        var world = fixture.World;
        var undisturbed = await fixture.Undisturbed.GetOrAdd((kind, refused), _ => UndisturbedAsync(kind, refused, ct));
        var (vm, operation) = await AskedAsync(kind, ct);
        using var refusing = new Refusing(world, kind, refused);

        await using var victim = await world.StartProcessAsync(ct);
        victim.Fate.DieAt(point);
        await victim.RunAsync(operation, ct);
        Assert.True(victim.Fate.IsDead, $"There is no point {point}: the matrix counts too many.");
        await victim.KillAsync(ct);
        await using var next = await world.StartProcessAsync(ct);
        await next.RunAsync(operation, ct);

        Assert.Equal(undisturbed, await Picture.OfAsync(world, vm, ct));
        await Picture.CheckBooksAsync(world, vm, ct);
    }

    protected async Task<(int Commits, int Verbs)> CountAsync(OperationKind kind, bool refused)
    {
        var ct = TestContext.Current.CancellationToken;
        var (_, operation) = await AskedAsync(kind, ct);
        using var refusing = new Refusing(fixture.World, kind, refused);
        await using var process = await fixture.World.StartProcessAsync(ct);
        await process.RunAsync(operation, ct);
        return (process.Fate.Count(Act.Commit), process.Fate.Count(Act.Verb));
    }

    private async Task<string> UndisturbedAsync(OperationKind kind, bool refused, CancellationToken ct)
    {
        var (vm, operation) = await AskedAsync(kind, ct);
        using var refusing = new Refusing(fixture.World, kind, refused);
        await fixture.World.Main.RunAsync(operation, ct);
        await Picture.CheckBooksAsync(fixture.World, vm, ct);
        return await Picture.OfAsync(fixture.World, vm, ct);
    }

    // A VM of which this kind of operation was asked, and is not begun.
    private async Task<(VmId Vm, OperationId Operation)> AskedAsync(OperationKind kind, CancellationToken ct)
    {
        var world = fixture.World;
        Vm vm;
        if (kind == OperationKind.Build)
        {
            vm = (await world.OrderAndApproveAsync(ct)).Single();
        }
        else if (kind == OperationKind.Adopt)
        {
            vm = await world.VmAsync((await world.Main.Get<AdoptDomain.Handler>().HandleAsync(await world.ForeignAsync(ct), world.Administrator, ct)).Value.Vm, ct);
        }
        else
        {
            if (kind == OperationKind.Move)
            {
                await fixture.WithTwoHostsAsync(ct);
            }

            if (kind == OperationKind.Detach)
            {
                world.Faults.Shape = world.Faults.Shape with { ClonesBySnapshot = true };
            }

            vm = await world.RunningVmAsync(ct);
            if (kind == OperationKind.Start)
            {
                await world.DoAsync(vm, OperationKind.PowerOff, ct);
            }

            Assert.Null((await world.AskAsync(vm, kind, ct)).Refusal);
        }

        Assert.True(world.Main.Jobs.TryAnswer(out var operation));
        return (vm.Id, operation);
    }

    private sealed class Refusing : IDisposable
    {
        private readonly PortalWorld _world;

        public Refusing(PortalWorld world, OperationKind kind, bool refused)
        {
            _world = world;
            if (refused)
            {
                world.Refusals[LastStepRefused(kind).Key] = LastStepRefused(kind).Value;
            }
        }

        public void Dispose() => _world.Refusals.Clear();
    }
}

public sealed class CrashInBuildTests(CrashFixture fixture) : CrashMatrix(fixture)
{
    public static TheoryData<OperationKind, Act, int, Moment> Points { get; } =
        PointsOf(OperationKind.Build, CommitsOf(StepPlan.Of(OperationKind.Build).Count), VerbsOf(StepPlan.Of(OperationKind.Build).Count));

    [Theory]
    [MemberData(nameof(Points))]
    public Task Ends_as_if_nothing_had_happened(OperationKind kind, Act act, int nth, Moment moment) => DieAndBeTakenOverAsync(kind, refused: false, new Point(act, nth, moment));
}

public sealed class CrashInPowerTests(CrashFixture fixture) : CrashMatrix(fixture)
{
    public static TheoryData<OperationKind, Act, int, Moment> Points { get; } =
        [.. Enum.GetValues<OperationKind>().Where(k => !IsSpecial(k)).SelectMany(k => PointsOf(k, CommitsOf(StepPlan.Of(k).Count), VerbsOf(StepPlan.Of(k).Count)))];

    public static TheoryData<OperationKind> Kinds { get; } = [.. Enum.GetValues<OperationKind>().Where(k => k == OperationKind.Build || !IsSpecial(k))];

    [Theory]
    [MemberData(nameof(Points))]
    public Task Ends_as_if_nothing_had_happened(OperationKind kind, Act act, int nth, Moment moment) => DieAndBeTakenOverAsync(kind, refused: false, new Point(act, nth, moment));

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_matrix_counts_every_call_and_commit(OperationKind kind) =>
        Assert.Equal((CommitsOf(StepPlan.Of(kind).Count), VerbsOf(StepPlan.Of(kind).Count)), await CountAsync(kind, refused: false));
}

public sealed class CrashInUndoTests(CrashFixture fixture) : CrashMatrix(fixture)
{
    // One claim; each step is done and taken back: a row before and after, both ways.
    private static readonly int s_commits = (2 * CommitsOf(StepPlan.Of(OperationKind.Build).Count)) - 3;
    private static readonly int s_verbs = (2 * StepPlan.Of(OperationKind.Build).Count) + 1;

    public static TheoryData<OperationKind, Act, int, Moment> Points { get; } = PointsOf(OperationKind.Build, s_commits, s_verbs);

    [Theory]
    [MemberData(nameof(Points))]
    public Task Ends_as_if_nothing_had_happened(OperationKind kind, Act act, int nth, Moment moment) => DieAndBeTakenOverAsync(kind, refused: true, new Point(act, nth, moment));

    [Fact]
    public async Task The_matrix_counts_every_call_and_commit() => Assert.Equal((s_commits, s_verbs), await CountAsync(OperationKind.Build, refused: true));
}

public sealed class CrashInAdoptionUndoTests(CrashFixture fixture) : CrashMatrix(fixture)
{
    // As with a build; that it was waited for has nothing to be taken back on the host.
    private static readonly int s_commits = (2 * CommitsOf(StepPlan.Of(OperationKind.Adopt).Count)) - 3;
    private static readonly int s_verbs = 2 * StepPlan.Of(OperationKind.Adopt).Count;

    public static TheoryData<OperationKind, Act, int, Moment> Points { get; } = PointsOf(OperationKind.Adopt, s_commits, s_verbs);

    [Theory]
    [MemberData(nameof(Points))]
    public Task Ends_as_if_nothing_had_happened(OperationKind kind, Act act, int nth, Moment moment) => DieAndBeTakenOverAsync(kind, refused: true, new Point(act, nth, moment));

    [Fact]
    public async Task The_matrix_counts_every_call_and_commit() => Assert.Equal((s_commits, s_verbs), await CountAsync(OperationKind.Adopt, refused: true));
}

/// <summary>A move goes on where it was left, to the new host or back to the old one: never two domains, and nothing of it is left on either.</summary>
public sealed class CrashInMoveTests(CrashFixture fixture) : CrashMatrix(fixture)
{
    // Asked, seen off, switched off; listed and made there; listed, compared at both ends, of the one part that holds something read and written, compared again,
    // and whole; defined, undefined, started, removed; the last look. A template is no VM's, and what is in the books alone no call.
    private static readonly int s_commits = CommitsOf(StepPlan.Of(OperationKind.Move).Count);
    private static readonly int s_verbs = 3 + 2 + 7 + 4 + 1;

    public static TheoryData<OperationKind, Act, int, Moment> Points { get; } = PointsOf(OperationKind.Move, s_commits, s_verbs);

    [Theory]
    [MemberData(nameof(Points))]
    public Task Ends_as_if_nothing_had_happened(OperationKind kind, Act act, int nth, Moment moment) => DieAndBeTakenOverAsync(kind, refused: false, new Point(act, nth, moment));

    [Fact]
    public async Task The_matrix_counts_every_call_and_commit() => Assert.Equal((s_commits, s_verbs), await CountAsync(OperationKind.Move, refused: false));
}

/// <summary>The same where the new host does not take the domain, and all is taken back.</summary>
public sealed class CrashInMoveUndoTests(CrashFixture fixture) : CrashMatrix(fixture)
{
    // One claim; seven steps done or refused and taken back: a row before and after, both ways; two at the end.
    private static readonly int s_commits = 1 + (4 * 7) + 2;
    // As there up to the refusal; then undefined, undefined once more and removed, started again; the last look.
    private static readonly int s_verbs = 3 + 2 + 7 + 1 + 4 + 1;

    public static TheoryData<OperationKind, Act, int, Moment> Points { get; } = PointsOf(OperationKind.Move, s_commits, s_verbs);

    [Theory]
    [MemberData(nameof(Points))]
    public Task Ends_as_if_nothing_had_happened(OperationKind kind, Act act, int nth, Moment moment) => DieAndBeTakenOverAsync(kind, refused: true, new Point(act, nth, moment));

    [Fact]
    public async Task The_matrix_counts_every_call_and_commit() => Assert.Equal((s_commits, s_verbs), await CountAsync(OperationKind.Move, refused: true));
}

/// <summary>A clone is detached to the end, whoever was killed where, and nothing lies beside the disk.</summary>
public sealed class CrashInDetachTests(CrashFixture fixture) : CrashMatrix(fixture)
{
    private static readonly int s_commits = CommitsOf(StepPlan.Of(OperationKind.Detach).Count);

    // A call for each step, before the guest is asked to go down a look at what there is, and the last look.
    private static readonly int s_verbs = VerbsOf(StepPlan.Of(OperationKind.Detach).Count) + 1;

    public static TheoryData<OperationKind, Act, int, Moment> Points { get; } = PointsOf(OperationKind.Detach, s_commits, s_verbs);

    [Theory]
    [MemberData(nameof(Points))]
    public Task Ends_as_if_nothing_had_happened(OperationKind kind, Act act, int nth, Moment moment) => DieAndBeTakenOverAsync(kind, refused: false, new Point(act, nth, moment));

    [Fact]
    public async Task The_matrix_counts_every_call_and_commit() => Assert.Equal((s_commits, s_verbs), await CountAsync(OperationKind.Detach, refused: false));
}

/// <summary>The same where the disks are not exchanged, and all is taken back: the guest runs on its clone again.</summary>
public sealed class CrashInDetachUndoTests(CrashFixture fixture) : CrashMatrix(fixture)
{
    // One claim; four steps done or refused and taken back: a row before and after, both ways; two at the end.
    private static readonly int s_commits = 1 + (4 * 4) + 2;

    // As there up to the refusal; then the names, the start, and what was copied; the last look.
    private static readonly int s_verbs = 5 + 3 + 1;

    public static TheoryData<OperationKind, Act, int, Moment> Points { get; } = PointsOf(OperationKind.Detach, s_commits, s_verbs);

    [Theory]
    [MemberData(nameof(Points))]
    public Task Ends_as_if_nothing_had_happened(OperationKind kind, Act act, int nth, Moment moment) => DieAndBeTakenOverAsync(kind, refused: true, new Point(act, nth, moment));

    [Fact]
    public async Task The_matrix_counts_every_call_and_commit() => Assert.Equal((s_commits, s_verbs), await CountAsync(OperationKind.Detach, refused: true));
}
