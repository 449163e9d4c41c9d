using Portal.Engine.Pools;
using Portal.Kernel;

namespace Portal.Engine.Images.Import;

/// <summary>What operators uploaded, until it is imported: files in a directory of their own, each named after its id.</summary>
internal sealed class Uploads(PoolLayout pool, ImportBounds bounds, TimeProvider clock)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>So many may be on their way or waiting, for each may be as large as an image.</summary>
    private const int Most = 4;

    // Of this process: what is counted and not there yet.
    private static readonly HashSet<string> s_underWay = new(StringComparer.Ordinal);

    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_stays = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_partialStays = TimeSpan.FromMinutes(30);

    private string Root => Path.Combine(pool.Root, "uploads");

    public string PathOf(Guid upload) => Path.Combine(Root, upload.ToString("N"));

    /// <summary>Removes what nobody has imported for a day, and what was left when a portal died.</summary>
    /// <param name="needed">What waits for its import.</param>
    public void Sweep(IReadOnlySet<Guid> needed)
    {
        if (!Directory.Exists(Root))
        {
            return;
        }

        foreach (var old in new DirectoryInfo(Root).EnumerateFiles())
        {
            var age = clock.GetUtcNow() - new DateTimeOffset(old.LastWriteTimeUtc, TimeSpan.Zero);
            if (old.Extension == ".partial" ? age > s_partialStays : age > s_stays && !(Guid.TryParseExact(old.Name, "N", out var id) && needed.Contains(id)))
            {
                old.Delete();
            }
        }
    }

    /// <summary>Keeps what comes; whole or not at all.</summary>
    public async Task<Result<ByteSize>> KeepAsync(Guid upload, Stream content, IReadOnlySet<Guid> needed, Action<ByteSize> taken, CancellationToken ct)
    {
        Directory.CreateDirectory(Root, Private);
        Sweep(needed);
        lock (s_underWay)
        {
            if (new DirectoryInfo(Root).EnumerateFiles().Count(file => !s_underWay.Contains(file.FullName)) + s_underWay.Count >= Most)
            {
                return new ImageRefused($"{Most} uploads wait for their import or are on their way. Import them, or wait: one that nobody imports goes after a day.");
            }

            s_underWay.Add(WholeFile.PartialOf(PathOf(upload)));
        }

        try
        {
            return await WriteAsync(upload, content, taken, ct).ConfigureAwait(false);
        }
        finally
        {
            lock (s_underWay)
            {
                s_underWay.Remove(WholeFile.PartialOf(PathOf(upload)));
            }
        }
    }

    private async Task<Result<ByteSize>> WriteAsync(Guid upload, Stream content, Action<ByteSize> taken, CancellationToken ct)
    {
        var partial = WholeFile.PartialOf(PathOf(upload));
        var free = DiskFull.Free(pool).Bytes - DiskFull.Floor(pool).Bytes;
        if (free <= 0)
        {
            return DiskFull.Refusal(pool, DiskFull.Floor(pool));
        }

        var most = new ByteSize(Math.Min(free, bounds.Source.Bytes));
        try
        {
            var (size, _) = await SourceFile.WriteAsync(content, partial, most, () => DiskFull.HasRoom(pool), s_silence, clock, bytes => taken(new ByteSize(bytes)), ct).ConfigureAwait(false);
            if (size > most.Bytes)
            {
                return most < bounds.Source ? DiskFull.Refusal(pool, bounds.Source) : new ImageRefused($"The image is larger than {most}, which is the most that can be uploaded.");
            }

            if (size == 0)
            {
                return new ImageRefused("The file is empty.");
            }

            File.Move(partial, PathOf(upload));
            return new ByteSize(size);
        }
        catch (IOException full) when (DiskFull.Is(full))
        {
            return DiskFull.Refusal(pool, bounds.Source);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new ImageRefused("Nothing came for five minutes. Upload the file again.");
        }
        finally
        {
            File.Delete(partial);
        }
    }

    public void Drop(Guid upload)
    {
        if (File.Exists(PathOf(upload)))
        {
            File.Delete(PathOf(upload));
        }
    }
}
