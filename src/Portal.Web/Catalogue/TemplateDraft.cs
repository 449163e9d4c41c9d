using Portal.App.Catalogue;
using Portal.Kernel;

namespace Portal.Web.Catalogue;

/// <summary>Whether VMs can be made of a template.</summary>
public enum TemplateStanding
{
    Offered,

    /// <summary>Not for now; it may come again.</summary>
    NotOffered,

    /// <summary>Never again; its VMs stay.</summary>
    Deprecated,
}

/// <summary>A template's form while it is filled in.</summary>
public sealed class TemplateDraft
{
    public TemplateId Id { get; init; }

    public string Name { get; set; } = "";

    public string Description { get; set; } = "";

    public string SignIn { get; set; } = "";

    public TemplateStanding Standing { get; set; }

    /// <summary>Why it cannot be ordered for now; empty where it can.</summary>
    public string Paused { get; set; } = "";

    public long MinMemoryMiB { get; set; }

    public long MinDiskGiB { get; set; }

    /// <summary>VMs of it have no disk.</summary>
    public bool OnNfs { get; init; }

    /// <summary>Whether it is there for those alone that are ticked.</summary>
    public bool ForChosen { get; set; }

    public HashSet<TenantId> Chosen { get; } = [];

    public static TemplateDraft From(TemplateRow row)
    {
        var draft = new TemplateDraft
        {
            Id = row.Id,
            Name = row.Name,
            Description = row.Description,
            SignIn = row.SignIn,
            Standing = row.Deprecated ? TemplateStanding.Deprecated : row.Offered ? TemplateStanding.Offered : TemplateStanding.NotOffered,
            Paused = row.Paused ?? "",
            MinMemoryMiB = row.MinMemory.CeilingMiB,
            MinDiskGiB = row.MinDisk.CeilingGiB,
            OnNfs = row.OnNfs,
            ForChosen = row.OnlyFor is not null,
        };
        draft.Chosen.UnionWith(row.OnlyFor ?? []);
        return draft;
    }

    public ChangeTemplate.Request ToRequest() =>
        new(Id, Name, Description, SignIn, Standing == TemplateStanding.Offered, Standing == TemplateStanding.Deprecated, Paused, ForChosen ? [.. Chosen] : null, MinMemoryMiB, OnNfs ? null : MinDiskGiB);
}
