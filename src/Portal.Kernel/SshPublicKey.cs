using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Portal.Kernel;

/// <summary>An OpenSSH public key in one line, <c>type base64 comment</c>, whose blob says the same type (RFC 4253, 6.6).</summary>
public readonly record struct SshPublicKey
{
    private static readonly string[] s_types =
    [
        "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ];

    private readonly string? _line;

    private SshPublicKey(string line, string fingerprint, string comment)
    {
        _line = line;
        Fingerprint = fingerprint;
        Comment = comment;
    }

    public const int MaxLength = 4096;

    /// <summary>The whole line, normalised to single spaces.</summary>
    public string Line => _line ?? throw new InvalidOperationException("A default SshPublicKey has no text.");

    /// <summary>As ssh-keygen -l prints it: <c>SHA256:...</c>.</summary>
    public string Fingerprint { get; }

    /// <summary>What follows the key, often who@where; may be empty.</summary>
    public string Comment { get; }

    /// <summary>Whether a text has a private key in it, in any format that key tools write: whoever pastes one has mistaken the file.</summary>
    public static bool LooksPrivate(string? text) =>
        text is not null && (text.Contains("PRIVATE KEY", StringComparison.Ordinal) || text.Contains("PuTTY-User-Key-File", StringComparison.Ordinal));

    public static bool TryParse([NotNullWhen(true)] string? text, out SshPublicKey key)
    {
        key = default;
        var line = text?.Trim();
        if (string.IsNullOrEmpty(line) || line.Length > MaxLength || line.Any(char.IsControl) || !HasBytes(line))
        {
            return false;
        }

        var parts = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 2 || !s_types.Contains(parts[0], StringComparer.Ordinal))
        {
            return false;
        }

        var blob = new byte[parts[1].Length];
        if (!Convert.TryFromBase64String(parts[1], blob, out var length) || !BlobIsOf(parts[0], blob.AsSpan(0, length)))
        {
            return false;
        }

        var comment = parts.Length == 3 ? parts[2].Trim() : "";
        var print = "SHA256:" + Convert.ToBase64String(SHA256.HashData(blob.AsSpan(0, length))).TrimEnd('=');
        key = new SshPublicKey(comment.Length == 0 ? $"{parts[0]} {parts[1]}" : $"{parts[0]} {parts[1]} {comment}", print, comment);
        return true;
    }

    public override string ToString() => Line;

    // Half a surrogate pair has none in UTF-8: whoever writes the line would write another.
    private static bool HasBytes(string line) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(line)) == line;

    private static bool BlobIsOf(string type, ReadOnlySpan<byte> blob)
    {
        if (blob.Length < 4)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(blob);
        return length > 0 && length < blob.Length - 4 && Encoding.ASCII.GetString(blob.Slice(4, length)) == type;
    }
}
