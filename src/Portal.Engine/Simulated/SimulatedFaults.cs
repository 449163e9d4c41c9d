using System.Globalization;
using System.Text.Json;
using Portal.Engine.Pools;
using Portal.Kernel;

namespace Portal.Engine.Simulated;

/// <summary>
/// What a simulated host is, and what it is to do wrong. Kept as files in the host's pool, so a test may set it for a portal in another
/// process, and a fault that killed a portal is not met again by the next.
/// </summary>
public sealed class SimulatedFaults
{
    private readonly string _pool;
    private readonly string _directory;
    private readonly string _shape;

    /// <param name="poolPath">The host's pool, as in <see cref="HostConnection"/>.</param>
    public SimulatedFaults(string poolPath)
    {
        _pool = poolPath;
        _directory = Path.Combine(poolPath, "simulated", "faults");
        _shape = Path.Combine(poolPath, "simulated", "shape.json");
    }

    /// <summary>Size and speed of the host from now on.</summary>
    public SimulatedShape Shape
    {
        get
        {
            try
            {
                return JsonSerializer.Deserialize<SimulatedShape>(File.ReadAllBytes(_shape)) ?? new SimulatedShape();
            }
            catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
            {
                return new SimulatedShape();
            }
        }

        set
        {
            Directory.CreateDirectory(_directory);
            var partial = $"{_shape}.{Guid.CreateVersion7():N}";
            File.WriteAllBytes(partial, JsonSerializer.SerializeToUtf8Bytes(value));
            File.Move(partial, _shape, overwrite: true);
        }
    }

    /// <summary>Lets the next use of a verb go wrong, once; call it again for more.</summary>
    public void Arm(SimulatedVerb verb, SimulatedMoment moment, SimulatedFault fault)
    {
        Directory.CreateDirectory(_directory);
        File.WriteAllBytes(Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"{Guid.CreateVersion7():N}.{verb}.{moment}.{fault}")), []);
    }

    /// <summary>Takes back what was armed and not met.</summary>
    /// <returns>How much that was.</returns>
    public int Clear()
    {
        if (!Directory.Exists(_directory))
        {
            return 0;
        }

        var left = Directory.EnumerateFiles(_directory).Count();
        Directory.Delete(_directory, recursive: true);
        return left;
    }

    /// <summary>The host lost its power and is back: none of its domains runs, and none of their guests had a say in it.</summary>
    /// <returns>How many ran.</returns>
    public async Task<int> LosePowerAsync(string instance, TimeProvider clock, CancellationToken ct)
    {
        var store = new SimulatedStore(new PoolLayout(_pool), clock);
        var ran = 0;
        store.BootId = Guid.CreateVersion7().ToString();
        foreach (var name in store.Names(instance).ToList())
        {
            await store.ChangeAsync(
                name,
                before =>
                {
                    if (before is not { State: DomainState.Running or DomainState.Paused })
                    {
                        return before;
                    }

                    ran++;
                    return before with { State = DomainState.Off, ByGuest = false, SignedIn = false, Typed = "" };
                },
                ct).ConfigureAwait(false);
        }

        return ran;
    }

    /// <summary>Writes a part of a domain's root disk, as its guest would.</summary>
    public void WriteDisk(DomainName name, int part, ReadOnlySpan<byte> content) => new SimulatedParts(new PoolLayout(_pool)).Write(name, "", part, content);

    /// <summary>What a part of a domain's root disk holds; empty where that is zeros.</summary>
    public byte[] ReadDisk(DomainName name, int part) => new SimulatedParts(new PoolLayout(_pool)).Read(name, new DomainDisk("", ByteSize.Zero, ByteSize.Zero, false), part);

    /// <summary>Puts a domain on the host that no portal made: a configuration in the words of xl or xm.</summary>
    /// <param name="file">The file's name, without a directory.</param>
    public void PutForeign(string file, string config, bool running) => new SimulatedForeign(_pool).Put(file, config, running);

    /// <summary>As the host's administrator does who lets the portal adopt a domain.</summary>
    public void PermitAdoption(string permit) => new SimulatedForeign(_pool).Permit(permit);

    /// <summary>Whether a domain that no portal made runs, by its file.</summary>
    public bool ForeignRuns(string file) => new SimulatedForeign(_pool).Runs(file);

    /// <summary>The oldest fault armed for this moment, which is thereby used up.</summary>
    internal SimulatedFault? Take(SimulatedVerb verb, SimulatedMoment moment)
    {
        if (!Directory.Exists(_directory))
        {
            return null;
        }

        foreach (var path in Directory.EnumerateFiles(_directory, $"*.{verb}.{moment}.*").Order(StringComparer.Ordinal))
        {
            try
            {
                // The rename is what two processes cannot both do.
                var taken = path + "-taken";
                File.Move(path, taken);
                File.Delete(taken);
            }
            catch (FileNotFoundException)
            {
                continue;
            }

            return Enum.Parse<SimulatedFault>(Path.GetExtension(path)[1..]);
        }

        return null;
    }
}

/// <summary>Size and speed of a simulated host.</summary>
public sealed record SimulatedShape
{
    public int Cpus { get; init; } = 32;

    public long MemoryMiB { get; init; } = 256 << 10;

    public long PoolMiB { get; init; } = 4 << 20;

    /// <summary>Its guests have nearly filled it, as they do a pool that was sold more than once.</summary>
    public bool PoolFills { get; init; }

    /// <summary>Whether it starts guests from their own disk.</summary>
    public bool BootsDisks { get; init; } = true;

    /// <summary>Whether new root disks are clones that cannot be without their template's volume, as in a volume group without a thin pool.</summary>
    public bool ClonesBySnapshot { get; init; }

    /// <summary>How long each verb takes, at least.</summary>
    public int LatencyMs { get; init; }

    /// <summary>False: nothing answers, as with libvirtd gone or the cable cut.</summary>
    public bool Reachable { get; init; } = true;

    internal ByteSize Memory => ByteSize.FromMiB(MemoryMiB);

    internal ByteSize Pool => ByteSize.FromMiB(PoolMiB);
}

/// <summary>A verb of the port.</summary>
public enum SimulatedVerb
{
    Probe,
    ListDomains,
    Look,
    ListVolumes,
    FindForeign,
    LookForeign,
    AskForeignShutdown,
    EnsureTakenOver,
    EnsureGivenBack,
    EnsureForeignRunning,
    EnsureTemplate,
    EnsureRootDisk,
    EnsureSeed,
    EnsureDefined,
    EnsureRunning,
    AskShutdown,
    EnsureOff,
    EnsureUndefined,
    EnsureDisksGone,
    ListDisks,
    EnsureEmptyDisks,
    DigestParts,
    ReadPart,
    WritePart,
    EnsureDisksWhole,
    Detach,
    Change,
    OpenConsole,
}

/// <summary>When in a verb a fault strikes.</summary>
public enum SimulatedMoment
{
    /// <summary>Before anything was done.</summary>
    Before,

    /// <summary>All is done; the caller does not hear of it.</summary>
    After,
}

/// <summary>How it goes wrong.</summary>
public enum SimulatedFault
{
    /// <summary>A <see cref="HostFaultException"/>.</summary>
    Throw,

    /// <summary>The portal's process is killed, as with kill -9.</summary>
    Die,

    /// <summary>A <see cref="HostSaidNo"/>; only before, and only from verbs that can refuse.</summary>
    Refuse,

    /// <summary>Never answers; ends only with the caller's token.</summary>
    Hang,

    /// <summary>Says it is done and does nothing, as a guest that ignores its power button; only before.</summary>
    Ignore,
}
