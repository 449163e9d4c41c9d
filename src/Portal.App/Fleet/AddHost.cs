using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Hosts;
using Portal.App.Networks;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Fleet;

/// <summary>What an operator fills in to add a Xen host. Networks as they are written: <c>10.0.2.0/24</c>.</summary>
public sealed record HostForm
{
    public required string Name { get; init; }

    /// <summary>A host name or an IP address.</summary>
    public required string Address { get; init; }

    public int Port { get; init; } = 22;

    /// <summary>Its name; not looked at where <see cref="Storage"/> says that disks are files.</summary>
    public string VolumeGroup { get; init; } = "";

    /// <summary>Whether disks are thin volumes of a pool in that group, thick ones of the group itself, or files.</summary>
    public StorageKind Storage { get; init; }

    /// <summary>The directory in which disks are files, by its absolute path; not looked at where <see cref="Storage"/> says that they are not.</summary>
    public string Directory { get; init; } = "";

    /// <summary>Its name; not looked at where <see cref="Storage"/> says that there is none.</summary>
    public string ThinPool { get; init; } = "";

    /// <summary>Whether the portal makes that pool larger by itself when it is nearly full, out of what is left in the group.</summary>
    public bool ExtendPool { get; init; }

    /// <summary>Another volume group, for swap volumes; empty where they lie with the other disks.</summary>
    public string SwapGroup { get; init; } = "";

    /// <summary>The host's own block devices that operators may give to guests, each by its path.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>How guests run that are started with a kernel of their template.</summary>
    public KernelGuests Guests { get; init; }

    public required string Bridge { get; init; }

    /// <summary>The network that the bridge is in.</summary>
    public required string Network { get; init; }

    /// <summary>Guests get addresses from this one ...</summary>
    public required string FirstIp { get; init; }

    /// <summary>... to this one.</summary>
    public required string LastIp { get; init; }

    public required string Gateway { get; init; }

    public required string Dns { get; init; }

    /// <summary>Not sold: the memory of the host's own system, which Xen counts as the host's.</summary>
    public long ReservedMemoryMiB { get; init; } = 1024;

    public long ReservedDiskGiB { get; init; }

    public int ReservedCpus { get; init; }

    public int VcpusPerCpu { get; init; } = 4;

    /// <summary>Under way on it at a time, whoever works on them.</summary>
    public int MaxOperations { get; init; } = 4;
}

/// <summary>A host of this name, or at this address, is there.</summary>
public sealed record HostExists(string Field, string Problem)
    : Refusal("hosts.exists", Problem)
{
    public override string? Field { get; } = Field;
}

/// <summary>Adds a Xen host that is reached over SSH. It is used once its part was installed there and it answered.</summary>
public static partial class AddHost
{
    /// <param name="HostKey">The host's key, as it was shown and confirmed: pinned from now on.</param>
    public sealed record Request(HostForm Form, string HostKey);

    /// <summary>More are not one host's guests, and each address is a row.</summary>
    public const int MaxAddresses = 4096;

    /// <summary>A guest has no more names for them.</summary>
    public const int MaxDevices = 14;

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Not safe to repeat: the second time the host is there, which is said.</summary>
        public async Task<Result<HostId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var form = request.Form;
            if (Check(form) is { } wrong)
            {
                return wrong;
            }

