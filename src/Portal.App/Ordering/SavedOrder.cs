using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>What an order form is kept for.</summary>
public enum SavedKind
{
    /// <summary>To be gone on with; it is gone once it was ordered.</summary>
    Draft,

    /// <summary>To be ordered again and again.</summary>
    Blueprint,
}

/// <summary>An order form that is kept, as far as it was filled in. Nothing is held for it: neither quota nor names nor prices.</summary>
public sealed class SavedOrder
{
    public const int MaxName = 60;
    public const int MaxDescription = 300;

    /// <summary>Of the form as JSON, without user data.</summary>
    public const int MaxForm = 200_000;

    private SavedOrder()
    {
    }

    /// <param name="tenant">The empty one for what the provider offers to all.</param>
    public SavedOrder(TenantId tenant, SavedKind kind)
    {
        Id = SavedOrderId.New();
        TenantId = tenant;
        Kind = kind;
    }

    public SavedOrderId Id { get; private set; }

    /// <summary>Whose it is; the empty tenant is the provider, whose blueprints are offered to all.</summary>
    public TenantId TenantId { get; private set; }

    public SavedKind Kind { get; private set; }

    /// <summary>Unique among a tenant's of its kind.</summary>
    public string Name { get; private set; } = "";

    public string Description { get; private set; } = "";

    /// <summary>As <see cref="WrittenForm"/> writes it.</summary>
    public string FormText { get; private set; } = "";

    /// <summary>Of each line its user data as <see cref="UserDataSeal"/> writes it; empty where there is none.</summary>
    public string[] SealedUserData { get; private set; } = [];

    public string SavedBy { get; private set; } = "";

    public DateTimeOffset SavedAt { get; private set; }

    internal void Save(string name, string description, WrittenForm form, IReadOnlyList<string?> sealedUserData, Actor by, DateTimeOffset at)
    {
        Name = name;
        Description = description;
        FormText = form.ToText();
        SealedUserData = [.. sealedUserData.Select(s => s ?? "")];
        SavedBy = by.Name;
        SavedAt = at;
    }

    internal WrittenForm Form => WrittenForm.Read(FormText);
}

/// <summary>A form as a row keeps it: JSON. Rows outlive the code that wrote them, so these words never change.</summary>
internal sealed record WrittenForm(IReadOnlyList<WrittenLine> Lines, string Note)
{
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public string ToText() => JsonSerializer.Serialize(this, s_json);

    public static WrittenForm Read(string text) => JsonSerializer.Deserialize<WrittenForm>(text, s_json) ?? throw new InvalidOperationException("A saved order holds no form.");

    /// <param name="names">What the form's templates and plans are called now.</param>
    /// <param name="keys">Whether its SSH keys are kept: they are a person's, and no blueprint's.</param>
    public static WrittenForm Of(OrderForm form, CatalogueNames names, bool keys) => new(
        [
            .. form.Lines.Select(l => new WrittenLine(
                l.Template.Value, names.Template(l.Template), l.Plan.Value, names.Plan(l.Plan), l.Name, l.Count, l.Size is { } size ? new WrittenSize(size.Vcpus, size.Memory.Bytes, size.Disk.Bytes) : null, keys ? l.SshKeys : [], l.LeaseEndsAt)),
        ],
        form.Note);

    public OrderForm ToForm(IReadOnlyList<UserData?> data) => new([.. Lines.Zip(data, (l, d) => l.ToForm(d))], Note);
}

/// <summary>A line of it, with the names that its template and its plan had: they may be gone when it is opened.</summary>
internal sealed record WrittenLine(Guid Template, string TemplateName, Guid Plan, string PlanName, string Name, int Count, WrittenSize? Size, IReadOnlyList<string> SshKeys, DateTimeOffset? LeaseEndsAt = null)
{
    public LineForm ToForm(UserData? data) => new(new TemplateId(Template), new PlanId(Plan), Name, Count, SshKeys, data?.Text, Size is { } size ? new VmSize(size.Vcpus, new ByteSize(size.MemoryBytes), new ByteSize(size.DiskBytes)) : null, LeaseEndsAt);
}

internal sealed record WrittenSize(int Vcpus, long MemoryBytes, long DiskBytes);

/// <summary>What the catalogue calls what a form names by its id; empty where there is no such thing.</summary>
internal sealed record CatalogueNames(IReadOnlyDictionary<TemplateId, string> Templates, IReadOnlyDictionary<PlanId, string> Plans)
{
    public string Template(TemplateId id) => Templates.GetValueOrDefault(id, "");

    public string Plan(PlanId id) => Plans.GetValueOrDefault(id, "");

    public static async Task<CatalogueNames> ReadAsync(PortalDb db, OrderForm form, CancellationToken ct)
    {
        var templates = form.Lines.Select(l => l.Template).ToList();
        var plans = form.Lines.Select(l => l.Plan).ToList();
        return new CatalogueNames(
            await db.Templates.Where(t => templates.Contains(t.Id)).ToDictionaryAsync(t => t.Id, t => t.Name, ct),
            await db.Plans.Where(p => plans.Contains(p.Id)).ToDictionaryAsync(p => p.Id, p => p.Name, ct));
    }
}

internal sealed class SavedOrderConfiguration : IEntityTypeConfiguration<SavedOrder>
{
    public void Configure(EntityTypeBuilder<SavedOrder> builder)
    {
        builder.ToTable("saved_orders", table => table.HasCheckConstraint("ck_saved_orders_provider", $"tenant_id <> '{Guid.Empty}' OR kind = '{nameof(SavedKind.Blueprint)}'"));
        builder.Ignore(s => s.Form);
        builder.Property(s => s.Name).HasMaxLength(SavedOrder.MaxName);
        builder.Property(s => s.Description).HasMaxLength(SavedOrder.MaxDescription);
        builder.Property(s => s.FormText).HasColumnName("form").HasMaxLength(SavedOrder.MaxForm);
        builder.PrimitiveCollection(s => s.SealedUserData).ElementType().HasMaxLength(UserDataSeal.MaxLength);
        builder.Property(s => s.SavedBy).HasMaxLength(PortalUser.MaxDisplayName);
        builder.Property<uint>("xmin").IsRowVersion();
        // No foreign key: the provider is no tenant.
        builder.HasIndex(s => new { s.TenantId, s.Kind, s.Name }).IsUnique();
    }
}
