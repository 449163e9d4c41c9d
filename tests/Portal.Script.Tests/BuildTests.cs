namespace Portal.Script.Tests;

public sealed class BuildTests(BuiltPortal built)
{
    [Fact]
    public async Task What_has_not_changed_is_not_built_again()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("PORTAL_APP") is { Length: > 0 }, "The program was built by someone else.");
        var app = await built.AppAsync();
        var before = File.GetLastWriteTimeUtc(app);
        await using var script = new PortalScript { Environment = { ["PORTAL_APP"] = null } };

        var again = await script.RunAsync("build");

        Assert.Equal(app, again.Out.Trim());
        Assert.Equal(before, File.GetLastWriteTimeUtc(app));
    }
}
