using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Templates;

/// <summary>A template of that short name exists, and its VMs have disks of their own.</summary>
public sealed record NotOnNfs(string Slug)
    : Refusal("templates.not_on_nfs", $"VMs of the template {Slug} have their root on disks of their own. Choose another short name.")
{
    public override string? Field => "slug";
}

/// <summary>
/// Adds a template whose VMs have their root file system on an NFS server, or a new version of one. There is nothing to build and nothing to test: what is in the directory is its
/// provider's, and a test's guest has no address to which a server exports. Offered at once; orders get it when a host has what such guests are started with.
/// </summary>
public static partial class AddNfsTemplate
{
    private const int MaxSlug = 30;

    /// <param name="Slug">The template's short name: of a new one, or of one that has its VMs' root on a server.</param>
    /// <param name="MinMemoryMiB">What VMs have to have at least; with a root that is shared, what they write lies in it.</param>
    /// <param name="Server">See <see cref="NfsRoot.Server"/>.</param>
    /// <param name="Path">See <see cref="NfsRoot.Path"/>.</param>
    /// <param name="Writable">See <see cref="NfsRoot.Writable"/>.</param>
    public sealed record Request(string Slug, string Name, string Description, string SignIn, long MinMemoryMiB, string Server, string Path, bool Writable);

    /// <summary>What stands against a request, without looking at the world; null where nothing does. Pages ask it as the form is filled in.</summary>
    public static Refusal? Complaint(Request request)
    {
        var (server, path) = (request.Server.Trim(), request.Path.Trim());
        // One at a time, and both are to be said.
        var wrongServer = NfsRoot.Complaint(server, $"/{NfsRoot.OwnAddress}", request.Writable);
        var wrongPath = NfsRoot.Complaint("192.0.2.1", path, request.Writable);
        return Shape.Check(
            (SlugForm().IsMatch(request.Slug), "slug", $"A short name has 1 to {MaxSlug} lower-case letters, digits and inner hyphens, such as diskless-13."),
            (request.Name.Trim() is { Length: > 0 and <= Template.MaxName }, "name", $"A name has 1 to {Template.MaxName} characters."),
            (request.Description.Trim().Length <= Template.MaxDescription, "description", $"A description has at most {Template.MaxDescription} characters."),
            (request.SignIn.Trim() is { Length: > 0 and <= Template.MaxSignIn }, "signIn", $"Say how to sign in, in 1 to {Template.MaxSignIn} characters: which user, and with a key or what password."),
            (request.MinMemoryMiB is >= 64 and <= 1_048_576, "minMemoryMiB", "The least memory is 64 MiB to 1 TiB."),
            (wrongServer is null, "server", wrongServer?.Text ?? ""),
            (wrongPath is null, "path", wrongPath?.Text ?? ""));
    }

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<TemplateId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (Complaint(request) is { } malformed)
            {
                return Result<TemplateId>.Of(malformed);
            }

            if (access.Check(actor, Permission.ManageTemplates) is { } refusal)
            {
                return refusal;
            }

            if (BuildTemplate.Releases.Any(r => request.Slug == r.Slug || request.Slug == r.Codename))
            {
                return new NotOnNfs(request.Slug);
            }

            var nfs = new NfsRoot(request.Server.Trim(), request.Path.Trim(), request.Writable);
            await using var db = dbs.ForSystem();
            var template = await db.Templates.SingleOrDefaultAsync(t => t.Slug == request.Slug, ct);
            if (template is not null && await db.TemplateVersions.AnyAsync(v => v.TemplateId == template.Id && v.NfsServer == null, ct))
            {
                return new NotOnNfs(request.Slug);
            }

            var (name, description, signIn, memory) = (request.Name.Trim(), request.Description.Trim(), request.SignIn.Trim(), ByteSize.FromMiB(request.MinMemoryMiB));
            if (template is null)
            {
                template = new Template(request.Slug, name, description, signIn, memory, ByteSize.Zero);
                db.Add(template);
                db.Add(AuditEntry.OfPlatform(actor, "template.created", template.Id.Value, name));
            }
            else
            {
                template.Change(name, description, signIn, template.Offered);
                template.Need(memory, ByteSize.Zero);
            }

            var version = new TemplateVersion(template.Id, await db.NextVersionAsync(template.Id, ct), request.Slug, nfs: nfs);
            db.Add(version);
            db.Add(AuditEntry.OfPlatform(actor, "template.version_added", template.Id.Value, $"{name} {version.Version}", $"{nfs.Server}:{nfs.Path}{(nfs.Writable ? ", written to" : "")}"));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return new ChangedMeanwhile("template");
            }

            await db.AnnounceAsync(Topic.Templates, ct);
            return template.Id;
        }
    }

    [GeneratedRegex("^[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex SlugForm();
}
