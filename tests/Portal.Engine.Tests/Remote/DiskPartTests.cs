using System.IO.Compression;
using System.Security.Cryptography;
using Portal.Engine.Remote;
using Portal.Kernel;

namespace Portal.Engine.Tests.Remote;

/// <summary>Disks of VMs that portal-host reads, compares and writes in parts, for a copy to another host.</summary>
public sealed class DiskPartTests : IDisposable
{
    private const int Part = DomainDisk.PartSize;

    private static readonly VmId s_vm = new(Guid.Parse("0190a5b0-0000-7000-8000-00000000beef"));
    private static readonly string s_disk = new DomainName(PortalHost.Instance, s_vm, 1).Text;
    private static readonly string s_device = $"/dev/vg0/{s_disk}";

    private readonly PortalHost _host = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_part_has_its_digest_and_says_where_it_is_zero()
    {
        var content = Content();
        _host.PutVolume("vg0", s_disk, content);
        await using var channel = await _host.ConnectAsync(Ct);

        var told = await channel.RunAsync(PortalHostCommands.PartDigests(s_device, 0, 3).AskedUnder(new Fence(s_vm, 1)), Ct);
        var beyond = await channel.RunAsync(PortalHostCommands.PartDigests(s_device, 2, 9).AskedUnder(new Fence(s_vm, 1)), Ct);

        Assert.Equal((0, ""), (told.ExitCode, told.Error));
        Assert.Equal([Sha(content.AsSpan(0, Part)), null, Sha(content.AsSpan(2 * Part))], RemoteAnswers.PartDigests(told.Output, 3).Select(d => d.Sha256));
        Assert.Equal(Sha(content.AsSpan(2 * Part)), Assert.Single(RemoteAnswers.PartDigests(beyond.Output, 1)).Sha256);
        Assert.Throws<HostFaultException>(() => RemoteAnswers.PartDigests(beyond.Output, 9));
    }

    [Fact]
    public async Task A_part_is_read_packed_and_just_as_it_is()
    {
        var content = Content();
        _host.PutVolume("vg0", s_disk, content);
        await using var shell = new SshShell(_ => Task.FromResult<IHostLink>(_host.Start()), TimeProvider.System);

        var (answer, packed) = await shell.ReadAsync(PortalHostCommands.ReadPart(s_device, 2).AskedUnder(new Fence(s_vm, 1)), 32 << 20, Ct);

        Assert.Equal((0, ""), (answer.ExitCode, answer.Error));
        using var gzip = new GZipStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
        var read = new MemoryStream();
        await gzip.CopyToAsync(read, Ct);
        Assert.True(content.AsSpan(2 * Part).SequenceEqual(read.ToArray()));
        // A host that says more than it should is not believed, and there is nothing behind the end.
        await Assert.ThrowsAsync<HostFaultException>(() => shell.ReadAsync(PortalHostCommands.ReadPart(s_device, 0).AskedUnder(new Fence(s_vm, 1)), 1000, Ct));
        Assert.NotEqual(0, (await shell.ReadAsync(PortalHostCommands.ReadPart(s_device, 3).AskedUnder(new Fence(s_vm, 1)), 1000, Ct)).Answer.ExitCode);
    }

    [Fact]
    public async Task What_a_tenant_keeps_is_read_by_nobody_without_his_vms_fence_and_by_nobody_who_is_late()
    {
        _host.PutVolume("vg0", s_disk, Content());
        await using var channel = await _host.ConnectAsync(Ct);
        var other = new Fence(new VmId(Guid.Parse("0190a5b0-0000-7000-8000-00000000dead")), 9);

        foreach (var command in new[] { PortalHostCommands.ReadPart(s_device, 0), PortalHostCommands.PartDigests(s_device, 0, 1) })
        {
            Assert.Contains("needs its fence", (await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(command, Ct))).Message, StringComparison.Ordinal);
            Assert.Contains("needs its fence", (await Assert.ThrowsAsync<HostFaultException>(() => channel.RunAsync(command.AskedUnder(other), Ct))).Message, StringComparison.Ordinal);
            Assert.Equal(0, (await channel.RunAsync(command.AskedUnder(new Fence(s_vm, 5)), Ct)).ExitCode);
            Assert.Equal(new FencedOff(4, 5), RemoteAnswers.Fenced(await channel.RunAsync(command.AskedUnder(new Fence(s_vm, 4)), Ct)));
        }
    }

    [Fact]
    public async Task A_part_is_written_over_what_was_there_its_zeros_too_where_that_is_said()
    {
        var content = Content();
        var path = _host.PutVolume("vg0", s_disk, [.. Enumerable.Repeat((byte)7, (2 * Part) + 100)]);
        await using var channel = await _host.ConnectAsync(Ct);
        byte[] half = [.. content[..(Part / 2)], .. new byte[Part / 2]];

        var all = await channel.RunAsync(PortalHostCommands.CopyPart(s_device, Part, half, overZeros: false).AskedUnder(new Fence(s_vm, 1)), Ct);
        Assert.Equal((0, ""), (all.ExitCode, all.Error));
        var written = await File.ReadAllBytesAsync(path, Ct);
        Assert.True(written.AsSpan(Part, Part).SequenceEqual(half));
        Assert.True(written.AsSpan(0, Part).IndexOfAnyExcept((byte)7) < 0 && written.AsSpan(2 * Part).IndexOfAnyExcept((byte)7) < 0);

        await channel.RunAsync(PortalHostCommands.CopyPart(s_device, 0, half, overZeros: true).AskedUnder(new Fence(s_vm, 1)), Ct);
        Assert.Equal(7, (await File.ReadAllBytesAsync(path, Ct))[Part - 1]);
    }

    public void Dispose() => _host.Dispose();

    // Two parts and a bit; the one in the middle is zeros.
    private static byte[] Content()
    {
        var content = new byte[(2 * Part) + 12345];
        new Random(1).NextBytes(content.AsSpan(0, Part));
        content.AsSpan(2 * Part).Fill((byte)'x');
        return content;
    }

    private static string Sha(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
