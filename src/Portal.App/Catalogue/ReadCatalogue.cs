using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Catalogue;

/// <summary>A template as lists show it.</summary>
/// <param name="Boot">How its newest version starts.</param>
/// <param name="FirstBoot">What of it acts on user data.</param>
/// <param name="OnNfs">VMs of it have their root on an NFS server, and so no disk of their plan's.</param>
/// <param name="Nfs">Where that is; null where they have disks of their own, and for those who may not see it.</param>
public sealed record TemplateRow(TemplateId Id, string Slug, string Name, string Description, string SignIn, string Version, ByteSize MinMemory, ByteSize MinDisk, bool Offered, ImageBoot Boot, FirstBoot FirstBoot, bool OnNfs = false, NfsPlace? Nfs = null);

/// <summary>A directory of an NFS server; see <see cref="NfsRoot"/>.</summary>
public sealed record NfsPlace(string Server, string Path, bool Writable);

/// <summary>All templates, for those who keep them.</summary>
public static class ListTemplates
{
    /// <param name="OfferedOnly">Only what can be ordered.</param>
    public sealed record Request(bool OfferedOnly);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<TemplateRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (!request.OfferedOnly && access.Check(actor, Permission.SeeCatalogue) is { } refusal)
            {
                return refusal;
            }

            // Where a provider's servers are is no tenant's affair.
            var keeps = access.Allows(actor, Permission.SeeCatalogue);
            await using var db = dbs.ForSystem();
            var versions = (await db.TemplateVersions.AsNoTracking().ToListAsync(ct)).GroupBy(v => v.TemplateId).ToDictionary(g => g.Key, g => g.OrderByDescending(v => v.ReleasedAt is not null).ThenByDescending(v => v.Id.Value).First());
            var templates = await db.Templates.AsNoTracking().Where(t => t.Offered || !request.OfferedOnly).OrderBy(t => t.Name).ToListAsync(ct);
            return Result<IReadOnlyList<TemplateRow>>.Of(
                [.. templates.Where(t => versions.ContainsKey(t.Id)).Select(t => new TemplateRow(t.Id, t.Slug, t.Name, t.Description, t.SignIn, versions[t.Id].Version, t.MinMemory, t.MinDisk, t.Offered, versions[t.Id].Boot, versions[t.Id].FirstBoot, versions[t.Id].Nfs is not null, keeps && versions[t.Id].Nfs is { } nfs ? new NfsPlace(nfs.Server, nfs.Path, nfs.Writable) : null))]);
        }
    }
}

/// <summary>Changes how a template is presented and whether it can be ordered.</summary>
public static class ChangeTemplate
{
    public sealed record Request(TemplateId Template, string Name, string Description, string SignIn, bool Offered);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (request.Name.Trim() is not { Length: > 0 and <= Template.MaxName } name)
            {
                return new Invalid("name", $"A name has 1 to {Template.MaxName} characters.");
            }

            if (request.Description.Length > Template.MaxDescription || request.SignIn.Length > 300)
            {
                return new Invalid("description", $"A description has at most {Template.MaxDescription} characters, the way to sign in 300.");
            }

            if (access.Check(actor, Permission.ManageTemplates) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var template = await db.Templates.SingleOrDefaultAsync(t => t.Id == request.Template, ct);
            if (template is null)
            {
                return new NotFound("template");
            }

            template.Change(name, request.Description.Trim(), request.SignIn.Trim(), request.Offered);
            db.Add(Audit.AuditEntry.OfPlatform(actor, "template.changed", template.Id.Value, name, request.Offered ? "offered" : "not offered"));
            await db.SaveChangesAsync(ct);
            return default(Done);
        }
    }
}
