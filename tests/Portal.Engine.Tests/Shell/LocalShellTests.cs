using CsCheck;
using Portal.Engine.Shell;
using Portal.Engine.Tests.Live;

namespace Portal.Engine.Tests.Shell;

public sealed class LocalShellTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gives_code_output_and_complaints()
    {
        var answer = await RunAsync("sh", "-c", "echo out; echo err >&2; exit 3");

        Assert.Equal(new HostAnswer(3, "out\n", "err\n"), answer);
    }

    [Fact]
    public async Task Speaks_one_language_and_hands_over_input()
    {
        Assert.Equal("C\n", (await RunAsync("sh", "-c", "echo $LC_ALL")).Output);
        var echoed = await LibvirtHost.Shell.RunAsync(new("cat", [], TimeSpan.FromSeconds(10)) { Input = "ünï\n" }, Ct);
        Assert.Equal("ünï\n", echoed.Output);
        Assert.Equal("", (await RunAsync("cat")).Output);
    }

    [Fact]
    public async Task Kills_the_program_and_its_children_at_the_deadline()
    {
        var mark = An.Instance();

        var fault = await Assert.ThrowsAsync<HostFaultException>(
            () => LibvirtHost.Shell.RunAsync(new("sh", ["-c", $"sh -c ': {mark}; while :; do sleep 5; done' & wait"], TimeSpan.FromMilliseconds(300)), Ct));

        Assert.Contains("was killed", fault.Message, StringComparison.Ordinal);
        while ((await RunAsync("sh", "-c", $"grep -lz '{mark[..4]}[{mark[4]}]{mark[5..]}' /proc/[0-9]*/cmdline | wc -l")).Output.Trim() != "0")
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
    }

    [Fact]
    public async Task Says_what_to_do_where_the_program_is_missing()
    {
        var fault = await Assert.ThrowsAsync<HostFaultException>(() => RunAsync("no-such-program-anywhere"));

        Assert.Contains("Install the package", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keeps_the_start_of_endless_output_and_lets_the_program_end()
    {
        var answer = await RunAsync("sh", "-c", "head -c 9000000 /dev/zero; echo done >&2");

        Assert.Equal(4 << 20, answer.Output.Length);
        Assert.Equal("done\n", answer.Error);
    }

    [Fact]
    public async Task What_is_quoted_arrives_in_a_real_shell_as_it_was()
    {
        // Surrogates alone are not text, and no argument holds a NUL.
        string[] words = [.. Gen.String.Array[200].Single().Select(word => string.Concat(word.Where(c => c != '\0' && !char.IsSurrogate(c)))), "", "'", "a'b\\'c", "$(reboot)", "`x`", "\n", "-n", "é\t*"];

        var script = string.Concat(words.Select(word => $"printf '%s\\0' {ShellQuote.Word(word)}\n"));
        var answer = await LibvirtHost.Shell.RunAsync(new("sh", [], TimeSpan.FromSeconds(30)) { Input = script }, Ct);

        Assert.Equal(words, answer.Output.Split('\0')[..^1]);
    }

    private static Task<HostAnswer> RunAsync(string program, params string[] arguments) =>
        LibvirtHost.Shell.RunAsync(new(program, arguments, TimeSpan.FromSeconds(20)), Ct);
}
