using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Access;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Operations;

/// <summary>What an operation does to a VM.</summary>
public enum OperationKind
{
    Build,
    Start,
    ShutDown,
    PowerOff,
    Reboot,
    Delete,

    /// <summary>One change of its domain; which stands in <see cref="Operation.Change"/>.</summary>
    Change,

    /// <summary>Makes a domain that somebody made by hand into this VM.</summary>
    Adopt,

    /// <summary>Takes it to another host, shut down: which one stands in its <see cref="VmMove"/>.</summary>
    Move,

    /// <summary>Makes its root disk, a clone that cannot be without its template's volume, one of its own.</summary>
    Detach,
}

/// <summary>What is asked of a VM: a kind of operation, and which change where it is one.</summary>
public sealed record Work
{
    private Work(OperationKind kind, string changeText)
    {
        Kind = kind;
        ChangeText = changeText;
    }

    public OperationKind Kind { get; }

    /// <summary>As <see cref="WrittenChange"/> writes it; empty for what is no change.</summary>
    internal string ChangeText { get; }

    /// <exception cref="ArgumentException">A change without saying which.</exception>
    public static implicit operator Work(OperationKind kind) =>
        kind == OperationKind.Change ? throw new ArgumentException("Which change?", nameof(kind)) : new Work(kind, "");

    public static Work Of(DomainChange change) => new(OperationKind.Change, WrittenChange.Of(change));
}

/// <summary>Where an operation is.</summary>
public enum OperationState
{
    /// <summary>Nobody works on it at this moment: it is queued, or rests until its next try.</summary>
    Waiting,
    Running,

    /// <summary>What was done is being taken back, after a failure or a cancellation.</summary>
    Undoing,
    Succeeded,
    Failed,
    Cancelled,
}

/// <summary>
/// One durable piece of work on a VM. A job only rings the bell; what is to be done, what was done, who is at it and with which epoch stands here.
/// </summary>
public sealed class Operation
{
    private readonly List<OperationStep> _steps = [];

    private Operation()
    {
    }

    private Operation(Vm vm, Work work, string requestedBy, DateTimeOffset at)
    {
        Id = OperationId.New();
        TenantId = vm.TenantId;
        VmId = vm.Id;
        VmName = vm.Name;
        Kind = work.Kind;
        ChangeText = work.ChangeText;
        State = OperationState.Waiting;
        RequestedBy = requestedBy;
        CreatedAt = at;
        NotBefore = at;
        _steps.AddRange(StepPlan.Of(work.Kind).Select((step, i) => new OperationStep(Id, vm.TenantId, i + 1, step)));
    }

    public OperationId Id { get; private set; }

    public TenantId TenantId { get; private set; }

    public VmId VmId { get; private set; }

    public string VmName { get; private set; } = "";

    public OperationKind Kind { get; private set; }

    /// <summary>Which change it makes, as <see cref="WrittenChange"/> writes it; empty for every other kind.</summary>
    public string ChangeText { get; private set; } = "";

    /// <summary>Which change it makes; null for every other kind.</summary>
    public DomainChange? Change => WrittenChange.Read(ChangeText);

    /// <summary>What it does, for people, as a verb: "Build", "Use 256 MiB of memory".</summary>
    public string Words => Change?.Words() ?? Kind.Words();

    public OperationState State { get; private set; }

    public string RequestedBy { get; private set; } = "";

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset? StartedAt { get; private set; }

    public DateTimeOffset? FinishedAt { get; private set; }

    /// <summary>The process that works on it; null while it waits. Whether that process lives is told by its advisory lock.</summary>
    public ProcessId? Owner { get; private set; }

    /// <summary>From one sequence for all operations: a later owner always has a higher one. Writes and host commands with a lower one are refused.</summary>
    public long Epoch { get; private set; }

    /// <summary>When it may be tried next.</summary>
    public DateTimeOffset NotBefore { get; private set; }

    /// <summary>When the bell was last rung for it.</summary>
    public DateTimeOffset? RungAt { get; private set; }

    public bool CancelRequested { get; private set; }

    /// <summary>Why it waits or failed, for people: what happened, what stays, what to do.</summary>
    public string? Problem { get; private set; }

    /// <summary>The refusal's code where one was the cause.</summary>
    public string? ProblemCode { get; private set; }

    /// <summary>How much of its disk was compared and copied, by the step that does it; of moves it stands in their <see cref="VmMove"/>.</summary>
    public ByteSize Copied { get; private set; }

