namespace Portal.Script.Tests;

/// <summary>On a machine where programs are missing: a namespace of mounts hides them, and stands in for apt-get, so that nothing is really installed.</summary>
public sealed class PackagesTests
{
    [Fact]
    public async Task No_install_names_what_is_missing_and_how_to_get_it_and_touches_nothing()
    {
        await using var script = await BareMachineAsync();

        var up = await script.RunAsync("up", "--no-install");

        Assert.Equal(1, up.Code);
        Assert.Contains("missing: postgresql qemu-utils libvirt-clients.", up.Err, StringComparison.Ordinal);
        Assert.Contains("apt-get install --no-install-recommends postgresql qemu-utils libvirt-clients", up.Err, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(script.Home, "apt")));
        Assert.False(Directory.Exists(script.InData("postgres")));
    }

    [Fact]
    public async Task The_simulated_engine_needs_the_database_alone()
    {
        await using var script = await BareMachineAsync();

        var up = await script.RunAsync("up", "--no-install", "--engine", "simulated");

        Assert.Contains("missing: postgresql.", up.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_packages_are_named_and_installed_without_a_foreign_cluster()
    {
        await using var script = await BareMachineAsync();

        var up = await script.RunAsync("up");
        var apt = await File.ReadAllTextAsync(Path.Combine(script.Home, "apt"), Xunit.TestContext.Current.CancellationToken);

        Assert.Contains("installing postgresql qemu-utils libvirt-clients", up.Out, StringComparison.Ordinal);
        Assert.Contains(" update\n", apt, StringComparison.Ordinal);
        Assert.Contains(" install --no-install-recommends postgresql qemu-utils libvirt-clients\n", apt, StringComparison.Ordinal);
        Assert.Contains("create_main_cluster = false", apt, StringComparison.Ordinal);
        Assert.Contains("is still missing after its package was installed", up.Err, StringComparison.Ordinal);
    }

    private static async Task<PortalScript> BareMachineAsync()
    {
        var script = new PortalScript();
        Assert.SkipUnless((await script.RunAnyAsync("unshare", "--mount", "true")).Code == 0, "Only root may hide programs in a namespace of mounts.");

        // Notes what it is asked for, and what Debian's maintainer scripts would find then.
        var apt = Path.Combine(script.Home, "apt-get");
        await File.WriteAllTextAsync(apt, $"""
            #!/bin/sh
            echo "$@" >>{script.Home}/apt
            cat /etc/postgresql-common/createcluster.d/*.conf >>{script.Home}/apt 2>/dev/null
            exit 0

            """, Xunit.TestContext.Current.CancellationToken);
        File.SetUnixFileMode(apt, (UnixFileMode)0b111_101_101);
        script.Prefix =
        [
            "unshare", "--mount", "bash", "-euc",
            $"""
            mount -t tmpfs none /usr/lib/postgresql
            mount -t tmpfs none /etc/postgresql-common
            for program in /usr/bin/virsh /usr/bin/qemu-img; do mount --bind /dev/null $program; done
            mount --bind {apt} /usr/bin/apt-get
            exec "$@"
            """, "bare",
        ];
        return script;
    }
}
