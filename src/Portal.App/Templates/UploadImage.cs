using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Templates;

/// <summary>An image that is here, for an import to name.</summary>
public sealed record UploadedImage(Guid Id, ByteSize Size);

/// <summary>Takes an image from an operator's machine. It waits on the portal's for its import, at most a day.</summary>
public static class UploadImage
{
    /// <param name="Content">Read once, to its end or to the limit.</param>
    /// <param name="Taken">Told how much is here, now and then; null where nobody asks.</param>
    public sealed record Request(Stream Content, Action<ByteSize>? Taken = null);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IImageWorkshop workshop)
    {
        public async Task<Result<UploadedImage>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageTemplates) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var id = Guid.CreateVersion7();
            if (!(await workshop.KeepUploadAsync(id, request.Content, await NeededAsync(db, ct), request.Taken ?? (_ => { }), ct)).TryGet(out var size, out var no))
            {
                return no;
            }

            db.Add(AuditEntry.OfPlatform(actor, "template.image_uploaded", id, size.ToString()));
            await db.SaveChangesAsync(ct);
            return new UploadedImage(id, size);
        }
    }

    /// <summary>What waits for its import.</summary>
    internal static async Task<IReadOnlySet<Guid>> NeededAsync(PortalDb db, CancellationToken ct)
    {
        var waiting = await db.TemplateBuilds.AsNoTracking().Where(b => b.FinishedAt == null && b.Import != null).Select(b => b.Import).ToListAsync(ct);
        return waiting.Select(text => WrittenImport.Read(text)!.Upload).OfType<Guid>().ToHashSet();
    }
}
