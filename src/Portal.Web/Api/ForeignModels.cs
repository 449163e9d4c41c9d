using Portal.App.Control;
using Portal.App.Fleet;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <param name="Config">In the words of xl or of the old xm.</param>
internal sealed record ForeignConfigBody(string? Config);

/// <param name="Address">The one that its guest has.</param>
/// <param name="MayShutDown">Whether it may be shut down where it runs; it is started again.</param>
internal sealed record AdoptBody(Guid Tenant, Guid Plan, string Name, string Address, bool MayShutDown = false);

internal sealed record AdoptedJson(Guid Vm, Guid Operation);

/// <param name="Name">Null where a file describes a domain without one.</param>
/// <param name="Vm">The VM that it is by now; null where it was not adopted.</param>
internal sealed record ForeignSightingJson(string? Name, string State, IReadOnlyList<ForeignReadingJson> Readings, AdoptionOfferJson? Offer, Guid? Vm, string? VmName)
{
    public static ForeignSightingJson Of(FindForeign.Row row) => new(
        row.Sighting.Name, row.Sighting.State.ToString(), [.. row.Sighting.Readings.Select(r => new ForeignReadingJson(r.Source, r.Autostart, ForeignDomainJson.Of(r.Domain)))],
        row.Sighting.Offer is { } offer ? AdoptionOfferJson.Of(offer, row.Sighting.State == DomainState.Running) : null, row.Vm?.Value, row.VmName);
}

/// <param name="Obstacles">What stands against adopting it; the rest says nothing where anything does.</param>
/// <param name="Permit">The line that its host's administrator adds to /etc/portal-host.conf to allow it.</param>
/// <param name="Steps">What is done on the host, in words.</param>
internal sealed record AdoptionOfferJson(IReadOnlyList<string> Obstacles, string Permit, bool Permitted, IReadOnlyList<string> Steps, IReadOnlyList<string> Losses, int Vcpus, long MemoryMiB, long DiskBytes, string? Mac, string? Ip)
{
    public static AdoptionOfferJson Of(AdoptionOffer o, bool runs) => new(o.Obstacles, o.Permit, o.Permitted, AdoptDomain.WordsOf(o, runs), o.Losses, o.Vcpus, o.Memory.CeilingMiB, o.Disk.Bytes, o.Mac?.ToString(), o.Ip);
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
