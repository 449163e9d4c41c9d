using Portal.App.Ordering;
using Portal.App.Policies;

namespace Portal.Web.Api;

/// <param name="BaseVersion">The version that was edited, so that nobody else's is overwritten unseen; 0 where there was none.</param>
internal sealed record PolicyUpdateBody(PolicyBody Policy, int BaseVersion, string? Note = null);

internal sealed record SavedPolicyJson(int Version);

internal sealed record PolicyVersionJson(int Version, string SavedBy, DateTimeOffset SavedAt, string Note, PolicyBody? Policy, IReadOnlyList<string> Words);

/// <param name="Version">The newest of this policy's own; 0 where it was never written.</param>
/// <param name="Own">Whether what answers is this policy, not the platform's in its place.</param>
/// <param name="InForce">What answers now; null where nobody is asked.</param>
/// <param name="Words">The same in sentences.</param>
internal sealed record PolicyJson(Guid? Tenant, string Side, int Version, bool Own, PolicyBody? InForce, IReadOnlyList<string> Words, bool CanEdit, IReadOnlyList<PolicyVersionJson> History)
{
    public static PolicyJson Of(GetPolicy.Details d) => new(
        d.Tenant?.Value, d.Side.ToString(), d.Version, d.IsOwn, d.InForce?.Body, d.InForce is { } now ? PolicyWords.Of(now.Body) : [], d.CanEdit,
        [.. d.History.Select(v => new PolicyVersionJson(v.Version, v.SavedBy, v.SavedAt, v.Note, v.Body, v.Body is null ? [] : PolicyWords.Of(v.Body)))]);
}

/// <param name="Tenant">Null for the platform's own, which answers for every tenant without one.</param>
internal sealed record PolicyRowJson(Guid? Tenant, string Name, bool Own, int Version, IReadOnlyList<string> Words)
{
    public static PolicyRowJson Of(ListPolicies.Row r) => new(r.Tenant?.Value, r.Name, r.IsOwn, r.InForce.Version, r.Words);
}

internal sealed record TrialRowJson(Guid Order, int Number, string Tenant, string RequestedBy, DateTimeOffset At, string What, MoneyJson PerMonth, string State, bool ByItself, string Why);

/// <param name="Orders">How many past orders it was tried on, the newest.</param>
/// <param name="ByItself">How many of them it would have let pass by itself; <paramref name="Before"/> is how many were.</param>
/// <param name="Differ">Those to which it would have said something else.</param>
internal sealed record TrialJson(int Orders, int ByItself, int Before, IReadOnlyList<TrialRowJson> Differ)
{
    public static TrialJson Of(TryPolicy.Trial t) => new(
        t.Orders, t.ByItself, t.Before,
        [.. t.Differ.Select(r => new TrialRowJson(r.Order.Value, r.Number, r.TenantName, r.RequestedBy, r.At, r.What, new MoneyJson(r.PerMonth.Amount, r.PerMonth.Currency.Code), r.State.ToString(), r.ByItself, r.Why))]);
}

internal sealed record MoneyJson(decimal Amount, string Currency);

internal sealed record VoteJson(string By, string Verdict, string Reason, DateTimeOffset At, bool InTheirPlace);

/// <param name="Stage">Steps of one stage are open at once.</param>
/// <param name="VotesNeeded">0 where the policy said yes by itself.</param>
/// <param name="OutOfReach">Whether those who still could vote are too few: an administrator decides in their place.</param>
/// <param name="Mine">Whether you can vote on it now.</param>
internal sealed record ApprovalStepJson(
    Guid Id, string Side, int Stage, string Name, string State, int VotesNeeded, int Yes, string Who, bool FourEyes, string Why, string Policy, IReadOnlyList<string> CanVote, bool OutOfReach, bool Mine, IReadOnlyList<VoteJson> Votes)
{
    public static ApprovalStepJson Of(ApprovalStepRow s) => new(
        s.Id.Value, s.Side.ToString(), s.Stage, s.Name, s.State.ToString(), s.VotesNeeded, s.Yes, s.Who, s.FourEyes, s.Why, s.Policy, s.CanVote, s.OutOfReach, s.Mine,
        [.. s.Votes.Select(v => new VoteJson(v.By, v.Verdict.ToString(), v.Reason, v.At, v.InTheirPlace))]);
}

internal sealed record CommentJson(string By, string Kind, string Text, DateTimeOffset At);

/// <param name="Question">Whether an answer is wanted first: until it comes, the order's clock stands still. For those who can decide.</param>
internal sealed record CommentBody(string Text, bool Question = false);

/// <param name="Who">Who may say yes, in words.</param>
internal sealed record QuestionJson(string Side, string Name, string Who, string Why);
