using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Pricing;
using Portal.App.Quotas;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>What a person puts into an order form.</summary>
public sealed record OrderForm(IReadOnlyList<LineForm> Lines, string Note)
{
    public const int MaxLines = 20;

    /// <summary>In all its lines together.</summary>
    public const int MaxVms = 100;

    /// <summary>How refusals call a line, counted from 0: as REST does.</summary>
    public static string NameOf(int line) => $"lines[{line}]";
}

/// <summary>One kind of VM in an order form.</summary>
/// <param name="Name">A VM's name, or a pattern with <c>{n}</c>.</param>
/// <param name="SshKeys">OpenSSH public keys, one each.</param>
/// <param name="UserData">For each VM's first boot; null or empty where there is none.</param>
/// <param name="Size">In a plan whose size is chosen; null for its smallest, and where the size is fixed.</param>
/// <param name="LeaseEndsAt">When its VMs are shut down, see <see cref="Lease"/>; null where they may stay.</param>
public sealed record LineForm(TemplateId Template, PlanId Plan, string Name, int Count, IReadOnlyList<string> SshKeys, string? UserData = null, VmSize? Size = null, DateTimeOffset? LeaseEndsAt = null)
{
    public const int MaxCount = 50;
    public const int MaxKeys = 20;
}

/// <summary>A line of an order as it would be placed now.</summary>
/// <param name="Names">One for each VM; empty where <paramref name="NameProblem"/> says why.</param>
public sealed record LineComposition(
    Template Template,
    TemplateVersion Version,
    Plan Plan,
    VmSize Size,
    Price Price,
    int Count,
    IReadOnlyList<VmName> Names,
    Refusal? NameProblem,
    IReadOnlyList<SshPublicKey> Keys,
    UserData? UserData,
    DateTimeOffset? LeaseEndsAt)
{
    public QuotaAmount Asked => new QuotaAmount(1, Size.Vcpus, Size.Memory, Size.Disk) * Count;

    public string TemplateName => $"{Template.Name} {Version.Version}";

    /// <summary>In words, as <see cref="OrderLine.What"/> is.</summary>
    public string What => OrderLine.InWords(Count, Plan.Name, TemplateName);

    public Price PriceOfAll => Price * Count;

    internal LineSize Wants => new(Version.Id, Plan.Name, Count, Size);
}

/// <summary>An order as it would be placed now, with what it costs and takes.</summary>
/// <param name="TaxPercent">What the tenant pays on top; null where none was set.</param>
public sealed record Composition(Tenant Tenant, Project Project, IReadOnlyList<LineComposition> Lines, QuotaState Quota, SpendingState Spending, decimal? TaxPercent)
{
    public QuotaAmount Asked => Lines.Select(l => l.Asked).Aggregate((a, b) => a + b);

    public Price Price => Lines.Select(l => l.PriceOfAll).Aggregate((a, b) => a + b);

    /// <summary>How many VMs of which plan.</summary>
    public IReadOnlyDictionary<PlanId, int> AskedOfPlans => Lines.GroupBy(l => l.Plan.Id).ToDictionary(g => g.Key, g => g.Sum(l => l.Count));

    public IEnumerable<Refusal> NameProblems => Lines.Select(l => l.NameProblem).OfType<Refusal>();
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
    private static readonly HashSet<string> s_none = [];

    /// <summary>All that can be said against the form without asking the database, so that a page can say it field by field. Of names it says nothing: what has none yet has a price all the same.</summary>
    public static IReadOnlyList<Refusal> CheckShape(OrderForm form)
    {
        var refusals = new List<Refusal>();
        if (form.Lines.Count is < 1 or > OrderForm.MaxLines)
        {
            refusals.Add(new Invalid("lines", $"An order has 1 to {OrderForm.MaxLines} lines."));
        }

        refusals.AddRange(form.Lines.SelectMany((line, i) => CheckShape(line).Select(r => r.In(OrderForm.NameOf(i)))));
        if (refusals.Count == 0 && form.Lines.Sum(l => l.Count) > OrderForm.MaxVms)
        {
            refusals.Add(new Invalid("lines", $"An order has at most {OrderForm.MaxVms} VMs. Lower a count, or place two orders."));
        }

        if (CheckNote(form.Note) is { } wrong)
        {
            refusals.Add(wrong);
        }

        return refusals;
    }

    public static Refusal? CheckNote(string note) => note.Length > Order.MaxNote || note.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t'))
        ? new Invalid("note", $"A note has at most {Order.MaxNote} characters of text.")
        : null;

    private static IEnumerable<Refusal> CheckShape(LineForm form)
    {
        if (form.Count is < 1 or > LineForm.MaxCount)
        {
            yield return new Invalid("count", $"A line has 1 to {LineForm.MaxCount} VMs.");
        }

        if (form.SshKeys.Count > LineForm.MaxKeys)
        {
            yield return new Invalid("sshKeys", $"At most {LineForm.MaxKeys} keys.");
        }

        if (form.SshKeys.Any(SshPublicKey.LooksPrivate))
        {
            yield return new PrivateKeyPasted("sshKeys");
        }
        else if (form.SshKeys.Any(k => !SshPublicKey.TryParse(k, out _)))
        {
            yield return new Invalid("sshKeys", "That is not an OpenSSH public key: one line such as \"ssh-ed25519 AAAA... you@laptop\".");
        }

        if (!string.IsNullOrEmpty(form.UserData) && !UserData.TryParse(form.UserData, out _))
        {
            yield return new Invalid("userData", $"User data is text of at most {UserData.MaxBytes / 1024} KiB in UTF-8, without NUL.");
        }
    }

