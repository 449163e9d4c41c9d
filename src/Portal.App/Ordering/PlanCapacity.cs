using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Some equal servers of a capacity plan.</summary>
public sealed record ServerKind(string Name, int Count, int Vcpus, ByteSize Memory, ByteSize Disk);

/// <summary>What runs out first.</summary>
public enum Scarce
{
    /// <summary>Nothing, within <see cref="PlanCapacity.MaxSets"/>.</summary>
    Nothing,
    Memory,
    Disk,
    Vcpus,
    Addresses,

    /// <summary>More of one alone would not help: two run out together, or what is left lies in pieces over several hosts.</summary>
    SeveralAtOnce,
}

/// <summary>Says what host a list of servers needs, and how often the present hosts hold that list. Changes nothing.</summary>
public static class PlanCapacity
{
    public const int MaxKinds = 100;
    public const int MaxServers = 1000;

    /// <summary>More sets than this are not counted.</summary>
    public const int MaxSets = 1000;

    /// <param name="OwnMemory">What a new host keeps for itself. So is <paramref name="OwnDisk"/>.</param>
    public sealed record Request(IReadOnlyList<ServerKind> Servers, ByteSize OwnMemory, ByteSize OwnDisk);

    /// <param name="Memory">Of the servers together, as are <paramref name="Vcpus"/> and <paramref name="Disk"/>.</param>
    /// <param name="HostMemory">With what the host keeps for itself.</param>
    /// <param name="Hosts">How many are in use and work.</param>
    /// <param name="Sets">How many such lists the present hosts hold beside what they have. At least: a cleverer packing might find room for more.</param>
    /// <param name="Scarce">What keeps them from holding one more.</param>
    /// <param name="SetsWithOneLess">The same with room kept to build all VMs of any one host anew on the others; null where there is none even for them.</param>
    /// <param name="Worst">The host whose loss leaves the least; null where there is none.</param>
    public sealed record Plan(int Servers, int Vcpus, ByteSize Memory, ByteSize Disk, ByteSize HostMemory, ByteSize HostDisk, int Hosts, int Sets, Scarce Scarce, int? SetsWithOneLess, string? Worst);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Plan>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (Check(request) is { } invalid)
            {
                return Result<Plan>.Of(invalid);
            }

            if (access.Check(actor, Permission.SeeHosts) is { } refusal)
            {
                return Result<Plan>.Of(refusal);
            }

            await using var db = dbs.ForSystem();
            var rooms = await db.ReadHostRoomsAsync(null, default, lockHosts: false, ct);
            var vms = (await db.Vms.AsNoTracking().Where(v => v.DeletedAt == null).Select(v => new { v.HostId, v.Vcpus, v.Memory, v.Disk }).ToListAsync(ct))
                .ToLookup(v => v.HostId, v => new ServerKind("", 1, v.Vcpus, v.Memory, v.Disk));
            return CapacityPlan.Of(request, rooms, vms);
        }

        private static Invalid? Check(Request request)
        {
            if (request.Servers.Count is < 1 or > MaxKinds)
            {
                return new Invalid("servers", $"A plan has 1 to {MaxKinds} kinds of servers.");
            }

            for (var i = 0; i < request.Servers.Count; i++)
            {
                var kind = request.Servers[i];
                if (kind.Count is < 1 or > MaxServers || kind.Vcpus is < 1 or > 256 || kind.Memory == ByteSize.Zero || kind.Memory > ByteSize.FromGiB(1 << 20) || kind.Disk > ByteSize.FromGiB(1 << 20))
                {
                    return new Invalid("servers", $"{(kind.Name.Length > 0 ? kind.Name : $"Kind {i + 1}")} has 1 to {MaxServers} servers of 1 to 256 vCPUs, with memory, and with no more than 1 PiB of anything.");
                }
            }

            return request.Servers.Sum(k => k.Count) > MaxServers ? new Invalid("servers", $"A plan has at most {MaxServers} servers.")
                : request.OwnMemory > ByteSize.FromGiB(1 << 20) || request.OwnDisk > ByteSize.FromGiB(1 << 20) ? new Invalid("own", "A host keeps at most 1 PiB for itself.")
                : null;
        }
    }
}

