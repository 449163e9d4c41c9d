using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Portal.Kernel;

namespace Portal.Engine.Images.Import;

/// <summary>What a tarball holds, read from tar's own list of it before anything is unpacked.</summary>
/// <param name="LeftOut">Entries that are not unpacked, as the tarball calls them: device nodes and pipes, which a guest makes for itself.</param>
/// <param name="Owned">What is not root's: path, user, group.</param>
internal sealed partial record TarListing(int Files, ByteSize Size, IReadOnlyList<string> LeftOut, IReadOnlyList<(string Path, uint User, uint Group)> Owned)
{
    /// <summary>Names are bytes; each is a letter here.</summary>
    public static Encoding Names => Encoding.Latin1;

    // A path of 4096 bytes and a link to another, each byte in four letters, and what else tar says of an entry.
    private const int MaxLine = 40_000;

    /// <summary>The lines of a list; one that is too long for an entry is cut, and then not understood.</summary>
    public static async IAsyncEnumerable<string> LinesAsync(string path, [EnumeratorCancellation] CancellationToken ct)
    {
        using var reader = new StreamReader(path, Names);
        var (piece, line) = (new char[64 << 10], new StringBuilder());
        int length;
        while ((length = await reader.ReadAsync(piece, ct).ConfigureAwait(false)) > 0)
        {
            var from = 0;
            for (var end = Array.IndexOf(piece, '\n', 0, length); end >= 0; end = Array.IndexOf(piece, '\n', from, length - from))
            {
                Keep(piece.AsSpan(from, end - from));
                yield return line.ToString();
                line.Clear();
                from = end + 1;
            }

            Keep(piece.AsSpan(from, length - from));
        }

        if (line.Length > 0)
        {
            yield return line.ToString();
        }

        void Keep(ReadOnlySpan<char> more) => line.Append(more[..Math.Min(more.Length, MaxLine - line.Length)]);
    }

