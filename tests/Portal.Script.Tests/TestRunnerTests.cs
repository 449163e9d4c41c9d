namespace Portal.Script.Tests;

/// <summary>The sums of `./portal test`: from the reports that test programs write, here written by a stand-in for `dotnet`.</summary>
public sealed class TestRunnerTests
{
    private const string Passing = """<assemblies><assembly name="x" errors="0" failed="0" passed="3" skipped="0" total="3"></assembly></assemblies>""";
    private const string Failing = """<assemblies><assembly name="x" errors="0" failed="2" passed="1" skipped="1" total="4"></assembly></assemblies>""";
    private const string Empty = """<assemblies><assembly name="x" errors="0" failed="0" passed="0" skipped="0" total="0"></assembly></assemblies>""";

    [Theory]
    [InlineData(Passing, 0, Passing, 0, "6 passed, 0 failed", 0)]
    [InlineData(Passing, 0, Failing, 1, "4 passed, 2 failed, 1 skipped", 1)]
    [InlineData(Passing, 0, Passing, 134, "6 passed, 1 failed", 1)]
    [InlineData(Passing, 0, "", 139, "3 passed, 1 failed", 1)]
    [InlineData(Passing, 0, "<assemblies><assem", 1, "3 passed, 1 failed", 1)]
    [InlineData(Empty, 0, Empty, 0, "0 passed, 1 failed", 1)]
    public async Task The_last_line_has_the_sums_of_all_projects(string kernel, int kernelCode, string engine, int engineCode, string line, int code)
    {
        await using var house = await HouseAsync(("Kernel", kernel, kernelCode), ("Engine", engine, engineCode));

        var said = await house.RunAnyAsync(Path.Combine(house.Home, "portal"), "test", "fast");

        Assert.Equal(line, said.Out.TrimEnd('\n').Split('\n')[^1]);
        Assert.Equal(code, said.Code);
    }

    [Fact]
    public async Task A_build_that_fails_is_one_failure_and_says_why()
    {
        await using var house = await HouseAsync(("Kernel", Passing, 0));
        await File.WriteAllTextAsync(Path.Combine(house.Home, "broken"), "", Xunit.TestContext.Current.CancellationToken);

        var said = await house.RunAnyAsync(Path.Combine(house.Home, "portal"), "test", "fast");

        Assert.Equal("0 passed, 1 failed", said.Out.TrimEnd('\n').Split('\n')[^1]);
        Assert.Contains("error CS0000", said.Err, StringComparison.Ordinal);
        Assert.Equal(1, said.Code);
    }

    /// <summary>A house of its own: this script, test projects that consist of what they report, and a `dotnet` that reports it.</summary>
    private static async Task<PortalScript> HouseAsync(params (string Name, string Report, int Code)[] projects)
    {
        var ct = Xunit.TestContext.Current.CancellationToken;
        var script = new PortalScript();
        await script.RunAnyAsync("cp", "-r", Path.Combine(PortalScript.Root, "portal"), script.Home);
        Directory.CreateDirectory(Path.Combine(script.Home, "src"));
        await script.RunAnyAsync("cp", "-r", Path.Combine(PortalScript.Root, "src/scripts"), Path.Combine(script.Home, "src"));
        foreach (var (name, report, code) in projects)
        {
            var bin = Path.Combine(script.Home, $"tests/Portal.{name}.Tests/bin/Debug/net10.0");
            Directory.CreateDirectory(bin);
            await File.WriteAllTextAsync(Path.Combine(bin, $"Portal.{name}.Tests.dll"), "", ct);
            await File.WriteAllTextAsync(Path.Combine(bin, $"Portal.{name}.Tests.dll.report"), report, ct);
            await File.WriteAllTextAsync(Path.Combine(bin, $"Portal.{name}.Tests.dll.code"), $"{code}", ct);
        }

        var tools = Directory.CreateDirectory(Path.Combine(script.Home, "tools")).FullName;
        var dotnet = Path.Combine(tools, "dotnet");
        await File.WriteAllTextAsync(dotnet, $$"""
            #!/bin/sh
            case "$1" in
                build) [ ! -e {{script.Home}}/broken ] || { echo "x.cs(1,1): error CS0000: broken"; exit 1; } ;;
                *.dll)
                    program="$1"
                    while [ $# -gt 0 ]; do [ "$1" != -result-xml ] || report="$2"; shift; done
                    [ ! -s "$program.report" ] || cp "$program.report" "$report"
                    exit "$(cat "$program.code")" ;;
            esac

            """, ct);
        File.SetUnixFileMode(dotnet, (UnixFileMode)0b111_101_101);
        script.Environment["PATH"] = $"{tools}:{Environment.GetEnvironmentVariable("PATH")}";
        return script;
    }
}
