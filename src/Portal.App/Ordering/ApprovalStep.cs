using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Access;
using Portal.App.Policies;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>One step of an order's approval, frozen with the order: later versions of the policy, and what becomes of those whom it names, do not touch it.</summary>
public sealed class ApprovalStep
{
    private ApprovalStep()
    {
    }

    /// <summary>A step that asks people.</summary>
    /// <param name="stage">Among all of the order's steps: the tenant's side comes first.</param>
    public ApprovalStep(Order order, int ordinal, PolicyInForce policy, PolicyStep step, int stage, string why)
        : this(order, ordinal, policy, step.Name, stage, why)
    {
        VotesNeeded = step.Votes;
        WrittenWho = WrittenPolicy.Of(step.Who);
        FourEyes = step.FourEyes;
    }

    /// <summary>A policy that says yes by itself: nobody is asked, and it is decided from the beginning.</summary>
    public ApprovalStep(Order order, int ordinal, PolicyInForce policy, int stage, string why)
        : this(order, ordinal, policy, "Policy", stage, why)
    {
        WrittenWho = WrittenPolicy.Of([]);
        DecidedAt = order.CreatedAt;
    }

    private ApprovalStep(Order order, int ordinal, PolicyInForce policy, string name, int stage, string why)
    {
        Id = ApprovalStepId.New();
        OrderId = order.Id;
        TenantId = order.TenantId;
        Ordinal = ordinal;
        Side = policy.Side;
        Stage = stage;
        Name = name;
        Why = why;
        PolicyId = policy.Id;
        PolicyVersion = policy.Version;
        OfPlatform = policy.IsPlatforms;
    }

    public ApprovalStepId Id { get; private set; }

    public OrderId OrderId { get; private set; }

    public TenantId TenantId { get; private set; }

    /// <summary>Its place among the order's steps, from 1.</summary>
    public int Ordinal { get; private set; }

    public PolicySide Side { get; private set; }

    /// <summary>Steps of one stage are open at once; a stage opens when all before it are decided.</summary>
    public int Stage { get; private set; }

    public string Name { get; private set; } = "";

    /// <summary>How many have to say yes; 0 where the policy said so by itself.</summary>
    public int VotesNeeded { get; private set; }

    /// <summary>As <see cref="WrittenPolicy"/> writes it, with the names of that day.</summary>
    public string WrittenWho { get; private set; } = "";

    /// <summary>Whether who asked may not decide.</summary>
    public bool FourEyes { get; private set; }

    /// <summary>Why it is asked, or why nobody is: a sentence.</summary>
    public string Why { get; private set; } = "";

    /// <summary>The version of the policy that it came from; null where that was never written, and for orders that are older than policies.</summary>
    public ApprovalPolicyId? PolicyId { get; private set; }

    public int PolicyVersion { get; private set; }

    /// <summary>Whether the policy was the platform's, not the tenant's own.</summary>
    public bool OfPlatform { get; private set; }

    public DateTimeOffset? DecidedAt { get; private set; }

    public void Decided(DateTimeOffset at) => DecidedAt = at;

    public IReadOnlyList<Voter> Who() => WrittenPolicy.ReadVoters(WrittenWho);

    /// <summary>Whether it names the person, with the roles held now. What it says of who asked is another question.</summary>
    public bool Names(Actor actor) => actor.User is { } user && Who().Any(v => v switch
    {
        { PlatformRole: { } role } => actor.Is(role),
        { TenantRole: { } role } => actor.Memberships.TryGetValue(TenantId, out var held) && held == role,
        // A person who was named and is no longer one of theirs is a stranger.
        _ => v.Person == user.Value && (Side == PolicySide.Tenant ? actor.Memberships.ContainsKey(TenantId) : actor.IsStaff),
    });

    /// <summary>Of an order's steps those on which can be voted now: the first stage that is not done.</summary>
    public static IReadOnlyList<ApprovalStep> Open(IReadOnlyList<ApprovalStep> steps)
    {
        var waiting = steps.Where(s => s.DecidedAt is null).ToList();
        return [.. waiting.Where(s => s.Stage == waiting.Min(w => w.Stage))];
    }
}

/// <summary>What a person said.</summary>
public enum Verdict
{
    Approve,
    Deny,
}

/// <summary>One person's word on a step. Names are frozen.</summary>
public sealed class ApprovalVote
{
    private ApprovalVote()
    {
    }

    public ApprovalVote(ApprovalStep step, Actor by, Verdict verdict, string reason, DateTimeOffset at, bool inTheirPlace = false)
    {
        Id = Guid.CreateVersion7();
        ApprovalStepId = step.Id;
        OrderId = step.OrderId;
        TenantId = step.TenantId;
        VoterId = by.User?.Value ?? Guid.Empty;
        VoterName = by.Name;
        Verdict = verdict;
        Reason = reason;
        At = at;
        InTheirPlace = inTheirPlace;
    }

    public Guid Id { get; private set; }

    public ApprovalStepId ApprovalStepId { get; private set; }

    public OrderId OrderId { get; private set; }

    public TenantId TenantId { get; private set; }

    /// <summary>The empty id is the policy itself.</summary>
    public Guid VoterId { get; private set; }

    public string VoterName { get; private set; } = "";

    public Verdict Verdict { get; private set; }

    public string Reason { get; private set; } = "";

    public DateTimeOffset At { get; private set; }

    /// <summary>Whether an administrator decided in the place of those whom the step names.</summary>
    public bool InTheirPlace { get; private set; }
}

internal sealed class ApprovalStepConfiguration : IEntityTypeConfiguration<ApprovalStep>
{
    public void Configure(EntityTypeBuilder<ApprovalStep> builder)
    {
        builder.ToTable("approval_steps", table => table.HasCheckConstraint("ck_approval_steps_votes_needed", "votes_needed > 0 OR decided_at IS NOT NULL"));
        builder.Property(s => s.Name).HasMaxLength(PolicyStep.MaxName);
        builder.Property(s => s.WrittenWho).HasColumnName("who").HasColumnType("jsonb").HasMaxLength(WrittenPolicy.MaxLength);
        builder.Property(s => s.Why).HasMaxLength(PolicyAnswer.MaxWhy);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(s => new { s.OrderId, s.Ordinal }).IsUnique();
        builder.HasIndex(s => s.OrderId).HasDatabaseName("ix_approval_steps_undecided").HasFilter("decided_at IS NULL");
        builder.HasOne<Order>().WithMany().HasForeignKey(s => s.OrderId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<ApprovalPolicy>().WithMany().HasForeignKey(s => s.PolicyId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class ApprovalVoteConfiguration : IEntityTypeConfiguration<ApprovalVote>
{
    public void Configure(EntityTypeBuilder<ApprovalVote> builder)
    {
        builder.ToTable("approval_votes");
        builder.Property(v => v.VoterName).HasMaxLength(PortalUser.MaxDisplayName);
        builder.Property(v => v.Reason).HasMaxLength(1000);
        // One vote for each person and step; an administrator who has voted may also decide in the others' place.
        builder.HasIndex(v => new { v.ApprovalStepId, v.VoterId, v.InTheirPlace }).IsUnique();
        builder.HasOne<ApprovalStep>().WithMany().HasForeignKey(v => v.ApprovalStepId).OnDelete(DeleteBehavior.Restrict);
    }
}
