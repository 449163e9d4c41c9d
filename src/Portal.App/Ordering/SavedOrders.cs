using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Quotas;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>A kept order form as lists show it.</summary>
/// <param name="OfProvider">It is offered to all tenants, and is not this one's to change.</param>
/// <param name="What">Its lines in words.</param>
public sealed record SavedOrderRow(SavedOrderId Id, SavedKind Kind, bool OfProvider, string Name, string Description, IReadOnlyList<string> What, long Vms, string SavedBy, DateTimeOffset SavedAt);

/// <summary>A tenant's drafts and blueprints, and the blueprints that the provider offers.</summary>
public static class ListSavedOrders
{
    public sealed record Request(TenantId Tenant);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Drafts first, the newest first; then blueprints by name.</summary>
        public async Task<Result<IReadOnlyList<SavedOrderRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.OrderVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            List<SavedOrder> saved;
            await using (var db = dbs.ForTenant(request.Tenant))
            {
                saved = await db.SavedOrders.AsNoTracking().Where(s => s.TenantId == request.Tenant).ToListAsync(ct);
            }

            await using (var system = dbs.ForSystem())
            {
                saved.AddRange(await system.SavedOrders.AsNoTracking().Where(s => s.TenantId == default).ToListAsync(ct));
            }

            return Result<IReadOnlyList<SavedOrderRow>>.Of(
            [
                .. saved.Where(s => s.Kind == SavedKind.Draft).OrderByDescending(s => s.SavedAt).Select(RowOf),
                .. saved.Where(s => s.Kind == SavedKind.Blueprint).OrderBy(s => s.Name, StringComparer.OrdinalIgnoreCase).ThenBy(s => s.TenantId == default).Select(RowOf),
            ]);
        }
    }

    internal static SavedOrderRow RowOf(SavedOrder saved)
    {
        var form = saved.Form;
        return new SavedOrderRow(
            saved.Id, saved.Kind, saved.TenantId == default, saved.Name, saved.Description, [.. form.Lines.Select(InWords)], form.Lines.Sum(l => (long)l.Count), saved.SavedBy, saved.SavedAt);
    }

    private static string InWords(WrittenLine line) =>
        $"{OrderLine.InWords(line.Count, line.PlanName.Length > 0 ? line.PlanName : "no plan", line.TemplateName.Length > 0 ? line.TemplateName : "no template")}{(line.Name.Length > 0 ? $": {line.Name}" : "")}";
}

/// <summary>A kept order form, to go on with.</summary>
public static class GetSavedOrder
{
    public sealed record Request(TenantId Tenant, SavedOrderId Saved);

    public sealed record Details(SavedOrderRow Row, OrderForm Form);

    public sealed class Handler(PortalDbs dbs, AccessRules access, UserDataSeal seal)
    {
        public async Task<Result<Details>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.OrderVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            // The provider's are no tenant's to read, so this look is the system's.
            await using var db = dbs.ForSystem();
            var saved = await db.SavedOrders.AsNoTracking().SingleOrDefaultAsync(s => s.Id == request.Saved && (s.TenantId == request.Tenant || s.TenantId == default), ct);
            return saved is null
                ? new NotFound("saved order")
                : new Details(ListSavedOrders.RowOf(saved), saved.Form.ToForm([.. saved.SealedUserData.Select(s => seal.Open(s.Length > 0 ? s : null))]));
        }
    }
}

/// <summary>Keeps an order form, as a draft or as a blueprint.</summary>
public static class SaveOrder
{
    private const int MaxSaved = 200;

    /// <param name="Saved">What it takes the place of; null for a new one.</param>
    /// <param name="Form">Of a draft as far as it was filled in; a blueprint is whole. A blueprint keeps no SSH keys.</param>
    public sealed record Request(TenantId Tenant, SavedOrderId? Saved, SavedKind Kind, string Name, string Description, OrderForm Form);

    public sealed class Handler(PortalDbs dbs, AccessRules access, UserDataSeal seal)
    {
        /// <summary>Safe to repeat where it takes something's place.</summary>
        public async Task<Result<SavedOrderId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var (name, description) = (request.Name.Trim(), request.Description.Trim());
            if (CheckShape(request, name, description) is { } malformed)
            {
                return Result<SavedOrderId>.Of(malformed);
            }

