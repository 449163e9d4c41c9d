using System.Text.Json;
using System.Text.RegularExpressions;
using Portal.Engine.Images;
using Portal.Kernel;

namespace Portal.Engine.Tests.Hostile;

/// <summary>The seed that a guest reads, and what a guest writes of it into its own files.</summary>
public sealed partial class HostileSeedTests(Trap trap) : IClassFixture<Trap>
{
    private readonly IReadOnlyList<SshPublicKey[]> _keys = [.. HostileKeys.With(trap.Strings).Chunk(250)];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_key_comes_out_of_the_seed_as_it_went_in()
    {
        foreach (var keys in _keys)
        {
            var files = SeedFiles.Of(An.Spec("deadbeef") with { SshKeys = keys });
            using var user = JsonDocument.Parse(files.UserData["#cloud-config\n".Length..]);
            using var meta = JsonDocument.Parse(files.MetaData);

            Assert.Equal(keys.Select(key => key.Line), user.RootElement.GetProperty("ssh_authorized_keys").EnumerateArray().Select(key => key.GetString()));
            Assert.Equal(keys.Select(key => key.Line), meta.RootElement.GetProperty("public-keys").EnumerateArray().Select(key => key.GetString()));
            Assert.Equal(["hostname", "manage_etc_hosts", "ssh_pwauth", "ssh_authorized_keys"], user.RootElement.EnumerateObject().Select(property => property.Name));
        }
    }

    [Fact]
    public void A_seed_has_nothing_that_YAML_reads_in_another_way_than_JSON() => Assert.All(_keys, keys =>
    {
        var files = SeedFiles.Of(An.Spec("deadbeef") with { SshKeys = keys });
        Assert.All([files.UserData, files.MetaData, files.NetworkConfig], file => Assert.DoesNotMatch(NotTheSameInYaml(), file));
    });

    [Fact]
    public async Task A_guest_writes_the_keys_and_its_name_into_its_files_and_runs_nothing_of_them()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may change its root directory, which keeps this machine's files from the guest's script.");
        using var guest = new GuestRoot(trap.Home);
        List<VmName> names = [.. trap.Strings.Where(text => VmName.TryParse(text, out _)).Select(VmName.Parse)];
        foreach (var (keys, name) in _keys.Zip(names))
        {
            await guest.ApplyAsync(SeedFiles.Of(An.Spec("deadbeef") with { SshKeys = keys, HostName = name }), Ct);

            // Tiny Linux reads escapes of ASCII alone, and writes "?" for the others.
            Assert.Equal(keys.Select(key => NoAscii().Replace(key.Line, "")), guest.Read("root/.ssh/authorized_keys").Split('\n')[..^1].Select(line => NoAscii().Replace(line, "")));
            Assert.Equal($"127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n", guest.Read("etc/hosts"));
        }

        Assert.True(names.Count >= _keys.Count);
        Assert.Empty(guest.List(trap.Home));
        Assert.False(trap.IsSprung);
    }

    // YAML 1.1: a line separator is a line's end, what is not printable an error, and \ud83d\ude00 two halves that nothing can write.
    [GeneratedRegex(@"[^\n\x20-\x7e\u00a0-\u2027\u202a-\ufefe\uff00-\ufffd]|(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]")]
    private static partial Regex NotTheSameInYaml();

    [GeneratedRegex(@"[^\x20-\x7e]|\?")]
    private static partial Regex NoAscii();
}
