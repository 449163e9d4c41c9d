using Portal.Kernel;

namespace Portal.Engine.Xen.Import;

/// <summary>A foreign domain while its source is being read.</summary>
internal sealed class ForeignDraft
{
    private const int LongestShown = 200;

    private readonly List<UnderstoodSetting> _understood = [];
    private readonly List<NotUnderstoodSetting> _notUnderstood = [];
    private readonly List<string> _warnings = [];

    public string? Name { get; set; }

    public int? DomId { get; set; }

    public ForeignDomainType? Type { get; set; }

    public Guid? Uuid { get; set; }

    public string? Kernel { get; set; }

    public string? Ramdisk { get; set; }

    public string? Bootloader { get; set; }

    public KernelArguments Arguments { get; } = new();

    public ByteSize? Memory { get; set; }

    public ByteSize? MaxMemory { get; set; }

    public int? Vcpus { get; set; }

    public int? MaxVcpus { get; set; }

    public int? CpuWeight { get; set; }

    public Limit CpuCap { get; set; } = Limit.None;

    public IReadOnlyList<CpuPin> Pins { get; set; } = [];

    public List<ForeignDisk> Disks { get; } = [];

    public List<ForeignVif> Vifs { get; } = [];

    /// <summary>How many interfaces it has at least: xm made the missing ones up.</summary>
    public int LeastVifs { get; set; }

    public ShutdownAction? OnPowerOff { get; set; }

    public ShutdownAction? OnReboot { get; set; }

    public ShutdownAction? OnCrash { get; set; }

    /// <summary>Writes down what became of a setting.</summary>
    public void Note(string key, int? line, string value, Reading reading)
    {
        if (!reading.Understood)
        {
            Miss(new NotUnderstoodSetting(line, key, value, reading.Words));
            return;
        }

        _understood.Add(new UnderstoodSetting(key, value, reading.Words));
        if (reading.Warning is { } warning)
        {
            Warn(warning);
        }
    }

    public void Miss(NotUnderstoodSetting missed)
    {
        var shown = missed.Text.Length > LongestShown ? missed.Text[..LongestShown] + "…" : missed.Text;
        _notUnderstood.Add(missed with { Text = string.Concat(shown.Select(c => char.IsControl(c) ? ' ' : c)) });
    }

    public void Warn(string warning) => _warnings.Add(warning);

    /// <summary>What was read, completed as xl completes it (tools/xl/xl_parse.c, parse_config_data).</summary>
    public ForeignDomain Finish(KnownOnHost known)
    {
        var domain = new ForeignDomain
        {
            Name = Name,
            DomId = DomId,
            Type = Type ?? ForeignDomainType.Pv,
            Uuid = Uuid,
            Kernel = Kernel,
            Ramdisk = Ramdisk,
            Bootloader = Bootloader,
            CommandLine = Arguments.Compose(),
            Memory = Memory,
            MaxMemory = MaxMemory ?? Memory,
            Vcpus = Vcpus ?? 1,
            MaxVcpus = MaxVcpus ?? Vcpus ?? 1,
            CpuWeight = CpuWeight,
            CpuCap = CpuCap,
            Pins = Pins,
            Disks = Disks,
            Vifs = [.. Vifs, .. Enumerable.Repeat(new ForeignVif(), Math.Max(0, LeastVifs - Vifs.Count))],
            OnPowerOff = OnPowerOff ?? ShutdownAction.Destroy,
            OnReboot = OnReboot ?? ShutdownAction.Restart,
            OnCrash = OnCrash ?? ShutdownAction.Destroy,
            Understood = _understood,
            NotUnderstood = [.. _notUnderstood.OrderBy(missed => missed.Line)],
            Warnings = [],
        };
        return domain with { Warnings = [.. _warnings.Concat(Arguments.Doubts()).Concat(Doubts.Of(domain, known)).Distinct()] };
    }
}
