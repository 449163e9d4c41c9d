using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Portal.Kernel;

/// <summary>What a VM's owner gives along for its first boot. A secret as far as the portal knows, and kept byte for byte.</summary>
public sealed record UserData
{
    /// <summary>In bytes of UTF-8.</summary>
    public const int MaxBytes = 16 * 1024;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private UserData(string text) => Text = text;

    /// <summary>Never empty; has no NUL, and bytes in UTF-8.</summary>
    public string Text { get; }

    public byte[] Bytes => s_strict.GetBytes(Text);

    /// <summary>By which people tell one from another without reading it: 64 lower-case hexadecimal digits.</summary>
    public string Sha256 => Convert.ToHexStringLower(SHA256.HashData(Bytes));

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out UserData? data)
    {
        data = null;
        // The length in characters first: nobody counts the bytes of what is far too long.
        if (string.IsNullOrEmpty(text) || text.Length > MaxBytes || text.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        try
        {
            data = s_strict.GetByteCount(text) <= MaxBytes ? new UserData(text) : null;
        }
        catch (EncoderFallbackException)
        {
            // Half a surrogate pair has no bytes: another text would come out.
        }

        return data is not null;
    }

    /// <summary>Says how long it is and nothing of it.</summary>
    public override string ToString() => $"user data of {s_strict.GetByteCount(Text)} bytes";
}
