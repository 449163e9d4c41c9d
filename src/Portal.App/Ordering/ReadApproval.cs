using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Policies;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>How far a step of an approval is.</summary>
public enum ApprovalStepState
{
    /// <summary>Those before it come first.</summary>
    Later,

    /// <summary>It can be voted on.</summary>
    Open,
    Approved,
    Denied,

    /// <summary>The order ended before it came to this step.</summary>
    NotNeeded,
}

/// <summary>A word that was said on an order.</summary>
/// <param name="InTheirPlace">Whether an administrator decided in the place of those whom the step names.</param>
public sealed record VoteRow(string By, Verdict Verdict, string Reason, DateTimeOffset At, bool InTheirPlace = false);

/// <summary>A step of an order's approval as people see it.</summary>
/// <param name="VotesNeeded">0 where the policy said yes by itself.</param>
/// <param name="Who">Who may vote, in words.</param>
/// <param name="Why">Why it is asked, or why nobody is.</param>
/// <param name="Policy">Which version of whose policy it came from, in words.</param>
/// <param name="CanVote">The names of those who still could, today; empty for those who may not know the provider's people.</param>
/// <param name="OutOfReach">Whether those who still could are too few.</param>
/// <param name="Mine">Whether who looks can vote on it now.</param>
/// <param name="InTheirPlace">Whether who looks can decide on it alone, as an administrator.</param>
public sealed record ApprovalStepRow(
    ApprovalStepId Id,
    PolicySide Side,
    int Stage,
    string Name,
    int VotesNeeded,
    bool FourEyes,
    ApprovalStepState State,
    string Who,
    string Why,
    string Policy,
    IReadOnlyList<VoteRow> Votes,
    IReadOnlyList<string> CanVote,
    bool OutOfReach,
    bool Mine,
    bool InTheirPlace)
{
    public int Yes => Votes.Count(v => v.Verdict == Verdict.Approve);
}

internal static class ApprovalReader
{
    /// <summary>The steps of an order as somebody who may see the order sees them.</summary>
    public static async Task<IReadOnlyList<ApprovalStepRow>> ReadStepsAsync(this PortalDb db, Order order, string tenantName, Actor actor, AccessRules access, CancellationToken ct)
    {
        var steps = await db.ApprovalSteps.AsNoTracking().Where(s => s.OrderId == order.Id).OrderBy(s => s.Ordinal).ToListAsync(ct);
        var votes = (await db.ApprovalVotes.AsNoTracking().Where(v => v.OrderId == order.Id).OrderBy(v => v.At).ToListAsync(ct)).ToLookup(v => v.ApprovalStepId);
        var waits = order.ClosedAt is null;
        var open = waits ? ApprovalStep.Open(steps) : [];
        var rows = new List<ApprovalStepRow>(steps.Count);
        foreach (var step in steps)
        {
            var said = votes[step.Id].ToList();
            IReadOnlyList<Voter> able = waits && step.DecidedAt is null ? await db.AbleAsync(step, order, said, ct) : [];
            var isOpen = open.Contains(step);
            var barred = step.FourEyes && actor.User == order.RequestedById;
            rows.Add(new ApprovalStepRow(
                step.Id,
                step.Side,
                step.Stage,
                step.Name,
                step.VotesNeeded,
                step.FourEyes,
                said.Any(v => v.Verdict == Verdict.Deny) ? ApprovalStepState.Denied
                    : step.DecidedAt is not null ? ApprovalStepState.Approved
                    : !waits ? ApprovalStepState.NotNeeded
                    : isOpen ? ApprovalStepState.Open : ApprovalStepState.Later,
                PolicyWords.Who(step.VotesNeeded, step.Who()),
                step.Why,
                PolicyOf(step, tenantName),
                // The policy's own word is its step itself.
                [.. said.Where(v => v.VoterId != Guid.Empty).Select(v => new VoteRow(v.VoterName, v.Verdict, v.Reason, v.At, v.InTheirPlace))],
                step.Side == PolicySide.Tenant || access.Allows(actor, Permission.SeeOrders) ? [.. able.Select(v => v.Name!)] : [],
                waits && step.DecidedAt is null && able.Count + said.Count < step.VotesNeeded,
                isOpen && !barred && step.Names(actor) && said.All(v => v.VoterId != actor.User?.Value),
                isOpen && !barred && access.Allows(actor, Permission.DecideInPlace)));
        }

        return rows;
    }

    private static string PolicyOf(ApprovalStep step, string tenantName) => step switch
    {
        { PolicyVersion: 0 } => "the portal's own rule",
        { Side: PolicySide.Tenant } => $"{tenantName}'s policy, version {step.PolicyVersion}",
        { OfPlatform: true } => $"the provider's policy, version {step.PolicyVersion}",
        _ => $"the provider's policy for {tenantName}, version {step.PolicyVersion}",
    };

    // Those who hold today what the step names, and have not spoken.
    private static async Task<IReadOnlyList<Voter>> AbleAsync(this PortalDb db, ApprovalStep step, Order order, IReadOnlyList<ApprovalVote> said, CancellationToken ct)
    {
        var who = step.Who();
        var platform = who.Select(v => v.PlatformRole).OfType<PlatformRole>().ToList();
        var roles = who.Select(v => v.TenantRole).OfType<TenantRole>().ToList();
        var persons = who.Where(v => v.Person is not null).Select(v => new UserId(v.Person!.Value)).ToList();
        var ids = step.Side == PolicySide.Tenant
            ? await db.Memberships.Where(m => m.TenantId == order.TenantId && (roles.Contains(m.Role) || persons.Contains(m.UserId))).Select(m => m.UserId).ToListAsync(ct)
            : await db.StaffRoles.Where(r => platform.Contains(r.Role) || persons.Contains(r.UserId)).Select(r => r.UserId).Distinct().ToListAsync(ct);
        var able = ids.Select(i => i.Value).Where(i => (!step.FourEyes || i != order.RequestedById.Value) && said.All(v => v.VoterId != i)).ToList();
        return await db.Users.AsNoTracking().Where(u => able.Contains(u.Id) && !u.Disabled).OrderBy(u => u.DisplayName).Select(u => new Voter(null, null, u.Id, u.DisplayName)).ToListAsync(ct);
    }
}
