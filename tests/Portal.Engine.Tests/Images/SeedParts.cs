using System.Text;
using System.Text.RegularExpressions;

namespace Portal.Engine.Tests.Images;

/// <summary>The parts of a seed's user data, taken apart as any reader of MIME does it.</summary>
internal static partial class SeedParts
{
    public static IReadOnlyList<(string Type, string Text)> Of(string userData)
    {
        var boundary = Boundary().Match(userData).Groups[1].Value;
        Assert.NotEmpty(boundary);
        // Its end is the last thing in it: nothing of a part is read as an end.
        var pieces = userData.Split("\n--" + boundary);
        Assert.Equal("--\n", pieces[^1]);
        return [.. pieces[1..^1].Select(piece => (Type().Match(piece).Groups[1].Value, Encoding.UTF8.GetString(Convert.FromBase64String(piece[piece.IndexOf("\n\n", StringComparison.Ordinal)..]))))];
    }

    [GeneratedRegex(@"\AMIME-Version: 1\.0\nContent-Type: multipart/mixed; boundary=""(portal-[0-9a-f]{64})""\n")]
    private static partial Regex Boundary();

    [GeneratedRegex(@"\A\nContent-Type: ([a-z/-]+); charset=""utf-8""\nContent-Transfer-Encoding: base64\n\n")]
    private static partial Regex Type();
}
