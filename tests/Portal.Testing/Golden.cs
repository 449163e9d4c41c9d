using System.Runtime.CompilerServices;
using Xunit;

namespace Portal.Testing;

/// <summary>Compares text with a file beside the test. With PORTAL_REFRESH_GOLDEN=1 in the environment the file is written instead; read what changed before it is committed.</summary>
public static class Golden
{
    public const string Refresh = "PORTAL_REFRESH_GOLDEN";

    /// <summary>Fails where the file says something else.</summary>
    public static void Matches(string file, string text, [CallerFilePath] string test = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(test)!, file);
        if (Environment.GetEnvironmentVariable(Refresh) == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.True(File.Exists(path), $"{path} is missing. Run this test with {Refresh}=1 to write it.");
        Assert.Equal(File.ReadAllText(path), text);
    }
}
