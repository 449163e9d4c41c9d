using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Pricing;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>What became of a line.</summary>
public enum LineState
{
    /// <summary>Nobody has decided yet.</summary>
    Waiting,

    /// <summary>Its VMs exist; how far they are stands on them.</summary>
    Approved,
    Denied,
    Cancelled,

    /// <summary>Nobody decided in time.</summary>
    Expired,
}

/// <summary>What a tenant asked for. Its state is that of its lines.</summary>
public sealed class Order
{
    private readonly List<OrderLine> _lines = [];

    private Order()
    {
    }

    public const int MaxNote = 500;

    /// <summary>How long a question that nobody answers can keep an order from expiring.</summary>
    public static readonly TimeSpan MaxPause = TimeSpan.FromDays(30);

    /// <param name="mayWait">How long it may wait, and hold quota, before it expires.</param>
    public Order(TenantId tenant, ProjectId project, Actor requester, string note, string requestKey, byte[] requestHash, DateTimeOffset at, TimeSpan mayWait, decimal? taxPercent = null)
    {
        Id = OrderId.New();
        TenantId = tenant;
        ProjectId = project;
        RequestedById = requester.User ?? throw new InvalidOperationException("The portal does not order.");
        RequestedBy = requester.Name;
        RequesterEmail = requester.Email;
        Note = note;
        RequestKey = requestKey;
        RequestHash = requestHash;
        CreatedAt = at;
        ExpiresAt = at + mayWait;
        TaxPercent = taxPercent;
    }

    public OrderId Id { get; private set; }

    /// <summary>For people: counted by the database, may have gaps.</summary>
    public int Number { get; private set; }

    public TenantId TenantId { get; private set; }

    public ProjectId ProjectId { get; private set; }

    public UserId RequestedById { get; private set; }

    public string RequestedBy { get; private set; } = "";

    public string RequesterEmail { get; private set; } = "";

    public string Note { get; private set; } = "";

    /// <summary>The key that makes repeating the request harmless; unique in a tenant.</summary>
    public string RequestKey { get; private set; } = "";

    /// <summary>SHA-256 of what was asked, to tell a repetition from another request under the same key.</summary>
    public byte[] RequestHash { get; private set; } = [];

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset ExpiresAt { get; private set; }

    /// <summary>The tenant's tax rate when it was placed; null where none was set.</summary>
    public decimal? TaxPercent { get; private set; }

    /// <summary>Since when it waits for an answer, and its clock stands still; null where no question is open.</summary>
    public DateTimeOffset? QuestionAt { get; private set; }

    public DateTimeOffset? ClosedAt { get; private set; }

    /// <summary>Why it still waits although its policy says yes, for people; null otherwise.</summary>
    public string? Problem { get; private set; }

    /// <summary>In the order in which they were asked for.</summary>
    public IReadOnlyList<OrderLine> Lines => [.. _lines.OrderBy(l => l.Ordinal)];

    /// <summary>Of all its lines, while they run.</summary>
    public Price Price => _lines.Select(l => l.PriceOfAll).Aggregate((a, b) => a + b);

    public void Add(OrderLine line) => _lines.Add(line);

    /// <summary>A question: from now on the clock stands still.</summary>
    public void Ask(DateTimeOffset at) => QuestionAt ??= at;

    /// <summary>An answer: the clock goes on where it stood.</summary>
    public void Answer(DateTimeOffset at)
    {
        var stood = at - (QuestionAt ?? at);
        ExpiresAt += stood < MaxPause ? stood : MaxPause;
        QuestionAt = null;
    }

    public void Close(LineState state, DateTimeOffset at)
    {
        foreach (var line in _lines)
        {
            line.MoveTo(state);
        }

        Problem = null;
        QuestionAt = null;
        ClosedAt = at;
    }

    /// <summary>What <see cref="Problem"/> says while a policy would say yes and cannot.</summary>
    public static string WaitsBecause(Refusal refusal) => refusal.Message.Length <= 500 ? refusal.Message : refusal.Message[..500];
}

