using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.Kernel;

namespace Portal.App.Templates;

/// <summary>A build of this release is under way.</summary>
public sealed record BuildUnderWay(string Release)
    : Refusal("templates.build_under_way", $"A build of {Release} is under way. Wait for its end.");

/// <summary>A template of that short name was imported: what is built here would be another system under its name.</summary>
public sealed record ImportedAlready(string Slug)
    : Refusal("templates.imported_already", $"The template {Slug} was imported, so its next versions are imported as well: the portal builds none of it.");

/// <summary>A release of Debian that can be built.</summary>
/// <param name="Codename">As its archive calls it.</param>
/// <param name="Slug">The short name of the template that is made of it.</param>
public sealed record DebianRelease(string Codename, string Slug, string Name);

/// <summary>Asks for a new version of a Debian. It is built on the portal's machine, tested on a host, and offered when the test has passed.</summary>
public static class BuildTemplate
{
    /// <summary>What can be built, where the portal's machine can fetch it: see <see cref="ListReleases"/>.</summary>
    public static IReadOnlyList<DebianRelease> Releases { get; } = [new("bookworm", "debian-12", "Debian 12"), new("trixie", "debian-13", "Debian 13")];

    /// <param name="Release">The codename of one of <see cref="Releases"/>.</param>
    public sealed record Request(string Release);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<TemplateBuildId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (Releases.FirstOrDefault(r => r.Codename == request.Release) is not { } release)
            {
                return new Invalid("release", $"One of these can be built: {string.Join(", ", Releases.Select(r => r.Codename))}.");
            }

            if (access.Check(actor, Permission.ManageTemplates) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var template = await db.Templates.SingleOrDefaultAsync(t => t.Slug == release.Slug, ct);
            if (template is null)
            {
                template = new Template(release.Slug, release.Name, $"{release.Name} ({release.Codename}), small: systemd, SSH, apt.", "On the console as root, without a password. By SSH as root with your key.", ByteSize.FromMiB(256), ByteSize.FromGiB(1));
                template.Change(template.Name, template.Description, template.SignIn, offered: false);
                db.Add(template);
                db.Add(AuditEntry.OfPlatform(actor, "template.created", template.Id.Value, template.Name));
            }
            else if (await db.TemplateBuilds.AnyAsync(b => b.Import != null && db.TemplateVersions.Any(v => v.Id == b.TemplateVersionId && v.TemplateId == template.Id), ct))
            {
                return new ImportedAlready(release.Slug);
            }

            var version = new TemplateVersion(template.Id, await db.NextVersionAsync(template.Id, ct), release.Slug, needsTest: true);
            var build = new TemplateBuild(version.Id, $"{template.Name} {version.Version}", request.Release, actor.Name);
            db.Add(version);
            db.Add(build);
            db.Add(AuditEntry.OfPlatform(actor, "template.build_asked", template.Id.Value, build.Name));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return new BuildUnderWay(request.Release);
            }

            await db.AnnounceAsync(Topic.Templates, ct);
            return build.Id;
        }
    }
}
