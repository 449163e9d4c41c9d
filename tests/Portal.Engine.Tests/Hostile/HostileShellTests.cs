using System.Text;
using Portal.Engine.Shell;
using Portal.Engine.Tests.Live;

namespace Portal.Engine.Tests.Hostile;

public sealed class HostileShellTests(Trap trap) : IClassFixture<Trap>
{
    [Fact]
    public async Task A_real_shell_reads_every_word_as_it_was()
    {
        var words = trap.Strings.Where(word => !word.Contains('\0', StringComparison.Ordinal)).ToList();

        List<string> read = [];
        foreach (var some in words.Chunk(1000)) // an answer has at most 4 MiB
        {
            var line = new HostCommand("printf", ["%s\\0", .. some], TimeSpan.Zero).ToString();
            var answer = await LibvirtHost.Shell.RunAsync(new("sh", ["-s"], TimeSpan.FromSeconds(60)) { Input = line }, TestContext.Current.CancellationToken);
            Assert.Equal((0, ""), (answer.ExitCode, answer.Error));
            read.AddRange(answer.Output.Split('\0')[..^1]);
        }

        Assert.Equal(words.Select(Sent), read);
        Assert.False(trap.IsSprung);
    }

    [Fact]
    public void What_no_argument_can_hold_is_refused()
    {
        var words = trap.Strings.Where(word => word.Contains('\0', StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(words);
        Assert.All(words, word => Assert.Throws<ArgumentException>(() => ShellQuote.Word(word)));
    }

    // Half a surrogate pair has no bytes: U+FFFD goes out in its place, whoever writes it.
    private static string Sent(string word) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(word));
}
