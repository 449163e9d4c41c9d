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
/// <param name="Paused">Why it cannot be ordered for now; null where it is not paused.</param>
/// <param name="Deprecated">Not offered any more, and never to be again.</param>
/// <param name="OnlyFor">The tenants that it is there for; null where it is there for all, and for those who do not keep templates.</param>
public sealed record TemplateRow(TemplateId Id, string Slug, string Name, string Description, string SignIn, string Version, ByteSize MinMemory, ByteSize MinDisk, bool Offered, ImageBoot Boot, FirstBoot FirstBoot, bool OnNfs = false, NfsPlace? Nfs = null, string? Paused = null, bool Deprecated = false, IReadOnlyList<TenantId>? OnlyFor = null);

/// <summary>A directory of an NFS server; see <see cref="NfsRoot"/>.</summary>
public sealed record NfsPlace(string Server, string Path, bool Writable);

/// <summary>All templates, for those who keep them.</summary>
public static class ListTemplates
{
    /// <param name="OfferedOnly">Only what can be ordered, or could if it were not paused.</param>
    /// <param name="Buyer">For which tenant; null for any that the person is in.</param>
    public sealed record Request(bool OfferedOnly, TenantId? Buyer = null);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<TemplateRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (!request.OfferedOnly && access.Check(actor, Permission.SeeCatalogue) is { } refusal)
            {
                return refusal;
            }

            if (request.Buyer is { } tenant && access.Check(actor, Permission.SeeTenant, tenant) is { } hidden)
            {
                return hidden;
            }

            // Where a provider's servers are is no tenant's affair.
            var keeps = access.Allows(actor, Permission.SeeCatalogue);
            await using var db = dbs.ForSystem();
            var versions = (await db.TemplateVersions.AsNoTracking().ToListAsync(ct)).GroupBy(v => v.TemplateId).ToDictionary(g => g.Key, g => g.OrderByDescending(v => v.ReleasedAt is not null).ThenByDescending(v => v.Id.Value).First());
            var templates = await db.Templates.AsNoTracking().Where(t => t.Offered || !request.OfferedOnly).OrderBy(t => t.Name).ToListAsync(ct);
            var chosen = (await db.TemplateTenants.AsNoTracking().ToListAsync(ct)).ToLookup(c => c.TemplateId, c => c.TenantId);
            return Result<IReadOnlyList<TemplateRow>>.Of([.. templates.Where(t => versions.ContainsKey(t.Id) && IsThere(t)).Select(t => RowOf(t, versions[t.Id]))]);

            bool IsThere(Template template) => !template.ForChosen
                || (request.Buyer is { } buyer ? chosen[template.Id].Contains(buyer) : keeps || chosen[template.Id].Any(actor.Memberships.ContainsKey));

            TemplateRow RowOf(Template t, TemplateVersion version) => new(
                t.Id, t.Slug, t.Name, t.Description, t.SignIn, version.Version, t.MinMemory, t.MinDisk, t.Offered, version.Boot, version.FirstBoot, version.Nfs is not null,
                keeps && version.Nfs is { } nfs ? new NfsPlace(nfs.Server, nfs.Path, nfs.Writable) : null,
                t.PausedBecause, t.Deprecated, keeps && t.ForChosen ? [.. chosen[t.Id]] : null);
        }
    }
}

/// <summary>It was paused, and why.</summary>
public sealed record PausedFor(string Where, string Name, string Because)
    : Refusal("catalogue.paused", $"{Name} cannot be ordered for now: {Because}")
{
    public override string? Field => Where;
}

/// <summary>Changes how a template is presented, what it needs, and who can order it.</summary>
public static class ChangeTemplate
{
    /// <param name="Deprecated">Not offered any more; its VMs stay.</param>
    /// <param name="PausedBecause">Why it cannot be ordered for now; null or empty where it can.</param>
    /// <param name="OnlyFor">The tenants that it is there for; null for all.</param>
    /// <param name="MinMemoryMiB">What VMs of it have to have at least; null leaves it as it is, as does the next.</param>
    public sealed record Request(
        TemplateId Template, string Name, string Description, string SignIn, bool Offered, bool Deprecated = false, string? PausedBecause = null, IReadOnlyList<TenantId>? OnlyFor = null, long? MinMemoryMiB = null, long? MinDiskGiB = null);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var (name, because) = (request.Name.Trim(), request.PausedBecause?.Trim() is { Length: > 0 } why ? why : null);
            if (Shape.Check(
                (name is { Length: > 0 and <= Template.MaxName }, "name", $"A name has 1 to {Template.MaxName} characters."),
                (request.Description.Length <= Template.MaxDescription, "description", $"A description has at most {Template.MaxDescription} characters."),
                (request.SignIn.Length <= Template.MaxSignIn, "signIn", $"The way to sign in has at most {Template.MaxSignIn} characters."),
                (because is null or { Length: <= Template.MaxReason }, "pausedBecause", $"A reason has at most {Template.MaxReason} characters."),
                (!(request.Deprecated && request.Offered), "deprecated", "What is deprecated is not offered."),
                (request.OnlyFor is not { Count: 0 }, "onlyFor", "Choose a tenant, or let it be there for all."),
                (request.MinMemoryMiB is null or (>= 1 and <= 16_777_216), "minMemoryMiB", "1 MiB to 16 TiB of memory."),
                (request.MinDiskGiB is null or (>= 0 and <= 65_536), "minDiskGiB", "0 GiB to 64 TiB of disk.")) is { } malformed)
            {
                return Result<Done>.Of(malformed);
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

            var chosen = await db.TemplateTenants.Where(c => c.TemplateId == template.Id).ToListAsync(ct);
            var names = await db.Tenants.AsNoTracking().ToDictionaryAsync(t => t.Id, t => t.Name, ct);
            var wanted = request.OnlyFor?.Distinct().ToList() ?? [];
            if (!wanted.All(names.ContainsKey))
            {
                return new NotFound("tenant");
            }

            var before = InWords(template, chosen.Select(c => names[c.TenantId]));
            template.Deprecate(request.Deprecated);
            template.Change(name, request.Description.Trim(), request.SignIn.Trim(), request.Offered);
            template.Pause(because);
            template.Choose(request.OnlyFor is not null);
            template.Need(request.MinMemoryMiB is { } memory ? ByteSize.FromMiB(memory) : template.MinMemory, request.MinDiskGiB is { } disk ? ByteSize.FromGiB(disk) : template.MinDisk);
            db.RemoveRange(chosen.Where(c => !wanted.Contains(c.TenantId)));
            db.AddRange(wanted.Where(w => chosen.All(c => c.TenantId != w)).Select(w => new TemplateTenant(template.Id, w)));
            db.Add(Audit.AuditEntry.OfPlatform(actor, "template.changed", template.Id.Value, name, $"{before} -> {InWords(template, wanted.Select(w => names[w]))}"));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateConcurrencyException)
            {
                return new ChangedMeanwhile("template");
            }

            return default(Done);
        }

        private static string InWords(Template template, IEnumerable<string> onlyFor) =>
            $"{template.Name}, {(template.Deprecated ? "deprecated" : template.Offered ? "offered" : "not offered")}{(template.PausedBecause is { } why ? $", paused: {why}" : "")}, {template.MinMemory}, {template.MinDisk}, for {(template.ForChosen ? string.Join(" and ", onlyFor.Order(StringComparer.Ordinal)) : "all")}";
    }
}
