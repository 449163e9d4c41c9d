using Portal.Engine;

namespace Portal.App.Operations;

/// <summary>Changes of a domain as people read them.</summary>
public static class ChangeWords
{
    /// <summary>A change for people, as a verb: "Pause", "Use 256 MiB of memory".</summary>
    public static string Words(this DomainChange change) => change switch
    {
        DomainChange.Pause => "Pause",
        DomainChange.Resume => "Resume",
        DomainChange.Save => "Save to disk",
        DomainChange.PressSysRq(var key) => $"Press SysRq {key}",
        DomainChange.SetMemory(var memory) => $"Use {memory} of memory",
        DomainChange.SetVcpus(var vcpus) => $"Use {vcpus} vCPU",
        DomainChange.Pin(var vcpu, { Count: 0 }) => $"Let {Who(vcpu)}run on any processor",
        DomainChange.Pin(null, var cpus) => $"Pin to {Processors(cpus)}",
        DomainChange.Pin(var vcpu, var cpus) => $"Pin vCPU {vcpu} to {Processors(cpus)}",
        DomainChange.SetShare(var weight, var cap) => $"Weight {weight}, {(cap == 0 ? "no cap" : $"cap {cap} %")}",
        DomainChange.MakeVolume(var label, var size, _) => $"Make volume {label} of {size}",
        DomainChange.AttachVolume(var label, var device, var readOnly) => $"Attach volume {label} as {device}{(readOnly ? ", read only" : "")}",
        DomainChange.AttachDevice(var path, var device, var readOnly) => $"Attach the host's {path} as {device}{(readOnly ? ", read only" : "")}",
        DomainChange.DetachVolume(var device) => $"Detach {device}",
        DomainChange.RemoveVolume(var label) => $"Remove volume {label}",
        DomainChange.GrowVolume(null, var size) => $"Grow the root disk to {size}",
        DomainChange.GrowVolume(var label, var size) => $"Grow volume {label} to {size}",
        DomainChange.TakeSnapshot(var label) => $"Take snapshot {label}",
        DomainChange.RevertToSnapshot(var label) => $"Go back to snapshot {label}",
        DomainChange.RemoveSnapshot(var label) => $"Remove snapshot {label}",
        DomainChange.AttachNic(var mac) => $"Attach network card {mac}",
        DomainChange.DetachNic(var mac) => $"Detach network card {mac}",
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, "No words for this change."),
    };

    private static string Who(int? vcpu) => vcpu is { } one ? $"vCPU {one} " : "it ";

    private static string Processors(IReadOnlyList<int> cpus) => $"processor{(cpus.Count == 1 ? "" : "s")} {string.Join(", ", cpus)}";
}
