using System.Security.Cryptography;
using Portal.Kernel;

namespace Portal.Engine;

/// <summary>One end of a copy: a domain that is off, on its host.</summary>
public sealed record DiskPlace(IVmEngine Engine, DomainName Name);

/// <summary>Told so many bytes of so many, again and again; a refusal of its ends the copy.</summary>
public delegate Task<Refusal?> CopyProgress(ByteSize done, ByteSize total, CancellationToken ct);

/// <summary>
/// Copies the disks of a domain that is off to empty ones on another host, through the portal. Both ends are compared part by part, so whoever repeats it
/// goes on with what differs, and it is done only when nothing does.
/// </summary>
public static class DiskCopy
{
    // Two gibibytes are compared at a time.
    private const int Batch = 128;

    /// <summary>Makes sure that the disks there are empty or hold the same as those here. Safe to repeat.</summary>
    public static Task<Result<StepOutcome>> MakeAsync(DiskPlace to, IReadOnlyList<DomainDisk> disks, Fence fence, CancellationToken ct) => to.Engine.EnsureEmptyDisksAsync(fence, to.Name, disks, ct);

    /// <summary>Makes sure that the disks there hold the same as those here, and are marked as whole. Safe to repeat.</summary>
    /// <exception cref="HostFaultException">A host could not be asked, or has not got what was sent.</exception>
    public static async Task<Result<StepOutcome>> RunAsync(DiskPlace from, DiskPlace to, IReadOnlyList<DomainDisk> disks, Fence fence, CopyProgress progress, CancellationToken ct)
    {
        var total = new ByteSize(disks.Sum(d => d.Size.Bytes));
        long done = 0;
        foreach (var disk in disks)
        {
            for (var first = 0; first < disk.Parts; first += Batch)
            {
                var before = new ByteSize(done);
                var copied = await CopyAsync(from, to, disk, first, fence, (part, token) => progress(new ByteSize(before.Bytes + part.Bytes), total, token), ct).ConfigureAwait(false);
                if (copied is { } refusal)
                {
                    return Result<StepOutcome>.Of(refusal);
                }

                done += Math.Min((long)Batch * DomainDisk.PartSize, disk.Size.Bytes - ((long)first * DomainDisk.PartSize));
                if (await progress(new ByteSize(done), total, ct).ConfigureAwait(false) is { } enough)
                {
                    return Result<StepOutcome>.Of(enough);
                }
            }
        }

        return await to.Engine.EnsureDisksWholeAsync(fence, to.Name, disks, ct).ConfigureAwait(false);
    }

    private static async Task<Refusal?> CopyAsync(DiskPlace from, DiskPlace to, DomainDisk disk, int first, Fence fence, Func<ByteSize, CancellationToken, Task<Refusal?>> progress, CancellationToken ct)
    {
        var count = Math.Min(Batch, disk.Parts - first);
        if (!(await from.Engine.DigestPartsAsync(fence, from.Name, disk, first, count, ct).ConfigureAwait(false)).TryGet(out var here, out var no)
            || !(await to.Engine.DigestPartsAsync(fence, to.Name, disk, first, count, ct).ConfigureAwait(false)).TryGet(out var there, out no))
        {
            return no;
        }

        var different = Enumerable.Range(0, count).Where(i => here[i] != there[i]).ToList();
        foreach (var i in different)
        {
            if (await CopyPartAsync(from, to, disk, first + i, here[i], there[i], fence, ct).ConfigureAwait(false) is { } refusal)
            {
                return refusal;
            }

            if (await progress(new ByteSize((long)i * DomainDisk.PartSize), ct).ConfigureAwait(false) is { } enough)
            {
                return enough;
            }
        }

        // Read again from the disk that was written to: what arrived is not yet what is there.
        if (different.Count > 0)
        {
            if (!(await to.Engine.DigestPartsAsync(fence, to.Name, disk, first, count, ct).ConfigureAwait(false)).TryGet(out var after, out no))
            {
                return no;
            }

            if (!here.SequenceEqual(after))
            {
                // Volume groups of different extents make volumes of different lengths, which never become the same.
                return new HostSaidNo("copy the disk", $"what was written to {to.Name}{disk.Suffix} is not what {from.Name}{disk.Suffix} holds. Volume groups whose extents differ (vgs -o vg_extent_size) cannot take each other's disks.");
            }
        }

        return null;
    }

    private static async Task<Refusal?> CopyPartAsync(DiskPlace from, DiskPlace to, DomainDisk disk, int part, PartDigest wanted, PartDigest there, Fence fence, CancellationToken ct)
    {
        ReadOnlyMemory<byte> content;
        if (wanted.Sha256 is null)
        {
            content = new byte[Math.Min(DomainDisk.PartSize, disk.Size.Bytes - ((long)part * DomainDisk.PartSize))];
        }
        else if (!(await from.Engine.ReadPartAsync(fence, from.Name, disk, part, ct).ConfigureAwait(false)).TryGet(out content, out var no))
        {
            return no;
        }
        else if (Convert.ToHexStringLower(SHA256.HashData(content.Span)) != wanted.Sha256)
        {
            throw new HostFaultException($"Part {part} of {from.Name}{disk.Suffix} is not what it was a moment ago. It is read again.");
        }

        return (await to.Engine.WritePartAsync(fence, to.Name, disk, part, content, overZeros: there.Sha256 is null, ct).ConfigureAwait(false)).Refusal;
    }
}
