namespace Portal.Engine.Pools;

/// <summary>Writes files that are there whole or not at all.</summary>
internal static class WholeFile
{
    /// <summary>Where a file is made before it gets its name: beside it, so that the rename stays in one file system.</summary>
    public static string PartialOf(string path) => path + ".partial";

    /// <summary>Writes, brings to the disk and renames.</summary>
    public static async Task WriteAsync(string path, ReadOnlyMemory<byte> content, UnixFileMode mode, CancellationToken ct)
    {
        var partial = PartialOf(path);
        File.Delete(partial);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = mode };
        var file = new FileStream(partial, options);
        await using (file.ConfigureAwait(false))
        {
            await file.WriteAsync(content, ct).ConfigureAwait(false);
            file.Flush(flushToDisk: true);
        }

        File.Move(partial, path, overwrite: true);
    }
}