/// <summary>The sums of a capacity plan, and how often it fits. Pure.</summary>
internal static class CapacityPlan
{
    public static PlanCapacity.Plan Of(PlanCapacity.Request request, IReadOnlyList<HostRoom> rooms, ILookup<HostId, ServerKind> vms)
    {
        var servers = request.Servers;
        var memory = servers.Aggregate(ByteSize.Zero, (sum, k) => sum + (k.Memory * k.Count));
        var disk = servers.Aggregate(ByteSize.Zero, (sum, k) => sum + (k.Disk * k.Count));
        var sets = SetsIn(rooms, [], servers, PlanCapacity.MaxSets) ?? 0;
        var (withOneLess, worst) = WithOneLess(rooms, vms, servers, sets);
        return new PlanCapacity.Plan(
            servers.Sum(k => k.Count),
            servers.Sum(k => k.Count * k.Vcpus),
            memory,
            disk,
            memory + request.OwnMemory,
            disk + request.OwnDisk,
            rooms.Select(r => r.Host.Id).Distinct().Count(),
            sets,
            sets == PlanCapacity.MaxSets ? Scarce.Nothing : WhatLacks(rooms, servers, sets + 1),
            withOneLess,
            worst);
    }

    // A host that fails takes its disks with it: its VMs have to find room on the others before anything new does.
    private static (int? Sets, string? Worst) WithOneLess(IReadOnlyList<HostRoom> rooms, ILookup<HostId, ServerKind> vms, IReadOnlyList<ServerKind> servers, int most)
    {
        if (rooms.Count == 0)
        {
            return (0, null);
        }

        int? least = most;
        string? worst = null;
        // The fullest first: what is left after it bounds the search in the others.
        foreach (var lost in rooms.OrderBy(r => r.Memory))
        {
            var left = SetsIn([.. rooms.Where(r => r.Host.Id != lost.Host.Id)], [.. vms[lost.Host.Id]], servers, least.Value);
            if (left is null)
            {
                return (null, lost.Host.Name);
            }

            if (worst is null || left < least)
            {
                (least, worst) = (left, lost.Host.Name);
            }
        }

        return (least, worst);
    }

    // How many sets fit after `first` have found room, at most `most`; null where not even those do.
    private static int? SetsIn(IReadOnlyList<HostRoom> rooms, IReadOnlyList<ServerKind> first, IReadOnlyList<ServerKind> servers, int most)
    {
        if (!Fits(rooms, first, servers, 0))
        {
            return null;
        }

        var (fits, fails) = (0, most + 1);
        for (var step = 1; fits < most && fits + step < fails; step *= 2)
        {
            if (Fits(rooms, first, servers, fits + step))
            {
                fits += step;
            }
            else
            {
                fails = fits + step;
            }
        }

        while (fails - fits > 1)
        {
            var middle = fits + ((fails - fits) / 2);
            (fits, fails) = Fits(rooms, first, servers, middle) ? (middle, fails) : (fits, middle);
        }

        return fits;
    }

    private static bool Fits(IReadOnlyList<HostRoom> rooms, IReadOnlyList<ServerKind> first, IReadOnlyList<ServerKind> servers, int sets) =>
        Placement.Choose([.. first.Select(k => PartyOf(rooms, k, 1)), .. sets == 0 ? [] : servers.Select(k => PartyOf(rooms, k, sets))], out _) is not null;

    private static Party PartyOf(IReadOnlyList<HostRoom> rooms, ServerKind kind, int sets) => new(default, rooms, kind.Name, kind.Count * sets, kind.Vcpus, kind.Memory, kind.Disk);

    private static Scarce WhatLacks(IReadOnlyList<HostRoom> rooms, IReadOnlyList<ServerKind> servers, int sets)
    {
        var plenty = new ByteSize(long.MaxValue);
        return Helps(r => r with { Memory = plenty }) ? Scarce.Memory
            : Helps(r => r with { Disk = plenty }) ? Scarce.Disk
            : Helps(r => r with { Vcpus = int.MaxValue }) ? Scarce.Vcpus
            : Helps(r => r with { Addresses = int.MaxValue }) ? Scarce.Addresses
            : Scarce.SeveralAtOnce;

        bool Helps(Func<HostRoom, HostRoom> more) => Fits([.. rooms.Select(more)], [], servers, sets);
    }
}
