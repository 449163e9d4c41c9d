using System.Globalization;
using Portal.Engine.Consoles;
using Portal.Engine.Pools;
using Portal.Engine.Tests.Live;

namespace Portal.Engine.Tests.Consoles;

public sealed class ConsoleLogsTests : IDisposable
{
    private readonly PoolLayout _pool = new(An.Pool());

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_chatty_guest_does_not_fill_the_pool_and_its_last_words_stay()
    {
        _pool.Create();
        var name = An.Spec("deadbeef").Name;
        var path = _pool.ConsoleLog(name);
        var text = new byte[20 << 20];
        Random.Shared.NextBytes(text);
        await File.WriteAllBytesAsync(path, text, Ct);
        var logs = new ConsoleLogs(_pool, LibvirtHost.Shell);

        await logs.BoundAsync([new DomainReport(name, DomainState.Running)], Ct);

        var kept = await File.ReadAllBytesAsync(path, Ct);
        Assert.Equal(text.Length, kept.Length);
        Assert.Equal(text[^(1 << 20)..], kept[^(1 << 20)..]);
        var used = await LibvirtHost.Shell.RunAsync(new("du", ["--block-size=1", path], TimeSpan.FromSeconds(10)), Ct);
        Assert.InRange(long.Parse(used.Output.Split('\t')[0], CultureInfo.InvariantCulture), 1 << 20, 2 << 20);
    }

    public void Dispose() => Directory.Delete(_pool.Root, recursive: true);
}
