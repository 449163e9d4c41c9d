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
        var memory = ByteSize.FromGiB(1);
        HostRoom[] rooms = [Room("a", addresses: 1), Room("b", addresses: 1)];

        Assert.Equal(2, Placement.Choose(rooms, 2, 1, memory, memory)?.Select(r => r.Host.Name).Distinct().Count());
        Assert.Null(Placement.Choose(rooms, 3, 1, memory, memory));
        Assert.IsType<NoAddressLeft>(Placement.WhyNot(rooms, "S", 3, 1, memory, memory));
        Assert.IsType<NoHostFits>(Placement.WhyNot(rooms, "S", 3, 100, memory, memory));
    }

    private static HostRoom Room(string name, int addresses) =>
        new(new Host(name, HostKind.Simulated, "0badcafe", "/pool"), PoolId.New(), 64, ByteSize.FromGiB(64), ByteSize.FromGiB(64), addresses);
}
