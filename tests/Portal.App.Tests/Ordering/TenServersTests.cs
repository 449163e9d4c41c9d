using Microsoft.EntityFrameworkCore;
using Portal.App.Control;
using Portal.App.Ordering;
using Portal.App.Vms;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Ordering;

/// <summary>The seed article's scenario: ten servers on a host of 3840 MB and 50 GB.</summary>
public sealed class TenServersTests(PostgresFixture postgres)
{
    private static readonly (string Name, int Count, long MemoryMiB, long DiskGiB)[] s_servers =
        [("apache", 5, 256, 5), ("mysql", 1, 256, 3), ("postgresql", 1, 512, 2), ("smtp", 1, 512, 3), ("mail", 1, 512, 10), ("ldap", 1, 256, 2)];

    private static IReadOnlyList<ServerKind> Kinds => [.. s_servers.Select(s => new ServerKind(s.Name, s.Count, 1, ByteSize.FromMiB(s.MemoryMiB), ByteSize.FromGiB(s.DiskGiB)))];

    [Fact]
    public async Task Ten_servers_are_one_order_on_the_host_that_the_planner_says_and_an_eleventh_is_refused_with_the_reason()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var planner = world.Main.Get<PlanCapacity.Handler>();
        var request = new PlanCapacity.Request(Kinds, ByteSize.FromMiB(512), ByteSize.FromGiB(5));
        var plan = (await planner.HandleAsync(request, world.Administrator, ct)).Value;
        Assert.Equal((10, 3328L, 45L, 3840L, 50L), (plan.Servers, plan.Memory.CeilingMiB, plan.Disk.CeilingGiB, plan.HostMemory.CeilingMiB, plan.HostDisk.CeilingGiB));

        // A host of just that size.
        world.Faults.Shape = new SimulatedShape { MemoryMiB = plan.HostMemory.CeilingMiB, PoolMiB = plan.HostDisk.CeilingGiB << 10 };
        await world.Database.ExecuteAsync("UPDATE hosts SET reserved_memory = 512::bigint << 20, reserved_disk = 5::bigint << 30", ct);
        await world.Main.Get<HostWatch>().LookAsync(ct);
        Assert.Equal((1, Scarce.SeveralAtOnce), (await SetsAsync(), (await planner.HandleAsync(request, world.Administrator, ct)).Value.Scarce));

        // Nobody has to write that order: it comes with the portal.
        var blueprint = Assert.Single((await world.Main.Get<ListSavedOrders.Handler>().HandleAsync(new(world.Tenant), world.Owner, ct)).Value);
        var form = (await world.Main.Get<GetSavedOrder.Handler>().HandleAsync(new(world.Tenant, blueprint.Id), world.Owner, ct)).Value.Form;
        var preview = (await world.Main.Get<PreviewOrder.Handler>().HandleAsync(new(world.Tenant, form), world.Owner, ct)).Value;
        Assert.Equal((0, 10, "apache-1"), (preview.Problems.Count, preview.Asked.Vms, preview.Names.First()));
        var order = (await world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(world.Tenant, form, "ten"), world.Owner, ct)).Value.Order;
        Assert.Null((await world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), world.Approver, ct)).Refusal);
        await world.Main.RunRungAsync(ct);

        await using var db = world.Main.Dbs.ForSystem();
        var built = await db.Vms.AsNoTracking().ToListAsync(ct);
        Assert.Equal((10, 3328L, 45L), (built.Count, built.Sum(v => v.Memory.CeilingMiB), built.Sum(v => v.Disk.CeilingGiB)));
        Assert.All(built, v => Assert.Equal(VmStage.Ready, v.Stage));
        Assert.Equal(0, await SetsAsync());
        var eleventh = (await world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(world.Tenant, form with { Lines = [form.Lines[^1] with { Name = "eleventh" }] }, "eleven"), world.Owner, ct)).Refusal;
        Assert.Equal("No host has room for 1 x Custom. Take a smaller plan or fewer, or ask the provider for capacity.", eleventh?.Message);

        async Task<int> SetsAsync() => (await planner.HandleAsync(request, world.Administrator, ct)).Value.Sets;
    }
}
