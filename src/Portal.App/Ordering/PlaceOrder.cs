using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.App.Quotas;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>The key was used for another request.</summary>
public sealed record KeyReused()
    : Refusal("ordering.key_reused", "This Idempotency-Key was used for another order. Use a new key for a new order.")
{
    public override RefusalKind Kind => RefusalKind.Invalid;
}

/// <summary>What makes repeating an order harmless.</summary>
internal static class RequestKey
{
    public static Invalid? Check(string key) => key.Length is < 1 or > 100 ? new Invalid("key", "An Idempotency-Key has 1 to 100 characters.") : null;

    /// <summary>What the key gave before: the same order, or a refusal where something else is asked for now. Null where it is new. The tenant is locked.</summary>
    public static async Task<Result<PlaceOrder.Placed>?> FindPlacedAsync(this PortalDb db, TenantId tenant, string key, byte[] hash, CancellationToken ct)
    {
        if (await db.Orders.AsNoTracking().SingleOrDefaultAsync(o => o.TenantId == tenant && o.RequestKey == key, ct) is not { } earlier)
        {
            return null;
        }

        return earlier.RequestHash.AsSpan().SequenceEqual(hash) ? new PlaceOrder.Placed(earlier.Id, earlier.Number, Repeated: true) : Result<PlaceOrder.Placed>.Of(new KeyReused());
    }
}

/// <summary>Places an order: it waits for its approval, or its policy says yes at once.</summary>
public static class PlaceOrder
{
    /// <param name="Key">Made when the form opens, or the Idempotency-Key: the same key and form give the same order, however often.</param>
    /// <param name="Draft">The draft that this was, which is gone with the order; null where it was none.</param>
    public sealed record Request(TenantId Tenant, OrderForm Form, string Key, SavedOrderId? Draft = null);

    /// <param name="Repeated">Whether the order was there already.</param>
    public sealed record Placed(OrderId Order, int Number, bool Repeated);

    public sealed class Handler(PortalDbs dbs, AccessRules access, DecideOrder.ByPolicy policy, UserDataSeal seal)
    {
        /// <summary>Safe to repeat with the same key.</summary>
        public async Task<Result<Placed>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (RequestKey.Check(request.Key) is { } malformed)
            {
                return malformed;
            }

