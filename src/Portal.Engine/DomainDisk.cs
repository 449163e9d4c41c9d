using System.Text.RegularExpressions;
using Portal.Kernel;

namespace Portal.Engine;

/// <summary>A disk of a domain, as it is copied to another host.</summary>
public sealed partial record DomainDisk
{
    /// <summary>Disks are compared and copied in parts of so many bytes; the last may be shorter.</summary>
    public const int PartSize = 16 << 20;

    /// <param name="suffix">What its name has behind that of its domain: nothing for the root disk, "-seed", or "-v" and a label.</param>
    /// <param name="taken">How much of it was ever written, at most; all of it where that is not known.</param>
    /// <param name="isSwap">Whether it lies where its host keeps swap volumes.</param>
    /// <exception cref="ArgumentException">It is none of those: names of volumes are made from it.</exception>
    public DomainDisk(string suffix, ByteSize size, ByteSize taken, bool isSwap)
    {
        Suffix = Form().IsMatch(suffix) ? suffix : throw new ArgumentException($"No disk is called '{suffix}'.", nameof(suffix));
        Size = size;
        Taken = taken;
        IsSwap = isSwap;
    }

    public string Suffix { get; }

    public ByteSize Size { get; }

    public ByteSize Taken { get; }

    public bool IsSwap { get; }

    public int Parts => checked((int)((Size.Bytes + PartSize - 1) / PartSize));

    internal static bool IsSuffix(string suffix) => Form().IsMatch(suffix);

    internal string VolumeOf(DomainName name) => name.Text + Suffix;

    [GeneratedRegex("^(?:-seed|-v[a-z0-9]{1,20})?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}

/// <summary>What a domain has on its host that would have to come along to another one.</summary>
/// <param name="Obstacles">What cannot come along, each with what to do about it, for people; empty where all can.</param>
public sealed record DiskListing(IReadOnlyList<DomainDisk> Disks, IReadOnlyList<string> Obstacles)
{
    public ByteSize Size => new(Disks.Sum(d => d.Size.Bytes));

    /// <summary>What its root disk is a clone of; null where that stands alone.</summary>
    public DiskClone? Cloned { get; init; }
}

/// <summary>A root disk that is nothing without its template's volume.</summary>
/// <param name="Of">That volume.</param>
/// <param name="Size">Also what a disk of its own takes.</param>
/// <param name="Filled">How much of its store what its guest wrote takes, in percent; null where its host does not say.</param>
/// <param name="Replaced">Whether a disk of its own has taken its place, and it is only to be removed.</param>
public sealed record DiskClone(string Of, ByteSize Size, decimal? Filled, bool Replaced);

/// <summary>What is done for a root disk that becomes one of its own, see <see cref="IVmEngine.DetachAsync"/>.</summary>
public enum DetachStage
{
    /// <summary>Copies what it is a clone of to a disk beside it, also while its guest runs.</summary>
    Copy,

    /// <summary>Makes the copy the same as the clone, and gives it the clone's place. Refuses while the guest runs.</summary>
    Take,

    /// <summary>Gives the clone its place back; only before a guest has had the other disk.</summary>
    PutBack,

    /// <summary>Makes sure that what is beside the root disk is gone: the clone that it was, or the copy that did not take its place.</summary>
    Clear,
}

/// <summary>What a part of a disk holds.</summary>
/// <param name="Sha256">In hexadecimal digits; null where it is all zeros.</param>
public readonly record struct PartDigest(string? Sha256);