/// <summary>One kind of VM in an order, some number of times, at a frozen price; or a change of a VM that exists, which is another lease.</summary>
public sealed class OrderLine
{
    private OrderLine()
    {
    }

    public OrderLine(Order order, TemplateVersionId template, string templateName, Plan plan, VmSize size, Price price, IReadOnlyList<VmName> names, string sshKeyLines, string? sealedUserData, string? userDataSha256, DateTimeOffset? leaseEndsAt)
    {
        Id = OrderLineId.New();
        OrderId = order.Id;
        Ordinal = order.Lines.Count;
        TenantId = order.TenantId;
        TemplateVersionId = template;
        TemplateName = templateName;
        PlanId = plan.Id;
        PlanName = plan.Name;
        (Vcpus, Memory, Disk) = size;
        Names = [.. names.Select(n => n.Text)];
        SshKeyLines = sshKeyLines;
        SealedUserData = sealedUserData;
        UserDataSha256 = userDataSha256;
        LeaseEndsAt = leaseEndsAt;
        Currency = price.Currency;
        RunningPerHour = price.RunningPerHour;
        AllocatedPerHour = price.AllocatedPerHour;
        Setup = price.Setup;
    }

    /// <summary>More time for a VM.</summary>
    /// <param name="until">Null for no end.</param>
    internal static OrderLine Extending(Order order, Vm vm, DateTimeOffset? until) => new()
    {
        Id = OrderLineId.New(),
        OrderId = order.Id,
        Ordinal = order.Lines.Count,
        TenantId = order.TenantId,
        ChangesVmId = vm.Id,
        TemplateVersionId = vm.TemplateVersionId,
        TemplateName = vm.TemplateName,
        PlanId = vm.PlanId,
        PlanName = vm.PlanName,
        Vcpus = vm.Vcpus,
        Memory = vm.Memory,
        Disk = vm.Disk,
        Names = [vm.Name],
        LeaseEndsAt = until,
        Currency = vm.Currency,
        RunningPerHour = vm.RunningPerHour,
        AllocatedPerHour = vm.AllocatedPerHour,
    };

    public OrderLineId Id { get; private set; }

    /// <summary>The VM that it changes; null where it makes VMs.</summary>
    public VmId? ChangesVmId { get; private set; }

    public OrderId OrderId { get; private set; }

    /// <summary>Its place among the order's lines, from 0.</summary>
    public int Ordinal { get; private set; }

    public TenantId TenantId { get; private set; }

    /// <summary>Null only where it changes a VM that was adopted.</summary>
    public TemplateVersionId? TemplateVersionId { get; private set; }

    public string TemplateName { get; private set; } = "";

    public PlanId PlanId { get; private set; }

    public string PlanName { get; private set; } = "";

    public int Vcpus { get; private set; }

    public ByteSize Memory { get; private set; }

    public ByteSize Disk { get; private set; }

    /// <summary>One VM each.</summary>
    public string[] Names { get; private set; } = [];

    public string SshKeyLines { get; private set; } = "";

    /// <summary>As <see cref="UserDataSeal"/> writes it, while nobody has decided: from then on the VMs have it, or nobody. Null where there is none.</summary>
    public string? SealedUserData { get; private set; }

    /// <summary>By which the user data is known without being read; null where there is none.</summary>
    public string? UserDataSha256 { get; private set; }

    /// <summary>When the lease of its VMs ends; null where they may stay.</summary>
    public DateTimeOffset? LeaseEndsAt { get; private set; }

    /// <summary>For one VM.</summary>
    public Currency Currency { get; private set; }

    public decimal RunningPerHour { get; private set; }

    public decimal AllocatedPerHour { get; private set; }

    public decimal Setup { get; private set; }

    public LineState State { get; private set; }

    /// <summary>In words: <c>5 x S, Debian 13 20261129.1</c>.</summary>
    public string What => ChangesVmId is null ? InWords(Names.Length, PlanName, TemplateName)
        : LeaseEndsAt is { } end ? $"More time for {Names[0]}, until {Lease.LastDayOf(end):yyyy-MM-dd}" : $"No end any more for {Names[0]}";

