using System.Text;
using Portal.Engine.Remote;
using Portal.Engine.Tests.Live;
using Portal.Kernel;

namespace Portal.Engine.Tests.Hostile;

/// <summary>Keys as they are pasted, and what root's shell makes of them and of the groups on a new host.</summary>
public sealed class HostileKeyTests(Trap trap) : IClassFixture<Trap>
{
    private const string Instance = "0123abcd";

    [Fact]
    public void A_key_is_one_line_of_a_known_type_and_its_comment_what_was_pasted()
    {
        var accepted = 0;
        foreach (var comment in trap.Strings)
        {
            if (SshPublicKey.TryParse($"{HostileKeys.Start} {comment}", out var key))
            {
                accepted++;
                Assert.Equal($"{HostileKeys.Start} {comment.Trim()}".TrimEnd(' '), key.Line);
                Assert.DoesNotContain(key.Line, char.IsControl);
                Assert.Equal(key.Line, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(key.Line)));
            }
        }

        Assert.InRange(accepted, 1000, HostileStrings.Count - 1000);
    }

    [Fact]
    public void Nothing_stands_before_a_key() =>
        Assert.All(trap.Strings, text => Assert.True(!SshPublicKey.TryParse($"{text} {An.Key}", out var key) || key.Line.StartsWith(HostileKeys.Start, StringComparison.Ordinal)));

    [Fact]
    public async Task The_install_script_writes_the_key_that_it_was_given()
    {
        var keys = HostileKeys.With(trap.Strings);

        // The one line of the script that has the key in it, each time with another key.
        var lines = keys.Select(key => HostInstall.Script(Instance, ["vg0"], key).Split('\n').Single(line => line.Contains(HostileKeys.Start, StringComparison.Ordinal)));
        var written = await ShellAsync(string.Join('\n', lines.Select(line => line.Replace(">/var/lib/portal-account/.ssh/authorized_keys", "", StringComparison.Ordinal))));

        Assert.Equal(keys.Select(key => $"restrict,command=\"exec sudo -n /usr/local/lib/portal/portal-host\" {key.Line}"), written.Split('\n')[..^1]);
        Assert.False(trap.IsSprung);
    }

    [Fact]
    public async Task The_install_script_writes_the_groups_that_it_was_given_and_takes_nothing_else_for_one()
    {
        var key = An.KeyOf(An.Key);
        var groups = trap.Strings.Where(text => !Refuses(Instance, text)).ToList();
        Assert.InRange(groups.Count, 1, HostileStrings.Count / 20);
        Assert.All(trap.Strings.Where(text => !Refuses(text, "vg0")), text => Assert.Matches("^[0-9a-f]{8}\\z", text));

        var script = HostInstall.Script(Instance, groups, key);
        var from = script.IndexOf("cat >/etc/portal-host.conf.new", StringComparison.Ordinal);
        var to = script.IndexOf("# What this machine's administrator lets the portal adopt", StringComparison.Ordinal);
        var written = await ShellAsync(script[from..to].Replace(">/etc/portal-host.conf.new", "", StringComparison.Ordinal));

        Assert.Equal(groups.Select(group => $"vg {group}").Prepend($"instance {Instance}"), written.Split('\n')[..^1]);
        Assert.False(trap.IsSprung);

        bool Refuses(string instance, string group)
        {
            try
            {
                HostInstall.Script(instance, [group], key);
                return false;
            }
            catch (ArgumentException)
            {
                return true;
            }
        }
    }

    private static async Task<string> ShellAsync(string script)
    {
        var answer = await LibvirtHost.Shell.RunAsync(new("sh", ["-s"], TimeSpan.FromSeconds(60)) { Input = script }, TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), (answer.ExitCode, answer.Error));
        return answer.Output;
    }
}
