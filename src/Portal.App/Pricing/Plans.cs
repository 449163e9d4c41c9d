using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.Kernel;

namespace Portal.App.Pricing;

/// <summary>A plan with its price in one currency.</summary>
/// <param name="Price">Null where it is not sold in that currency yet.</param>
public sealed record PlanRow(PlanId Id, string Name, int Vcpus, ByteSize Memory, ByteSize Disk, bool Offered, Price? Price);

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
            var plans = await db.Plans.AsNoTracking().Where(p => p.Offered || !request.OfferedOnly).OrderBy(p => p.Memory).ThenBy(p => p.Name).ToListAsync(ct);
            var prices = (await db.PlanPrices.AsNoTracking().Where(p => p.Currency == request.Currency && p.ValidFrom <= now).ToListAsync(ct))
                .GroupBy(p => p.PlanId).ToDictionary(g => g.Key, g => g.MaxBy(p => p.ValidFrom)!.ToPrice());
            return Result<IReadOnlyList<PlanRow>>.Of(
                [.. plans.Select(p => new PlanRow(p.Id, p.Name, p.Vcpus, p.Memory, p.Disk, p.Offered, prices.GetValueOrDefault(p.Id)))]);
        }
    }
}

/// <summary>Makes a plan with its first price.</summary>
public static class SavePlan
{
    /// <param name="Plan">Null makes a new one.</param>
    public sealed record Request(PlanId? Plan, string Name, int Vcpus, long MemoryMiB, long DiskGiB, bool Offered);

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
                (request.DiskGiB is >= 1 and <= 65_536, "diskGiB", "A plan has 1 GiB to 64 TiB of disk.")) is { } malformed)
            {
                return Result<PlanId>.Of(malformed);
            }

            if (access.Check(actor, Permission.ManagePlans) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var memory = ByteSize.FromMiB(request.MemoryMiB);
            var disk = ByteSize.FromGiB(request.DiskGiB);
            Plan? plan;
            if (request.Plan is { } id)
            {
                plan = await db.Plans.SingleOrDefaultAsync(p => p.Id == id, ct);
                if (plan is null)
                {
                    return new NotFound("plan");
                }

                plan.Change(name, request.Vcpus, memory, disk, request.Offered);
            }
            else
            {
                plan = new Plan(name, request.Vcpus, memory, disk);
                plan.Change(name, request.Vcpus, memory, disk, request.Offered);
                db.Add(plan);
            }

            db.Add(AuditEntry.OfPlatform(actor, request.Plan is null ? "plan.created" : "plan.changed", plan.Id.Value, name, $"{request.Vcpus} vCPU, {memory}, {disk}, {(request.Offered ? "offered" : "not offered")}"));
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
    public sealed record Request(PlanId Plan, Currency Currency, decimal RunningPerHour, decimal AllocatedPerHour);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        private const decimal Max = 1_000_000m;

        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (request.RunningPerHour is < 0 or > Max || request.AllocatedPerHour is < 0 or > Max)
            {
                return new Invalid("price", "A rate is 0 to 1 000 000 an hour.");
            }

            if (decimal.Round(request.RunningPerHour, 10) != request.RunningPerHour || decimal.Round(request.AllocatedPerHour, 10) != request.AllocatedPerHour)
            {
                return new Invalid("price", "A rate has at most ten decimals.");
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
            var before = await db.FindPriceAsync(plan.Id, request.Currency, now, ct);
            if (before is not null && before.RunningPerHour == request.RunningPerHour && before.AllocatedPerHour == request.AllocatedPerHour)
            {
                return default(Done);
            }

            db.Add(new PlanPrice(plan.Id, request.Currency, request.RunningPerHour, request.AllocatedPerHour, now));
            db.Add(AuditEntry.OfPlatform(actor, "price.set", plan.Id.Value, plan.Name, $"{before?.RunningPerHour} + {before?.AllocatedPerHour} -> {request.RunningPerHour} + {request.AllocatedPerHour} {request.Currency} an hour"));
            await db.SaveChangesAsync(ct);
            return default(Done);
        }
    }
}
