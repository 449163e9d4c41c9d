using System.Buffers.Binary;
using CsCheck;
using Portal.Engine.Images.Import;
using Portal.Engine.Shell;
using Portal.Engine.Tests.Live;
using Portal.Kernel;

namespace Portal.Engine.Tests.Images.Import;

public sealed class Qcow2HeaderTests : IDisposable
{
    private readonly string _directory = An.Pool();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("compat=0.10")]
    [InlineData("compat=1.1")]
    [InlineData("compat=1.1,extended_l2=on,cluster_size=128k")]
    [InlineData("compat=1.1,compression_type=zstd")]
    [InlineData("cluster_size=512")]
    [InlineData("cluster_size=2M")]
    public async Task What_QEMU_makes_is_read(string options)
    {
        var path = await MakeAsync("-o", options, "image", "96M");

        Assert.Equal(ByteSize.FromMiB(96), (await Qcow2Header.ReadAsync(path, Ct)).Value.VirtualSize);
    }

    [Theory]
    [InlineData("-b", "/etc/passwd", "-F", "raw", "image", "1M")]
    [InlineData("-b", "/etc/passwd", "-F", "raw", "-o", "compat=0.10", "image", "1M")]
    [InlineData("-b", "json:{\"driver\":\"nbd\",\"host\":\"127.0.0.1\"}", "-F", "raw", "-u", "image", "1M")]
    [InlineData("-o", "data_file=data,data_file_raw=on", "image", "1M")]
    public async Task What_leads_to_another_file_is_refused(params string[] arguments)
    {
        var path = await MakeAsync(arguments);

        Assert.Contains("another file", Assert.IsType<ImageRefused>((await Qcow2Header.ReadAsync(path, Ct)).Refusal).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_encrypted_or_has_snapshots_is_refused()
    {
        var locked = await MakeAsync("--object", "secret,id=s,data=abc", "-o", "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10", "locked", "1M");
        var taken = await MakeAsync("taken", "1M");
        await RunAsync("qemu-img", "snapshot", "-c", "one", taken);

        Assert.Contains("encrypted", (await Qcow2Header.ReadAsync(locked, Ct)).Refusal!.Message, StringComparison.Ordinal);
        Assert.Contains("snapshots", (await Qcow2Header.ReadAsync(taken, Ct)).Refusal!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 4u)]
    [InlineData(4, 0u)]
    [InlineData(20, 22u)]
    [InlineData(20, 8u)]
    [InlineData(24, 0xFFFFFFFFu)]
    [InlineData(28, 1u)]
    [InlineData(76, 1u)]
    [InlineData(76, 2u)]
    [InlineData(76, 32u)]
    [InlineData(72, 1u)]
    [InlineData(100, 0u)]
    [InlineData(100, 0xFFFFFFF8u)]
    [InlineData(108, 0xFFFFFFFFu)]
    public async Task A_header_that_is_not_as_it_should_be_is_refused(int at, uint value)
    {
        var bytes = await File.ReadAllBytesAsync(await MakeAsync("image", "1M"), Ct);
        if (at == 108)
        {
            at = (int)BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(100)) + 4;
        }

        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at), value);

        Assert.IsType<ImageRefused>(Qcow2Header.Read(bytes.AsSpan(0, 64 << 10)).Refusal);
    }

    [Fact]
    public async Task Whatever_stands_in_it_is_an_image_or_a_refusal_and_no_backing_file_passes()
    {
        var good = (await File.ReadAllBytesAsync(await MakeAsync("image", "1M"), Ct))[..4096];

        Gen.Select(Gen.Int[0, 511], Gen.Byte).Array[1, 40].Sample(changes =>
        {
            var bytes = (byte[])good.Clone();
            foreach (var (at, value) in changes)
            {
                bytes[at] = value;
            }

            var read = Qcow2Header.Read(bytes);
            Assert.True(!read.Succeeded || (bytes.AsSpan(8, 12).IndexOfAnyExcept((byte)0) < 0 && (bytes[79] & 4) == 0 && read.Value.VirtualSize.Bytes > 0));
        });
        Gen.Byte.Array[0, 200].Sample(bytes => Assert.False(Qcow2Header.Read(bytes).Succeeded));
    }

    private async Task<string> MakeAsync(params string[] arguments)
    {
        await RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", .. arguments]);
        return Path.Combine(_directory, arguments[^2]);
    }

    private async Task RunAsync(string program, params string[] arguments)
    {
        var answer = await LibvirtHost.Shell.RunAsync(new HostCommand(program, arguments, TimeSpan.FromMinutes(1)) { Directory = _directory }, Ct);
        Assert.True(answer.Succeeded, answer.Error);
    }
}