    /// <summary>How much that step has to compare and copy; zero before that is known, and where there is no such step.</summary>
    public ByteSize Total { get; private set; }

    public IReadOnlyList<OperationStep> Steps => _steps;

    public bool IsLive => State is OperationState.Waiting or OperationState.Running or OperationState.Undoing;

    /// <summary>Nobody is at it: it is queued, waits for a host that does not answer, or for a guest between two looks.</summary>
    public bool Rests => State is OperationState.Waiting or OperationState.Running && Owner is null;

    /// <summary>Whether it may be cancelled: a build can be undone; anything else can be called off while nobody is at it, or a host that stays away would hold its VM for ever.</summary>
    public bool CanCancel => IsLive && !CancelRequested && State != OperationState.Undoing && (TakesBack || Rests);

    /// <summary>Whether it brings its VM into being: what it did is taken back where it fails or is cancelled.</summary>
    public bool MakesVm => Kind is OperationKind.Build or OperationKind.Adopt;

    /// <summary>Whether an operator has asked for it because of his hosts: it is his to call off, and what its owner wants of the VM stays as it is.</summary>
    public bool IsForHosts => Kind is OperationKind.Move or OperationKind.Detach;

    /// <summary>Whether what it did is taken back where it fails or is cancelled now: what makes a VM, a move until the VM is on its new host, and a detaching until the VM has its new disk.</summary>
    public bool TakesBack => MakesVm || (IsForHosts && !HasArrived);

    // A detaching that had nothing to copy found its VM on a disk of its own, perhaps for weeks: what lies beside that must never take its place.
    private bool HasArrived => _steps.Any(s => s.State == StepState.Done && (s.Kind is StepKind.ChangeHost or StepKind.TakeCopy || (s.Kind == StepKind.CopyTemplate && Total == ByteSize.Zero)));

    public static Operation Asked(Vm vm, Work work, Actor actor, DateTimeOffset at) => new(vm, work, actor.Name, at);

    /// <summary>Whether it does just this: asking for it once more gives this operation.</summary>
    public bool Does(Work work) => Kind == work.Kind && ChangeText == work.ChangeText;

    public void AskCancel() => CancelRequested = true;

    // What made it rest is over; why it is being undone is not.
    internal void Work()
    {
        State = State == OperationState.Waiting ? OperationState.Running : State;
        Problem = State == OperationState.Running ? null : Problem;
    }

    internal void Undo(string? code, string problem)
    {
        State = OperationState.Undoing;
        ProblemCode = code;
        Problem = Cut(problem);
    }

    internal void Rest(string problem, DateTimeOffset notBefore)
    {
        Owner = null;
        NotBefore = notBefore;
        Problem = State == OperationState.Undoing ? Problem : Cut(problem);
        State = State == OperationState.Undoing ? State : OperationState.Waiting;
    }

    /// <summary>Lets go of it until the next look at what takes its time.</summary>
    internal void Pause(DateTimeOffset until)
    {
        Owner = null;
        NotBefore = until;
    }

    internal void Finish(OperationState state, DateTimeOffset at, string? code = null, string? problem = null)
    {
        State = state;
        FinishedAt = at;
        Owner = null;
        ProblemCode = code;
        Problem = problem is null ? null : Cut(problem);
    }

    private static string Cut(string text) => text.Length <= 1000 ? text : text[..1000];
}

/// <summary>Where a step is.</summary>
public enum StepState
{
    ToDo,

    /// <summary>Begun; whether it happened is found out by looking.</summary>
    Doing,
    Done,
    Failed,
    Undone,
}

/// <summary>One step of an operation, written before and after it acts.</summary>
public sealed class OperationStep
{
    private OperationStep()
    {
    }

    internal OperationStep(OperationId operation, TenantId tenant, int ordinal, StepKind kind)
    {
        OperationId = operation;
        TenantId = tenant;
        Ordinal = ordinal;
        Kind = kind;
    }

    public OperationId OperationId { get; private set; }

    public TenantId TenantId { get; private set; }

    /// <summary>1, 2, 3 ...</summary>
    public int Ordinal { get; private set; }

    public StepKind Kind { get; private set; }

    public StepState State { get; private set; }

    public DateTimeOffset? StartedAt { get; private set; }

    public DateTimeOffset? FinishedAt { get; private set; }

    public int Tries { get; private set; }

    /// <summary>What was done on the host, as <see cref="StepJournal"/> writes it; empty where nothing was.</summary>
    public string Journal { get; private set; } = "";

