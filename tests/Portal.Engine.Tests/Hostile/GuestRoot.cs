using Portal.Engine.Images;
using Portal.Engine.Tests.Live;

namespace Portal.Engine.Tests.Hostile;

/// <summary>A guest's root directory with its busybox, in which the guest's own scripts apply a seed as they do at a boot.</summary>
internal sealed class GuestRoot : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("portal-guest-");

    /// <param name="trap">Is there, and empty, in the guest as well.</param>
    public GuestRoot(string trap)
    {
        foreach (var directory in (string[])["bin", "etc", "root", "run", "media", "var/lib/tiny", "usr/lib/tiny", trap.TrimStart('/')])
        {
            _root.CreateSubdirectory(directory);
        }

        foreach (var script in (string[])["json.awk", "apply-seed"])
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
        var script = $"""
            [ -e {In("bin/sh")} ] || cp "$(command -v busybox)" {In("bin/busybox")}
            exec unshare --uts --net chroot {_root.FullName} /bin/busybox sh -euc '
                /bin/busybox --install -s /bin
                PATH=/bin
                awk -f /usr/lib/tiny/json.awk /media/meta-data > /run/meta-data
                awk -f /usr/lib/tiny/json.awk /media/network-config > /run/network-config
                sh /usr/lib/tiny/apply-seed /run/meta-data /run/network-config'
            """;
        var answer = await LibvirtHost.Shell.RunAsync(new("sh", ["-euc", script], TimeSpan.FromSeconds(60)), ct);
        Assert.True(answer.Succeeded, answer.Error);
    }

    public string Read(string file) => File.ReadAllText(In(file));

    public IEnumerable<string> List(string directory) => Directory.EnumerateFileSystemEntries(In(directory.TrimStart('/')));

    public void Dispose() => _root.Delete(recursive: true);

    private string In(string path) => Path.Combine(_root.FullName, path);
}
