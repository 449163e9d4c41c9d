using Portal.App.Catalogue;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.Web.Ordering;

/// <summary>One kind of VM in an order form while it is filled in.</summary>
public sealed class LineDraft
{
    public TemplateId Template { get; set; }

    public PlanId Plan { get; set; }

    public string Name { get; set; } = "";

    /// <summary>Whether something was ever typed there: a name that was not typed yet is no mistake to point at.</summary>
    public bool NameTouched { get; set; }

    /// <summary>As it was typed, however large.</summary>
    public long Count { get; set; } = 1;

    /// <summary>For the first boot. In no address: it may be long, and a secret.</summary>
    public string UserData { get; set; } = "";

    /// <summary>The last day of its VMs, in UTC; null where they may stay.</summary>
    public DateOnly? LastDay { get; set; }

    /// <summary>Where the plan's size is chosen, as it was typed, as are the next two; else without meaning.</summary>
    public long Vcpus { get; set; }

    public long MemoryMiB { get; set; }

    public long DiskGiB { get; set; }

    /// <summary>Takes a plan, and its smallest size where there is one to choose.</summary>
    public void Take(PlanRow plan)
    {
        Plan = plan.Id;
        (Vcpus, MemoryMiB, DiskGiB) = (plan.Size.Vcpus, plan.Size.Memory.CeilingMiB, plan.Size.Disk.CeilingGiB);
    }

    /// <summary>A line that was kept. What is not on offer any more stays chosen, so that it is said.</summary>
    /// <param name="plans">Those on offer.</param>
    public static LineDraft Of(LineForm line, IReadOnlyList<PlanRow> plans)
    {
        var draft = new LineDraft { Template = line.Template, Name = line.Name, NameTouched = line.Name.Length > 0, Count = line.Count, UserData = line.UserData ?? "", LastDay = line.LeaseEndsAt is { } end ? Lease.LastDayOf(end) : null };
        if (plans.FirstOrDefault(p => p.Id == line.Plan) is { } plan)
        {
            draft.Take(plan);
        }

        draft.Plan = line.Plan;
        if (line.Size is { } size)
        {
            (draft.Vcpus, draft.MemoryMiB, draft.DiskGiB) = (size.Vcpus, size.Memory.CeilingMiB, size.Disk.CeilingGiB);
        }

        return draft;
    }

    internal VmSize Size => new((int)Math.Clamp(Vcpus, 0, int.MaxValue), ByteSize.FromMiB(Math.Clamp(MemoryMiB, 0, 1L << 40)), ByteSize.FromGiB(Math.Clamp(DiskGiB, 0, 1L << 30)));
}

/// <summary>An order form while it is filled in. It stands in the page's address, so that a reload, or a colleague with the link, sees the same.</summary>
public sealed class OrderDraft
{
    /// <summary>Made when the form opens: the same key makes the same order, however often the button is pressed.</summary>
    public string Key { get; set; } = "";

    /// <summary>At least one.</summary>
    public IReadOnlyList<LineDraft> Lines { get; private set; } = [new()];

    /// <summary>The line whose fields are shown.</summary>
    public LineDraft Open { get; private set; }

    /// <summary>The stored keys that are ticked.</summary>
    public HashSet<SshKeyId> Keys { get; } = [];

    /// <summary>Further keys, one a line.</summary>
    public string Pasted { get; set; } = "";

    public string Note { get; set; } = "";

    public OrderDraft() => Open = Lines[0];

    public OrderDraft(IReadOnlyList<LineDraft> lines)
        : this()
    {
        if (lines.Count > 0)
        {
            Lines = lines;
            Open = lines[0];
        }
    }

    /// <summary>Of what was pasted, what may stand in an address: public keys. A private key pasted by mistake must reach neither a browser's history nor a proxy's log.</summary>
    public string PublicPasted => string.Join('\n', PastedLines.Where(line => SshPublicKey.TryParse(line, out _)));

    private string[] PastedLines => Pasted.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Adds a line like the open one, without a name, and opens it.</summary>
    public void Add()
    {
        var line = new LineDraft { Template = Open.Template, Plan = Open.Plan, Vcpus = Open.Vcpus, MemoryMiB = Open.MemoryMiB, DiskGiB = Open.DiskGiB, LastDay = Open.LastDay };
        Lines = [.. Lines, line];
        Open = line;
    }

    public void Show(LineDraft line) => Open = line;

    /// <summary>Takes a line out; the last one stays.</summary>
    public void Remove(LineDraft line)
    {
        if (Lines.Count == 1)
        {
            return;
        }

        var place = Lines.ToList().IndexOf(line);
        Lines = [.. Lines.Where(l => l != line)];
        Open = line == Open ? Lines[Math.Min(place, Lines.Count - 1)] : Open;
    }

    /// <summary>Empties the field where a private key was pasted: it must not stay on the screen either.</summary>
    /// <returns>Whether there was one.</returns>
    public bool DropPrivateKey()
    {
        if (!SshPublicKey.LooksPrivate(Pasted))
        {
            return false;
        }

        Pasted = "";
        return true;
    }

    /// <summary>Ticks the stored keys among these; the others stand as if they were pasted.</summary>
    public void TakeKeys(IReadOnlyList<SshKeyRow> stored, IReadOnlyList<string> lines)
    {
        Keys.UnionWith(stored.Where(k => lines.Contains(k.Line)).Select(k => k.Id));
        Pasted = string.Join('\n', lines.Except(stored.Select(k => k.Line)));
    }

    /// <summary>The form as the handlers take it: each line gets the same keys.</summary>
    /// <param name="custom">The plans whose size is chosen.</param>
    public OrderForm ToForm(IReadOnlyDictionary<SshKeyId, string> stored, IReadOnlySet<PlanId> custom)
    {
        string[] keys = [.. Keys.Where(stored.ContainsKey).Select(k => stored[k]).Order(StringComparer.Ordinal), .. PastedLines];
        return new OrderForm([.. Lines.Select(l => new LineForm(l.Template, l.Plan, l.Name.Trim(), (int)Math.Clamp(l.Count, 0, int.MaxValue), keys, l.UserData, custom.Contains(l.Plan) ? l.Size : null, l.LastDay is { } day ? Lease.EndOf(day) : null))], Note);
    }
}