    /// <summary>Adds what was done on the host by this try.</summary>
    internal void Did(IReadOnlyList<JournalLine> lines) => Journal = StepJournal.Add(Journal, lines);

    internal void Begin(DateTimeOffset at)
    {
        State = StepState.Doing;
        StartedAt ??= at;
        FinishedAt = null;
        Tries++;
    }

    /// <summary>It goes on with a later look, which is no further try.</summary>
    internal void Pause() => Tries--;

    internal void End(StepState state, DateTimeOffset at)
    {
        State = state;
        FinishedAt = at;
    }
}

/// <summary>One run of a portal process. Its proof of life is a session advisory lock on <see cref="LockKey"/>.</summary>
public sealed class PortalProcess
{
    private PortalProcess()
    {
    }

    public PortalProcess(ProcessId id, string machine, int pid)
    {
        Id = id;
        Machine = machine;
        Pid = pid;
    }

    public ProcessId Id { get; private set; }

    /// <summary>Given by the database, so that no two processes share one.</summary>
    public int LockKey { get; private set; }

    public string Machine { get; private set; } = "";

    public int Pid { get; private set; }

    public DateTimeOffset StartedAt { get; private set; }
}

internal sealed class OperationConfiguration : IEntityTypeConfiguration<Operation>
{
    public void Configure(EntityTypeBuilder<Operation> builder)
    {
        builder.ToTable("operations", table =>
        {
            table.HasCheckConstraint("ck_operations_finished", "(state IN ('Succeeded', 'Failed', 'Cancelled')) = (finished_at IS NOT NULL)");
            table.HasCheckConstraint("ck_operations_change", "(kind = 'Change') = (change <> '')");
            table.HasCheckConstraint("ck_operations_copied", "copied <= total");
        });
        builder.Ignore(o => o.IsLive).Ignore(o => o.Rests).Ignore(o => o.CanCancel).Ignore(o => o.TakesBack).Ignore(o => o.IsForHosts).Ignore(o => o.Change).Ignore(o => o.Words);
        builder.Property(o => o.ChangeText).HasColumnName("change").HasMaxLength(WrittenChange.MaxLength);
        builder.Property(o => o.VmName).HasMaxLength(VmName.MaxLength);
        builder.Property(o => o.RequestedBy).HasMaxLength(PortalUser.MaxDisplayName);
        builder.Property(o => o.Problem).HasMaxLength(1000);
        builder.Property(o => o.ProblemCode).HasMaxLength(60);
        builder.Property<uint>("xmin").IsRowVersion();
        // One live operation a VM: whatever a race tries, the second insert fails.
        builder.HasIndex(o => o.VmId, "ux_operations_live").IsUnique().HasFilter("finished_at IS NULL");
        builder.HasIndex(o => new { o.VmId, o.CreatedAt });
        builder.HasIndex(o => o.NotBefore).HasFilter("finished_at IS NULL");
        builder.HasOne<Vm>().WithMany().HasForeignKey(o => o.VmId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<VmMove>().WithOne().HasForeignKey<VmMove>(m => m.OperationId).OnDelete(DeleteBehavior.Restrict);
        builder.HasMany(o => o.Steps).WithOne().HasForeignKey(s => s.OperationId).OnDelete(DeleteBehavior.Restrict);
        builder.Navigation(o => o.Steps).UsePropertyAccessMode(PropertyAccessMode.Field);
    }
}

internal sealed class OperationStepConfiguration : IEntityTypeConfiguration<OperationStep>
{
    public void Configure(EntityTypeBuilder<OperationStep> builder)
    {
        builder.ToTable("operation_steps");
        builder.HasKey(s => new { s.OperationId, s.Ordinal });
        builder.Property(s => s.Journal).HasMaxLength(StepJournal.MaxLength);
        builder.Property<uint>("xmin").IsRowVersion();
    }
}

internal sealed class PortalProcessConfiguration : IEntityTypeConfiguration<PortalProcess>
{
    public void Configure(EntityTypeBuilder<PortalProcess> builder)
    {
        builder.ToTable("processes");
        builder.Property(p => p.LockKey).UseIdentityAlwaysColumn();
        builder.Property(p => p.Machine).HasMaxLength(255);
        builder.Property(p => p.StartedAt).HasDefaultValueSql("clock_timestamp()");
        builder.HasIndex(p => p.LockKey).IsUnique();
    }
}
