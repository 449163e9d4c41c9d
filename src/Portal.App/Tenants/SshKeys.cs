using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Kernel;

namespace Portal.App.Tenants;

/// <summary>A key as lists show it.</summary>
public sealed record SshKeyRow(SshKeyId Id, string Name, string Line, string Fingerprint, string AddedBy, DateTimeOffset CreatedAt);

/// <summary>A tenant's keys.</summary>
public static class ListSshKeys
{
    public sealed record Request(TenantId Tenant);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<IReadOnlyList<SshKeyRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeTenant, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            return Result<IReadOnlyList<SshKeyRow>>.Of(await db.SshKeys.AsNoTracking().Where(k => k.TenantId == request.Tenant).OrderBy(k => k.Name)
                .Select(k => new SshKeyRow(k.Id, k.Name, k.Line, k.Fingerprint, k.AddedBy, k.CreatedAt)).ToListAsync(ct));
        }
    }
}

/// <summary>A private key was pasted where a public one belongs. It is neither kept nor shown again.</summary>
public sealed record PrivateKeyPasted(string Where)
    : Refusal("ssh.private_key", "That is a private key: it has to stay with you alone, and was not kept here. Paste the one line of the file that ends in .pub.")
{
    public override RefusalKind Kind => RefusalKind.Invalid;

    public override string? Field => Where;
}

/// <summary>Stores a public key for the tenant's orders.</summary>
public static class AddSshKey
{
    /// <param name="Name">Empty takes the key's own comment.</param>
    public sealed record Request(TenantId Tenant, string Name, string Line);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<SshKeyId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (SshPublicKey.LooksPrivate(request.Line))
            {
                return new PrivateKeyPasted("line");
            }

            if (!SshPublicKey.TryParse(request.Line, out var key))
            {
                return new Invalid("line", "That is not an OpenSSH public key: one line such as \"ssh-ed25519 AAAA... you@laptop\". Never paste a private key.");
            }

            var name = request.Name.Trim() is { Length: > 0 } given ? given : key.Comment.Length > 0 ? key.Comment : key.Fingerprint[..20];
            if (name.Length > Tenant.MaxName)
            {
                return new Invalid("name", $"A name has at most {Tenant.MaxName} characters.");
            }

            if (access.Check(actor, Permission.OrderVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var stored = new SshKey(request.Tenant, name, key, actor.Name);
            db.Add(stored);
            db.Add(AuditEntry.Of(actor, request.Tenant, "ssh_key.added", stored.Id.Value, name, key.Fingerprint));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return new Taken("key", "line");
            }

            return stored.Id;
        }
    }
}

/// <summary>Forgets a stored key; VMs that have it keep it.</summary>
public static class RemoveSshKey
{
    public sealed record Request(TenantId Tenant, SshKeyId Key);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.OrderVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var key = await db.SshKeys.SingleOrDefaultAsync(k => k.Id == request.Key && k.TenantId == request.Tenant, ct);
            if (key is null)
            {
                return new NotFound("key");
            }

            db.Remove(key);
            db.Add(AuditEntry.Of(actor, request.Tenant, "ssh_key.removed", key.Id.Value, key.Name, key.Fingerprint));
            await db.SaveChangesAsync(ct);
            return default(Done);
        }
    }
}