    /// <summary>Reads a list.</summary>
    /// <param name="lines">What <see cref="SandboxCommands.ListTar"/> made.</param>
    public static async Task<Result<TarListing>> ReadAsync(IAsyncEnumerable<string> lines, int mostFiles, ByteSize most, CancellationToken ct)
    {
        Dictionary<string, char> kinds = new(StringComparer.Ordinal);
        List<string> leftOut = [];
        List<(string, uint, uint)> owned = [];
        var size = 0L;
        await foreach (var line in lines.WithCancellation(ct).ConfigureAwait(false))
        {
            if (Entry().Match(line) is not { Success: true } entry || Unquote(entry.Groups["name"].Value) is not { } said)
            {
                return new ImageRefused($"The tarball has an entry that is not understood: {Shown(line)}. Pack the files anew with GNU tar.");
            }

            var kind = line[0];
            if (PathOf(said) is not { } path)
            {
                return new ImageRefused($"The tarball's entry {Shown(said)} leads out of it, or its name has control characters. Pack the files with names that begin at their own root.");
            }

            if (kind is not ('-' or 'd' or 'l' or 'h' or 'c' or 'b' or 'p' or 'C'))
            {
                return new ImageRefused($"The tarball's entry {Shown(said)} is no file of a root file system. Pack the files anew with GNU tar.");
            }

            if (kinds.Count >= mostFiles)
            {
                return new ImageRefused($"The tarball has more than {mostFiles} files, which is the most.");
            }

            if (kinds.TryGetValue(path, out var there) && !(there == 'd' && kind == 'd'))
            {
                return new ImageRefused($"The tarball has {Shown(said)} twice. Pack the files anew.");
            }

            for (var at = path.LastIndexOf('/'); at > 0; at = path.LastIndexOf('/', at - 1))
            {
                if (kinds.TryGetValue(path[..at], out var parent) && parent != 'd')
                {
                    return new ImageRefused($"The tarball's entry {Shown(said)} lies below one that is no directory. Pack the files anew.");
                }
            }

            if (kind == 'h' && (Unquote(entry.Groups["to"].Value) is not { } linked || PathOf(linked) is not { } target || !kinds.TryGetValue(target, out var first) || first is not ('-' or 'C' or 'h' or 'l')))
            {
                return new ImageRefused($"The tarball's entry {Shown(said)} is a link to what is not in it before. Pack the files anew.");
            }

            // tar takes a second look for a link that leads nowhere yet, and mke2fs keeps it as it is: what it says is for the guest alone.
            kinds[path] = kind;
            if (kind is 'c' or 'b' or 'p')
            {
                leftOut.Add(said);
                continue;
            }

            if (entry.Groups["size"].Success && kind != 'h' && !TryAdd(ref size, entry.Groups["size"].Value, most))
            {
                return new ImageRefused($"The tarball unpacks to more than {most}, which is the most that it may. Make it smaller, or give VMs from it a larger disk.");
            }

            if (!uint.TryParse(entry.Groups["user"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var user) || !uint.TryParse(entry.Groups["group"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var group))
            {
                return new ImageRefused($"The tarball's entry {Shown(said)} has an owner that no file system knows. Pack the files anew.");
            }

            if ((user, group) != (0, 0) && kind != 'h')
            {
                // debugfs reads its script word by word, with quotes around a path.
                if (path.Contains('"', StringComparison.Ordinal))
                {
                    return new ImageRefused($"The tarball's entry {Shown(said)} has quotes in its name and is not root's, which cannot be kept. Leave it out.");
                }

                owned.Add((path, user, group));
            }
        }

        return kinds.Count == 0 ? new ImageRefused("There is nothing in the tarball. Say the format that it has, and what it is packed with.") : new TarListing(kinds.Count, new ByteSize(size), leftOut, owned);
    }

    /// <summary>For debugfs, which file is whose.</summary>
    public ReadOnlyMemory<byte> OwnersScript()
    {
        var script = new StringBuilder();
        foreach (var (path, user, group) in Owned)
        {
            script.Append(CultureInfo.InvariantCulture, $"set_inode_field \"/{path}\" uid {user}\nset_inode_field \"/{path}\" gid {group}\n");
        }

        return Names.GetBytes(script.ToString());
    }

    public ReadOnlyMemory<byte> LeftOutNames() => Names.GetBytes(string.Concat(LeftOut.Select(name => name + "\n")));

    // Within the tree: no way up, no root of another; empty for the root itself.
    private static string? PathOf(string name)
    {
        if (name.StartsWith('/') || name.Length > 4096 || name.Any(letter => letter < ' ' || letter == 127))
        {
            return null;
        }

        List<string> parts = [.. name.Split('/').Where(part => part is not ("" or "."))];
        return parts.Contains("..") || parts.Any(part => part.Length > 255) ? null : string.Join('/', parts);
    }

    private static bool TryAdd(ref long size, string more, ByteSize most)
    {
        if (!long.TryParse(more, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) || bytes > most.Bytes - size)
        {
            return false;
        }

        size += bytes;
        return true;
    }

    // As C writes a string: \n, \", \\ and bytes in three octal digits.
    private static string? Unquote(string quoted)
    {
        var plain = new StringBuilder(quoted.Length);
        for (var i = 0; i < quoted.Length; i++)
        {
            if (quoted[i] != '\\')
            {
                plain.Append(quoted[i]);
                continue;
            }

            if (i + 3 < quoted.Length && quoted.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                plain.Append((char)(((quoted[i + 1] - '0') << 6) | ((quoted[i + 2] - '0') << 3) | (quoted[i + 3] - '0')));
                i += 3;
                continue;
            }

            if (++i >= quoted.Length)
            {
                return null;
            }

            plain.Append(quoted[i] switch { 'a' => '\a', 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', 'v' => '\v', var other => other });
        }

        return plain.ToString();
    }

    private static string Shown(string name) => $"'{new string([.. name.Take(200).Select(letter => char.IsControl(letter) ? '?' : letter)])}'";

    [GeneratedRegex(
        """^[-dlhbcpCSVLKMDN][-rwxsStT]{9}\S? (?<user>\d+)/(?<group>\d+) +(?:\d+,\d+|(?<size>\d+)) \d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d+)?)? "(?<name>(?:[^"\\]|\\.)*)"(?: (?:->|link to) "(?<to>(?:[^"\\]|\\.)*)")?\z""",
        RegexOptions.CultureInvariant)]
    private static partial Regex Entry();
}
