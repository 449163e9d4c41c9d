using System.Net;
using Microsoft.EntityFrameworkCore;
using Portal.App;
using Portal.App.Hosts;
using Portal.App.Networks;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;

namespace Portal.Testing.Worlds;

/// <summary>A simulated host beside the first run's: smaller, so that nothing is placed on it by itself, and its guests on one wire with those of the first.</summary>
public static class OtherHost
{
    public static async Task<Host> AddAsync(PortalDb db, string name, string instance, string pool, CancellationToken ct)
    {
        new SimulatedFaults(pool).Shape = new SimulatedShape { MemoryMiB = 64 << 10 };
        var host = new Host(name, HostKind.Simulated, instance, pool);
        var first = await db.Networks.SingleAsync(n => n.HostId == db.Hosts.OrderBy(h => h.Id).First().Id, ct);
        await db.Networks.Where(n => n.Id == first.Id).ExecuteUpdateAsync(s => s.SetProperty(n => n.Shared, true), ct);
        var range = new Ipv4Range(Ipv4Address.From(IPAddress.Parse("10.77.101.1")), Ipv4Address.From(IPAddress.Parse("10.77.101.9")));
        var network = new Network(host.Id, "default", first.PrefixLength, first.Gateway, first.Dns, range, shared: true);
        db.AddRange(host, new Pool(host.Id, "default"), network);
        db.AddRange(range.All.Select(ip => new Address(network.Id, ip)));
        await db.SaveChangesAsync(ct);
        return host;
    }
}
