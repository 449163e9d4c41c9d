using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Tenants;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Catalogue;

/// <summary>An operating system that VMs can be made from; its images are its versions.</summary>
public sealed class Template
{
    private Template()
    {
    }

    public const int MaxName = 100;
    public const int MaxDescription = 1000;
    public const int MaxSignIn = 300;
    public const int MaxReason = 200;

    public Template(string slug, string name, string description, string signIn, ByteSize minMemory, ByteSize minDisk)
    {
        Id = TemplateId.New();
        Slug = slug;
        Change(name, description, signIn, offered: true);
        MinMemory = minMemory;
        MinDisk = minDisk;
    }

    public TemplateId Id { get; private set; }

    /// <summary>Its name in addresses and REST; never changes.</summary>
    public string Slug { get; private set; } = "";

    public string Name { get; private set; } = "";

    public string Description { get; private set; } = "";

    /// <summary>How to sign in on the console, in a sentence.</summary>
    public string SignIn { get; private set; } = "";

    public ByteSize MinMemory { get; private set; }

    public ByteSize MinDisk { get; private set; }

    /// <summary>Whether it can be ordered.</summary>
    public bool Offered { get; private set; }

    /// <summary>Not offered any more, and never to be again: VMs of it stay, and their owners see that it is.</summary>
    public bool Deprecated { get; private set; }

    /// <summary>Why it cannot be ordered for now, for tenants to read; null where it is not paused.</summary>
    public string? PausedBecause { get; private set; }

    /// <summary>Whether it is there for the tenants alone that a <see cref="TemplateTenant"/> names.</summary>
    public bool ForChosen { get; private set; }

    public void Pause(string? because) => PausedBecause = because;

    public void Deprecate(bool deprecated)
    {
        Deprecated = deprecated;
        Offered &= !deprecated;
    }

    public void Choose(bool forChosen) => ForChosen = forChosen;

    public void Change(string name, string description, string signIn, bool offered)
    {
        Name = name;
        Description = description;
        SignIn = signIn;
        Offered = offered && !Deprecated;
    }

    /// <summary>What VMs have to have for its newest version.</summary>
    public void Need(ByteSize minMemory, ByteSize minDisk)
    {
        MinMemory = minMemory;
        MinDisk = minDisk;
    }
}

/// <summary>A tenant for which a template is there that is not there for all.</summary>
public sealed class TemplateTenant
{
    private TemplateTenant()
    {
    }

    public TemplateTenant(TemplateId template, TenantId tenant)
    {
        TemplateId = template;
        TenantId = tenant;
    }

    public TemplateId TemplateId { get; private set; }

    public TenantId TenantId { get; private set; }
}

/// <summary>What of an image acts on its user data at a VM's first boot.</summary>
public enum FirstBoot
{
    /// <summary>The portal's own first-boot script, which runs a script and nothing else.</summary>
    Script,

    /// <summary>Its own: its test has taken its name from the seed, as cloud-init does.</summary>
    CloudInit,

    /// <summary>Nothing: its test has taken no notice of the seed.</summary>
    Nothing,

    /// <summary>Whatever its provider has put there: its files are on a server, and change there.</summary>
    Unknown,
}

/// <summary>One version of a template: an image whose content never changes. An order gets the newest that was ever built somewhere.</summary>
public sealed class TemplateVersion
{
    private TemplateVersion()
    {
    }

    /// <param name="needsTest">It was built by request: no host gets it, and nobody can order it, before it has passed its test.</param>
    /// <param name="nfs">Where VMs of it have their root; null where on disks of their own.</param>
    public TemplateVersion(TemplateId template, string version, string imageName, bool needsTest = false, ImageBoot boot = ImageBoot.Kernel, NfsRoot? nfs = null)
    {
        (NfsServer, NfsPath, NfsWritable) = (nfs?.Server, nfs?.Path, nfs?.Writable ?? false);
        FirstBoot = nfs is null ? FirstBoot.Script : FirstBoot.Unknown;
        Boot = boot;
        NeedsTest = needsTest;
        Id = TemplateVersionId.New();
        TemplateId = template;
        Version = version;
        ImageName = imageName;
    }

