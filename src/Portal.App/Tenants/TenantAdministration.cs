using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Kernel;

namespace Portal.App.Tenants;

/// <summary>A tenant as lists show it.</summary>
public sealed record TenantRow(TenantId Id, string Slug, string Name, Currency Currency, TenantLimits Limits, int Members, DateTimeOffset CreatedAt);

/// <summary>The name or short name is taken.</summary>
public sealed record Taken(string What, string FieldName)
    : Refusal("taken", $"This {What} is taken. Choose another.")
{
    public override string? Field => FieldName;
}

/// <summary>The tenants that a person may see: its own, and all of them for staff.</summary>
public static class ListTenants
{
    public sealed record Request;

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<TenantRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            await using var db = dbs.ForSystem();
            var tenants = await db.Tenants.AsNoTracking().OrderBy(t => t.Name).ToListAsync(ct);
            var members = await db.Memberships.GroupBy(m => m.TenantId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, ct);
            return Result<IReadOnlyList<TenantRow>>.Of(
            [
                .. tenants.Where(t => access.Allows(actor, Permission.SeeTenant, t.Id))
                    .Select(t => new TenantRow(t.Id, t.Slug, t.Name, t.Currency, t.Limits, members.GetValueOrDefault(t.Id), t.CreatedAt)),
            ]);
        }
    }
}

/// <summary>Finds a tenant by its name in addresses.</summary>
public static class FindTenant
{
    public sealed record Request(string Slug);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<TenantRow>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            await using var db = dbs.ForSystem();
            var tenant = await db.Tenants.AsNoTracking().SingleOrDefaultAsync(t => t.Slug == request.Slug, ct);
            if (tenant is null || access.Check(actor, Permission.SeeTenant, tenant.Id) is not null)
            {
                return new NotFound("tenant");
            }

            var members = await db.Memberships.CountAsync(m => m.TenantId == tenant.Id, ct);
            return new TenantRow(tenant.Id, tenant.Slug, tenant.Name, tenant.Currency, tenant.Limits, members, tenant.CreatedAt);
        }
    }
}

/// <summary>Makes a tenant, with its project "Default".</summary>
public static class CreateTenant
{
    public sealed record Request(string Slug, string Name, string Currency, TenantLimits Limits);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<TenantId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var name = request.Name.Trim();
            if (Shape.Check(
                (name is { Length: > 0 and <= Tenant.MaxName }, "name", $"A name has 1 to {Tenant.MaxName} characters."),
                (VmName.TryParse(request.Slug, out _), "slug", "A short name has 1 to 63 lower-case letters, digits and inner hyphens."),
                (request.Currency is { Length: 3 } && request.Currency.All(char.IsAsciiLetterUpper), "currency", "A currency is three capital letters, such as EUR.")) is { } malformed)
            {
                return Result<TenantId>.Of(malformed);
            }

            if (access.Check(actor, Permission.ManageTenants) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var tenant = new Tenant(request.Slug, name, new Currency(request.Currency), request.Limits);
            db.Add(tenant);
            db.Add(new Project(tenant.Id, "Default"));
            db.Add(AuditEntry.Of(actor, tenant.Id, "tenant.created", tenant.Id.Value, tenant.Name));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return new Taken("short name", "slug");
            }

            return tenant.Id;
        }
    }
}

/// <summary>Changes a tenant's name and limits. What is used already stays, even above a new limit.</summary>
public static class ChangeTenant
{
    public sealed record Request(TenantId Tenant, string Name, TenantLimits Limits);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (request.Name.Trim() is not { Length: > 0 and <= Tenant.MaxName } name)
            {
                return new Invalid("name", $"A name has 1 to {Tenant.MaxName} characters.");
            }

            if (access.Check(actor, Permission.ManageTenants) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            var tenant = await db.Tenants.SingleOrDefaultAsync(t => t.Id == request.Tenant, ct);
            if (tenant is null)
            {
                return new NotFound("tenant");
            }

            var before = $"{tenant.Name}, {tenant.Limits}";
            tenant.Change(name, request.Limits);
            db.Add(AuditEntry.Of(actor, tenant.Id, "tenant.changed", tenant.Id.Value, tenant.Name, $"{before} -> {tenant.Name}, {tenant.Limits}"));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateConcurrencyException)
            {
                return new ChangedMeanwhile("tenant");
            }

            return default(Done);
        }
    }
}