    internal static string InWords(int count, string plan, string template) => $"{count} x {plan}, {template}";

    internal LineSize Wants => new(TemplateVersionId ?? throw new InvalidOperationException($"Order line {Id} makes no VM."), PlanName, Names.Length, new VmSize(Vcpus, Memory, Disk));

    public Price PriceOfAll => new Price(Currency, RunningPerHour, AllocatedPerHour, Setup) * Names.Length;

    /// <exception cref="InvalidOperationException">It was decided already: a bug.</exception>
    internal void MoveTo(LineState state)
    {
        if (state != State && State != LineState.Waiting)
        {
            throw new InvalidOperationException($"Order line {Id} cannot go from {State} to {state}.");
        }

        State = state;
        SealedUserData = state == LineState.Waiting ? SealedUserData : null;
    }
}

internal sealed class OrderConfiguration : IEntityTypeConfiguration<Order>
{
    public void Configure(EntityTypeBuilder<Order> builder)
    {
        builder.ToTable("orders");
        builder.Ignore(o => o.Price);
        builder.Property(o => o.Number).UseIdentityAlwaysColumn();
        builder.Property(o => o.RequestedBy).HasMaxLength(PortalUser.MaxDisplayName);
        builder.Property(o => o.RequesterEmail).HasMaxLength(256);
        builder.Property(o => o.Note).HasMaxLength(Order.MaxNote);
        builder.Property(o => o.RequestKey).HasMaxLength(100);
        builder.Property(o => o.RequestHash).HasMaxLength(32);
        builder.Property(o => o.Problem).HasMaxLength(500);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(o => o.Number).IsUnique();
        builder.HasIndex(o => new { o.TenantId, o.RequestKey }).IsUnique();
        builder.HasIndex(o => o.CreatedAt).HasFilter("closed_at IS NULL");
        builder.HasOne<Tenant>().WithMany().HasForeignKey(o => o.TenantId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Project>().WithMany().HasForeignKey(o => o.ProjectId).OnDelete(DeleteBehavior.Restrict);
        builder.HasMany(o => o.Lines).WithOne().HasForeignKey(l => l.OrderId).OnDelete(DeleteBehavior.Restrict);
        builder.Navigation(o => o.Lines).UsePropertyAccessMode(PropertyAccessMode.Field);
    }
}

internal sealed class OrderLineConfiguration : IEntityTypeConfiguration<OrderLine>
{
    public void Configure(EntityTypeBuilder<OrderLine> builder)
    {
        builder.ToTable("order_lines", table =>
        {
            table.HasCheckConstraint("ck_order_lines_names", "cardinality(names) >= 1");
            table.HasCheckConstraint("ck_order_lines_template", "template_version_id IS NOT NULL OR changes_vm_id IS NOT NULL");
        });
        builder.Ignore(l => l.PriceOfAll);
        builder.Ignore(l => l.What);
        builder.Ignore(l => l.Wants);
        builder.HasIndex(l => new { l.OrderId, l.Ordinal }).IsUnique();
        builder.Property(l => l.TemplateName).HasMaxLength(Template.MaxName + 31);
        builder.Property(l => l.PlanName).HasMaxLength(Plan.MaxName);
        builder.PrimitiveCollection(l => l.Names).ElementType().HasMaxLength(VmName.MaxLength);
        builder.Property(l => l.SshKeyLines).HasMaxLength(20 * (SshPublicKey.MaxLength + 1));
        builder.Property(l => l.SealedUserData).HasMaxLength(UserDataSeal.MaxLength);
        builder.Property(l => l.UserDataSha256).HasMaxLength(64);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasOne<TemplateVersion>().WithMany().HasForeignKey(l => l.TemplateVersionId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Vm>().WithMany().HasForeignKey(l => l.ChangesVmId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Plan>().WithMany().HasForeignKey(l => l.PlanId).OnDelete(DeleteBehavior.Restrict);
    }
}
