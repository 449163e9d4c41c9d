using CsCheck;
using Portal.App.Hosts;
using Portal.App.Ordering;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Tests.Ordering;

public sealed class PlanCapacityTests
{
    private static readonly ILookup<HostId, ServerKind> s_empty = Array.Empty<(HostId Host, ServerKind Kind)>().ToLookup(v => v.Host, v => v.Kind);

    [Theory]
    [InlineData(8, 64, 64, 8, nameof(Scarce.Memory))]
    [InlineData(64, 8, 64, 8, nameof(Scarce.Disk))]
    [InlineData(64, 64, 8, 8, nameof(Scarce.Vcpus))]
    [InlineData(8, 8, 64, 8, nameof(Scarce.SeveralAtOnce))]
    [InlineData(100_000, 100_000, 100_000, PlanCapacity.MaxSets, nameof(Scarce.Nothing))]
    public void What_runs_out_first_is_named(int memory, int disk, int vcpus, int sets, string scarce)
    {
        var plan = Plan([Room("a", memory, disk, vcpus)], s_empty, Kind(1, 1));

        Assert.Equal((sets, scarce), (plan.Sets, plan.Scarce.ToString()));
    }

    [Fact]
    public void Where_a_host_may_fail_its_vms_come_first()
    {
        HostRoom[] rooms = [Room("a", 2), Room("b", 8), Room("c", 8)];
        // What runs on b would take 3 of what the others have.
        var vms = new[] { (rooms[1].Host.Id, Kind(1, 2)), (rooms[1].Host.Id, Kind(1, 1)) }.ToLookup(v => v.Item1, v => v.Item2);

        var plan = Plan(rooms, vms, Kind(1, 1));

        Assert.Equal((18, 7, "b"), (plan.Sets, plan.SetsWithOneLess, plan.Worst));
    }

    [Fact]
    public void Vms_that_would_not_find_room_again_are_said_rather_than_a_number()
    {
        HostRoom[] rooms = [Room("a", 1), Room("b", 8)];
        var plan = Plan(rooms, new[] { (rooms[1].Host.Id, Kind(1, 2)) }.ToLookup(v => v.Item1, v => v.Item2), Kind(1, 1));

        Assert.Equal((9, (int?)null, "b"), (plan.Sets, plan.SetsWithOneLess, plan.Worst));
    }

    [Fact]
    public void Without_a_host_nothing_fits_and_one_host_alone_may_not_fail()
    {
        Assert.Equal((0, 0, 0), (Plan([], s_empty, Kind(1, 1)).Hosts, Plan([], s_empty, Kind(1, 1)).Sets, Plan([], s_empty, Kind(1, 1)).SetsWithOneLess!.Value));
        Assert.Equal((8, (int?)0), (Plan([Room("a", 8)], s_empty, Kind(1, 1)).Sets, Plan([Room("a", 8)], s_empty, Kind(1, 1)).SetsWithOneLess));
    }

    [Fact]
    public void Equal_servers_are_counted_exactly_and_one_host_less_is_never_more() => Gen.Select(Gen.Int[0, 30].Array[1, 6], Gen.Int[1, 5]).Sample((hosts, size) =>
    {
        HostRoom[] rooms = [.. hosts.Select((g, i) => Room($"h{i}", g))];

        var plan = Plan(rooms, s_empty, Kind(1, size));

        Assert.Equal(hosts.Sum(g => g / size), plan.Sets);
        Assert.Equal(hosts.Sum(g => g / size) - hosts.Max(g => g / size), plan.SetsWithOneLess);
    });

    private static PlanCapacity.Plan Plan(IReadOnlyList<HostRoom> rooms, ILookup<HostId, ServerKind> vms, params ServerKind[] kinds) =>
        CapacityPlan.Of(new PlanCapacity.Request(kinds, ByteSize.Zero, ByteSize.Zero), rooms, vms);

    private static ServerKind Kind(int count, int gibibytes) => new("k", count, 1, ByteSize.FromGiB(gibibytes), ByteSize.FromGiB(1));

    private static HostRoom Room(string name, int memory, int disk = 1 << 20, int vcpus = 1 << 20) =>
        new(new Host(name, HostKind.Simulated, "0badcafe", "/pool"), PoolId.New(), vcpus, ByteSize.FromGiB(memory), ByteSize.FromGiB(disk), 1 << 20);
}
