using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.App.Hosts;
using Portal.App.Networks;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.App.Tenants;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Setup;

/// <summary>What a start needs to know to fill an empty portal and to register its own machine.</summary>
/// <param name="Engine">What this machine is registered as: <c>libvirt</c>, <c>simulated</c>, or <c>none</c> (hosts are added in the browser).</param>
/// <param name="PoolPath">Absolute; the host's pool.</param>
/// <param name="Instances">The marks of the hosts that this machine registered before, as it kept them outside the database.</param>
/// <param name="AdminEmail">With <paramref name="AdminPassword"/>: the only account that is made, instead of four with random passwords.</param>
public sealed record FirstRunRequest(string Engine, string PoolPath, IReadOnlyList<string> Instances, string? AdminEmail, string? AdminPassword);

/// <summary>What a first run writes down outside the database before the database knows of it, so that a run that is cut short leaves nothing unknown.</summary>
/// <param name="Accounts">Keeps the accounts that are about to be made.</param>
/// <param name="Instance">Keeps the mark of the host that is about to be registered.</param>
public sealed record FirstRunNotes(Func<IReadOnlyList<MadeAccount>, Task> Accounts, Func<string, Task> Instance);

/// <summary>An account that the first run made.</summary>
/// <param name="Password">Null where somebody gave it: it is not told again.</param>
public sealed record MadeAccount(string Email, string? Password, string For);

/// <summary>
/// Fills what is missing: accounts, a tenant, the catalogue, this machine as a host. Each part looks first, so a first run that was cut short anywhere
/// ends well when it is repeated.
/// </summary>
public sealed class FirstRun(PortalDbs dbs, UserManager<PortalUser> users)
{
    private const string TenantSlug = "acme";
    private const string TinyLinux = "tiny-linux";
    private const string Custom = "Custom";

    /// <summary>Accounts that were made now; a password is shown here and nowhere else. Empty on every later start.</summary>
    public async Task<IReadOnlyList<MadeAccount>> RunAsync(FirstRunRequest request, FirstRunNotes notes, CancellationToken ct)
    {
        await CheckMachineAsync(request, ct);
        await SeedTemplatesAsync(ct);
        await SeedPlansAsync(ct);
        if (KindOf(request.Engine) is { } kind)
        {
            await RegisterHostAsync(kind, request, notes, ct);
        }

        await SeedBlueprintAsync(ct);
        var tenant = await SeedTenantAsync(ct);
        return await MakeAccountsAsync(request, tenant, notes, ct);
    }

    private static HostKind? KindOf(string engine) => engine switch
    {
        "libvirt" => HostKind.LocalLibvirt,
        "simulated" => HostKind.Simulated,
        "none" => null,
        _ => throw new SetupException($"There is no engine called {engine}: it is libvirt, simulated or none."),
    };

    // A host that is reached without a network is reached from its own machine only. A portal elsewhere on the same database would look for its VMs in
    // the wrong place, and find them gone.
    private async Task CheckMachineAsync(FirstRunRequest request, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var local = await db.Hosts.AsNoTracking().Where(h => h.Mode != HostMode.WrittenOff && (h.Kind == HostKind.LocalLibvirt || h.Kind == HostKind.Simulated)).ToListAsync(ct);
        if (local.FirstOrDefault(h => !request.Instances.Contains(h.Instance)) is { } stranger)
        {
            throw new SetupException($"This database already serves a portal elsewhere, whose host {stranger.Name} can be reached from there only. Give this portal a database of its own. If it is that portal, moved or with a new data directory, put the line {stranger.Instance} into the file 'instance' of its data directory.");
        }
    }

    private async Task SeedTemplatesAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var image = TemplateImage.TinyLinux;
        if (await db.Templates.AnyAsync(ct))
        {
            await ShipNewVersionAsync(db, image, ct);
            return;
        }

