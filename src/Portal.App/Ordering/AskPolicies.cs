using Microsoft.EntityFrameworkCore;
using Portal.App.Policies;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>What one side's policy says to an order.</summary>
internal sealed record SideAnswer(PolicyInForce Policy, PolicyAnswer Answer);

/// <summary>Asks the policies in force about an order, once: what they say is frozen into its steps. Reads as the tenant.</summary>
internal static class AskPolicies
{
    /// <summary>The tenant's side first, where it was ever written.</summary>
    public static Task<IReadOnlyList<SideAnswer>> AskPoliciesAsync(this PortalDb db, Composition order, UserId requester, DateTimeOffset at, CancellationToken ct) =>
        db.AskPoliciesAsync(order.Tenant.Id, new AskedOrder(order.Price.PerMonth, [.. order.Lines.Select(l => new AskedVms(l.Count, l.Template.Slug, l.Size))], at), requester, ct);

    /// <summary>The same for what is no composition: a change of a VM that exists.</summary>
    public static async Task<IReadOnlyList<SideAnswer>> AskPoliciesAsync(this PortalDb db, TenantId tenant, AskedOrder asked, UserId requester, CancellationToken ct)
    {
        var answers = new List<SideAnswer>(2);
        foreach (var policy in await db.ReadPoliciesAsync(tenant, ct))
        {
            var earlier = policy.Body.Automatic is { WithinDays: > 0 and var days } ? await db.PassedAsync(tenant, policy.Side, requester, asked.At.AddDays(-days), ct) : [];
            answers.Add(new SideAnswer(policy, PolicyRules.Ask(policy.Body, asked, earlier)));
        }

        return answers;
    }

    public static TimeSpan MayWait(this IReadOnlyList<SideAnswer> answers) => TimeSpan.FromDays(answers.Min(a => a.Policy.Body.ExpiresAfterDays));

    /// <summary>The answers as the order's steps. Stages are counted anew: the provider is asked when the tenant has said yes.</summary>
    public static IEnumerable<ApprovalStep> Freeze(this IReadOnlyList<SideAnswer> answers, Order order)
    {
        var (ordinal, stage) = (0, 0);
        foreach (var (policy, answer) in answers)
        {
            if (answer.ByItself)
            {
                yield return new ApprovalStep(order, ++ordinal, policy, ++stage, answer.Why);
            }

            foreach (var steps in answer.Steps.GroupBy(s => s.Stage).OrderBy(g => g.Key))
            {
                stage++;
                foreach (var step in steps)
                {
                    yield return new ApprovalStep(order, ++ordinal, policy, step, stage, answer.Why);
                }
            }
        }
    }

    // What a person took back, or was denied, or let expire, is not spent.
    private static async Task<IReadOnlyList<PassedOrder>> PassedAsync(this PortalDb db, TenantId tenant, PolicySide side, UserId requester, DateTimeOffset since, CancellationToken ct)
    {
        var orders = await db.Orders.AsNoTracking().Include(o => o.Lines)
            .Where(o => o.TenantId == tenant && o.RequestedById == requester && o.CreatedAt > since
                && o.Lines.Any(l => l.State == LineState.Waiting || l.State == LineState.Approved)
                && db.ApprovalSteps.Any(s => s.OrderId == o.Id && s.Side == side && s.VotesNeeded == 0))
            .ToListAsync(ct);
        return [.. orders.Select(o => new PassedOrder(o.CreatedAt, o.Price.PerMonth, o.Lines.Sum(l => l.Names.Length)))];
    }
}