    public TemplateVersionId Id { get; private set; }

    public TemplateId TemplateId { get; private set; }

    public string Version { get; private set; } = "";

    /// <summary>When its image was ready for the first time, on any host; null before. Until then orders go on with the version before it.</summary>
    public DateTimeOffset? ReleasedAt { get; private set; }

    /// <summary>Released by its test, and not by having been built somewhere.</summary>
    public bool NeedsTest { get; private set; }

    public string ImageName { get; private set; } = "";

    /// <summary>How guests of it start: from its own disk they do so on some hosts alone, see <see cref="GuestKinds.Hvm"/>.</summary>
    public ImageBoot Boot { get; private set; }

    public FirstBoot FirstBoot { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public string? NfsServer { get; private set; }

    public string? NfsPath { get; private set; }

    public bool NfsWritable { get; private set; }

    /// <summary>Where VMs of it have their root; null where on disks of their own. Not every host starts them.</summary>
    public NfsRoot? Nfs => NfsServer is { } server && NfsPath is { } path ? new NfsRoot(server, path, NfsWritable) : null;

    /// <summary>What VMs of it take of a size: no disk where their root is on a server.</summary>
    public VmSize Takes(VmSize size) => NfsServer is null ? size : size with { Disk = ByteSize.Zero };

    public TemplateImage Image => new(ImageName, Version) { Boot = Boot, Nfs = Nfs };
}

/// <summary>How large a VM is.</summary>
public readonly record struct VmSize(int Vcpus, ByteSize Memory, ByteSize Disk)
{
    public override string ToString() => $"{Vcpus} vCPU, {Memory}, {(Disk > ByteSize.Zero ? $"{Disk} disk" : "no disk")}";
}

/// <summary>A size that can be ordered, or the sizes between two; its price is in the price list.</summary>
public sealed class Plan
{
    private Plan()
    {
    }

    public const int MaxName = 60;

    public Plan(string name, VmSize size, VmSize? largest = null)
    {
        Id = PlanId.New();
        Change(name, size, largest ?? size, offered: true);
    }

    public PlanId Id { get; private set; }

    public string Name { get; private set; } = "";

    /// <summary>The smallest that can be ordered, as are the next two.</summary>
    public int Vcpus { get; private set; }

    public ByteSize Memory { get; private set; }

    public ByteSize Disk { get; private set; }

    /// <summary>The most that can be ordered, as are the next two; the smallest where the size is fixed.</summary>
    public int MaxVcpus { get; private set; }

    public ByteSize MaxMemory { get; private set; }

    public ByteSize MaxDisk { get; private set; }

    public bool Offered { get; private set; }

    /// <summary>Why it cannot be ordered for now, for tenants to read; null where it is not paused.</summary>
    public string? PausedBecause { get; private set; }

    /// <summary>How many VMs of it there may be at once, waiting orders included; null where nobody says so.</summary>
    public int? Stock { get; private set; }

    public VmSize Size => new(Vcpus, Memory, Disk);

    public VmSize Largest => new(MaxVcpus, MaxMemory, MaxDisk);

    /// <summary>What exists keeps the size it was built with: VMs hold their own copy.</summary>
    public void Change(string name, VmSize size, VmSize largest, bool offered)
    {
        Name = name;
        (Vcpus, Memory, Disk) = size;
        (MaxVcpus, MaxMemory, MaxDisk) = largest;
        Offered = offered;
    }

    public void Pause(string? because) => PausedBecause = because;

