using System.Buffers.Binary;
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
    public void A_release_is_asked_for_where_it_would_be_fetched_and_no_password_with_it()
    {
        Assert.Equal("http://mirror.example/debian/dists/trixie/InRelease", DebianSources.Release(Targets, "trixie"));
        Assert.Null(DebianSources.Release("https://user:secret@mirror.example/debian/|bookworm|main|Debian", "trixie"));
        Assert.Null(DebianSources.Release("https://other.example/apt/|noble|main|Ubuntu\n", "trixie"));
    }

    [Fact]
    public void A_packed_kernel_is_found_by_its_boot_header()
    {
        var image = new byte[0x800 + 0x100];
        image[0x1F1] = 3;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x248), 0x40);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x24C), 0x20);
        Assert.Null(PackedKernel.In(image));

        // Before it, and no part of it.
        ((byte[])[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]).CopyTo(image, 0x300);
        ((byte[])[0x28, 0xB5, 0x2F, 0xFD]).CopyTo(image, 0x840);
        Assert.Equal((PackedKernel.Zstd, 0x840..0x85C), PackedKernel.In(image));

        ((byte[])[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]).CopyTo(image, 0x840);
        Assert.Equal((PackedKernel.Xz, 0x840..0x85C), PackedKernel.In(image));
        Assert.Null(PackedKernel.In(image.AsSpan(0, 0x850)));
        Assert.Null(PackedKernel.In(image.AsSpan(0, 0x100)));
    }

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
