using System.Globalization;
using System.Text.Json;
using Portal.Engine.Pools;

namespace Portal.Engine.Simulated;

/// <summary>The simulated host's memory: a file per domain, so that the host lives on when the portal is killed.</summary>
internal sealed class SimulatedStore(PoolLayout pool, TimeProvider clock)
{
    private const int Locks = 64;

    private readonly string _domains = Path.Combine(pool.Root, "simulated", "domains");
    private readonly string _locks = Path.Combine(pool.Root, "simulated", "locks");

    public void Create()
    {
        Directory.CreateDirectory(_domains);
        Directory.CreateDirectory(_locks);
    }

    /// <summary>Another after each loss of power.</summary>
    public string BootId
    {
        get => File.Exists(Boot) ? File.ReadAllText(Boot) : "first";
        set
        {
            Create();
            File.WriteAllText(WholeFile.PartialOf(Boot), value);
            File.Move(WholeFile.PartialOf(Boot), Boot, overwrite: true);
        }
    }

    private string Boot => Path.Combine(pool.Root, "simulated", "boot");

    public IEnumerable<DomainName> Names(string instance) =>
        !Directory.Exists(_domains)
            ? []
            : Directory.EnumerateFiles(_domains, "*.json")
                .Select(path => DomainName.TryParse(Path.GetFileNameWithoutExtension(path), out var name) ? name : default(DomainName?))
                .Where(name => name?.Instance == instance)
                .Select(name => name!.Value);

    /// <summary>Null where the host does not know it.</summary>
    public SimulatedDomain? Read(DomainName name)
    {
        try
        {
            return JsonSerializer.Deserialize<SimulatedDomain>(File.ReadAllBytes(PathOf(name)));
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Changes a domain while nobody else does; null removes it.</summary>
    public async Task ChangeAsync(DomainName name, Func<SimulatedDomain?, SimulatedDomain?> change, CancellationToken ct)
    {
        Create();
        // Shared by many domains, so that none leaves a file behind.
        var shared = (name.Vm.Value.GetHashCode() & int.MaxValue) % Locks;
        using var alone = await FileLock.TakeAsync(Path.Combine(_locks, shared.ToString(CultureInfo.InvariantCulture)), clock, ct).ConfigureAwait(false);
        var before = Read(name);
        var after = change(before);
        if (after is null)
        {
            File.Delete(PathOf(name));
        }
        else if (after != before)
        {
            var partial = WholeFile.PartialOf(PathOf(name));
            await File.WriteAllBytesAsync(partial, JsonSerializer.SerializeToUtf8Bytes(after), CancellationToken.None).ConfigureAwait(false);
            File.Move(partial, PathOf(name), overwrite: true);
        }
    }

    private string PathOf(DomainName name) => Path.Combine(_domains, name.Text + ".json");
}