    /// <summary>What is above a new stock already stays.</summary>
    public void Keep(int? stock) => Stock = stock;
}

internal sealed class TemplateConfiguration : IEntityTypeConfiguration<Template>
{
    public void Configure(EntityTypeBuilder<Template> builder)
    {
        builder.ToTable("templates", table =>
        {
            table.HasCheckConstraint("ck_templates_deprecated", "NOT (deprecated AND offered)");
            table.HasCheckConstraint("ck_templates_paused", "paused_because <> ''");
        });
        builder.Property(t => t.PausedBecause).HasMaxLength(Template.MaxReason);
        builder.Property(t => t.Slug).HasMaxLength(63);
        builder.Property(t => t.Name).HasMaxLength(Template.MaxName);
        builder.Property(t => t.Description).HasMaxLength(Template.MaxDescription);
        builder.Property(t => t.SignIn).HasMaxLength(Template.MaxSignIn);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(t => t.Slug).IsUnique();
    }
}

internal sealed class TemplateTenantConfiguration : IEntityTypeConfiguration<TemplateTenant>
{
    public void Configure(EntityTypeBuilder<TemplateTenant> builder)
    {
        builder.ToTable("template_tenants");
        builder.HasKey(t => new { t.TemplateId, t.TenantId });
        builder.HasOne<Template>().WithMany().HasForeignKey(t => t.TemplateId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Tenant>().WithMany().HasForeignKey(t => t.TenantId).OnDelete(DeleteBehavior.Restrict);
    }
}

/// <summary>Which version is meant where none is named.</summary>
public static class TemplateVersions
{
    /// <summary>A template's versions, the one that an order gets first.</summary>
    public static IQueryable<TemplateVersion> InOrderOfChoice(this IQueryable<TemplateVersion> versions, TemplateId template) =>
        versions.Where(v => v.TemplateId == template).OrderByDescending(v => v.ReleasedAt != null).ThenByDescending(v => v.Id);

    /// <summary>What the next version that is asked for today is called: the day, and which of it.</summary>
    internal static async Task<string> NextVersionAsync(this PortalDb db, TemplateId template, CancellationToken ct)
    {
        var day = (await db.NowAsync(ct)).ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        return $"{day}.{await db.TemplateVersions.CountAsync(v => v.TemplateId == template && EF.Functions.Like(v.Version, day + ".%"), ct) + 1}";
    }
}

internal sealed class TemplateVersionConfiguration : IEntityTypeConfiguration<TemplateVersion>
{
    public void Configure(EntityTypeBuilder<TemplateVersion> builder)
    {
        builder.ToTable("template_versions", table => table.HasCheckConstraint("ck_template_versions_nfs", "(nfs_server IS NULL) = (nfs_path IS NULL) AND (nfs_server IS NOT NULL OR NOT nfs_writable)"));
        builder.Ignore(v => v.Image);
        builder.Ignore(v => v.Nfs);
        builder.Property(v => v.NfsServer).HasMaxLength(NfsRoot.MaxServer);
        builder.Property(v => v.NfsPath).HasMaxLength(NfsRoot.MaxPath);
        builder.Property(v => v.Version).HasMaxLength(30);
        builder.Property(v => v.ImageName).HasMaxLength(63);
        builder.Property(v => v.CreatedAt).HasDefaultValueSql("clock_timestamp()");
        builder.HasIndex(v => new { v.TemplateId, v.Version }).IsUnique();
        builder.HasOne<Template>().WithMany().HasForeignKey(v => v.TemplateId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class PlanConfiguration : IEntityTypeConfiguration<Plan>
{
    public void Configure(EntityTypeBuilder<Plan> builder)
    {
        builder.ToTable("plans", table =>
        {
            table.HasCheckConstraint("ck_plans_sizes", "vcpus BETWEEN 1 AND 256 AND memory > 0 AND disk > 0");
            table.HasCheckConstraint("ck_plans_largest", "max_vcpus BETWEEN vcpus AND 256 AND max_memory >= memory AND max_disk >= disk");
            table.HasCheckConstraint("ck_plans_stock", "stock >= 0");
            table.HasCheckConstraint("ck_plans_paused", "paused_because <> ''");
        });
        builder.Ignore(p => p.Size).Ignore(p => p.Largest);
        builder.Property(p => p.Name).HasMaxLength(Plan.MaxName);
        builder.Property(p => p.PausedBecause).HasMaxLength(Template.MaxReason);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(p => p.Name).IsUnique();
    }
}
