using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.App.Control;
using Portal.App.Hosts;
using Portal.App.Vms;
using Portal.Benchmarks.Bench;
using Portal.Engine;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.Benchmarks.Engine;

/// <summary>A large fleet of simulated hosts, all looked at once: what was seen of each domain is held against the books.</summary>
internal sealed class FleetBench(Teller teller, int hosts, int domains)
{
    // Of a hundred, so many went off by themselves.
    private const int Changed = 1;

    private static readonly TimeProvider s_clock = TimeProvider.System;

    public async Task<Figure> MeasureAsync(CancellationToken ct)
    {
        teller.Part(string.Create(CultureInfo.InvariantCulture, $"{hosts} simulated hosts with {domains} domains each, all looked at once"));
        await using var postgres = new PostgresFixture();
        await postgres.InitializeAsync();
        await using var world = await PortalWorld.CreateAsync(postgres, ct, s_clock);
        var root = Directory.CreateTempSubdirectory("portal-bench-fleet-").FullName;
        try
        {
            var vm = await world.RunningVmAsync(ct);
            var fleet = await AddHostsAsync(world, root, ct);
            await AddVmsAsync(world, vm, fleet, ct);
            teller.Fact("made", string.Create(CultureInfo.InvariantCulture, $"{fleet.Count} hosts, {fleet.Count * domains} VMs"));

            var listing = await TimeAsync(() => ListAsync(world, fleet, ct));
            var cpu = Environment.CpuUsage.TotalTime;
            var watch = await TimeAsync(() => world.Main.Get<HostWatch>().LookAsync(ct));
            cpu = Environment.CpuUsage.TotalTime - cpu;

            await using var db = world.Main.Dbs.ForSystem();
            var off = await db.Vms.CountAsync(v => v.Seen == DomainState.Off, ct);
            var expected = fleet.Count * domains * Changed / 100;
            var unseen = await db.Vms.CountAsync(v => v.SeenAt == null, ct);
            if (off != expected || unseen != 0)
            {
                throw new Shortfall($"Of {expected} domains that went off {off} were seen so, and {unseen} VMs were not looked at.");
            }

            teller.Fact("reconciled", string.Create(CultureInfo.InvariantCulture, $"{watch.TotalSeconds:0.0} s, {cpu.TotalSeconds:0.0} s of a processor; {off} domains were found off"));
            teller.Fact("listings alone", Teller.Seconds(listing));
            return new Figure(
                "fleet_reconciled", watch.TotalSeconds, "s", listing.TotalSeconds, 60,
                string.Create(CultureInfo.InvariantCulture, $"{fleet.Count} hosts x {domains} domains, {off} of them changed; {cpu.TotalSeconds:0.0} s of a processor; floor: the listings alone"));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private async Task<IReadOnlyList<Host>> AddHostsAsync(PortalWorld world, string root, CancellationToken ct)
    {
        await using var db = world.Main.Dbs.ForSystem();
        List<Host> fleet = [];
        for (var i = 0; i < hosts; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"host-{i}");
            var host = new Host(name, HostKind.Simulated, i.ToString("x8", CultureInfo.InvariantCulture), Path.Combine(root, name));
            fleet.Add(host);
            db.Add(host);
            db.Add(new Pool(host.Id, "pool"));
        }

        await db.SaveChangesAsync(ct);
        return fleet;
    }

    // Copies of one VM: what a listing is held against is their host, their id and what was seen of them.
    private async Task AddVmsAsync(PortalWorld world, Vm vm, IReadOnlyList<Host> fleet, CancellationToken ct)
    {
        // In parts: a statement has half a minute.
        foreach (var part in fleet.Chunk(100))
        {
            await world.Database.ExecuteAsync(
                """
                INSERT INTO vms
                SELECT (jsonb_populate_record(v, jsonb_build_object(
                    'id', gen_random_uuid(), 'host_id', h.id, 'pool_id', p.id, 'seen_at', NULL, 'name', 'vm-' || h.instance || '-' || n,
                    'mac', '02:' || substr(h.instance, 5, 2) || ':' || substr(h.instance, 7, 2) || ':' || lpad(to_hex(n / 65536), 2, '0') || ':' || lpad(to_hex(n / 256 % 256), 2, '0') || ':' || lpad(to_hex(n % 256), 2, '0')))).*
                FROM vms v, hosts h JOIN pools p ON p.host_id = h.id, generate_series(1, $2) n
                WHERE v.id = $1 AND h.id = ANY($3)
                """,
                ct, vm.Id.Value, domains, part.Select(h => h.Id.Value).ToArray());
        }

        await using var db = world.Main.Dbs.ForSystem();
        foreach (var host in fleet)
        {
            var directory = Directory.CreateDirectory(Path.Combine(host.PoolPath, "simulated", "domains")).FullName;
            var ids = await db.Vms.Where(v => v.HostId == host.Id).OrderBy(v => v.Id).Select(v => v.Id).ToListAsync(ct);
            foreach (var (id, n) in ids.Select((id, n) => (id, n)))
            {
                var state = n < domains * Changed / 100 ? DomainState.Off : DomainState.Running;
                var text = string.Create(CultureInfo.InvariantCulture, $$"""{"State":{{(int)state}},"HostName":"vm","Address":"10.0.0.1/8","Vcpus":1,"MemoryMiB":256}""");
                await File.WriteAllBytesAsync(Path.Combine(directory, new DomainName(host.Instance, id, vm.Generation).Text + ".json"), Encoding.ASCII.GetBytes(text), ct);
            }
        }
    }

    // As many at a time as the machine has processors.
    private static Task ListAsync(PortalWorld world, IReadOnlyList<Host> fleet, CancellationToken ct) =>
        Parallel.ForEachAsync(fleet, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = ct }, async (host, token) =>
        {
            var engine = world.Main.Get<IVmEngines>().For(host.Connection);
            await engine.ProbeAsync(token);
            await engine.ListDomainsAsync(token);
        });

    private static async Task<TimeSpan> TimeAsync(Func<Task> act)
    {
        var began = s_clock.GetTimestamp();
        await act();
        return s_clock.GetElapsedTime(began);
    }
}
