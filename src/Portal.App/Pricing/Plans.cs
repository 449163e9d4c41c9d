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
/// <param name="Paused">Why it cannot be ordered for now; null where it is not paused.</param>
/// <param name="Stock">How many VMs of it there may be at once; null where nobody says so, as is what is left of it.</param>
public sealed record PlanRow(PlanId Id, string Name, VmSize Size, VmSize Largest, bool Offered, Tariff? Tariff, string? Paused = null, int? Stock = null, long? Left = null)
{
    /// <summary>Whether one of it can be ordered at this moment.</summary>
    public bool IsThere => Paused is null && Left is not <= 0;

    /// <summary>Whether a size is chosen with the order.</summary>
    public bool IsCustom => Largest != Size;

    /// <summary>Of the smallest size.</summary>
    public Price? Price => Tariff?.Smallest;
}

/// <summary>The plans and what they cost now.</summary>
public static class ListPlans
{
    /// <param name="OfferedOnly">Only what can be ordered; all others are for staff.</param>
    /// <param name="Buyer">Whose own prices go before the list's; null for the list.</param>
    public sealed record Request(Currency Currency, bool OfferedOnly, TenantId? Buyer = null);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<PlanRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (!request.OfferedOnly && access.Check(actor, Permission.SeeCatalogue) is { } refusal)
            {
                return refusal;
            }

            if (request.Buyer is { } tenant && access.Check(actor, Permission.SeeTenant, tenant) is { } hidden)
            {
                return hidden;
            }

            await using var db = dbs.ForSystem();
            var now = await db.NowAsync(ct);
            var plans = await db.Plans.AsNoTracking().Where(p => p.Offered || !request.OfferedOnly).ToListAsync(ct);
            var prices = (await db.PlanPrices.AsNoTracking().Where(p => p.Currency == request.Currency && p.ValidFrom <= now).ToListAsync(ct))
                .ToLookup(p => p.PlanId);
            var own = (await db.TenantPrices.AsNoTracking().Where(p => p.TenantId == request.Buyer && p.Currency == request.Currency && p.ValidFrom <= now).ToListAsync(ct))
                .ToLookup(p => p.PlanId);
            var left = await db.ReadStockAsync([.. plans.Where(p => p.Stock is not null).Select(p => p.Id)], ct);
            return Result<IReadOnlyList<PlanRow>>.Of(
                // What has one size comes first: it is quicker to choose.
                [.. plans.Select(p => new PlanRow(p.Id, p.Name, p.Size, p.Largest, p.Offered, (own[p.Id].InForce(now) is { Ends: false } ones ? ones : (DatedPrice?)prices[p.Id].InForce(now))?.ToTariff(), p.PausedBecause, p.Stock, left.TryGetValue(p.Id, out var of) ? of : null)).OrderBy(p => p.IsCustom).ThenBy(p => p.Size.Memory).ThenBy(p => p.Name, StringComparer.Ordinal)]);
        }
    }
}

/// <summary>Makes a plan with its first price.</summary>
public static class SavePlan
{
    /// <param name="Plan">Null makes a new one.</param>
    /// <param name="Largest">Null where the size is fixed.</param>
    /// <param name="PausedBecause">Why it cannot be ordered for now, for tenants to read; null or empty where it can.</param>
    /// <param name="Stock">How many VMs of it there may be at once; null for no bound.</param>
    public sealed record Request(PlanId? Plan, string Name, int Vcpus, long MemoryMiB, long DiskGiB, bool Offered, LargestSize? Largest = null, string? PausedBecause = null, int? Stock = null);

    /// <summary>The most that can be chosen.</summary>
    public sealed record LargestSize(int Vcpus, long MemoryMiB, long DiskGiB);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>VMs that exist keep the size that they were built with.</summary>
        public async Task<Result<PlanId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var (name, because) = (request.Name.Trim(), request.PausedBecause?.Trim() is { Length: > 0 } why ? why : null);
            if (Shape.Check(
                (name is { Length: > 0 and <= Plan.MaxName }, "name", $"A name has 1 to {Plan.MaxName} characters."),
                (request.Vcpus is >= 1 and <= 256, "vcpus", "A plan has 1 to 256 vCPUs."),
                (request.MemoryMiB is >= 64 and <= 16_777_216, "memoryMiB", "A plan has 64 MiB to 16 TiB of memory."),
                (request.DiskGiB is >= 1 and <= 65_536, "diskGiB", "A plan has 1 GiB to 64 TiB of disk."),
                (because is null or { Length: <= Template.MaxReason }, "pausedBecause", $"A reason has at most {Template.MaxReason} characters."),
                (request.Stock is null or (>= 0 and <= 1_000_000), "stock", "A stock is 0 to 1 000 000; empty for no bound."),
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
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (request.Plan is { } changed)
            {
                // Orders that are under way have not looked at this stock.
                await db.LockStockAsync(changed, ct);
            }

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

            plan.Pause(because);
            plan.Keep(request.Stock);
            db.Add(AuditEntry.OfPlatform(actor, request.Plan is null ? "plan.created" : "plan.changed", plan.Id.Value, name, $"{size}{(largest == size ? "" : $" to {largest}")}, {(request.Offered ? "offered" : "not offered")}{(because is null ? "" : $", paused: {because}")}{(request.Stock is { } stock ? $", at most {stock} VMs" : "")}"));
            try
            {
                await db.SaveChangesAsync(ct);
                await transaction.CommitAsync(ct);
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
