using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Tests.Remote;

/// <summary>What portal-host writes into the volume that is to take a clone's place.</summary>
public sealed class CatchUpTests : IDisposable
{
    private const int Part = DomainDisk.PartSize;
    private const int Piece = 1 << 20;

    private static readonly VmId s_vm = new(Guid.Parse("0190a5b0-0000-7000-8000-00000000beef"));
    private static readonly string s_disk = new DomainName(PortalHost.Instance, s_vm, 1).Text;
    private static readonly string s_template = $"t{PortalHost.Instance}-tiny-linux-1";
    private static readonly Fence s_fence = new(s_vm, 1);

    private readonly PortalHost _host = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_differs_is_written_and_nothing_else_until_nothing_does()
    {
        var (template, clone) = (Content(1), Content(1));
        clone.AsSpan(5, 3).Fill(7);
        clone.AsSpan((2 * Part) + 100).Fill(8);
        _host.PutVolume("vg0", s_template, template);
        _host.PutVolume("vg0", s_disk, clone);
        var own = _host.PutVolume("vg0", s_disk + "-own", Content(2));
        await using var channel = await _host.ConnectAsync(Ct);

        // From its template, in two commands, while the guest runs.
        Assert.Equal(2 * Part, await CatchUpAsync(channel, s_template, 0, 2));
        Assert.Equal(Content(2)[(2 * Part)..], (await File.ReadAllBytesAsync(own, Ct))[(2 * Part)..]);
        Assert.Equal(12345, await CatchUpAsync(channel, s_template, 2, 1));
        Assert.Equal(template, await File.ReadAllBytesAsync(own, Ct));
        // Once more, as who takes it over does.
        Assert.Equal(0, await CatchUpAsync(channel, s_template, 0, 3));
        // Then from the clone: the two pieces that differ.
        Assert.Equal(Piece + 12345, await CatchUpAsync(channel, s_disk, 0, 3));
        Assert.Equal(0, await CatchUpAsync(channel, s_disk, 0, 3));
        Assert.Equal(clone, await File.ReadAllBytesAsync(own, Ct));
    }

    [Fact]
    public async Task Volumes_of_other_lengths_and_parts_that_are_not_there_are_said()
    {
        _host.PutVolume("vg0", s_disk, Content(1));
        _host.PutVolume("vg0", s_disk + "-own", Content(1).AsSpan(0, Part));
        await using var channel = await _host.ConnectAsync(Ct);

        var shorter = await channel.RunAsync(Command(s_disk, 0, 3), Ct);
        var beyond = await channel.RunAsync(Command(s_disk, 3, 2), Ct);

        Assert.Equal((114, $"portal-host: {_host.Base}/dev/vg0/{s_disk}-own is not as large as {_host.Base}/dev/vg0/{s_disk}\n"), (shorter.ExitCode, shorter.Error));
        Assert.Equal("0 0\n", beyond.Output);
        Assert.Throws<HostFaultException>(() => RemoteAnswers.CaughtUp(beyond.Output, 2));
        Assert.Throws<HostFaultException>(() => RemoteAnswers.CaughtUp("", 0));
    }

    [Theory]
    [InlineData("/dev/vg0/D", "/dev/vg0/D")]
    [InlineData("/dev/vg0/D", "/dev/vg0/D-clone")]
    [InlineData("/dev/vg0/D", "/dev/vg0/E-own")]
    [InlineData("/dev/vg0/D-own", "/dev/vg0/D-own")]
    [InlineData("/dev/vg0/D-vdata", "/dev/vg0/D-own")]
    [InlineData("/dev/vg0/D", "/dev/vg0/T-own")]
    [InlineData("/dev/vg0/D", "/dev/vg0/T")]
    [InlineData("/dev/vg0/T", "/dev/vg0/T-own")]
    [InlineData("/dev/vg0/T", "/dev/vg0/D")]
    [InlineData("/dev/vg0/T", "/dev/vg9/D-own")]
    [InlineData("/dev/vg9/T", "/dev/vg0/D-own")]
    [InlineData("/dev/vg0/t89abcdef-tiny-linux-1", "/dev/vg0/D-own")]
    [InlineData("/dev/vg0/../sda", "/dev/vg0/D-own")]
    [InlineData("/dev/sdb1", "/dev/vg0/D-own")]
    [InlineData("/dev/vg0/T", "/dev/vg0/D-own/../D")]
    public async Task Nothing_but_a_clones_own_volume_is_written_and_from_nothing_but_the_clone_and_templates(string from, string to)
    {
        await using var channel = await _host.ConnectAsync(Ct);

        var refused = await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(PortalHostCommands.CatchUp(Named(from), Named(to), 0, 1).AskedUnder(s_fence), Ct));

        Assert.Contains("catch-up is not for that", refused.Message, StringComparison.Ordinal);

        static string Named(string path) => path.Replace("D", s_disk, StringComparison.Ordinal).Replace("E", new DomainName(PortalHost.Instance, s_vm, 2).Text, StringComparison.Ordinal).Replace("T", s_template, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_needs_its_VMs_fence_and_is_refused_to_who_is_late()
    {
        _host.PutVolume("vg0", s_template, Content(1));
        _host.PutVolume("vg0", s_disk + "-own", Content(1));
        await using var channel = await _host.ConnectAsync(Ct);
        var command = PortalHostCommands.CatchUp($"/dev/vg0/{s_template}", $"/dev/vg0/{s_disk}-own", 0, 1);
        var other = new Fence(new VmId(Guid.Parse("0190a5b0-0000-7000-8000-00000000dead")), 9);

        Assert.Contains("needs its fence", (await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(command, Ct))).Message, StringComparison.Ordinal);
        Assert.Contains("needs its fence", (await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(command.AskedUnder(other), Ct))).Message, StringComparison.Ordinal);
        Assert.Equal(0, (await channel.RunAsync(command.AskedUnder(new Fence(s_vm, 5)), Ct)).ExitCode);
        Assert.Equal(new FencedOff(4, 5), RemoteAnswers.Fenced(await channel.RunAsync(command.AskedUnder(new Fence(s_vm, 4)), Ct)));
    }

    public void Dispose() => _host.Dispose();

    private static HostCommand Command(string from, int first, int count) => PortalHostCommands.CatchUp($"/dev/vg0/{from}", $"/dev/vg0/{s_disk}-own", first, count).AskedUnder(s_fence);

    private static async Task<long> CatchUpAsync(HostChannel channel, string from, int first, int count)
    {
        var answer = await channel.RunAsync(Command(from, first, count), Ct);
        Assert.Equal((0, ""), (answer.ExitCode, answer.Error));
        return RemoteAnswers.CaughtUp(answer.Output, count).Bytes;
    }

    // Two parts and a bit.
    private static byte[] Content(int seed)
    {
        var content = new byte[(2 * Part) + 12345];
        new Random(seed).NextBytes(content);
        return content;
    }
}