            if (!SshPublicKey.TryParse(request.HostKey, out var key))
            {
                return new Invalid("hostKey", "That is no host key. Let the portal look at the host first, and confirm what it shows.");
            }

            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var host = new Host(
                form.Name.Trim(), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)),
                AccessOf(form, key), ReserveOf(form));
            host.Allow(form.MaxOperations);
            host.GiveAway(form.Devices);
            db.Add(host);
            db.Add(new Pool(host.Id, PoolOf(form)));
            var plan = AddressPlan.Read(form).Value;
            var network = new Network(host.Id, "default", plan.PrefixLength, plan.Gateway.ToIPAddress(), plan.Dns.ToIPAddress(), plan.Range, shared: true);
            db.Add(network);
            db.AddRange(plan.ForGuests.Select(ip => new Address(network.Id, ip)));
            db.Add(AuditEntry.OfPlatform(actor, "host.added", host.Id.Value, host.Name, $"{host.Address}:{host.Port}, key {key.Fingerprint}"));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException postgres && Taken(postgres, form) is { } taken)
            {
                return taken;
            }

            await db.AnnounceAsync(Topic.Hosts, ct);
            await transaction.CommitAsync(ct);
            return host.Id;
        }
    }

    /// <summary>What stands against the form, all of it; null where nothing does. Pure.</summary>
    public static Refusal? Check(HostForm form) => All(CheckHost(form), AddressPlan.Read(form).Refusal);

    internal static Refusal? CheckPlace(string address, int port) => Shape.Check(
        (AddressOf().IsMatch(address.Trim()), "address", "A host name or an IP address, such as xen1.example.org or 192.0.2.10."),
        (port is >= 1 and <= 65535, "port", "A port is a number from 1 to 65535; sshd's is 22."));

    internal static Refusal? CheckHost(HostForm form) => All(
        CheckPlace(form.Address, form.Port),
        Shape.Check(
            (NameOf().IsMatch(form.Name.Trim()), "name", "A host's name has 1 to 63 lower-case letters, digits and inner hyphens, such as xen1."),
            (form.Storage == StorageKind.Directory || HostNames.IsLvm(form.VolumeGroup.Trim()), "volumeGroup", "A volume group's name, as vgs lists it."),
            (Enum.IsDefined(form.Storage), "storage", "A thin pool, a volume group or a directory."),
            (form.Storage != StorageKind.Directory || HostNames.IsDirectory(form.Directory.Trim()), "directory", "An absolute path of at most 100 letters, digits and the signs . _ + -, outside what the system itself lives in, such as /srv/portal."),
            (form.Storage != StorageKind.ThinPool || (HostNames.IsLvm(form.ThinPool.Trim()) && form.ThinPool.Trim().Length <= 100), "thinPool", "A thin pool's name, as lvs lists it."),
            (form.SwapGroup.Trim() is var swap && (swap.Length == 0 || (HostNames.IsLvm(swap) && (form.Storage == StorageKind.Directory || swap != form.VolumeGroup.Trim()))), "swapGroup", "Another volume group's name, as vgs lists it, or nothing."),
            (form.Devices.Count <= MaxDevices && form.Devices.All(HostNames.IsDevice) && form.Devices.Distinct().Count() == form.Devices.Count, "devices", $"Paths of block devices, such as /dev/sdb1, each once; at most {MaxDevices}."),
            (Enum.IsDefined(form.Guests), "guests", "Paravirtualised (Pv) or Pvh."),
            (HostNames.IsBridge(form.Bridge.Trim()), "bridge", "A bridge's name, such as xenbr0."),
            (form.ReservedMemoryMiB is >= 0 and <= 16L << 20, "reservedMemoryMiB", "Between 0 and 16777216 MiB."),
            (form.ReservedDiskGiB is >= 0 and <= 1L << 20, "reservedDiskGiB", "Between 0 and 1048576 GiB."),
            (form.ReservedCpus is >= 0 and <= 4096, "reservedCpus", "Between 0 and 4096."),
            (form.VcpusPerCpu is >= 1 and <= 64, "vcpusPerCpu", "Between 1 and 64."),
            (form.MaxOperations is >= 1 and <= 100, "maxOperations", "Between 1 and 100.")));

    private static Refusal? All(Refusal? one, Refusal? other) =>
        one is null ? other : other is null ? one : one with { Also = [.. one.Also, other with { Also = [] }, .. other.Also] };

    internal static XenAccess AccessOf(HostForm form, SshPublicKey key) => new(
        form.Address.Trim().ToLowerInvariant(), form.Port, key, form.Storage == StorageKind.Directory ? null : form.VolumeGroup.Trim(), form.Storage == StorageKind.ThinPool ? form.ThinPool.Trim() : null, form.Bridge.Trim())
    {
        Directory = form.Storage == StorageKind.Directory ? form.Directory.Trim() : null,
        Guests = form.Guests,
        ExtendsPool = form is { Storage: StorageKind.ThinPool, ExtendPool: true },
        SwapGroup = form.SwapGroup.Trim() is { Length: > 0 } swap ? swap : null,
    };

    /// <summary>What the pool is called: as the thin pool, the group or the directory.</summary>
    internal static string PoolOf(HostForm form) => (form.Storage switch
    {
        StorageKind.ThinPool => form.ThinPool,
        StorageKind.VolumeGroup => form.VolumeGroup,
        StorageKind.Directory => form.Directory,
    }).Trim();

    internal static HostReserve ReserveOf(HostForm form) => new(ByteSize.FromMiB(form.ReservedMemoryMiB), ByteSize.FromGiB(form.ReservedDiskGiB), form.ReservedCpus, form.VcpusPerCpu);

    internal static Refusal? Taken(PostgresException postgres, HostForm form) => postgres switch
    {
        { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "ix_hosts_name" } => new HostExists("name", $"There is a host {form.Name.Trim()}. Choose another name."),
        { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "ix_hosts_address_port" } => new HostExists("address", $"{form.Address.Trim()}, port {form.Port}, is a host already."),
        { SqlState: PostgresErrorCodes.ExclusionViolation } => new HostExists("firstIp", $"Some of {form.FirstIp.Trim()} to {form.LastIp.Trim()} belong to the guests of another host. Give each host a part of the network for itself."),
        _ => null,
    };

    [GeneratedRegex(@"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex NameOf();

    // A DNS name, an IPv4 address (which looks like one), or an IPv6 address.
    [GeneratedRegex(@"^(?=.{1,253}\z)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex AddressOf();
}
