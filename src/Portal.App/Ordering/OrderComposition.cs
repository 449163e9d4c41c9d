using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Pricing;
using Portal.App.Quotas;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>What a person puts into an order form.</summary>
/// <param name="Name">A VM's name, or a pattern with <c>{n}</c>.</param>
/// <param name="SshKeys">OpenSSH public keys, one each.</param>
/// <param name="UserData">For each VM's first boot; null or empty where there is none.</param>
public sealed record OrderForm(TemplateId Template, PlanId Plan, string Name, int Count, IReadOnlyList<string> SshKeys, string Note, string? UserData = null)
{
    public const int MaxCount = 50;
    public const int MaxKeys = 20;
}

/// <summary>An order as it would be placed now, with what it costs and takes.</summary>
/// <param name="Names">One for each VM; empty where <paramref name="NameProblem"/> says why.</param>
public sealed record Composition(
    Tenant Tenant,
    Project Project,
    Template Template,
    TemplateVersion Version,
    Plan Plan,
    Price Price,
    int Count,
    IReadOnlyList<VmName> Names,
    Refusal? NameProblem,
    IReadOnlyList<SshPublicKey> Keys,
    UserData? UserData,
    QuotaState Quota)
{
    public QuotaAmount Asked => new QuotaAmount(1, Plan.Vcpus, Plan.Memory, Plan.Disk) * Count;

    public string TemplateName => $"{Template.Name} {Version.Version}";
}

/// <summary>The name is taken by a VM, or promised to one that waits for approval.</summary>
public sealed record NameTaken(string Name)
    : Refusal("ordering.name_taken", $"The name {Name} is taken, by a VM or by an order that waits. Choose another.")
{
    public override string? Field => "name";
}

/// <summary>Turns a form into an order: the one way for the preview and for the order itself. Reads as the tenant.</summary>
internal static class OrderComposer
{
    /// <summary>All that can be said against the form without asking the database, so that a page can say it field by field.</summary>
    public static IReadOnlyList<Refusal> CheckShape(OrderForm form)
    {
        var refusals = new List<Refusal>();
        if (form.Count is < 1 or > OrderForm.MaxCount)
        {
            refusals.Add(new Invalid("count", $"A line has 1 to {OrderForm.MaxCount} VMs."));
        }

        if (NamePattern.Expand(form.Name, Math.Clamp(form.Count, 1, OrderForm.MaxCount), new HashSet<string>()) is null)
        {
            refusals.Add(new Invalid("name", "A name has 1 to 63 lower-case letters, digits and inner hyphens; {n} stands for a number."));
        }

        if (form.SshKeys.Count > OrderForm.MaxKeys)
        {
            refusals.Add(new Invalid("sshKeys", $"At most {OrderForm.MaxKeys} keys."));
        }

        if (form.SshKeys.Any(SshPublicKey.LooksPrivate))
        {
            refusals.Add(new PrivateKeyPasted("sshKeys"));
        }
        else if (form.SshKeys.Any(k => !SshPublicKey.TryParse(k, out _)))
        {
            refusals.Add(new Invalid("sshKeys", "That is not an OpenSSH public key: one line such as \"ssh-ed25519 AAAA... you@laptop\"."));
        }

        if (form.Note.Length > Order.MaxNote || form.Note.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t')))
        {
            refusals.Add(new Invalid("note", $"A note has at most {Order.MaxNote} characters of text."));
        }

        if (!string.IsNullOrEmpty(form.UserData) && !UserData.TryParse(form.UserData, out _))
        {
            refusals.Add(new Invalid("userData", $"User data is text of at most {UserData.MaxBytes / 1024} KiB in UTF-8, without NUL."));
        }

        return refusals;
    }

    public static async Task<Result<Composition>> ComposeAsync(PortalDb db, TenantId tenantId, OrderForm form, CancellationToken ct)
    {
        if (CheckShape(form) is [var first, ..])
        {
            return Result<Composition>.Of(first);
        }

        var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == tenantId, ct);
        var project = await db.Projects.AsNoTracking().OrderBy(p => p.Id).FirstAsync(p => p.TenantId == tenantId, ct);
        var template = await db.Templates.AsNoTracking().SingleOrDefaultAsync(t => t.Id == form.Template && t.Offered, ct);
        var version = template is null ? null : await db.TemplateVersions.AsNoTracking().InOrderOfChoice(template.Id).FirstOrDefaultAsync(ct);
        if (template is null || version is null)
        {
            return new Invalid("template", "There is no such template on offer. Choose one from the list.");
        }

        var plan = await db.Plans.AsNoTracking().SingleOrDefaultAsync(p => p.Id == form.Plan && p.Offered, ct);
        if (plan is null)
        {
            return new Invalid("plan", "There is no such plan on offer. Choose one from the list.");
        }

        if (plan.Memory < template.MinMemory || plan.Disk < template.MinDisk)
        {
            return new Invalid("plan", $"{template.Name} needs at least {template.MinMemory} of memory and {template.MinDisk} of disk. Choose a larger plan.");
        }

        if (await db.FindPriceAsync(plan.Id, tenant.Currency, await db.NowAsync(ct), ct) is not { } price)
        {
            return new NoPrice(plan.Name, tenant.Currency);
        }

        var taken = await TakenNamesAsync(db, project.Id, ct);
        var names = NamePattern.Expand(form.Name, form.Count, taken);
        Refusal? nameProblem = form.Count == 1 && taken.Contains(form.Name) ? new NameTaken(form.Name)
            : names is null ? new Invalid("name", "With a number added the name gets longer than 63 characters. Shorten it.")
            : null;

        var keys = form.SshKeys.Select(k => SshPublicKey.TryParse(k, out var key) ? key : throw new InvalidOperationException("The shape was checked."));
        return new Composition(tenant, project, template, version, plan, price, form.Count, nameProblem is null ? names! : [], nameProblem, [.. keys.DistinctBy(k => k.Fingerprint)], UserData.TryParse(form.UserData, out var data) ? data : null, await db.ReadQuotaAsync(tenant, ct));
    }

    public static async Task<IReadOnlySet<string>> TakenNamesAsync(PortalDb db, ProjectId project, CancellationToken ct)
    {
        var built = await db.Vms.Where(v => v.ProjectId == project && v.DeletedAt == null).Select(v => v.Name).ToListAsync(ct);
        var waiting = await (from line in db.OrderLines
                             join order in db.Orders on line.OrderId equals order.Id
                             where order.ProjectId == project && line.State == LineState.Waiting
                             select line.Names).ToListAsync(ct);
        return built.Concat(waiting.SelectMany(n => n)).ToHashSet(StringComparer.Ordinal);
    }
}
