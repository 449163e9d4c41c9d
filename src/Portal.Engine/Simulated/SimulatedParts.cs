using System.Globalization;
using System.Security.Cryptography;
using Portal.Engine.Pools;

namespace Portal.Engine.Simulated;

/// <summary>What is on the simulated host's disks: a file for each part that is not all zeros.</summary>
internal sealed class SimulatedParts(PoolLayout pool)
{
    private readonly string _parts = Path.Combine(pool.Root, "simulated", "parts");

    public PartDigest Digest(DomainName name, DomainDisk disk, int part) => new(Read(name, disk, part) is { Length: > 0 } content ? Convert.ToHexStringLower(SHA256.HashData(content)) : null);

    /// <summary>Empty where it is all zeros.</summary>
    public byte[] Read(DomainName name, DomainDisk disk, int part) => File.Exists(PathOf(name, disk.Suffix, part)) ? File.ReadAllBytes(PathOf(name, disk.Suffix, part)) : [];

    public void Write(DomainName name, string suffix, int part, ReadOnlySpan<byte> content)
    {
        var path = PathOf(name, suffix, part);
        if (!content.ContainsAnyExcept((byte)0))
        {
            File.Delete(path);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(WholeFile.PartialOf(path), content);
        File.Move(WholeFile.PartialOf(path), path, overwrite: true);
    }

    /// <summary>How many parts of a disk hold something.</summary>
    public int Count(DomainName name, string suffix) => Directory.Exists(DirectoryOf(name, suffix)) ? Directory.EnumerateFiles(DirectoryOf(name, suffix)).Count() : 0;

    public void Remove(DomainName name)
    {
        if (Directory.Exists(Path.Combine(_parts, name.Text)))
        {
            Directory.Delete(Path.Combine(_parts, name.Text), recursive: true);
        }
    }

    private string DirectoryOf(DomainName name, string suffix) => Path.Combine(_parts, name.Text, suffix.Length == 0 ? "root" : suffix);

    private string PathOf(DomainName name, string suffix, int part) => Path.Combine(DirectoryOf(name, suffix), part.ToString(CultureInfo.InvariantCulture));
}
