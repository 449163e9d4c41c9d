// The script is one for Linux, and so are its tests.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
[assembly: AssemblyFixture(typeof(Portal.Script.Tests.BuiltPortal))]

namespace Portal.Script.Tests;

/// <summary>The portal as `./portal up` would build it, built once when a test first wants it; PORTAL_APP names one that is built already.</summary>
public sealed class BuiltPortal
{
    private readonly Lazy<Task<string>> _app = new(BuildAsync);

    public Task<string> AppAsync() => _app.Value;

    public async Task<PortalScript> ScriptAsync() => new() { Environment = { ["PORTAL_APP"] = await AppAsync() } };

    private static async Task<string> BuildAsync()
    {
        if (Environment.GetEnvironmentVariable("PORTAL_APP") is { Length: > 0 } built)
            return built;
        await using var script = new PortalScript { Environment = { ["PORTAL_APP"] = null } };
        var said = await script.RunAsync("build");
        Assert.True(said.Code == 0, said.All);
        return said.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Trim();
    }
}
