using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portal.Engine.Images;
using Portal.Engine.Tests.Images;
using Portal.Kernel;

namespace Portal.Engine.Tests.Hostile;

/// <summary>The seed that a guest reads, and what a guest writes of it into its own files.</summary>
public sealed partial class HostileSeedTests(Trap trap) : IClassFixture<Trap>
{
    private readonly IReadOnlyList<SshPublicKey[]> _keys = [.. HostileKeys.With(trap.Strings).Chunk(250)];

    private static readonly DomainName s_name = An.Spec("deadbeef").Name;

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
    public void All_user_data_comes_out_of_the_seed_as_it_went_in_and_changes_nothing_else_of_it()
    {
        var plain = SeedFiles.Of(An.Spec("deadbeef"));
        var (taken, refused) = (0, 0);
        foreach (var text in trap.Strings)
        {
            if (!UserData.TryParse(text, out var data))
            {
                // NUL, half a character, nothing at all, or too much.
                Assert.True(text.Length == 0 || text.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) != text || Encoding.UTF8.GetByteCount(text) > UserData.MaxBytes);
                refused++;
                continue;
            }

            var files = SeedFiles.Of(An.Spec("deadbeef") with { Name = s_name, UserData = data });
            var parts = SeedParts.Of(files.UserData);
            Assert.Equal([plain.UserData, text], parts.Select(part => part.Text));
            Assert.Equal(text, files.OwnerData?.Text);
            Assert.Equal(plain.NetworkConfig, files.NetworkConfig);
            Assert.Equal(SeedFiles.Of(An.Spec("deadbeef") with { Name = s_name }).MetaData, files.MetaData);
            taken++;
        }

        Assert.InRange(taken, HostileStrings.Count / 2, HostileStrings.Count - 200);
        Assert.True(refused >= 200);
        Assert.False(trap.IsSprung);
    }

    [Fact]
    public async Task A_guest_runs_user_data_that_is_a_script_once_and_nothing_else_of_it()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may change its root directory, which keeps this machine's files from the guest's script.");
        using var guest = new GuestRoot(trap.Home);
        List<string> texts = [.. trap.Strings.Where((text, n) => n % 50 == 0 && UserData.TryParse(text, out _) && !text.StartsWith("#!", StringComparison.Ordinal))];

        var said = await guest.GiveAsync(texts, Ct);

        Assert.Equal(texts.Select(_ => "Tiny Linux: the user data is not understood here: only a script that begins with #! is"), said.Split('\n')[..^1]);
        Assert.Empty(guest.List(trap.Home));

        var script = $"#!/bin/sh\necho ran; touch {trap.Home}/canary; exit 3";
        Assert.Equal("Tiny Linux: the user data runs\nran\nTiny Linux: the user data ended with exit code 3\n", await guest.GiveAsync([script], Ct));
        Assert.Equal("ran\nTiny Linux: the user data ended with exit code 3\n", guest.Read("var/log/owner-data.log"));
        Assert.Equal(script, guest.Read("var/lib/tiny/owner-data"));
        // In the guest, and there alone.
        Assert.Single(guest.List(trap.Home));
        Assert.False(trap.IsSprung);
        // At its next boot.
        Assert.Equal("", await guest.GiveAsync([script], Ct, sameInstance: true));
    }

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
