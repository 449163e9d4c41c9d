using Portal.Engine;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <param name="Config">In the words of xl or of the old xm.</param>
internal sealed record ForeignConfigBody(string? Config);

/// <param name="Name">Null where a file describes a domain without one.</param>
internal sealed record ForeignSightingJson(string? Name, string State, IReadOnlyList<ForeignReadingJson> Readings)
{
    public static ForeignSightingJson Of(ForeignSighting s) => new(s.Name, s.State.ToString(), [.. s.Readings.Select(r => new ForeignReadingJson(r.Source, r.Autostart, ForeignDomainJson.Of(r.Domain)))]);
}

/// <param name="Source">A file of the host, or the command that told it.</param>
internal sealed record ForeignReadingJson(string Source, bool Autostart, ForeignDomainJson Domain);

internal sealed record ForeignDiskJson(string Backend, string? Target, string GuestDevice, bool ReadOnly, string Format, bool Cdrom);

internal sealed record ForeignVifJson(string? Mac, string? Bridge, string? Ip, string? Script, string? HostDevice, string? Model, long? BytesPerSecond);

/// <param name="Vcpu">Null for all of the domain's.</param>
internal sealed record CpuPinJson(int? Vcpu, string Cpus);

internal sealed record UnderstoodJson(string Key, string Value, string Meaning);

internal sealed record NotUnderstoodJson(int? Line, string? Key, string Text, string Why);

/// <param name="CpuCap">In per cent of one processor; null for none.</param>
internal sealed record ForeignDomainJson(
    string? Name, int? DomId, string Type, Guid? Uuid, string? Kernel, string? Ramdisk, string? Bootloader, string? CommandLine, long? MemoryMiB, long? MaxMemoryMiB, int Vcpus, int MaxVcpus, int? CpuWeight, long? CpuCap,
    IReadOnlyList<CpuPinJson> Pins, IReadOnlyList<ForeignDiskJson> Disks, IReadOnlyList<ForeignVifJson> Vifs, string OnPowerOff, string OnReboot, string OnCrash,
    IReadOnlyList<UnderstoodJson> Understood, IReadOnlyList<NotUnderstoodJson> NotUnderstood, IReadOnlyList<string> Warnings)
{
    public static ForeignDomainJson Of(ForeignDomain d) => new(
        d.Name, d.DomId, d.Type.ToString(), d.Uuid, d.Kernel, d.Ramdisk, d.Bootloader, d.CommandLine, d.Memory?.CeilingMiB, d.MaxMemory?.CeilingMiB, d.Vcpus, d.MaxVcpus, d.CpuWeight, d.CpuCap is Limit.AtMost(var cap) ? cap : null,
        [.. d.Pins.Select(p => new CpuPinJson(p.Vcpu, p.Cpus))],
        [.. d.Disks.Select(k => new ForeignDiskJson(k.Backend, k.Target, k.GuestDevice, k.ReadOnly, k.Format, k.Cdrom))],
        [.. d.Vifs.Select(v => new ForeignVifJson(v.Mac?.ToString(), v.Bridge, v.Ip, v.Script, v.HostDevice, v.Model, v.RatePerSecond?.Bytes))],
        d.OnPowerOff.ToString(), d.OnReboot.ToString(), d.OnCrash.ToString(),
        [.. d.Understood.Select(u => new UnderstoodJson(u.Key, u.Value, u.Meaning))],
        [.. d.NotUnderstood.Select(n => new NotUnderstoodJson(n.Line, n.Key, n.Text, n.Why))],
        d.Warnings);
}
