using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Policies;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Tries a policy, before it is saved, on the orders that there were. Changes nothing.</summary>
public static class TryPolicy
{
    /// <summary>How many orders it is tried on, the newest.</summary>
    public const int AtMost = 200;

    /// <param name="Tenant">Null for the platform's own: it is tried on the orders of the tenants without one of their own.</param>
    public sealed record Request(TenantId? Tenant, PolicySide Side, PolicyBody Body);

    /// <param name="Orders">How many it was tried on.</param>
    /// <param name="ByItself">How many of them it would have let pass by itself.</param>
    /// <param name="Before">How many of them this side did let pass by itself.</param>
    /// <param name="Differ">Those to which it would have said something else, the newest first.</param>
    public sealed record Trial(int Orders, int ByItself, int Before, IReadOnlyList<Row> Differ);

    /// <param name="ByItself">Whether it would have said yes by itself; that this side asked somebody, or else the reverse.</param>
    /// <param name="State">What became of the order.</param>
    /// <param name="Why">A sentence of the policy that is tried.</param>
    public sealed record Row(OrderId Order, int Number, string TenantName, string RequestedBy, DateTimeOffset At, string What, Money PerMonth, LineState State, bool ByItself, string Why);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Trial>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (PolicyShape.Check(request.Body, request.Side) is [var first, ..] wrong)
            {
                return Result<Trial>.Of(first with { Also = [.. wrong.Skip(1)] });
            }

            if (PolicyAccess.CheckEdit(access, actor, request.Tenant, request.Side) is { } refusal)
            {
                return Result<Trial>.Of(refusal);
            }

            await using var db = dbs.ForSystem();
            var tenants = await TenantsAsync(db, request.Tenant, ct);
            var orders = await db.Orders.AsNoTracking().Include(o => o.Lines).Where(o => tenants.Contains(o.TenantId)).OrderByDescending(o => o.Number).Take(AtMost).ToListAsync(ct);
            var ids = orders.Select(o => o.Id).ToList();
            var side = request.Side;
            var asked = (await db.ApprovalSteps.Where(s => ids.Contains(s.OrderId) && s.Side == side && s.VotesNeeded > 0).Select(s => s.OrderId).Distinct().ToListAsync(ct)).ToHashSet();
            var versions = orders.SelectMany(o => o.Lines).Select(l => l.TemplateVersionId).OfType<TemplateVersionId>().Distinct().ToList();
            var slugs = await (from version in db.TemplateVersions
                               join template in db.Templates on version.TemplateId equals template.Id
                               where versions.Contains(version.Id)
                               select new { version.Id, template.Slug }).ToDictionaryAsync(v => v.Id, v => v.Slug, ct);
            var names = await db.Tenants.Where(t => tenants.Contains(t.Id)).Select(t => new { t.Id, t.Name }).ToDictionaryAsync(t => t.Id, t => t.Name, ct);

            var answers = Replay(request.Body, orders, slugs);
            return new Trial(
                orders.Count,
                answers.Values.Count(a => a.ByItself),
                orders.Count(o => !asked.Contains(o.Id)),
                [
                    .. orders.Where(o => answers[o.Id].ByItself == asked.Contains(o.Id))
                        .Select(o => new Row(o.Id, o.Number, names[o.TenantId], o.RequestedBy, o.CreatedAt, string.Join("; ", o.Lines.Select(l => l.What)), o.Price.PerMonth, o.Lines[0].State, answers[o.Id].ByItself, answers[o.Id].Why)),
                ]);
        }

        private static async Task<List<TenantId>> TenantsAsync(PortalDb db, TenantId? tenant, CancellationToken ct)
        {
            if (tenant is { } one)
            {
                return [one];
            }

            var newest = await db.ApprovalPolicies.AsNoTracking().Where(p => p.Side == PolicySide.Provider).GroupBy(p => p.TenantId).Select(g => g.OrderByDescending(p => p.Version).First()).ToListAsync(ct);
            var own = newest.Where(p => p.Written is not null).Select(p => p.TenantId).ToList();
            return await db.Tenants.Where(t => !own.Contains(t.Id)).Select(t => t.Id).ToListAsync(ct);
        }

        // In the order in which they were placed: what it would have let pass counts for those after it. What was taken back counts for nothing.
        private static Dictionary<OrderId, PolicyAnswer> Replay(PolicyBody body, List<Order> orders, Dictionary<TemplateVersionId, string> slugs)
        {
            var answers = new Dictionary<OrderId, PolicyAnswer>(orders.Count);
            var passed = new Dictionary<(TenantId, UserId), List<PassedOrder>>();
            foreach (var order in orders.OrderBy(o => o.Number))
            {
                if (!passed.TryGetValue((order.TenantId, order.RequestedById), out var earlier))
                {
                    passed[(order.TenantId, order.RequestedById)] = earlier = [];
                }

                var vms = order.Lines.Select(l => new AskedVms(l.Names.Length, l.TemplateVersionId is { } version ? slugs[version] : "", new VmSize(l.Vcpus, l.Memory, l.Disk))).ToList();
                var answer = answers[order.Id] = PolicyRules.Ask(body, new AskedOrder(order.Price.PerMonth, vms, order.CreatedAt), earlier);
                if (answer.ByItself && order.Lines[0].State != LineState.Cancelled)
                {
                    earlier.Add(new PassedOrder(order.CreatedAt, order.Price.PerMonth, vms.Sum(v => v.Count)));
                }
            }

            return answers;
        }
    }
}
