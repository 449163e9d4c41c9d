using System.Globalization;
using System.Text.Json;
using Portal.Kernel;

namespace Portal.Engine.Xen.Import;

/// <summary>
/// Reads `xl list -l` of Xen 4.17: a list of objects with domid and config, which is a libxl_domain_config (tools/xl/xl_info.c, printf_info_one_json;
/// tools/libs/light/libxl_types.idl). libxl leaves out what has its default value (tools/libs/light/gentypes.py, get_default_expr).
/// </summary>
internal static class XlListReader
{
    private const long MostKiB = 1L << 40;

    // What the portal does not give to a guest, by its place in libxl_domain_config.
    private static readonly string[] s_lost = ["pcidevs", "rdms", "dtdevs", "vtpms", "p9s", "pvcallsifs", "vdispls", "vsnds", "channels", "usbctrls", "usbdevs", "virtios"];

    /// <summary>Every domain but Domain-0, which is the host itself.</summary>
    /// <exception cref="HostFaultException">That is no list of domains.</exception>
    public static IReadOnlyList<ForeignDomain> Read(string json, KnownOnHost known)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return [.. document.RootElement.EnumerateArray().Select(item => new JsonPart(item)).Where(item => item["domid"].Number != 0).Select(item => Domain(item, known))];
        }
        catch (Exception foreign) when (foreign is JsonException or InvalidOperationException)
        {
            throw new HostFaultException($"xl list -l answered what cannot be understood: {json[..Math.Min(json.Length, 200)]}", foreign);
        }
    }

    private static ForeignDomain Domain(JsonPart item, KnownOnHost known)
    {
        var config = item["config"];
        var draft = new ForeignDraft { DomId = item["domid"].Number is >= 0 and <= ushort.MaxValue and var id ? (int)id : null };
        Identity(draft, config["c_info"]);
        Machine(draft, config["b_info"]);
        foreach (var disk in config["disks"].Items)
        {
            draft.Note("disks", null, disk.ToString(), Disk(draft, disk, known));
        }

        foreach (var nic in config["nics"].Items)
        {
            draft.Note("nics", null, nic.ToString(), Vif(draft, nic));
        }

        // Destroy is the default of all three here, so where libxl says nothing it means that.
        draft.OnPowerOff = Action(draft, "on_poweroff", config["on_poweroff"], "When it has shut down");
        draft.OnReboot = Action(draft, "on_reboot", config["on_reboot"], "When its guest restarts");
        draft.OnCrash = Action(draft, "on_crash", config["on_crash"], "When it has crashed");
        foreach (var key in s_lost.Where(key => config[key].Items.Count > 0))
        {
            draft.Note(key, null, config[key].ToString(), Reading.Not("The portal gives no such devices to a guest."));
        }

        return draft.Finish(known);
    }

    private static void Identity(ForeignDraft draft, JsonPart info)
    {
        draft.Name = Text(draft, "c_info.name", info["name"], "The domain's name.");
        draft.Uuid = Take(draft, "c_info.uuid", info["uuid"], part => Guid.TryParseExact(part.Text, "D", out var uuid) ? uuid : (Guid?)null, _ => "The number by which the domain is known for life.");
        draft.Type = Take(draft, "c_info.type", info["type"], TypeOf, type => $"It is of the type {type.ToString().ToUpperInvariant()}.");
    }

    private static void Machine(ForeignDraft draft, JsonPart info)
    {
        draft.Kernel = Text(draft, "b_info.kernel", info["kernel"], "The kernel, a file of the host.");
        draft.Ramdisk = Text(draft, "b_info.ramdisk", info["ramdisk"], "The RAM disk that the kernel starts with, a file of the host.");
        draft.Bootloader = Text(draft, "b_info.bootloader", info["bootloader"], "The program of the host that takes the kernel from the guest's disk.");
        draft.Arguments.Whole = Text(draft, "b_info.cmdline", info["cmdline"], "The kernel's command line.");
        draft.Memory = Take(draft, "b_info.target_memkb", info["target_memkb"], SizeOf, size => $"The domain has {size} of memory.");
        draft.MaxMemory = Take(draft, "b_info.max_memkb", info["max_memkb"], SizeOf, size => $"Its memory may grow to {size}.");
        draft.Vcpus = Take(draft, "b_info.avail_vcpus", info["avail_vcpus"], part => part.Items.Count is > 0 and var count ? count : (int?)null, count => $"Virtual processors: {count}.");
        draft.MaxVcpus = Take(draft, "b_info.max_vcpus", info["max_vcpus"], SmallOf, count => $"Virtual processors at most: {count}.");
        var share = info["sched_params"];
        draft.CpuWeight = Take(draft, "b_info.sched_params.weight", share["weight"], SmallOf, weight => $"Its share of busy processors is {weight}, where others have 256.");
        draft.CpuCap = Take(draft, "b_info.sched_params.cap", share["cap"], part => part.Number, CpuWords.MeaningOfCap) is > 0 and var cap ? Limit.Of(cap) : Limit.None;
        draft.Pins = [.. info["vcpu_hard_affinity"].Items.Select((cpus, vcpu) => new CpuPin(vcpu, CpusOf(cpus))).Where(pin => pin.Cpus.Length > 0)];
        if (draft.Pins.Count > 0)
        {
            draft.Note("b_info.vcpu_hard_affinity", null, info["vcpu_hard_affinity"].ToString(), Reading.Means(CpuWords.MeaningOf(draft.Pins)));
        }
    }

    private static Reading Disk(ForeignDraft draft, JsonPart part, KnownOnHost known)
    {
        // Without these two there is nothing to adopt; a path is missing only where the drive is empty. The script "block" is Xen's own, which makes nothing else of it.
        var target = part["pdev_path"].Text is { } path ? DevicePath.Whole(path, known) : null;
        var cdrom = part["is_cdrom"].Number is > 0;
        if (part["vdev"].Text is not { } device || (target is null && !cdrom) || part["backend_domid"].Number is > 0 || part["script"].Text is not (null or "block"))
        {
            return Reading.Not("The disk has no place on this host, or comes by a script or from another domain; the portal has no such disks.");
        }

        var disk = DiskWords.Make(part["backend"].Text ?? "phy", target, device, cdrom || part["readwrite"].Number is not > 0, part["format"].Text is { } format and not "empty" ? format : "raw", cdrom);
        draft.Disks.Add(disk);
        return Reading.Means(DiskWords.Meaning(disk));
    }

    private static Reading Vif(ForeignDraft draft, JsonPart part)
    {
        var vif = new ForeignVif
        {
            Mac = MacAddress.TryParse(part["mac"].Text, out var mac) ? mac : null,
            Bridge = part["bridge"].Text,
            Ip = part["ip"].Text,
            Script = part["script"].Text,
            HostDevice = part["ifname"].Text,
            Model = part["model"].Text,
            RatePerSecond = RateOf(part["rate_bytes_per_interval"].Number, part["rate_interval_usecs"].Number),
        };
        draft.Vifs.Add(vif);
        return Reading.Means(VifWords.Meaning(vif));
    }

    private static ShutdownAction Action(ForeignDraft draft, string key, JsonPart part, string when) =>
        Take(draft, key, part, p => p.Text is { } word ? ActionWords.Parse(word) : null, action => ActionWords.Meaning(when, action)) ?? ShutdownAction.Destroy;

    private static string? Text(ForeignDraft draft, string key, JsonPart part, string meaning)
    {
        if (part.Element.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return null;
        }

        draft.Note(key, null, part.Text ?? part.ToString(), part.Text is null ? Reading.Not("This is no plain text.") : Reading.Means(meaning));
        return part.Text;
    }

    private static T? Take<T>(ForeignDraft draft, string key, JsonPart part, Func<JsonPart, T?> read, Func<T, string> meaning)
        where T : struct
    {
        if (part.Element.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return null;
        }

        var value = read(part);
        draft.Note(key, null, part.Text ?? part.ToString(), value is { } known ? Reading.Means(meaning(known)) : Reading.Not("libxl writes no such value here."));
        return value;
    }

    private static ForeignDomainType? TypeOf(JsonPart part) => part.Text switch
    {
        "pv" => ForeignDomainType.Pv,
        "pvh" => ForeignDomainType.Pvh,
        "hvm" => ForeignDomainType.Hvm,
        _ => null,
    };

    private static ByteSize? SizeOf(JsonPart part) => part.Number is > 0 and < MostKiB and var kib ? new ByteSize(kib * 1024) : null;

    private static int? SmallOf(JsonPart part) => part.Number is > 0 and <= ushort.MaxValue and var number ? (int)number : null;

    private static ByteSize? RateOf(long? bytes, long? microseconds) =>
        bytes is > 0 and < uint.MaxValue && microseconds is > 0 ? new ByteSize((long)(bytes.Value * 1_000_000m / microseconds.Value)) : null;

    // A set of processors is the list of its numbers; spans make it the words of xl.cfg(5).
    private static string CpusOf(JsonPart cpus)
    {
        List<(long First, long Last)> spans = [];
        foreach (var cpu in cpus.Items.Select(item => item.Number).OfType<long>().Order())
        {
            if (spans is [.., var (first, last)] && cpu == last + 1)
            {
                spans[^1] = (first, cpu);
            }
            else
            {
                spans.Add((cpu, cpu));
            }
        }

        return string.Join(',', spans.Select(span => span.First == span.Last ? Words(span.First) : $"{Words(span.First)}-{Words(span.Last)}"));

        static string Words(long cpu) => cpu.ToString(CultureInfo.InvariantCulture);
    }
}
