using System.Text;
using Portal.Engine.Pools;
using Portal.Engine.Shell;

namespace Portal.Engine.Images;

/// <summary>A seed as an ISO image with the label cidata; its application identifier says what is in it.</summary>
internal static class SeedImage
{
    private const string Mark = "PORTAL SEED ";

    // cloud-init passes over what it does not know; the portal's own first-boot scripts read this one, for a shell takes no archive apart.
    private const string OwnerData = "owner-data";

    // ECMA-119: the primary volume descriptor is sector 16 of 2048 bytes; the application identifier is its bytes 574 to 701.
    private const int ApplicationAt = (16 * 2048) + 574;
    private const int ApplicationLength = 128;
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The digest of the files in an image; null where the portal did not make it.</summary>
    public static string? DigestOf(string path)
    {
        using var image = File.OpenHandle(path);
        var field = new byte[ApplicationLength];
        var length = RandomAccess.Read(image, field, ApplicationAt);
        var text = Encoding.ASCII.GetString(field, 0, length).TrimEnd(' ', '\0');
        return text.StartsWith(Mark, StringComparison.Ordinal) ? text[Mark.Length..].ToLowerInvariant() : null;
    }

    /// <summary>Makes the image, readable by its owner alone, whole or not at all.</summary>
    /// <returns>How the tool ended.</returns>
    public static async Task<HostAnswer> WriteAsync(SeedFiles files, string path, IHostShell shell, Func<HostCommand, HostCommand> guard, CancellationToken ct)
    {
        var source = WholeFile.PartialOf(path) + ".d";
        Directory.CreateDirectory(source, Secret | UnixFileMode.UserExecute);
        try
        {
            await File.WriteAllTextAsync(Path.Combine(source, "user-data"), files.UserData, ct).ConfigureAwait(false);
            await File.WriteAllTextAsync(Path.Combine(source, "meta-data"), files.MetaData, ct).ConfigureAwait(false);
            await File.WriteAllTextAsync(Path.Combine(source, "network-config"), files.NetworkConfig, ct).ConfigureAwait(false);

            if (files.OwnerData is { } owners)
            {
                await File.WriteAllBytesAsync(Path.Combine(source, OwnerData), owners.Bytes, ct).ConfigureAwait(false);
            }

            // Made empty and private first: the tool keeps the mode of a file that is there.
            var partial = WholeFile.PartialOf(path);
            await WholeFile.WriteAsync(partial, ReadOnlyMemory<byte>.Empty, Secret, ct).ConfigureAwait(false);
            var answer = await shell.RunAsync(guard(ImageCommands.Iso(source, partial, Mark + files.Digest.ToUpperInvariant())), ct).ConfigureAwait(false);
            if (answer.Succeeded)
            {
                File.Move(partial, path, overwrite: true);
            }

            return answer;
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }
    }
}
