using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Templates;

/// <summary>A template of that short name exists and comes from elsewhere.</summary>
public sealed record NotImported(string Slug)
    : Refusal("templates.not_imported", $"The template {Slug} was not imported: the portal makes its versions itself. Choose another short name.")
{
    public override string? Field => "slug";
}

/// <summary>The upload is not on this machine.</summary>
public sealed record UploadMissing()
    : Refusal("templates.upload_missing", "What was uploaded is not here any more: it was imported already, or a day has passed. Upload it again.")
{
    public override string? Field => "upload";
}

/// <summary>
/// Asks for a template from an image that the operator brings, or for a new version of one that was imported before. It is taken apart on the portal's machine, tested on a host,
/// and offered when the test has passed; what is said of the template holds from then on.
/// </summary>
public static partial class ImportTemplate
{
    private const int MaxSlug = 30;

    /// <param name="Slug">The template's short name: of a new one, or of one that was imported.</param>
    /// <param name="MinMemoryMiB">What VMs have to have at least; the test runs with it, and with 384 MiB where that is more.</param>
    /// <param name="MinDiskGiB">The same; the image's disk is not larger.</param>
    /// <param name="Address">Where the image is fetched from; null where it was uploaded.</param>
    /// <param name="Upload">What <see cref="UploadImage"/> gave; null where it is fetched.</param>
    /// <param name="Sha256">Of what comes, as it comes; null or empty where nobody knows it.</param>
    public sealed record Request(string Slug, string Name, string Description, string SignIn, long MinMemoryMiB, long MinDiskGiB, ImageFormat Format, ImagePacking Packing, ImageBoot Boot, string? Address, Guid? Upload, string? Sha256);

    /// <summary>What stands against a request, without looking at the world; null where nothing does. Pages ask it as the form is filled in.</summary>
    /// <param name="uploads">Whether the image will be uploaded, by whoever asks before it is.</param>
    public static Refusal? Complaint(Request request, bool uploads = false)
    {
        var (address, sha256) = Source(request);
        var complaint = ImageImport.Complaint(address, sha256);
        return Shape.Check(
            (SlugForm().IsMatch(request.Slug), "slug", $"A short name has 1 to {MaxSlug} lower-case letters, digits and inner hyphens, such as alma-10."),
            (request.Name.Trim() is { Length: > 0 and <= Template.MaxName }, "name", $"A name has 1 to {Template.MaxName} characters."),
            (request.Description.Trim().Length <= Template.MaxDescription, "description", $"A description has at most {Template.MaxDescription} characters."),
            (request.SignIn.Trim() is { Length: > 0 and <= Template.MaxSignIn }, "signIn", $"Say how to sign in, in 1 to {Template.MaxSignIn} characters: which user, and with a key or what password."),
            (request.MinMemoryMiB is >= 64 and <= 1_048_576, "minMemoryMiB", "The least memory is 64 MiB to 1 TiB."),
            (request.MinDiskGiB is >= 1 and <= 1024, "minDiskGiB", "The least disk is 1 GiB to 1 TiB."),
            (Enum.IsDefined(request.Format), "format", "A raw disk, a qcow2 image or a tarball."),
            (Enum.IsDefined(request.Packing), "packing", "Packed with nothing, gzip, xz or zstd."),
            (Enum.IsDefined(request.Boot) && (request.Format, request.Boot) is not (ImageFormat.Tar, ImageBoot.Disk), "boot", "A tarball has no boot loader: it starts with the kernel in its /boot."),
            ((address is null) != (request.Upload is null && !uploads), uploads || request.Upload is not null ? "upload" : "address", "An image comes from an address, or from a file that you upload."),
            (complaint?.Field != nameof(address), "address", complaint?.Text ?? ""),
            (complaint?.Field != nameof(sha256), "sha256", complaint?.Text ?? ""));
    }

    public sealed class Handler(PortalDbs dbs, AccessRules access, IImageWorkshop workshop)
    {
        public async Task<Result<TemplateBuildId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (Complaint(request) is { } malformed)
            {
                return Result<TemplateBuildId>.Of(malformed);
            }

            if (access.Check(actor, Permission.ManageTemplates) is { } refusal)
            {
                return refusal;
            }

            if (request.Upload is { } upload && !workshop.HasUpload(upload))
            {
                return new UploadMissing();
            }

            // These the portal makes itself, from the first build on.
            if (BuildTemplate.Releases.Any(r => request.Slug == r.Slug || request.Slug == r.Codename))
            {
                return new NotImported(request.Slug);
            }

            var (address, sha256) = Source(request);
            var import = new WrittenImport(
                request.Name.Trim(), request.Description.Trim(), request.SignIn.Trim(), ByteSize.FromMiB(request.MinMemoryMiB).Bytes, ByteSize.FromGiB(request.MinDiskGiB).Bytes,
                request.Format, request.Packing, request.Boot, address, request.Upload, sha256);
            if (import.Write().Length > TemplateBuild.MaxImport)
            {
                return new Invalid("description", "Name, description, address and the rest are too long together. Shorten the description.");
            }

            await using var db = dbs.ForSystem();
            var template = await db.Templates.SingleOrDefaultAsync(t => t.Slug == request.Slug, ct);
            if (template is null)
            {
                template = new Template(request.Slug, import.Name, import.Description, import.SignIn, import.Memory, import.Disk);
                template.Change(import.Name, import.Description, import.SignIn, offered: false);
                db.Add(template);
                db.Add(AuditEntry.OfPlatform(actor, "template.created", template.Id.Value, template.Name));
            }
            else if (!await db.TemplateBuilds.AnyAsync(b => b.Import != null && db.TemplateVersions.Any(v => v.Id == b.TemplateVersionId && v.TemplateId == template.Id), ct))
            {
                return new NotImported(request.Slug);
            }

            var version = new TemplateVersion(template.Id, await db.NextVersionAsync(template.Id, ct), request.Slug, needsTest: true, request.Boot);
            var build = new TemplateBuild(version.Id, $"{import.Name} {version.Version}", request.Slug, actor.Name, import.Write());
            db.Add(version);
            db.Add(build);
            db.Add(AuditEntry.OfPlatform(actor, "template.import_asked", template.Id.Value, build.Name, address is null ? $"upload {request.Upload:D}" : new Uri(address).GetLeftPart(UriPartial.Path)));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return new BuildUnderWay(import.Name);
            }

            await db.AnnounceAsync(Topic.Templates, ct);
            return build.Id;
        }
    }

    private static (string? Address, string? Sha256) Source(Request request) => (
        string.IsNullOrWhiteSpace(request.Address) ? null : request.Address.Trim(),
        string.IsNullOrWhiteSpace(request.Sha256) ? null : request.Sha256.Trim().ToLowerInvariant());

    [GeneratedRegex("^[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex SlugForm();
}
