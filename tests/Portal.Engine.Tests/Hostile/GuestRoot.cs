using Portal.Engine.Images;
using Portal.Engine.Tests.Live;

namespace Portal.Engine.Tests.Hostile;

/// <summary>A guest's root directory with its busybox, in which the guest's own scripts apply a seed as they do at a boot.</summary>
internal sealed class GuestRoot : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("portal-guest-");
    private int _instance;

    /// <param name="trap">Is there, and empty, in the guest as well.</param>
    public GuestRoot(string trap)
    {
        foreach (var directory in (string[])["bin", "dev", "etc", "root", "run", "media", "var/lib/tiny", "var/log", "usr/lib/tiny", trap.TrimStart('/')])
        {
            _root.CreateSubdirectory(directory);
        }

        // A device would need a machine that lets one be made; this one is never read.
        File.WriteAllText(In("dev/null"), "");
        foreach (var script in (string[])["json.awk", "apply-seed", "owner-data"])
        {
            using var resource = typeof(SeedFiles).Assembly.GetManifestResourceStream($"TinyLinux/{script}")!;
            using var file = File.Create(In($"usr/lib/tiny/{script}"));
            resource.CopyTo(file);
        }
    }

    public async Task ApplyAsync(SeedFiles seed, CancellationToken ct)
    {
        await File.WriteAllTextAsync(In("media/meta-data"), seed.MetaData, ct);
        await File.WriteAllTextAsync(In("media/network-config"), seed.NetworkConfig, ct);
        await RunAsync(
            """
            awk -f /usr/lib/tiny/json.awk /media/meta-data > /run/meta-data
            awk -f /usr/lib/tiny/json.awk /media/network-config > /run/network-config
            sh /usr/lib/tiny/apply-seed /run/meta-data /run/network-config
            """,
            ct);
    }

    /// <summary>Gives it user data after user data, each at the first boot of another instance.</summary>
    /// <param name="sameInstance">At a later boot of the instance that it was last.</param>
    /// <returns>What its console says.</returns>
    public async Task<string> GiveAsync(IReadOnlyList<string> texts, CancellationToken ct, bool sameInstance = false)
    {
        _instance += sameInstance ? 0 : 1;
        for (var n = 0; n < texts.Count; n++)
        {
            await File.WriteAllTextAsync(In($"media/{n}"), texts[n], ct);
        }

        return await RunAsync(
            $$"""
            n=0
            while [ $n -lt {{texts.Count}} ]; do
                printf "/instance-id\\t%s\\n" {{_instance}}-$n > /run/meta-data
                sh /usr/lib/tiny/owner-data "Tiny Linux" /run/meta-data /media/$n /var/lib/tiny
                n=$((n + 1))
            done
            """,
            ct);
    }

    private async Task<string> RunAsync(string commands, CancellationToken ct)
    {
        var script = $"""
            [ -e {In("bin/sh")} ] || cp "$(command -v busybox)" {In("bin/busybox")}
            exec unshare --uts --net chroot {_root.FullName} /bin/busybox sh -euc '
                /bin/busybox --install -s /bin
                PATH=/bin
                {commands}'
            """;
        var answer = await LibvirtHost.Shell.RunAsync(new("sh", ["-euc", script], TimeSpan.FromSeconds(60)), ct);
        Assert.True(answer.Succeeded, answer.Error);
        return answer.Output;
    }

    public string Read(string file) => File.ReadAllText(In(file));

    public IEnumerable<string> List(string directory) => Directory.EnumerateFileSystemEntries(In(directory.TrimStart('/')));

    public void Dispose() => _root.Delete(recursive: true);

    private string In(string path) => Path.Combine(_root.FullName, path);
}
