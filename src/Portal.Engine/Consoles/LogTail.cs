using System.Text;

namespace Portal.Engine.Consoles;

/// <summary>The end of a log on the portal's own machine.</summary>
internal static class LogTail
{
    /// <summary>As much as a person reads.</summary>
    public const int Length = 64 << 10;

    /// <summary>Empty where there is none, or it is not the portal's to read.</summary>
    public static async Task<string> ReadAsync(string path, CancellationToken ct)
    {
        try
        {
            using var log = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var end = new byte[Length];
            var length = await RandomAccess.ReadAsync(log, end, Math.Max(0, RandomAccess.GetLength(log) - Length), ct).ConfigureAwait(false);
            return Clean(Encoding.UTF8.GetString(end, 0, length));
        }
        catch (Exception unreadable) when (unreadable is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>What was given back to the disk reads as zeros, which say nothing.</summary>
    public static string Clean(string text) => text.Replace("\0", "", StringComparison.Ordinal);
}
