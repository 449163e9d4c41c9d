using Portal.Kernel;

namespace Portal.Engine;

/// <summary>
/// What can be changed of a domain that exists, beside starting and ending it. Each looks first, acts only if needed and looks again, so it is safe to
/// repeat; <see cref="PressSysRq"/> alone acts each time. A driver takes those that are among its <see cref="IVmEngine.Abilities"/>.
/// </summary>
public abstract record DomainChange
{
    private DomainChange()
    {
    }

    /// <summary>What a driver must be able to do for it.</summary>
    public abstract DomainAbility Needs { get; }

    /// <summary>Stops the guest's clock where it is; it keeps its memory.</summary>
    public sealed record Pause : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Pause;
    }

    /// <summary>Lets a paused guest go on.</summary>
    public sealed record Resume : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Pause;
    }

    /// <summary>Writes the guest's memory to the host's disk and ends the domain; its next start goes on from there, and taking its power away gives it up.</summary>
    public sealed record Save : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Save;
    }

    /// <summary>A key of the kernel's emergency keyboard: s syncs disks, b reboots at once. It is pressed again each time.</summary>
    /// <param name="Key">One lower-case letter.</param>
    public sealed record PressSysRq(char Key) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.SysRq;
    }

    /// <summary>Has the guest give memory back, or take it again, while it runs.</summary>
    /// <param name="Memory">At most what it was built with.</param>
    public sealed record SetMemory(ByteSize Memory) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Memory;
    }

    /// <summary>Has the guest use fewer of its processors, or lets it use all of them again, while it runs. Whether it switches on what comes back is its own affair.</summary>
    /// <param name="Vcpus">At most what it was built with.</param>
    public sealed record SetVcpus(int Vcpus) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Vcpus;
    }

    /// <summary>Lets vCPUs run on these of the host's processors alone.</summary>
    /// <param name="Vcpu">Counted from 0; null for all of them.</param>
    /// <param name="Cpus">The host's, counted from 0; empty for any.</param>
    public sealed record Pin(int? Vcpu, IReadOnlyList<int> Cpus) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Pin;
    }

    /// <summary>Its share of the host's processors, for as long as it runs.</summary>
    /// <param name="Weight">Against those of others: 256 is everybody's, 512 gets twice as much where there is not enough.</param>
    /// <param name="Cap">In percent of one processor, also where others are idle; 0 for none.</param>
    public sealed record SetShare(int Weight, int Cap) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Share;
    }

    /// <summary>Makes a volume beside the root disk; it is not attached yet.</summary>
    public sealed record MakeVolume(VolumeLabel Label, ByteSize Size, VolumeFormat Format) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Volumes;
    }

    /// <summary>Gives a volume beside the root disk to the running guest.</summary>
    /// <param name="Device">The host's name for the place, see <see cref="IVmEngine.DiskNames"/>, c to p: what comes before is the root disk and the seed. Most guests call it the same.</param>
    public sealed record AttachVolume(VolumeLabel Label, string Device, bool ReadOnly) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Volumes;
    }

    /// <summary>Gives one of the host's own disks, or a part of one, to the running guest, until its next start. What is on it stays as it is.</summary>
    /// <param name="Path">The host's name for it, which its root lets the portal use.</param>
    /// <param name="Device">As with <see cref="AttachVolume"/>.</param>
    public sealed record AttachDevice(string Path, string Device, bool ReadOnly) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Devices;
    }

    /// <summary>Takes a volume away from the running guest, which has to let go of it. A KVM guest does so even where it uses it.</summary>
    public sealed record DetachVolume(string Device) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Volumes;
    }

    /// <summary>Removes a volume beside the root disk for good; refused while a guest has it.</summary>
    public sealed record RemoveVolume(VolumeLabel Label) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Volumes;
    }

    /// <summary>Makes a disk larger, also while the guest runs, which sees the new size by itself.</summary>
    /// <param name="Label">Which; null for the root disk.</param>
    public sealed record GrowVolume(VolumeLabel? Label, ByteSize Size) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Grow;
    }

    /// <summary>Keeps the root disk as it is at this moment, as after a power failure where the guest runs.</summary>
    public sealed record TakeSnapshot(VolumeLabel Label) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Snapshots;
    }

    /// <summary>Makes the root disk what it was; refused while the guest runs. The snapshot stays.</summary>
    public sealed record RevertToSnapshot(VolumeLabel Label) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Snapshots;
    }

    public sealed record RemoveSnapshot(VolumeLabel Label) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Snapshots;
    }

    /// <summary>Connects the running guest to the host's bridge once more.</summary>
    public sealed record AttachNic(MacAddress Mac) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Nics;
    }

    /// <summary>Takes a connection away again.</summary>
    public sealed record DetachNic(MacAddress Mac) : DomainChange
    {
        public override DomainAbility Needs => DomainAbility.Nics;
    }
}

/// <summary>What some drivers can do with a domain and others cannot.</summary>
public enum DomainAbility
{
    Pause,
    Save,
    SysRq,
    Memory,
    Vcpus,
    Pin,
    Share,
    Volumes,
    Grow,
    Snapshots,
    Nics,

    /// <summary>Disks of the host itself.</summary>
    Devices,

    /// <summary>No change of a domain: its disks are copied from here to another host, or the other way round, while it is off.</summary>
    Move,

    /// <summary>No change either: a root disk that is a classic snapshot of its template's becomes one of its own.</summary>
    Detach,
}

/// <summary>What a new volume has on it.</summary>
public enum VolumeFormat
{
    /// <summary>Zeros.</summary>
    None,
    Ext4,
    Swap,
}

/// <summary>What tells a VM's volumes and snapshots apart in their names: one to twenty lower-case letters and digits.</summary>
public readonly partial record struct VolumeLabel
{
    private readonly string? _text;

    private VolumeLabel(string text) => _text = text;

    public string Text => _text ?? throw new InvalidOperationException("A default VolumeLabel has no text.");

    public static bool TryParse(string? text, out VolumeLabel label)
    {
        var good = text is not null && Plain().IsMatch(text);
        label = good ? new VolumeLabel(text!) : default;
        return good;
    }

    /// <exception cref="FormatException">It is none.</exception>
    public static VolumeLabel Parse(string text) => TryParse(text, out var label) ? label : throw new FormatException("Not a label: 1 to 20 lower-case letters and digits.");

    public override string ToString() => Text;

    // Of a snapshot's volume the label follows an s, and -seed is what a VM begins with.
    [System.Text.RegularExpressions.GeneratedRegex(@"^(?!eed\z)[a-z0-9]{1,20}\z", System.Text.RegularExpressions.RegexOptions.CultureInvariant)]
    private static partial System.Text.RegularExpressions.Regex Plain();
}