        var tiny = new Template(TinyLinux, "Tiny Linux", "A small Linux (Debian's cloud kernel, busybox) that boots in seconds: to try things out, and for tests.", "On the console: sign in as root, without a password. Where its network lets you in: over SSH as root, with your key.", ByteSize.FromMiB(128), ByteSize.FromGiB(1));
        db.Add(tiny);
        db.Add(new TemplateVersion(tiny.Id, image.Version, image.Name));
        db.Add(AuditEntry.OfPlatform(Actor.Portal, "template.created", tiny.Id.Value, tiny.Name));
        await db.SaveChangesAsync(ct);
    }

    // The portal's own template comes with it: a later portal brings a later version, which new VMs are made from.
    private static async Task ShipNewVersionAsync(PortalDb db, TemplateImage image, CancellationToken ct)
    {
        var earlier = await db.TemplateVersions.Where(v => v.ImageName == image.Name).ToListAsync(ct);
        if (earlier.Count == 0 || earlier.Any(v => v.Version == image.Version))
        {
            return;
        }

        db.Add(new TemplateVersion(earlier[0].TemplateId, image.Version, image.Name));
        db.Add(AuditEntry.OfPlatform(Actor.Portal, "template.version_added", earlier[0].TemplateId.Value, image.Name, image.Version));
        await db.SaveChangesAsync(ct);
    }

    private async Task SeedPlansAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        if (await db.Plans.AnyAsync(ct))
        {
            return;
        }

        var from = (await db.NowAsync(ct)).AddDays(-1);
        (string Name, VmSize Size, VmSize? Largest, decimal Running, decimal Allocated, decimal PerVcpu, decimal PerMemory, decimal PerDisk)[] plans =
        [
            ("Nano", Size(1, 256, 1), null, 0.0030000000m, 0.0005000000m, 0, 0, 0),
            ("S", Size(1, 512, 5), null, 0.0060000000m, 0.0010000000m, 0, 0, 0),
            ("M", Size(2, 1024, 10), null, 0.0120000000m, 0.0020000000m, 0, 0, 0),
            ("L", Size(4, 4096, 40), null, 0.0430000000m, 0.0075000000m, 0, 0, 0),
            (Custom, Size(1, 256, 1), Size(16, 32 << 10, 500), 0.0035000000m, 0.0005000000m, 0.0030000000m, 0.0080000000m, 0.0002000000m),
        ];
        foreach (var plan in plans)
        {
            var made = new Plan(plan.Name, plan.Size, plan.Largest);
            db.Add(made);
            db.Add(new PlanPrice(made.Id, new Tariff(new Price(Currency.Eur, plan.Running, plan.Allocated), plan.PerVcpu, plan.PerMemory, plan.PerDisk), from));
            db.Add(AuditEntry.OfPlatform(Actor.Portal, "plan.created", made.Id.Value, plan.Name));
        }

        static VmSize Size(int vcpus, long memoryMiB, long diskGiB) => new(vcpus, ByteSize.FromMiB(memoryMiB), ByteSize.FromGiB(diskGiB));
        await db.SaveChangesAsync(ct);
    }

    // An example of an order of several lines, as large as a small company's servers; whoever keeps the templates may remove it, and then it stays away.
    private async Task SeedBlueprintAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        if (await db.Tenants.AnyAsync(ct) || await db.SavedOrders.AnyAsync(s => s.TenantId == default, ct)
            || await db.Templates.FirstOrDefaultAsync(t => t.Slug == TinyLinux, ct) is not { } template || await db.Plans.FirstOrDefaultAsync(p => p.Name == Custom, ct) is not { } plan)
        {
            return;
        }

        (string Name, int Count, long MemoryMiB, long DiskGiB)[] servers = [("apache-{n}", 5, 256, 5), ("mysql", 1, 256, 3), ("postgresql", 1, 512, 2), ("smtp", 1, 512, 3), ("mail", 1, 512, 10), ("ldap", 1, 256, 2)];
        var form = new OrderForm([.. servers.Select(s => new LineForm(template.Id, plan.Id, s.Name, s.Count, [], null, new VmSize(1, ByteSize.FromMiB(s.MemoryMiB), ByteSize.FromGiB(s.DiskGiB))))], "");
        var blueprint = new SavedOrder(default, SavedKind.Blueprint);
        blueprint.Save("Ten servers", "Web servers, databases, mail and a directory: an order of six kinds, to try out and to change.", WrittenForm.Of(form, await CatalogueNames.ReadAsync(db, form, ct), keys: false), [.. servers.Select(_ => (string?)null)], Actor.Portal, await db.NowAsync(ct));
        db.Add(blueprint);
        db.Add(AuditEntry.OfPlatform(Actor.Portal, "blueprint.offered", blueprint.Id.Value, blueprint.Name));
        await db.SaveChangesAsync(ct);
    }

    private async Task RegisterHostAsync(HostKind kind, FirstRunRequest request, FirstRunNotes notes, CancellationToken ct)
    {
        var poolPath = request.PoolPath;
        await using var db = dbs.ForSystem();
        var host = await db.Hosts.SingleOrDefaultAsync(h => h.Kind == kind && h.Mode != HostMode.WrittenOff, ct);
        if (host is not null)
        {
            if (host.PoolPath != poolPath)
            {
                host.MoveTo(poolPath);
                db.Add(AuditEntry.OfPlatform(Actor.Portal, "host.moved", host.Id.Value, host.Name, poolPath));
                await db.SaveChangesAsync(ct);
            }

            return;
        }

        var name = kind == HostKind.Simulated ? "simulated" : Environment.MachineName.ToLowerInvariant();
        var known = await db.Hosts.Select(h => h.Instance).ToListAsync(ct);
        var instance = request.Instances.FirstOrDefault(i => !known.Contains(i)) ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        await notes.Instance(instance);
        host = new Host(name, kind, instance, poolPath);
        db.Add(host);
        db.Add(new Pool(host.Id, "default"));
        // QEMU's user-mode network has its gateway at .2.2 and its resolver at .2.3 of a /16; guests get their addresses from .16.0 on.
        var range = new Ipv4Range(Ipv4Address.From(IPAddress.Parse("10.77.16.1")), Ipv4Address.From(IPAddress.Parse("10.77.19.254")));
        var network = new Network(host.Id, "default", 16, IPAddress.Parse("10.77.2.2"), IPAddress.Parse("10.77.2.3"), range, shared: false);
        db.Add(network);
        // Those that end in 0 or 255 are good ones in a /16, and still refused by some.
        db.AddRange(range.All.Where(ip => (byte)ip.Value is not (0 or 255)).Select(ip => new Address(network.Id, ip)));

        db.Add(AuditEntry.OfPlatform(Actor.Portal, "host.registered", host.Id.Value, host.Name, kind.ToString()));
        await db.SaveChangesAsync(ct);
    }

    private async Task<Tenant> SeedTenantAsync(CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        if (await db.Tenants.OrderBy(t => t.Id).FirstOrDefaultAsync(ct) is { } there)
        {
            return there;
        }

        var tenant = new Tenant(TenantSlug, "ACME", Currency.Eur, new TenantLimits(Limit.Of(20), Limit.Of(32), Limit.Of(16_384), Limit.Of(200)));
        db.Add(tenant);
        db.Add(new Project(tenant.Id, "Default"));
        db.Add(AuditEntry.Of(Actor.Portal, tenant.Id, "tenant.created", tenant.Id.Value, tenant.Name));
        await db.SaveChangesAsync(ct);
        return tenant;
    }

    private async Task<IReadOnlyList<MadeAccount>> MakeAccountsAsync(FirstRunRequest request, Tenant tenant, FirstRunNotes notes, CancellationToken ct)
    {
        if (await users.Users.AnyAsync(ct))
        {
            return [];
        }

        (string Email, string Name, string Password, PlatformRole[] Roles, bool Owner, string For)[] wanted = request is { AdminEmail: { Length: > 0 } email, AdminPassword: { Length: > 0 } password }
            ? [(email, "Administrator", password, Enum.GetValues<PlatformRole>(), false, "everything of the provider's")]
            :
            [
                ("admin@portal.example", "Administrator", NewPassword(), Enum.GetValues<PlatformRole>(), false, "administrator, with all of the provider's roles"),
                ("approver@portal.example", "Approver", NewPassword(), [PlatformRole.Approver], false, "decides on orders"),
                ("tenant@portal.example", "Tenant", NewPassword(), [], true, $"owner of the tenant {tenant.Name}: orders VMs"),
            ];

        // Kept before they are made: a start that dies in between leaves a file too many, never an account that nobody can use.
        var made = wanted.Select(w => new MadeAccount(w.Email, w.Password == request.AdminPassword ? null : w.Password, w.For)).ToList();
        await notes.Accounts(made);
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var now = await db.NowAsync(ct);
        foreach (var account in wanted)
        {
            var user = new PortalUser { UserName = account.Email, Email = account.Email, EmailConfirmed = true, DisplayName = account.Name, CreatedAt = now, LockoutEnabled = true };
            user.NormalizedEmail = users.NormalizeEmail(user.Email);
            user.NormalizedUserName = users.NormalizeName(user.UserName);
            user.SecurityStamp = Convert.ToHexString(RandomNumberGenerator.GetBytes(20));
            await CheckPasswordAsync(user, account.Password);
            user.PasswordHash = users.PasswordHasher.HashPassword(user, account.Password);
            db.Add(user);
            db.AddRange(account.Roles.Select(r => new StaffRole(user.UserId, r)));
            if (account.Owner)
            {
                db.Add(new Membership(tenant.Id, user.UserId, TenantRole.Owner, user.DisplayName, account.Email, now));
            }

            db.Add(AuditEntry.OfPlatform(Actor.Portal, "account.created", user.Id, account.Email));
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return made;
    }

    private async Task CheckPasswordAsync(PortalUser user, string password)
    {
        foreach (var validator in users.PasswordValidators)
        {
            var checkedPassword = await validator.ValidateAsync(users, user, password);
            if (!checkedPassword.Succeeded)
            {
                throw new SetupException($"The password for {user.Email} is too weak: {string.Join(" ", checkedPassword.Errors.Select(e => e.Description))}");
            }
        }
    }

    // 16 characters of 57: 93 bits. No l, I, O, 0 and 1, so that it can be read aloud and typed.
    private static string NewPassword()
    {
        const string Letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        var password = new StringBuilder();
        for (var i = 0; i < 16; i++)
        {
            if (i is 4 or 8 or 12)
            {
                password.Append('-');
            }

            password.Append(Letters[RandomNumberGenerator.GetInt32(Letters.Length)]);
        }

        return password.ToString();
    }
}

/// <summary>The portal cannot start like this; the message says what to change.</summary>
public sealed class SetupException : Exception
{
    public SetupException(string message)
        : base(message)
    {
    }
}
