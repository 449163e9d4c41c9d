using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Portal.Kernel;

namespace Portal.Engine.Images;

/// <summary>
/// User data for cloud-init with two authors: a MIME multi-part archive (https://docs.cloud-init.io, user-data formats), the portal's part first. Of two parts of
/// cloud-config cloud-init takes the later one's word where they differ, and keys of the metadata in any case: it is the owner's machine.
/// </summary>
internal static partial class SeedArchive
{
    /// <param name="ours">A cloud-config in ASCII or UTF-8.</param>
    /// <param name="owners">Null gives the portal's part alone.</param>
    public static string Of(string ours, UserData? owners)
    {
        if (owners is null)
        {
            return ours;
        }

        // Of a digest of all: nobody can write a text that has its own digest in it, and so end its part.
        var boundary = "portal-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{ours}\0{owners.Text}")));
        // What is an archive already is a part as it is. Anything else cloud-init knows by its first line, and takes text/plain for "look at it".
        var theirs = Archive().IsMatch(owners.Text) ? owners.Text : Part("text/plain", owners.Text);
        return $"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\n\n--{boundary}\n{Part("text/cloud-config", ours)}\n--{boundary}\n{theirs}\n--{boundary}--\n";
    }

    // Packed: each byte comes out as it went in, whatever a reader of MIME does with ends of lines.
    private static string Part(string type, string content) =>
        $"Content-Type: {type}; charset=\"utf-8\"\nContent-Transfer-Encoding: base64\n\n{Convert.ToBase64String(Encoding.UTF8.GetBytes(content), Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")}";

    [GeneratedRegex(@"\A(?:MIME-Version: 1\.0\r?\n)?Content-Type: multipart/", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Archive();
}
