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

/// <summary>Asks for a new version of a Debian. It is built on the portal's machine, tested on a host, and offered when the test has passed.</summary>
public static class BuildTemplate
{
    /// <summary>What can be built.</summary>
    public static IReadOnlyList<string> Releases { get; } = ["bookworm"];

    /// <param name="Release">A codename of Debian, one of <see cref="Releases"/>.</param>
    public sealed record Request(string Release);

    /// <summary>The short name of what is made of them.</summary>
    public const string Slug = "debian-12";

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<TemplateBuildId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (!Releases.Contains(request.Release))
            {
                return new Invalid("release", $"One of these can be built: {string.Join(", ", Releases)}.");
            }

            if (access.Check(actor, Permission.ManageTemplates) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var template = await db.Templates.SingleOrDefaultAsync(t => t.Slug == Slug, ct);
            if (template is null)
            {
                template = new Template(Slug, "Debian 12", "Debian 12 (bookworm), small: systemd, SSH, apt.", "On the console as root, without a password. By SSH as root with your key.", ByteSize.FromMiB(256), ByteSize.FromGiB(1));
                template.Change(template.Name, template.Description, template.SignIn, offered: false);
                db.Add(template);
                db.Add(AuditEntry.OfPlatform(actor, "template.created", template.Id.Value, template.Name));
            }

            var version = new TemplateVersion(template.Id, await db.NextVersionAsync(template.Id, ct), Slug, needsTest: true);
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
