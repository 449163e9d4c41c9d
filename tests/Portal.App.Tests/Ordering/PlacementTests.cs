using CsCheck;
using Microsoft.EntityFrameworkCore;
using Portal.App.Control;
using Portal.App.Hosts;
using Portal.App.Networks;
using Portal.App.Ordering;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Ordering;

public sealed class PlacementTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_pool_is_sold_to_its_last_gibibyte_and_not_beyond()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        world.Faults.Shape = new SimulatedShape { PoolMiB = 3 << 10 };
        await world.Main.Get<HostWatch>().LookAsync(ct);

        // A Nano has 1 GiB. What is built takes from the pool what it was sold as; that is counted once.
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(VmStage.Ready, (await world.RunningVmAsync(ct)).Stage);
            await world.Main.Get<HostWatch>().LookAsync(ct);
        }

        var fourth = await world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(world.Tenant, await world.FormAsync("fourth", ct), "k"), world.Owner, ct);
        Assert.Equal("ordering.no_host_fits", fourth.Refusal?.Code);
    }

    [Fact]
    public async Task What_starts_from_its_own_disk_comes_only_to_hosts_that_can_start_it()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        await world.Database.ExecuteAsync("UPDATE template_versions SET boot = 'Disk'", ct);
        world.Faults.Shape = new SimulatedShape { BootsDisks = false };
        await world.Main.Get<HostWatch>().LookAsync(ct);
        var orders = world.Main.Get<PlaceOrder.Handler>();

        // It has the image, and has lost since what starts it.
        var refused = (await orders.HandleAsync(new(world.Tenant, await world.FormAsync("first", ct), "k"), world.Owner, ct)).Refusal;
        var preview = (await world.Main.Get<PreviewOrder.Handler>().HandleAsync(new(world.Tenant, await world.FormAsync("first", ct)), world.Owner, ct)).Value;

        Assert.IsType<NoHostBootsDisks>(refused);
        Assert.Contains(preview.Problems, p => p is NoHostBootsDisks);
        Assert.Equal(0, preview.HostsThatFit);
        await world.Database.ExecuteAsync("DELETE FROM pool_images", ct);
        await world.Main.Get<ImageBuilds>().BuildMissingAsync(new HashSet<(PoolId, TemplateVersionId)>(), ct);
        await using var db = world.Main.Dbs.ForSystem();
        Assert.False(await db.PoolImages.AnyAsync(ct));

        world.Faults.Shape = new SimulatedShape();
        await world.Main.Get<HostWatch>().LookAsync(ct);
        await world.Main.Get<ImageBuilds>().BuildMissingAsync(new HashSet<(PoolId, TemplateVersionId)>(), ct);
        Assert.Equal(VmStage.Ready, (await world.RunningVmAsync(ct)).Stage);
    }

    [Fact]
    public void A_host_without_addresses_takes_nothing_and_that_is_what_is_said()
    {
        HostRoom[] rooms = [Room("a", addresses: 1), Room("b", addresses: 1)];

        Assert.Equal(2, Placement.Choose([Party(rooms, 2)], out _)?.Single().Select(r => r.Host.Name).Distinct().Count());
        Assert.Null(Placement.Choose([Party(rooms, 3)], out _));
        Assert.IsType<NoAddressLeft>(Placement.WhyNot([Party(rooms, 3)]));
        Assert.IsType<NoHostFits>(Placement.WhyNot([Party(rooms, 3, vcpus: 100)]));
    }

    [Fact]
    public void What_one_line_takes_is_gone_for_the_others_and_the_large_come_first()
    {
        // Room for one large and one small on each: the small first would leave no room for the second large one.
        HostRoom[] rooms = [Room("a", 9, gibibytes: 5), Room("b", 9, gibibytes: 5)];
        var small = Party(rooms, 2, gibibytes: 1);
        var large = Party(rooms, 2, gibibytes: 4);

        var chosen = Placement.Choose([small, large], out var misfit);

        Assert.Equal(-1, misfit);
        Assert.Equal([2, 2], chosen?.Select(c => c.Select(r => r.Host.Id).Distinct().Count()));
        Assert.Null(Placement.Choose([small, large, Party(rooms, 1, gibibytes: 2)], out misfit));
        Assert.Equal(2, misfit);
        Assert.Equal("No host has room for 1 x S beside the rest of this order. Take a smaller plan or fewer, or ask the provider for capacity.", Placement.WhyNot([small, large, Party(rooms, 1, gibibytes: 2)]).Message);
    }

    [Fact]
    public void Any_order_of_lines_is_placed_without_selling_more_than_there_is() => Gen.Select(
        Gen.Int[1, 8].Array[1, 4], Gen.Select(Gen.Int[1, 4], Gen.Int[1, 8], Gen.Int[1, 4], Gen.Int[1, 8]).Array[1, 6]).Sample((hosts, lines) =>
    {
        HostRoom[] rooms = [.. hosts.Select((g, i) => Room($"h{i}", 6, gibibytes: g * 2))];
        Party[] parties = [.. lines.Select(l => new Party(TemplateVersionId.New(), rooms, "S", l.Item1, l.Item2, ByteSize.FromGiB(l.Item3), ByteSize.FromGiB(l.Item4)))];

        if (Placement.Choose(parties, out var misfit) is not { } chosen)
        {
            Assert.InRange(misfit, 0, parties.Length - 1);
            return;
        }

        Assert.Equal(parties.Select(p => p.Count), chosen.Select(c => c.Count));
        foreach (var room in rooms)
        {
            var taken = parties.Zip(chosen).Select(p => (Party: p.First, Count: p.Second.Count(r => r.Host.Id == room.Host.Id))).ToList();
            Assert.True(taken.Sum(t => t.Count * t.Party.Vcpus) <= room.Vcpus);
            Assert.True(taken.Sum(t => t.Count * t.Party.Memory.Bytes) <= room.Memory.Bytes);
            Assert.True(taken.Sum(t => t.Count * t.Party.Disk.Bytes) <= room.Disk.Bytes);
            Assert.True(taken.Sum(t => t.Count) <= room.Addresses);
        }
    });

    private static Party Party(IReadOnlyList<HostRoom> rooms, int count, int vcpus = 1, int gibibytes = 1) =>
        new(TemplateVersionId.New(), rooms, "S", count, vcpus, ByteSize.FromGiB(gibibytes), ByteSize.FromGiB(1));

    private static HostRoom Room(string name, int addresses, int gibibytes = 64) =>
        new(new Host(name, HostKind.Simulated, "0badcafe", "/pool"), PoolId.New(), 64, ByteSize.FromGiB(gibibytes), ByteSize.FromGiB(64), addresses);
}
