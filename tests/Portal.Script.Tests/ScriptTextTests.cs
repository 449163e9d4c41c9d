namespace Portal.Script.Tests;

public sealed class ScriptTextTests
{
    public static TheoryData<string> Files { get; } = [.. Directory.GetFiles(Path.Combine(PortalScript.Root, "src/scripts"), "*.sh", SearchOption.AllDirectories)
        .Append(Path.Combine(PortalScript.Root, "portal")).Append(Path.Combine(PortalScript.Root, ".ci/run"))
        .Append(Path.Combine(PortalScript.Root, "src/Portal.Engine/Libvirt/libvirtd-here"))
        .Select(f => Path.GetRelativePath(PortalScript.Root, f)).Order()];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Every_part_of_the_script_passes_the_linter(string file)
    {
        await using var script = new PortalScript();

        // SC2034: the parts are read into one script, which a linter of single files does not see. SC2015: A && B || C is meant where B cannot fail.
        var said = await script.RunAnyAsync("shellcheck", "--exclude=SC2034,SC2015", Path.Combine(PortalScript.Root, file));

        Assert.True(said.Code == 0, said.All);
    }

    [Fact]
    public async Task Help_names_every_command_and_an_unknown_one_is_refused()
    {
        await using var script = new PortalScript();

        var help = await script.RunAnyAsync(Path.Combine(PortalScript.Root, "portal"));
        var unknown = await script.RunAnyAsync(Path.Combine(PortalScript.Root, "portal"), "upp");

        foreach (var command in (string[])["up", "down", "status", "test", "demo", "bench", "diagnose", "build", "pg", "libvirt"])
            Assert.Contains($"./portal {command}", help.Out, StringComparison.Ordinal);
        Assert.Equal(0, help.Code);
        Assert.Equal(1, unknown.Code);
        Assert.Contains("./portal help", unknown.Err, StringComparison.Ordinal);
    }
}
