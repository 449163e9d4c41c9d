using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.Kernel;

namespace Portal.App.Pricing;

/// <summary>A plan with its price in one currency.</summary>
/// <param name="Size">The only one, or the smallest.</param>
/// <param name="Tariff">Null where it is not sold in that currency yet.</param>
public sealed record PlanRow(PlanId Id, string Name, VmSize Size, VmSize Largest, bool Offered, Tariff? Tariff)
{
    /// <summary>Whether a size is chosen with the order.</summary>
    public bool IsCustom => Largest != Size;

    /// <summary>Of the smallest size.</summary>
    public Price? Price => Tariff?.Smallest;
}

/// <summary>The plans and what they cost now.</summary>
public static class ListPlans
{
    /// <param name="OfferedOnly">Only what can be ordered; all others are for staff.</param>
    public sealed record Request(Currency Currency, bool OfferedOnly);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<PlanRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (!request.OfferedOnly && access.Check(actor, Permission.SeeCatalogue) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var now = await db.NowAsync(ct);
            var plans = await db.Plans.AsNoTracking().Where(p => p.Offered || !request.OfferedOnly).ToListAsync(ct);
            var prices = (await db.PlanPrices.AsNoTracking().Where(p => p.Currency == request.Currency && p.ValidFrom <= now).ToListAsync(ct))
                .GroupBy(p => p.PlanId).ToDictionary(g => g.Key, g => g.MaxBy(p => p.ValidFrom)!.ToTariff());
            return Result<IReadOnlyList<PlanRow>>.Of(
                // What has one size comes first: it is quicker to choose.
                [.. plans.Select(p => new PlanRow(p.Id, p.Name, p.Size, p.Largest, p.Offered, prices.GetValueOrDefault(p.Id))).OrderBy(p => p.IsCustom).ThenBy(p => p.Size.Memory).ThenBy(p => p.Name, StringComparer.Ordinal)]);
        }
    }
}

/// <summary>Makes a plan with its first price.</summary>
public static class SavePlan
{
    /// <param name="Plan">Null makes a new one.</param>
    /// <param name="Largest">Null where the size is fixed.</param>
    public sealed record Request(PlanId? Plan, string Name, int Vcpus, long MemoryMiB, long DiskGiB, bool Offered, LargestSize? Largest = null);

    /// <summary>The most that can be chosen.</summary>
    public sealed record LargestSize(int Vcpus, long MemoryMiB, long DiskGiB);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>VMs that exist keep the size that they were built with.</summary>
        public async Task<Result<PlanId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var name = request.Name.Trim();
            if (Shape.Check(
                (name is { Length: > 0 and <= Plan.MaxName }, "name", $"A name has 1 to {Plan.MaxName} characters."),
                (request.Vcpus is >= 1 and <= 256, "vcpus", "A plan has 1 to 256 vCPUs."),
                (request.MemoryMiB is >= 64 and <= 16_777_216, "memoryMiB", "A plan has 64 MiB to 16 TiB of memory."),
                (request.DiskGiB is >= 1 and <= 65_536, "diskGiB", "A plan has 1 GiB to 64 TiB of disk."),
                (request.Largest is not { } most || (most.Vcpus >= request.Vcpus && most.Vcpus <= 256), "largest.vcpus", "From the smallest number of vCPUs to 256."),
                (request.Largest is not { } much || (much.MemoryMiB >= request.MemoryMiB && much.MemoryMiB <= 16_777_216), "largest.memoryMiB", "From the smallest memory to 16 TiB."),
                (request.Largest is not { } large || (large.DiskGiB >= request.DiskGiB && large.DiskGiB <= 65_536), "largest.diskGiB", "From the smallest disk to 64 TiB.")) is { } malformed)
            {
                return Result<PlanId>.Of(malformed);
            }

            if (access.Check(actor, Permission.ManagePlans) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var size = new VmSize(request.Vcpus, ByteSize.FromMiB(request.MemoryMiB), ByteSize.FromGiB(request.DiskGiB));
            var largest = request.Largest is { } to ? new VmSize(to.Vcpus, ByteSize.FromMiB(to.MemoryMiB), ByteSize.FromGiB(to.DiskGiB)) : size;
            Plan? plan;
            if (request.Plan is { } id)
            {
                plan = await db.Plans.SingleOrDefaultAsync(p => p.Id == id, ct);
                if (plan is null)
                {
                    return new NotFound("plan");
                }

                plan.Change(name, size, largest, request.Offered);
            }
            else
            {
                plan = new Plan(name, size);
                plan.Change(name, size, largest, request.Offered);
                db.Add(plan);
            }

            db.Add(AuditEntry.OfPlatform(actor, request.Plan is null ? "plan.created" : "plan.changed", plan.Id.Value, name, $"{size}{(largest == size ? "" : $" to {largest}")}, {(request.Offered ? "offered" : "not offered")}"));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateConcurrencyException)
            {
                return new ChangedMeanwhile("plan");
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return new Invalid("name", "A plan of this name exists. Choose another.");
            }

            return plan.Id;
        }
    }
}

/// <summary>Sets a plan's price from now on. The past is fixed; VMs that exist keep the price that they were ordered at.</summary>
public static class SetPrice
{
    /// <param name="Tariff">What is more than the smallest size costs nothing where the plan has one size: there is none.</param>
    public sealed record Request(PlanId Plan, Tariff Tariff);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        private const decimal Max = 1_000_000m;
        private const decimal MaxMore = 10_000m;

        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var asked = request.Tariff;
            (string Field, decimal Rate)[] rates =
            [
                ("running", asked.Smallest.RunningPerHour),
                ("allocated", asked.Smallest.AllocatedPerHour),
                ("perVcpu", asked.RunningPerVcpu),
                ("perMemoryGiB", asked.RunningPerMemoryGiB),
                ("perDiskGiB", asked.AllocatedPerDiskGiB),
            ];
            if (Shape.Check(
            [
                .. rates.Select(r => (r.Rate is >= 0 and <= Max, r.Field, "A rate is 0 to 1 000 000 an hour.")),
                // Times the largest plan there can be it has to fit into what a rate may be.
                .. rates.Skip(2).Select(r => (r.Rate <= MaxMore, r.Field, "A rate for what is more is at most 10 000 an hour.")),
                .. rates.Select(r => (decimal.Round(r.Rate, 10) == r.Rate, r.Field, "A rate has at most ten decimals.")),
            ]) is { } malformed)
            {
                return Result<Done>.Of(malformed);
            }

            if (access.Check(actor, Permission.ManagePlans) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var plan = await db.Plans.SingleOrDefaultAsync(p => p.Id == request.Plan, ct);
            if (plan is null)
            {
                return new NotFound("plan");
            }

            var now = await db.NowAsync(ct);
            var before = await db.FindTariffAsync(plan.Id, asked.Smallest.Currency, now, ct);
            if (before == asked)
            {
                return default(Done);
            }

            db.Add(new PlanPrice(plan.Id, asked, now));
            db.Add(AuditEntry.OfPlatform(actor, "price.set", plan.Id.Value, plan.Name, $"{InWords(before)} -> {InWords(asked)} {asked.Smallest.Currency} an hour"));
            await db.SaveChangesAsync(ct);
            return default(Done);
        }

        private static string InWords(Tariff? tariff) => tariff is null ? "none"
            : $"{tariff.Smallest.RunningPerHour} + {tariff.Smallest.AllocatedPerHour}, more: {tariff.RunningPerVcpu} a vCPU, {tariff.RunningPerMemoryGiB} a GiB of memory, {tariff.AllocatedPerDiskGiB} a GiB of disk";
    }
}
