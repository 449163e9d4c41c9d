using Portal.Engine.Images;

namespace Portal.Engine.Tests.Images;

/// <summary>From where a Debian is fetched, and what of this machine's configuration goes along.</summary>
public sealed class DebianTests
{
    private const string Targets = """
        http://mirror.example/debian/|bookworm|main|Debian
        http://mirror.example/debian/|bookworm-updates|main|Debian
        http://mirror.example/debian-security/|bookworm-security|main|Debian
        http://mirror.example/debian/|bookworm-backports|main|Debian
        http://mirror.example/debian/|bookworm|contrib|Debian
        https://other.example/apt/|bookworm|main|Somebody
        """;

    [Fact]
    public void A_release_is_fetched_from_where_the_machine_has_its_own()
    {
        var lines = DebianSources.Lines(Targets, "bookworm");

        Assert.Equal(
            ["http://mirror.example/debian/ bookworm main", "http://mirror.example/debian/ bookworm-updates main", "http://mirror.example/debian-security/ bookworm-security main"],
            lines.Select(line => line.Split(' ', 3)[2]));
        Assert.All(lines, line => Assert.StartsWith("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Another_release_takes_the_same_addresses_and_its_own_where_the_machine_has_them()
    {
        Assert.Contains("http://mirror.example/debian-security/ trixie-security main", DebianSources.Lines(Targets, "trixie")[2], StringComparison.Ordinal);
        Assert.EndsWith("http://new.example/ trixie main", Assert.Single(DebianSources.Lines(Targets + "\nhttp://new.example/|trixie|main|Debian", "trixie")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_without_sources_of_Debian_has_none() => Assert.Empty(DebianSources.Lines("https://other.example/apt/|noble|main|Ubuntu\n", "bookworm"));

    [Fact]
    public void Of_apts_configuration_only_the_way_to_fetch_goes_along()
    {
        const string Config = "APT::Get::Assume-Yes \"1\";\nAcquire::http::Proxy \"http://user:secret@proxy.example:3128/\";\nAcquire::Languages \"\";\nDPkg::Post-Invoke:: \"rm -rf /\";\n";

        Assert.Equal("Acquire::http::Proxy \"http://user:secret@proxy.example:3128/\";\n", DebianCommands.Fetching(Config));
    }

    [Fact]
    public void A_proxys_password_is_in_no_argument() =>
        Assert.DoesNotContain(DebianCommands.Bootstrap("bookworm", "/work", "/busy", _ => { }).Arguments, argument => argument.Contains("Acquire", StringComparison.Ordinal));
}
