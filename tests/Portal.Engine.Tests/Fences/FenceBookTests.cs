using Portal.Engine.Fences;
using Portal.Engine.Tests.Live;
using Portal.Kernel;

namespace Portal.Engine.Tests.Fences;

public sealed class FenceBookTests : IDisposable
{
    private readonly string _directory = An.Pool();
    private readonly VmId _vm = VmId.New();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string PathOf => Path.Combine(_directory, _vm.Value.ToString("N"));

    [Fact]
    public async Task The_highest_epoch_is_remembered_across_processes_lives()
    {
        (await EnterAsync(Book(), 3)).Value.Dispose();
        (await EnterAsync(Book(), 12)).Value.Dispose();

        Assert.Equal(new FencedOff(3, 12), (await EnterAsync(Book(), 3)).Refusal);
        (await EnterAsync(Book(), 12)).Value.Dispose();
        Assert.Equal("0000000000000000012", await File.ReadAllTextAsync(PathOf, Ct));
    }

    [Fact]
    public async Task One_at_a_time()
    {
        var first = (await EnterAsync(Book(), 1)).Value;
        var second = EnterAsync(Book(), 2);
        Assert.False(second.IsCompleted);

        // Another process sees the lock, too: flock(1) exits with 1 where it cannot have it.
        Assert.Equal(1, (await LibvirtHost.Shell.RunAsync(new("flock", ["--nonblock", PathOf, "true"], TimeSpan.FromSeconds(10)), Ct)).ExitCode);
        first.Dispose();

        (await second).Value.Dispose();
        Assert.Equal(0, (await LibvirtHost.Shell.RunAsync(new("flock", ["--nonblock", PathOf, "true"], TimeSpan.FromSeconds(10)), Ct)).ExitCode);
    }

    [Fact]
    public async Task A_command_that_outlives_its_portal_is_waited_for()
    {
        var marker = Path.Combine(_directory, "started");
        var release = Path.Combine(_directory, "release");
        Task<Portal.Engine.Shell.HostAnswer> orphan;
        using (var hold = (await EnterAsync(Book(), 1)).Value)
        {
            orphan = LibvirtHost.Shell.RunAsync(
                hold.Guard(new("sh", ["-c", $"touch {marker}; while [ ! -e {release} ]; do sleep 0.02; done"], TimeSpan.FromSeconds(30))), Ct);
            while (!File.Exists(marker))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Ct);
            }
        }

        var successor = EnterAsync(Book(), 2);
        Assert.False(successor.IsCompleted);
        await File.WriteAllTextAsync(release, "", Ct);

        (await successor).Value.Dispose();
        Assert.True((await orphan).Succeeded);
    }

    [Fact]
    public async Task Who_hangs_for_good_is_waited_for_some_minutes_and_then_named()
    {
        using var hold = (await EnterAsync(Book(), 1)).Value;

        var fault = await Assert.ThrowsAsync<HostFaultException>(() => EnterAsync(new FenceBook(_directory, new Impatient()), 2));

        Assert.Contains(PathOf, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fence_that_is_no_number_stops_everything()
    {
        await File.WriteAllTextAsync(PathOf, "what", Ct);

        await Assert.ThrowsAsync<HostFaultException>(() => EnterAsync(Book(), 1));
    }

    [Fact]
    public async Task A_directory_that_is_gone_is_a_fault() =>
        await Assert.ThrowsAsync<HostFaultException>(() => EnterAsync(new FenceBook(Path.Combine(_directory, "gone"), TimeProvider.System), 1));

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private FenceBook Book() => new(_directory, TimeProvider.System);

    private Task<Result<FenceHold>> EnterAsync(FenceBook book, long epoch) => book.EnterAsync(new Fence(_vm, epoch), Ct);

    /// <summary>Minutes pass at once.</summary>
    private sealed class Impatient : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime >= TimeSpan.FromMinutes(1) ? TimeSpan.FromMilliseconds(50) : dueTime, period);
    }
}
