using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Catalogue;
using Portal.Kernel;

namespace Portal.App.Templates;

/// <summary>Where a build is.</summary>
public enum TemplateBuildState
{
    Waiting,
    Building,

    /// <summary>A guest of it boots on a host.</summary>
    Testing,

    /// <summary>Its version is on offer.</summary>
    Done,
    Failed,
}

/// <summary>One build of a template's version: the portal's memory of it, for whichever process works on it. Changed by single statements that say what they expect.</summary>
public sealed class TemplateBuild
{
    public const int MaxLog = 40_000;
    public const int MaxProblem = 2000;

    public const int MaxImport = 8000;

    /// <summary>So many processes may die of it; then a person is asked.</summary>
    public const int MaxTries = 3;

    private TemplateBuild()
    {
    }

    /// <param name="import">What is imported, see <see cref="WrittenImport"/>; null where a Debian is built.</param>
    public TemplateBuild(TemplateVersionId version, string name, string release, string startedBy, string? import = null)
    {
        Import = import;
        Id = TemplateBuildId.New();
        TemplateVersionId = version;
        Name = name;
        Release = release;
        StartedBy = startedBy;
    }

    public TemplateBuildId Id { get; private set; }

    public TemplateVersionId TemplateVersionId { get; private set; }

    /// <summary>The template's name and version when it was asked for.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Of Debian: its codename. Of an import: the template's slug.</summary>
    public string Release { get; private set; } = "";

    /// <summary>What is imported, as <see cref="WrittenImport"/> writes it; null where a Debian is built.</summary>
    public string? Import { get; private set; }

    public string StartedBy { get; private set; } = "";

    public TemplateBuildState State { get; private set; }

    /// <summary>The process that works on it; null where none does.</summary>
    public ProcessId? Owner { get; private set; }

    /// <summary>From the same sequence as operations': what its owner does on a host is fenced by it.</summary>
    public long Epoch { get; private set; }

    public int Tries { get; private set; }

    /// <summary>The end of what the build said.</summary>
    public string Log { get; private set; } = "";

    /// <summary>Why it failed, and what to do.</summary>
    public string? Problem { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset? FinishedAt { get; private set; }
}

internal sealed class TemplateBuildConfiguration : IEntityTypeConfiguration<TemplateBuild>
{
    public void Configure(EntityTypeBuilder<TemplateBuild> builder)
    {
        builder.ToTable("template_builds", table => table.HasCheckConstraint("ck_template_builds_finished", "(state IN ('Done', 'Failed')) = (finished_at IS NOT NULL)"));
        builder.Property(b => b.Name).HasMaxLength(Template.MaxName + 31);
        builder.Property(b => b.Release).HasMaxLength(30);
        builder.Property(b => b.Import).HasMaxLength(TemplateBuild.MaxImport);
        builder.Property(b => b.StartedBy).HasMaxLength(200);
        builder.Property(b => b.Log).HasMaxLength(TemplateBuild.MaxLog);
        builder.Property(b => b.Problem).HasMaxLength(TemplateBuild.MaxProblem);
        builder.Property(b => b.CreatedAt).HasDefaultValueSql("clock_timestamp()");
        builder.HasOne<TemplateVersion>().WithMany().HasForeignKey(b => b.TemplateVersionId).OnDelete(DeleteBehavior.Restrict);
        // One at a time of each release, and of each template that is imported.
        builder.HasIndex(b => b.Release).IsUnique().HasFilter("finished_at IS NULL");
    }
}