            if (access.Check(actor, Permission.OrderVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            var placed = await PlaceAsync(request, actor, ct);
            if (placed.TryGet(out var order, out _) && !order.Repeated)
            {
                // Where the policy says yes, it does so now; where the process dies before, the sweep asks it again.
                await policy.DecideAsync(order.Order, ct);
            }

            return placed;
        }

        private async Task<Result<Placed>> PlaceAsync(Request request, Actor actor, CancellationToken ct)
        {
            var hash = HashOf(request.Form);
            // Looked at before the tenant is locked: whoever holds that lock needs no second link to the database, which those who wait for it may have used up.
            var noRoom = await NoRoomAsync(request.Tenant, request.Form, ct);
            var sealedData = request.Form.Lines.Select(l => seal.Seal(UserData.TryParse(l.UserData, out var data) ? data : null)).ToList();
            await using var db = dbs.ForTenant(request.Tenant);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.LockTenantAsync(request.Tenant, ct);
            if (await db.FindPlacedAsync(request.Tenant, request.Key, hash, ct) is { } earlier)
            {
                return earlier;
            }

            var composed = await OrderComposer.ComposeAsync(db, request.Tenant, request.Form, ct);
            if (!composed.TryGet(out var what, out var refusal))
            {
                return Result<Placed>.Of(refusal);
            }

            if (what.NameProblems.FirstOrDefault() is { } nameProblem)
            {
                return Result<Placed>.Of(nameProblem);
            }

            if ((what.Quota.CheckOrder(what.Asked) ?? what.Spending.CheckOrder(what.Price.PerMonth)) is { } exceeded)
            {
                return Result<Placed>.Of(exceeded);
            }

            if (await db.TakeStockAsync(what.AskedOfPlans, ct) is { } none)
            {
                return Result<Placed>.Of(none);
            }

            if (noRoom is not null)
            {
                return Result<Placed>.Of(noRoom);
            }

            var now = await db.NowAsync(ct);
            var answers = await db.AskPoliciesAsync(what, actor.User ?? throw new InvalidOperationException("The portal does not order."), now, ct);
            var order = new Order(request.Tenant, what.Project.Id, actor, request.Form.Note.Trim(), request.Key, hash, now, answers.MayWait(), what.TaxPercent);
            foreach (var (line, data) in what.Lines.Zip(sealedData))
            {
                order.Add(new OrderLine(order, line.Version.Id, line.TemplateName, line.Plan, line.Size, line.Price, line.Names, string.Join('\n', line.Keys), data, line.UserData?.Sha256, line.LeaseEndsAt));
            }

            if (request.Draft is { } draft)
            {
                await db.SavedOrders.Where(s => s.Id == draft && s.TenantId == request.Tenant && s.Kind == SavedKind.Draft).ExecuteDeleteAsync(ct);
            }

            db.Add(order);
            db.AddRange(answers.Freeze(order));
            db.AddRange(order.Lines.Zip(what.Lines).Select(l => new QuotaReservation(request.Tenant, l.First.Id, l.Second.Asked, order.ExpiresAt)));
            db.Add(AuditEntry.Of(actor, request.Tenant, "order.placed", order.Id.Value, string.Join(", ", order.Lines.SelectMany(l => l.Names)), $"{string.Join("; ", order.Lines.Select(InWords))}; {what.Price.PerMonth} a month while running{(what.Price.Setup > 0 ? $", {what.Price.Once} once" : "")}"));
            await db.SaveChangesAsync(ct);

            await db.AnnounceAsync(Topic.Approvals, ct);
            await db.AnnounceAsync(Topic.Of(request.Tenant), ct);
            await transaction.CommitAsync(ct);
            return new Placed(order.Id, order.Number, Repeated: false);
        }

        private static string InWords(OrderLine line) => $"{line.What}, {line.Wants.Size}{(line.UserDataSha256 is { } sha256 ? $", user data with SHA-256 {sha256}" : "")}{(line.LeaseEndsAt is { } end ? $", until {Lease.LastDayOf(end):yyyy-MM-dd}" : "")}";

        // What no host can hold is refused at once, not after somebody has said yes. Hosts are the provider's, so this look is the system's.
        private async Task<Refusal?> NoRoomAsync(TenantId tenant, OrderForm form, CancellationToken ct)
        {
            if (OrderComposer.CheckShape(form).Count > 0)
            {
                return null;
            }

            await using var system = dbs.ForSystem();
            var sizes = new List<LineSize>(form.Lines.Count);
            foreach (var line in form.Lines)
            {
                var plan = await system.Plans.AsNoTracking().SingleOrDefaultAsync(p => p.Id == line.Plan, ct);
                var version = await system.TemplateVersions.AsNoTracking().InOrderOfChoice(line.Template).FirstOrDefaultAsync(ct);
                if (plan is null || version is null)
                {
                    // Whoever composes the order says what is wrong with it.
                    return null;
                }

                sizes.Add(new LineSize(version.Id, plan.Name, line.Count, version.Takes(line.Size ?? plan.Size)));
            }

            var parties = await system.ReadPartiesAsync(tenant, sizes, lockHosts: false, ct);
            return Placement.Choose(parties, out _) is null ? await system.ReadWhyNotAsync(parties, ct) : null;
        }

        private static byte[] HashOf(OrderForm form)
        {
            var text = new StringBuilder(form.Note.Trim());
            foreach (var line in form.Lines)
            {
                text.Append('\u001d').AppendJoin('\u001f', line.Template, line.Plan, line.Size?.Vcpus, line.Size?.Memory.Bytes, line.Size?.Disk.Bytes, line.Name, line.Count, line.LeaseEndsAt?.UtcTicks).Append('\u001e').AppendJoin('\u001f', line.SshKeys).Append('\u001e').Append(line.UserData);
            }

            return SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));
        }
    }
}
