using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.App.Policies;
using Portal.App.Pricing;
using Portal.App.Quotas;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>More time for this VM is asked for already.</summary>
public sealed record AskedAlready(string Vm, int Order)
    : Refusal("ordering.asked_already", $"More time for {Vm} is asked for already, in order {Order}. Cancel that one to ask for another day.");

/// <summary>Asks for more time for a VM whose lease ends: an order, decided like every other.</summary>
public static class ExtendLease
{
    /// <param name="Until">The new end; null for none at all.</param>
    /// <param name="Key">The same key and request give the same order, however often.</param>
    public sealed record Request(TenantId Tenant, VmId Vm, DateTimeOffset? Until, string Note, string Key);

    public sealed class Handler(PortalDbs dbs, AccessRules access, DecideOrder.ByPolicy policy)
    {
        /// <summary>Safe to repeat with the same key.</summary>
        public async Task<Result<PlaceOrder.Placed>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if ((RequestKey.Check(request.Key) ?? OrderComposer.CheckNote(request.Note)) is { } malformed)
            {
                return malformed;
            }

            if (access.Check(actor, Permission.OrderVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            var placed = await PlaceAsync(request with { Until = request.Until?.ToUniversalTime() }, actor, ct);
            if (placed.TryGet(out var order, out _) && !order.Repeated)
            {
                await policy.DecideAsync(order.Order, ct);
            }

            return placed;
        }

        private async Task<Result<PlaceOrder.Placed>> PlaceAsync(Request request, Actor actor, CancellationToken ct)
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{request.Vm}\u001f{request.Until?.UtcTicks}\u001f{request.Note.Trim()}"));
            await using var db = dbs.ForTenant(request.Tenant);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.LockTenantAsync(request.Tenant, ct);
            if (await db.FindPlacedAsync(request.Tenant, request.Key, hash, ct) is { } earlier)
            {
                return earlier;
            }

            var vm = await db.Vms.AsNoTracking().SingleOrDefaultAsync(v => v.Id == request.Vm && v.TenantId == request.Tenant && v.Stage != VmStage.Deleting && v.Stage != VmStage.Deleted, ct);
            if (vm is null)
            {
                return new NotFound("VM");
            }

            var now = await db.NowAsync(ct);
            if (Check(vm, request.Until, now) is { } not)
            {
                return Result<PlaceOrder.Placed>.Of(not);
            }

            var waiting = await db.Orders.Where(o => o.TenantId == request.Tenant && o.ClosedAt == null && o.Lines.Any(l => l.ChangesVmId == vm.Id)).Select(o => (int?)o.Number).FirstOrDefaultAsync(ct);
            if (waiting is { } number)
            {
                return new AskedAlready(vm.Name, number);
            }

            // To a policy it is an order of that VM: what goes on costs what a new one would.
            var slug = await (from version in db.TemplateVersions join template in db.Templates on version.TemplateId equals template.Id where version.Id == vm.TemplateVersionId select template.Slug).SingleOrDefaultAsync(ct) ?? "";
            var asked = new AskedOrder(new Price(vm.Currency, vm.RunningPerHour, vm.AllocatedPerHour).PerMonth, [new AskedVms(1, slug, new VmSize(vm.Vcpus, vm.Memory, vm.Disk))], now);
            var answers = await db.AskPoliciesAsync(request.Tenant, asked, actor.User ?? throw new InvalidOperationException("The portal does not order."), ct);
            var order = new Order(request.Tenant, vm.ProjectId, actor, request.Note.Trim(), request.Key, hash, now, answers.MayWait(), (await db.ReadTaxAsync(request.Tenant, ct)).At(now));
            var line = OrderLine.Extending(order, vm, request.Until);
            order.Add(line);
            db.Add(order);
            db.AddRange(answers.Freeze(order));
            db.Add(AuditEntry.Of(actor, request.Tenant, "order.placed", order.Id.Value, vm.Name, line.What));
            await db.SaveChangesAsync(ct);

            await db.AnnounceAsync(Topic.Approvals, ct);
            await db.AnnounceAsync(Topic.Of(request.Tenant), ct);
            await db.AnnounceAsync(Topic.Of(vm.Id), ct);
            await transaction.CommitAsync(ct);
            return new PlaceOrder.Placed(order.Id, order.Number, Repeated: false);
        }

        private static Invalid? Check(Vm vm, DateTimeOffset? until, DateTimeOffset now) => until switch
        {
            _ when vm.LeaseEndsAt is null => new Invalid("until", $"{vm.Name} has no end: it stays as long as you want."),
            null => null,
            { } end when end <= now => new Invalid("until", "That day is over. Choose a later one."),
            { } end when end <= vm.LeaseEndsAt => new Invalid("until", "That is not later than its lease ends now. An earlier end is not ordered: set it."),
            { } end when end > now + Lease.Longest => new Invalid("until", "A lease has at most 5 years. It can be extended again later."),
            _ => null,
        };
    }
}