    public static async Task<Result<Composition>> ComposeAsync(PortalDb db, TenantId tenantId, OrderForm form, CancellationToken ct)
    {
        if (CheckShape(form) is [var first, ..])
        {
            return Result<Composition>.Of(first);
        }

        var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == tenantId, ct);
        var project = await db.Projects.AsNoTracking().OrderBy(p => p.Id).FirstAsync(p => p.TenantId == tenantId, ct);
        // Of each line those before it have their names: two lines may have one pattern.
        var taken = await TakenNamesAsync(db, project.Id, ct);
        var lines = new List<LineComposition>(form.Lines.Count);
        foreach (var line in form.Lines)
        {
            if (!(await ComposeLineAsync(db, tenant, line, taken, ct)).TryGet(out var composed, out var refusal))
            {
                return Result<Composition>.Of(refusal.In(OrderForm.NameOf(lines.Count)));
            }

            lines.Add(composed with { NameProblem = composed.NameProblem?.In(OrderForm.NameOf(lines.Count)) });
            taken.UnionWith(composed.Names.Select(n => n.Text));
        }

        return new Composition(tenant, project, lines, await db.ReadQuotaAsync(tenant, ct), await db.ReadSpendingAsync(tenant, ct), (await db.ReadTaxAsync(tenantId, ct)).At(await db.NowAsync(ct)));
    }

    private static async Task<Result<LineComposition>> ComposeLineAsync(PortalDb db, Tenant tenant, LineForm form, HashSet<string> taken, CancellationToken ct)
    {
        var template = await db.Templates.AsNoTracking().SingleOrDefaultAsync(t => t.Id == form.Template && t.Offered && (!t.ForChosen || db.TemplateTenants.Any(c => c.TemplateId == t.Id && c.TenantId == tenant.Id)), ct);
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

        if ((template.PausedBecause is { } why ? new PausedFor("template", template.Name, why) : plan.PausedBecause is { } because ? new PausedFor("plan", plan.Name, because) : null) is { } paused)
        {
            return paused;
        }

        var size = form.Size ?? plan.Size;
        // What is not taken is neither chosen nor paid for: no more disk than is in the price of the smallest size.
        size = version.Nfs is null ? size : size with { Disk = plan.Disk };
        if (CheckSize(plan, size) is { } beyond)
        {
            return Result<LineComposition>.Of(beyond);
        }

        if (size.Memory < template.MinMemory || size.Disk < template.MinDisk)
        {
            return new Invalid("plan", $"{template.Name} needs at least {template.MinMemory} of memory and {template.MinDisk} of disk. Choose a larger {(plan.Largest == plan.Size ? "plan" : "size")}.");
        }

        var now = await db.NowAsync(ct);
        if (form.LeaseEndsAt is { } end && (end <= now || end > now + Lease.Longest))
        {
            return new Invalid("leaseEndsAt", end <= now ? "That day is over. Choose a later one." : "A lease has at most 5 years. It can be extended later.");
        }

        if (await db.FindTariffAsync(tenant.Id, plan.Id, tenant.Currency, now, ct) is not { } tariff)
        {
            return new NoPrice(plan.Name, tenant.Currency);
        }

        var names = NamePattern.Expand(form.Name, form.Count, taken);
        Refusal? nameProblem = form.Count == 1 && taken.Contains(form.Name) ? new NameTaken(form.Name)
            : names is not null ? null
            : NamePattern.Expand(form.Name, 1, s_none) is null ? new Invalid("name", "A name has 1 to 63 lower-case letters, digits and inner hyphens; {n} stands for a number.")
            : new Invalid("name", "With a number added the name gets longer than 63 characters. Shorten it.");

        var keys = form.SshKeys.Select(k => SshPublicKey.TryParse(k, out var key) ? key : throw new InvalidOperationException("The shape was checked."));
        return new LineComposition(template, version, plan, version.Takes(size), tariff.Of(plan.Size, size), form.Count, nameProblem is null ? names! : [], nameProblem, [.. keys.DistinctBy(k => k.Fingerprint)], UserData.TryParse(form.UserData, out var data) ? data : null, form.LeaseEndsAt?.ToUniversalTime());
    }

    private static Refusal? CheckSize(Plan plan, VmSize size) => Shape.Check(
        (size.Vcpus >= plan.Vcpus && size.Vcpus <= plan.MaxVcpus, "vcpus", Has(plan.Name, plan.Vcpus, plan.MaxVcpus, "vCPU")),
        (size.Memory >= plan.Memory && size.Memory <= plan.MaxMemory, "memoryMiB", Has(plan.Name, plan.Memory, plan.MaxMemory, "of memory")),
        (size.Disk >= plan.Disk && size.Disk <= plan.MaxDisk, "diskGiB", Has(plan.Name, plan.Disk, plan.MaxDisk, "of disk")));

    private static string Has<T>(string plan, T least, T most, string what)
        where T : struct, IEquatable<T> => least.Equals(most) ? $"{plan} has {least} {what}." : $"{plan} has {least} to {most} {what}.";

    public static async Task<HashSet<string>> TakenNamesAsync(PortalDb db, ProjectId project, CancellationToken ct)
    {
        var built = await db.Vms.Where(v => v.ProjectId == project && v.DeletedAt == null).Select(v => v.Name).ToListAsync(ct);
        var waiting = await (from line in db.OrderLines
                             join order in db.Orders on line.OrderId equals order.Id
                             where order.ProjectId == project && line.State == LineState.Waiting && line.ChangesVmId == null
                             select line.Names).ToListAsync(ct);
        return built.Concat(waiting.SelectMany(n => n)).ToHashSet(StringComparer.Ordinal);
    }
}
