using Portal.Engine.Remote;

namespace Portal.Engine.Xen;

/// <summary>How guests can run on a Xen host, by what its hypervisor says of the processor and by what lies on its disk. Pure.</summary>
internal sealed record XenKinds
{
    private const string KernelSubject = "Guests with a kernel of their template";
    private const string PcSubject = "Guests that start from their own disk";

    // What a whole PC is made of, and the packages of Debian that they come with.
    private static readonly (string Part, string Package)[] s_parts = [("device_model", "qemu-system-xen"), ("hvmloader", "xen-utils-4.17"), ("seabios", "seabios")];

    private readonly IReadOnlyList<string> _missing;
    private readonly string? _hardware;

    /// <param name="capabilities">The virt_caps of `xl info`.</param>
    /// <param name="parts">As portal-host tells them.</param>
    public XenKinds(string capabilities, IReadOnlyList<string> parts)
    {
        var words = capabilities.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        _missing = [.. s_parts.Where(p => !parts.Contains(p.Part)).Select(p => p.Package)];
        // Debian's Xen has no shadow paging: where the processor does not look up a guest's pages itself, "hvm" alone starts nothing.
        _hardware = !words.Contains("hvm") ? "its processor has no virtualisation of its own, or its firmware has that switched off"
            : !words.Contains("hap") && !words.Contains("shadow") ? "its processor's virtualisation has no nested paging, which this Xen wants"
            : null;
        Kinds = (words.Contains("pv") ? GuestKinds.Pv : GuestKinds.None)
            | (_hardware is null ? GuestKinds.Pvh : GuestKinds.None)
            | (_hardware is null && _missing.Count == 0 ? GuestKinds.Hvm : GuestKinds.None);
    }

    public GuestKinds Kinds { get; }

    /// <summary>Why no guest can start from its own disk, in words that follow a colon; null where they can.</summary>
    public string? WhyNoPcs => _hardware ?? (_missing.Count == 0 ? null : $"there is no {string.Join(", no ", _missing)}");

    /// <summary>Whether guests whose kernel the host starts can run as its settings say.</summary>
    public HostCheck KernelCheck(KernelGuests guests) => (guests, Kinds) switch
    {
        (KernelGuests.Pvh, _) when _hardware is { } why => HostCheck.Bad("guests.no_pvh", KernelSubject, $"they are to run as PVH, and {why}", "Switch virtualisation (VT-x, AMD-V) on in the machine's firmware, or choose paravirtualised in this host's settings."),
        (KernelGuests.Pvh, _) => HostCheck.Good("guests", KernelSubject, "run as PVH"),
        (_, var kinds) when !kinds.HasFlag(GuestKinds.Pv) => HostCheck.Bad("guests.no_pv", KernelSubject, "they are to run paravirtualised, which this Xen was built without", "Choose PVH in this host's settings."),
        (_, var kinds) when kinds.HasFlag(GuestKinds.Pvh) => HostCheck.Good("guests", KernelSubject, "run paravirtualised; this machine could run them as PVH, which Xen's makers advise: choose it in this host's settings"),
        _ => HostCheck.Good("guests", KernelSubject, "run paravirtualised"),
    };

    /// <summary>Whether guests can start from their own disk. A host that cannot is a good one for all others.</summary>
    public HostCheck PcCheck => _hardware is { } why ? HostCheck.Good("pcs.none", PcSubject, $"do not come here: {why}")
        : _missing.Count > 0 ? HostCheck.Warning("pcs.missing", PcSubject, $"do not come here: {WhyNoPcs}", $"apt install {string.Join(' ', _missing)}")
        : HostCheck.Good("pcs", PcSubject, "run as whole PCs (HVM); the device model of each takes some 100 MiB of the host's own memory");

    public static XenKinds Of(XenInfo info, HostFacts facts) => new(info.Capabilities, facts.Parts);
}
