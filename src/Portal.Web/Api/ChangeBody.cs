using System.Text.Json.Serialization;
using Portal.App.Access;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.Web.Api;

/// <summary>What a change is called in a request.</summary>
internal enum ChangeKind
{
    Pause,
    Resume,
    Save,
    SysRq,
    Memory,
    Vcpus,
    Pin,
    Share,
    Device,
    Detach,
}

// One type for all kinds: which fields go with a kind is said by their names, where a reader of many types would only say that it could not read.
/// <summary>A change of a VM. Its kind says which; only the fields that go with it are given.</summary>
/// <param name="Key">With SysRq: one of s m t w r f u e i b.</param>
/// <param name="MemoryMiB">With Memory: at most what the VM was ordered with.</param>
/// <param name="Vcpus">With Vcpus: at most what the VM was ordered with.</param>
/// <param name="Vcpu">With Pin: counted from 0; left out for all.</param>
/// <param name="Cpus">With Pin: the host's processors, counted from 0; empty for any.</param>
/// <param name="Weight">With Share: 1 to 65535; 256 is everybody's.</param>
/// <param name="Path">With Device: the host's own block device, one of those that its settings name.</param>
/// <param name="Device">With Device and Detach: the guest's name for it, xvdc to xvdp, on a KVM host vdc to vdp.</param>
/// <param name="ReadOnly">With Device: whether the guest may not write to it.</param>
/// <param name="Cap">With Share: in percent of one processor; 0 for none.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ChangeBody(
    ChangeKind Kind, char? Key = null, int? MemoryMiB = null, int? Vcpus = null, int? Vcpu = null, IReadOnlyList<int>? Cpus = null, int? Weight = null, int? Cap = null,
    string? Path = null, string? Device = null, bool? ReadOnly = null)
{
    /// <summary>The change; refused where not just the fields of its kind are given.</summary>
    public Result<DomainChange> ToChange()
    {
        if (Check() is { } refusal)
        {
            return refusal;
        }

        return Kind switch
        {
            ChangeKind.Pause => new DomainChange.Pause(),
            ChangeKind.Resume => new DomainChange.Resume(),
            ChangeKind.Save => new DomainChange.Save(),
            ChangeKind.SysRq => new DomainChange.PressSysRq(Key!.Value),
            ChangeKind.Memory => new DomainChange.SetMemory(ByteSize.FromMiB(MemoryMiB!.Value)),
            ChangeKind.Vcpus => new DomainChange.SetVcpus(Vcpus!.Value),
            ChangeKind.Pin => new DomainChange.Pin(Vcpu, Cpus!),
            ChangeKind.Device => new DomainChange.AttachDevice(Path!, Device!, ReadOnly ?? false),
            ChangeKind.Detach => new DomainChange.DetachVolume(Device!),
            ChangeKind.Share => new DomainChange.SetShare(Weight!.Value, Cap!.Value),
        };
    }

    private Invalid? Check()
    {
        if (!Enum.IsDefined(Kind))
        {
            return new Invalid("kind", $"The kinds are {string.Join(", ", Enum.GetNames<ChangeKind>())}.");
        }

        if (MemoryMiB < 0)
        {
            return new Invalid("memoryMiB", "Memory is not negative.");
        }

        (string Name, bool Given, ChangeKind Of, bool Needed)[] fields =
        [
            ("key", Key is not null, ChangeKind.SysRq, true),
            ("memoryMiB", MemoryMiB is not null, ChangeKind.Memory, true),
            ("vcpus", Vcpus is not null, ChangeKind.Vcpus, true),
            ("vcpu", Vcpu is not null, ChangeKind.Pin, false),
            ("cpus", Cpus is not null, ChangeKind.Pin, true),
            ("weight", Weight is not null, ChangeKind.Share, true),
            ("cap", Cap is not null, ChangeKind.Share, true),
            ("path", Path is not null, ChangeKind.Device, true),
            ("device", Device is not null, Kind == ChangeKind.Detach ? ChangeKind.Detach : ChangeKind.Device, true),
            ("readOnly", ReadOnly is not null, ChangeKind.Device, false),
        ];
        var wrong = fields.Where(f => f.Of == Kind ? f.Needed && !f.Given : f.Given)
            .Select(f => new Invalid(f.Name, f.Given ? $"{f.Name} does not go with {Kind}." : $"{Kind} needs {f.Name}.")).ToList();
        return wrong is [var first, .. var others] ? first with { Also = others } : null;
    }
}
