using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Fleet;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Fleet;

/// <summary>Domains of a host that no portal made: found and read, and nothing changed.</summary>
public sealed class ForeignTests(PostgresFixture postgres)
{
    private const string Web = """
        name = "web"
        memory = 256
        vcpus = 2
        kernel = "/boot/vmlinuz"
        disk = [ 'phy:simulatde/web,sda1,w' ]
        pci = [ '01:00.0' ]
        """;

    [Fact]
    public async Task What_runs_and_what_is_off_is_found_with_what_was_not_understood_of_it()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var host = await HostAsync(world, ct);
        world.Faults.PutForeign("web.cfg", Web, running: true);
        world.Faults.PutForeign("db.cfg", "name = 'db'\nmemory = 512\nkernel = '/boot/vmlinuz'\n", running: false);
        await world.RunningVmAsync(ct);

        var sightings = (await world.Main.Get<FindForeign.Handler>().HandleAsync(new(host), world.Administrator, ct)).Value;

        Assert.Equal([("db", DomainState.Off), ("web", DomainState.Running)], sightings.Select(s => (s.Sighting.Name!, s.Sighting.State)));
        var web = sightings[1].Sighting.Readings[0].Domain;
        Assert.Equal((2, ByteSize.FromMiB(256)), (web.Vcpus, web.Memory));
        Assert.Equal((6, "pci"), (web.NotUnderstood[0].Line, web.NotUnderstood[0].Key));
        Assert.Contains("The volume group simulatde is not on this host; did you mean simulated?", web.Warnings);
    }

    [Fact]
    public async Task A_configuration_that_somebody_brings_is_read_and_not_kept()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var host = await HostAsync(world, ct);
        var reading = world.Main.Get<ReadForeignConfig.Handler>();

        var read = (await reading.HandleAsync(new(host, Web), world.Administrator, ct)).Value;

        Assert.Equal("web", read.Name);
        Assert.Empty((await world.Main.Get<FindForeign.Handler>().HandleAsync(new(host), world.Administrator, ct)).Value);
        Assert.Equal("config", (await reading.HandleAsync(new(host, " \n"), world.Administrator, ct)).Refusal?.Field);
        Assert.IsType<ForeignConfigTooLarge>((await reading.HandleAsync(new(host, new string('#', 70_000)), world.Administrator, ct)).Refusal);
    }

    [Fact]
    public async Task Tenants_do_not_see_what_else_is_on_a_host_and_a_host_that_is_silent_is_named()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var host = await HostAsync(world, ct);

        Assert.IsType<NotAllowed>((await world.Main.Get<FindForeign.Handler>().HandleAsync(new(host), world.Owner, ct)).Refusal);
        Assert.IsType<NotAllowed>((await world.Main.Get<ReadForeignConfig.Handler>().HandleAsync(new(host, Web), world.Owner, ct)).Refusal);
        Assert.IsType<NotFound>((await world.Main.Get<FindForeign.Handler>().HandleAsync(new(HostId.New()), world.Administrator, ct)).Refusal);
        world.Faults.Arm(SimulatedVerb.FindForeign, SimulatedMoment.Before, SimulatedFault.Throw);
        Assert.IsType<HostSilent>((await world.Main.Get<FindForeign.Handler>().HandleAsync(new(host), world.Administrator, ct)).Refusal);
    }

    private static async Task<HostId> HostAsync(PortalWorld world, CancellationToken ct)
    {
        await using var db = world.Main.Dbs.ForSystem();
        return await db.Hosts.Select(h => h.Id).SingleAsync(ct);
    }
}