            if (access.Check(actor, Permission.OrderVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.LockTenantAsync(request.Tenant, ct);
            SavedOrder? saved;
            if (request.Saved is { } id)
            {
                saved = await db.SavedOrders.SingleOrDefaultAsync(s => s.Id == id && s.TenantId == request.Tenant && s.Kind == request.Kind, ct);
                if (saved is null)
                {
                    return new NotFound(request.Kind == SavedKind.Draft ? "draft" : "blueprint");
                }
            }
            else if (await db.SavedOrders.CountAsync(s => s.TenantId == request.Tenant, ct) >= MaxSaved)
            {
                return new Invalid("name", $"A tenant keeps at most {MaxSaved} drafts and blueprints. Remove one that nobody needs.");
            }
            else
            {
                saved = new SavedOrder(request.Tenant, request.Kind);
                db.Add(saved);
            }

            var form = WrittenForm.Of(request.Form, await CatalogueNames.ReadAsync(db, request.Form, ct), keys: request.Kind == SavedKind.Draft);
            saved.Save(name, description, form, [.. request.Form.Lines.Select(l => seal.Seal(UserData.TryParse(l.UserData, out var data) ? data : null))], actor, await db.NowAsync(ct));
            if (saved.FormText.Length > SavedOrder.MaxForm)
            {
                return new Invalid("lines", "This is too much to keep. Take fewer SSH keys.");
            }

            db.Add(AuditEntry.Of(actor, request.Tenant, $"{WordOf(request.Kind)}.saved", saved.Id.Value, name));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return new Taken("name", "name");
            }

            await db.AnnounceAsync(Topic.Of(request.Tenant), ct);
            await transaction.CommitAsync(ct);
            return saved.Id;
        }

        private static Refusal? CheckShape(Request request, string name, string description)
        {
            if (Shape.Check(
                (name is { Length: > 0 and <= SavedOrder.MaxName } && !name.Any(char.IsControl), "name", $"A name has 1 to {SavedOrder.MaxName} characters."),
                (description.Length <= SavedOrder.MaxDescription && !description.Any(char.IsControl), "description", $"A description has at most {SavedOrder.MaxDescription} characters, on one line.")) is { } malformed)
            {
                return malformed;
            }

            var against = OrderComposer.CheckShape(request.Form);
            return against.FirstOrDefault(r => request.Kind == SavedKind.Blueprint || !MayWait(r));
        }

        // What is not filled in yet is why it is a draft. What would be too much to keep, or must not be kept, is refused all the same.
        private static bool MayWait(Refusal refusal) => refusal.Field == "count" || (refusal.Field == "sshKeys" && refusal is not PrivateKeyPasted);
    }

    internal static string WordOf(SavedKind kind) => kind switch
    {
        SavedKind.Draft => "draft",
        SavedKind.Blueprint => "blueprint",
    };
}

/// <summary>Removes a draft or a blueprint; what was ordered with it stays.</summary>
public static class RemoveSavedOrder
{
    public sealed record Request(TenantId Tenant, SavedOrderId Saved);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>The provider's is removed by those who keep its templates. Safe to repeat: the second time it is not found.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.OrderVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var saved = await db.SavedOrders.SingleOrDefaultAsync(s => s.Id == request.Saved && (s.TenantId == request.Tenant || s.TenantId == default), ct);
            if (saved is null)
            {
                return new NotFound("saved order");
            }

            var ofProvider = saved.TenantId == default;
            if (ofProvider && access.Check(actor, Permission.ManageTemplates) is { } not)
            {
                return not;
            }

            db.Remove(saved);
            var verb = $"{SaveOrder.WordOf(saved.Kind)}.removed";
            db.Add(ofProvider ? AuditEntry.OfPlatform(actor, verb, saved.Id.Value, saved.Name) : AuditEntry.Of(actor, request.Tenant, verb, saved.Id.Value, saved.Name));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateConcurrencyException)
            {
                return new ChangedMeanwhile(SaveOrder.WordOf(saved.Kind));
            }

            await db.AnnounceAsync(Topic.Of(request.Tenant), ct);
            return default(Done);
        }
    }
}

/// <summary>Offers a copy of a tenant's blueprint to all tenants.</summary>
public static class OfferBlueprint
{
    public sealed record Request(TenantId Tenant, SavedOrderId Blueprint);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>The copy is the provider's: what the tenant does with its own changes nothing of it. Not one with user data: every tenant would read it.</summary>
        public async Task<Result<SavedOrderId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if ((access.Check(actor, Permission.OrderVms, request.Tenant) ?? access.Check(actor, Permission.ManageTemplates)) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var own = await db.SavedOrders.AsNoTracking().SingleOrDefaultAsync(s => s.Id == request.Blueprint && s.TenantId == request.Tenant && s.Kind == SavedKind.Blueprint, ct);
            if (own is null)
            {
                return new NotFound("blueprint");
            }

            if (own.SealedUserData.Any(s => s.Length > 0))
            {
                return new HasUserData();
            }

            var offered = new SavedOrder(default, SavedKind.Blueprint);
            offered.Save(own.Name, own.Description, own.Form, own.SealedUserData, actor, await db.NowAsync(ct));
            db.Add(offered);
            db.Add(AuditEntry.OfPlatform(actor, "blueprint.offered", offered.Id.Value, offered.Name));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return new OfferedAlready(own.Name);
            }

            await db.AnnounceAsync(Topic.Of(request.Tenant), ct);
            return offered.Id;
        }
    }
}

/// <summary>A blueprint with user data is nobody's but its tenant's.</summary>
public sealed record HasUserData()
    : Refusal("ordering.has_user_data", "This blueprint has user data, which every tenant would read. Save one without it, and offer that.");

/// <summary>The provider has a blueprint of this name.</summary>
public sealed record OfferedAlready(string Name)
    : Refusal("ordering.offered_already", $"All tenants are offered a blueprint called {Name} already. Remove that one first, or save yours under another name.");
