using Portal.App.Fleet;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.Web.Hosts;

/// <summary>A host's form while it is filled in.</summary>
public sealed class HostDraft
{
    public string Name { get; set; } = "";

    public string Address { get; set; } = "";

    public int Port { get; set; } = 22;

    public string VolumeGroup { get; set; } = "";

    public StorageKind Storage { get; set; }

    public string Directory { get; set; } = "";

    public string ThinPool { get; set; } = "";

    public bool ExtendPool { get; set; }

    public string SwapGroup { get; set; } = "";

    /// <summary>One on each line.</summary>
    public string Devices { get; set; } = "";

    public KernelGuests Guests { get; set; }

    public string Bridge { get; set; } = "xenbr0";

    public string Network { get; set; } = "";

    public string FirstIp { get; set; } = "";

    public string LastIp { get; set; } = "";

    public string Gateway { get; set; } = "";

    public string Dns { get; set; } = "";

    public long ReservedMemoryMiB { get; set; } = 1024;

    public long ReservedDiskGiB { get; set; }

    public int ReservedCpus { get; set; }

    public int VcpusPerCpu { get; set; } = 4;

    public int MaxOperations { get; set; } = 4;

    public static HostDraft From(GetHost.Details host) => host.Remote is not { } remote || host.Guests is not [var guests, ..]
        ? throw new ArgumentException("Only a host that is reached over SSH has a form.", nameof(host))
        : new HostDraft
        {
            Name = host.Row.Name,
            Address = remote.Address,
            Port = remote.Port,
            VolumeGroup = remote.VolumeGroup ?? "",
            Directory = remote.Directory ?? "",
            Storage = remote.Storage,
            ThinPool = remote.ThinPool ?? "",
            ExtendPool = remote.ExtendsPool,
            SwapGroup = remote.SwapGroup ?? "",
            Devices = string.Join('\n', remote.Devices),
            Guests = remote.Guests,
            Bridge = remote.Bridge,
            Network = guests.Network,
            FirstIp = guests.First,
            LastIp = guests.Last,
            Gateway = guests.Gateway,
            Dns = guests.Dns,
            ReservedMemoryMiB = host.Reserve.Memory.CeilingMiB,
            ReservedDiskGiB = host.Reserve.Disk.CeilingGiB,
            ReservedCpus = host.Reserve.Cpus,
            VcpusPerCpu = host.Reserve.VcpusPerCpu,
            MaxOperations = host.MaxOperations,
        };

    /// <summary>Of what stands against the form, what stands against fields with something in them; null where nothing does.</summary>
    public Refusal? Filled(Refusal? problem) =>
        problem is null ? null
        : new[] { problem with { Also = [] } }.Concat(problem.Also).Where(p => !IsEmpty(p.Field)).ToList() is [var first, .. var others] ? first with { Also = others } : null;

    private bool IsEmpty(string? field) => field switch
    {
        "name" => Name.Length == 0,
        "address" => Address.Length == 0,
        "volumeGroup" => VolumeGroup.Length == 0,
        "directory" => Directory.Length == 0,
        "thinPool" => ThinPool.Length == 0,
        "network" => Network.Length == 0,
        "firstIp" => FirstIp.Length == 0,
        "lastIp" => LastIp.Length == 0,
        "gateway" => Gateway.Length == 0,
        "dns" => Dns.Length == 0,
        _ => false,
    };

    public HostForm ToForm() => new()
    {
        Name = Name,
        Address = Address,
        Port = Port,
        VolumeGroup = VolumeGroup,
        Directory = Directory,
        Storage = Storage,
        ThinPool = ThinPool,
        ExtendPool = ExtendPool,
        SwapGroup = SwapGroup,
        Devices = Devices.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        Guests = Guests,
        Bridge = Bridge,
        Network = Network,
        FirstIp = FirstIp,
        LastIp = LastIp,
        Gateway = Gateway,
        Dns = Dns,
        ReservedMemoryMiB = ReservedMemoryMiB,
        ReservedDiskGiB = ReservedDiskGiB,
        ReservedCpus = ReservedCpus,
        VcpusPerCpu = VcpusPerCpu,
        MaxOperations = MaxOperations,
    };
}
