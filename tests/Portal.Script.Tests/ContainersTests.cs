using System.Text.RegularExpressions;

namespace Portal.Script.Tests;

/// <summary>The files for those who deploy with containers, as far as they can be held to their word without a container.</summary>
public sealed partial class ContainersTests
{
    [Fact]
    public async Task The_compose_file_is_valid_and_its_demo_stands_apart()
    {
        await using var script = new PortalScript { Environment = { ["PORTAL_DB_PASSWORD"] = "one", ["PORTAL_DB_ADMIN_PASSWORD"] = "two" } };
        string[] compose = ["docker-compose", "--project-directory", PortalScript.Root, "--file", Path.Combine(PortalScript.Root, "docker-compose.yml"), "--profile", "demo", "config"];

        var config = await script.RunAnyAsync(compose);
        var services = await script.RunAnyAsync([.. compose, "--services"]);

        Assert.True(config.Code == 0, config.All);
        Assert.Equal(["demo", "demo-migrate", "migrate", "portal", "postgres"], services.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        Assert.Equal(2, Regex.Count(config.Out, "Database=portal;"));
        Assert.Equal(2, Regex.Count(config.Out, "Database=demo;"));
        Assert.Single(Regex.Matches(config.Out, "Portal__Engine: none"));
        Assert.Single(Regex.Matches(config.Out, "Portal__Engine: simulated"));
    }

    [Fact]
    public async Task The_compose_file_has_no_password_of_its_own()
    {
        await using var script = new PortalScript { Environment = { ["PORTAL_DB_PASSWORD"] = null, ["PORTAL_DB_ADMIN_PASSWORD"] = null } };

        var config = await script.RunAnyAsync("docker-compose", "--file", Path.Combine(PortalScript.Root, "docker-compose.yml"), "config");

        Assert.NotEqual(0, config.Code);
        Assert.Contains("choose one and keep it", config.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void The_image_is_made_from_files_that_exist_and_are_let_into_the_build()
    {
        var ignored = File.ReadAllLines(Path.Combine(PortalScript.Root, ".dockerignore")).Where(l => l.StartsWith('!')).Select(l => l[1..]).ToArray();
        var sources = File.ReadAllLines(Path.Combine(PortalScript.Root, "Dockerfile"))
            .Where(l => l.StartsWith("COPY ", StringComparison.Ordinal) && !l.Contains("--from", StringComparison.Ordinal))
            .SelectMany(l => Blank().Split(l)[1..^1]).ToArray();

        Assert.NotEmpty(sources);
        Assert.All(sources, source =>
        {
            Assert.NotEmpty(Directory.GetFileSystemEntries(Path.Combine(PortalScript.Root, Path.GetDirectoryName(source)!), Path.GetFileName(source)));
            Assert.Contains(source.Split('/')[0], ignored);
        });
    }

    [Fact]
    public async Task The_image_restores_exactly_the_projects_that_the_portal_is_made_of()
    {
        await using var script = new PortalScript();
        var dockerfile = await File.ReadAllTextAsync(Path.Combine(PortalScript.Root, "Dockerfile"), Xunit.TestContext.Current.CancellationToken);

        var references = Directory.GetFiles(Path.Combine(PortalScript.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Concat(Directory.GetFiles(Path.Combine(PortalScript.Root, "migrations"), "*.csproj"))
            .Select(f => Path.GetRelativePath(PortalScript.Root, Path.GetDirectoryName(f)!));

        Assert.All(references, r => Assert.Contains($"COPY {r}/*.csproj", dockerfile, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_role_that_compose_makes_is_the_one_that_the_script_makes()
    {
        await using var script = new PortalScript();
        await script.RunAsync("pg", "start");
        var role = await File.ReadAllTextAsync(Path.Combine(PortalScript.Root, "src/scripts/compose/portal-role.sh"), Xunit.TestContext.Current.CancellationToken);
        var other = Path.Combine(script.Home, "role.sh");
        await File.WriteAllTextAsync(other, role.Replace("portal", "composed", StringComparison.Ordinal).Replace("database demo", "database demo2", StringComparison.Ordinal), Xunit.TestContext.Current.CancellationToken);
        var owner = (await script.RunAnyAsync("stat", "-c", "%U", script.InData("postgres"))).Out.Trim();

        var run = await script.RunAnyAsync([.. owner == Environment.UserName ? Array.Empty<string>() : ["setpriv", $"--reuid={owner}", $"--regid={owner}", "--clear-groups"],
            "env", $"PGHOST={script.InData("run")}", "PORTAL_DB_PASSWORD=it's", "sh", other]);
        var rights = await script.RunAsync("pg", "psql", "-Atc", "select distinct rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolcanlogin from pg_roles where rolname in ('portal', 'composed')");

        Assert.True(run.Code == 0, run.All);
        Assert.Equal("f|t|f|f|t", rights.Out.Trim());
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
