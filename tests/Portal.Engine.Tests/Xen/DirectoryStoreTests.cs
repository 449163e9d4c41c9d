using System.IO.Compression;
using System.Security.Cryptography;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Engine.Tests.Remote;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen;

/// <summary>Volumes that are files, made by portal-host itself on this machine: without Xen, whose part of it is shown by the tests in Lab/.</summary>
public sealed class DirectoryStoreTests : IAsyncDisposable
{
    private static readonly DomainSpec s_spec = An.Spec(PortalHost.Instance) with { Disk = ByteSize.FromMiB(16) };
    private static readonly string s_disk = s_spec.Name.Text;

    private readonly PortalHost _portalHost = new();
    private readonly string _directory;
    private readonly XenHost _host;
    private readonly VolumeStore _store;

    public DirectoryStoreTests()
    {
        _directory = Path.Combine(Path.GetDirectoryName(_portalHost.Base)!, "disks");
        _portalHost.Configure($"directory {_directory}");
        Directory.CreateDirectory(_directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.True(SshPublicKey.TryParse(An.Key, out var key));
        _host = new XenHost(
            new SshShell(_ => Task.FromResult<IHostLink>(_portalHost.Start()), TimeProvider.System), PortalHost.Instance, new XenAccess("192.0.2.1", 22, key, null, null, "xenbr0") { Directory = _directory });
        _store = _host.Store;
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_volume_is_made_sparse_written_grown_and_gone()
    {
        Assert.Null(await MakeAsync(s_disk, ByteSize.FromMiB(10)));
        var made = Assert.Single(await _store.ListAsync(Ct));
        Assert.Equal((_directory, s_disk, ByteSize.FromMiB(12), true, false, false), (made.Place, made.Name, made.Size, made.IsOwn, made.IsWhole, made.IsOpen)); // to the next 4 MiB, as LVM's extents
        Assert.InRange(made.Taken.Bytes, 0, 64 << 10);

        Assert.Equal(StepOutcome.Changed, Value(await ActAsync(async act =>
        {
            await act.MustAsync(PortalHostCommands.Fill(_store.PathOf(s_disk), RandomNumberGenerator.GetBytes(2 << 20)), Ct);
            await act.MustAsync(_store.Tag(s_disk, StoredVolume.Whole), Ct);
            return await _store.GrowAsync(act, s_spec.Name, made, ByteSize.FromMiB(20), Ct);
        })));
        var grown = Assert.Single(await _store.ListAsync(Ct));
        Assert.Equal((ByteSize.FromMiB(20), true), (grown.Size, grown.IsWhole));
        Assert.InRange(grown.Taken.Bytes, 2 << 20, 4 << 20);
        Assert.Equal(StepOutcome.AlreadyThere, Value(await ActAsync(act => _store.GrowAsync(act, s_spec.Name, grown, ByteSize.FromMiB(16), Ct))));

        using (File.OpenRead(_store.PathOf(s_disk)))
        {
            var kept = await RemoveAsync(grown);
            Assert.True(_store.IsInUse(kept), kept.Error);
        }

        Assert.True((await RemoveAsync(grown)).Succeeded);
        Assert.True((await RemoveAsync(grown)).Succeeded);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public async Task A_root_disk_is_its_templates_file_and_larger_and_one_that_was_cut_off_is_made_anew()
    {
        var content = RandomNumberGenerator.GetBytes(6 << 20);
        var template = await TemplateAsync(content);

        Assert.Equal(StepOutcome.Changed, Value(await CloneAsync(template)));
        Assert.Equal(StepOutcome.AlreadyThere, Value(await CloneAsync(template)));
        var disk = await File.ReadAllBytesAsync(_store.PathOf(s_disk), Ct);
        Assert.Equal(16 << 20, disk.Length);
        Assert.True(disk.AsSpan(0, content.Length).SequenceEqual(content) && !disk.AsSpan(content.Length).ContainsAnyExcept((byte)0));

        // As it is left by somebody who was cut off: only what is noted says how far it came.
        File.WriteAllText(Path.Combine(_directory, $"{s_disk}.tags"), "portal\n");
        File.WriteAllText(_store.PathOf(s_disk), "half");
        Assert.Equal(StepOutcome.Changed, Value(await CloneAsync(template)));
        Assert.Equal(disk, await File.ReadAllBytesAsync(_store.PathOf(s_disk), Ct));

        var larger = s_spec with { Disk = ByteSize.FromMiB(24) };
        Assert.Equal(StepOutcome.Changed, Value(await ActAsync(async act => await _store.CloneAsync(act, template, await FindAsync(s_disk), larger, Ct))));
        Assert.Equal(ByteSize.FromMiB(24), (await FindAsync(s_disk))!.Size);
    }

    [Fact]
    public async Task A_file_is_compared_and_copied_in_parts_by_who_has_its_vms_fence()
    {
        Assert.Null(await MakeAsync(s_disk, ByteSize.FromMiB(40)));
        var (path, content) = (_store.PathOf(s_disk), RandomNumberGenerator.GetBytes(DomainDisk.PartSize));

        Assert.Equal(StepOutcome.Changed, Value(await ActAsync(async act =>
        {
            await act.MustAsync(PortalHostCommands.CopyPart(path, DomainDisk.PartSize, content, overZeros: true), Ct);
            return Result<StepOutcome>.Of(StepOutcome.Changed);
        })));
        var digests = Value(await ActAsync(async act => Result<string>.Of(await act.AskAsync(PortalHostCommands.PartDigests(path, 0, 3), Ct))));
        var read = Value(await ActAsync(async act => Result<ReadOnlyMemory<byte>>.Of(await act.ReadAsync(PortalHostCommands.ReadPart(path, 1), 32 << 20, Ct))));

        Assert.Equal([null, Convert.ToHexStringLower(SHA256.HashData(content)), null], RemoteAnswers.PartDigests(digests, 3).Select(d => d.Sha256));
        using var gzip = new GZipStream(new MemoryStream(read.ToArray()), CompressionMode.Decompress);
        var unpacked = new MemoryStream();
        await gzip.CopyToAsync(unpacked, Ct);
        Assert.True(content.AsSpan().SequenceEqual(unpacked.ToArray()));
        Assert.Equal(ByteSize.FromMiB(40), (await FindAsync(s_disk))!.Size);
        Assert.Contains("needs its fence", (await Assert.ThrowsAsync<HostFaultException>(() => _host.AskAsync(PortalHostCommands.ReadPart(path, 1), Ct))).Message, StringComparison.Ordinal);
        Assert.Contains("needs its fence", (await Assert.ThrowsAsync<HostFaultException>(() => _host.AskAsync(PortalHostCommands.RemoveVolume(path), Ct))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_somebody_else_put_there_is_never_touched()
    {
        var template = await TemplateAsync([1, 2, 3]);
        var other = Path.Combine(_directory, "of-somebody");
        File.WriteAllText(other, "else");
        foreach (var put in new Action<string>[]
        {
            path => File.WriteAllText(path, "else"),
            path => File.CreateSymbolicLink(path, other),
            path => Directory.CreateDirectory(path),
            path => { File.WriteAllText(path, "else"); File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupWrite); },
        })
        {
            var path = _store.PathOf(s_disk);
            put(path);
            var there = (await FindAsync(s_disk))!;

            Assert.False(there.IsOwn);
            Assert.IsType<Occupied>((await CloneAsync(template)).Refusal);
            Assert.IsType<HostSaidNo>(await MakeAsync(s_disk, ByteSize.FromMiB(4)));
            Assert.False((await RemoveAsync(there)).Succeeded);
            Assert.NotEqual(0, Value(await ActAsync(async act => Result<int>.Of((await act.DoAsync(PortalHostCommands.Fill(path, new byte[] { 7 }), Ct)).ExitCode))));
            Assert.True(Path.Exists(path));
            Assert.Equal("else", File.ReadAllText(other));
            if (Directory.Exists(path) && !File.Exists(path))
            {
                Directory.Delete(path);
            }
            else
            {
                File.Delete(path);
            }

            File.Delete(Path.Combine(_directory, $"{s_disk}.tags"));
        }

        // Also where somebody noted on a link that it is the portal's.
        File.CreateSymbolicLink(_store.PathOf(s_disk), other);
        File.WriteAllText(Path.Combine(_directory, $"{s_disk}.tags"), "portal\n");
        Assert.False((await FindAsync(s_disk))!.IsOwn);
    }

    [Fact]
    public async Task A_directory_that_is_not_there_or_not_roots_alone_is_found_with_its_remedy()
    {
        var good = await _store.LookAsync(await FactsAsync(), Ct);
        Assert.Equal(("pool", CheckLevel.Good), (Assert.Single(good.Checks).Code, good.Checks[0].Level));
        Assert.True(good.Room!.Size > good.Room.Free);

        File.SetUnixFileMode(_directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite);
        var open = Assert.Single((await _store.LookAsync(await FactsAsync(), Ct)).Checks);
        Assert.Equal(("pool.unsafe", CheckLevel.Bad), (open.Code, open.Level));
        Assert.Contains("others than root may write to", open.Found, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HostFaultException>(() => _store.ListAsync(Ct));

        Directory.Move(_directory, _directory + ".moved");
        File.SetUnixFileMode(_directory + ".moved", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(_directory, _directory + ".moved");
        Assert.Contains("a link", Assert.Single((await _store.LookAsync(await FactsAsync(), Ct)).Checks).Found, StringComparison.Ordinal);

        File.Delete(_directory);
        var missing = Assert.Single((await _store.LookAsync(await FactsAsync(), Ct)).Checks);
        Assert.Equal("pool.missing", missing.Code);
        Assert.Contains($"install -d -m 700 {_directory}", missing.Remedy, StringComparison.Ordinal);

        _portalHost.Unconfigure();
        Assert.Equal("group.forbidden", Assert.Single((await _store.LookAsync(await FactsAsync(), Ct)).Checks).Code);
    }

    [Theory]
    [InlineData(100, 50, 45, "pool")]
    [InlineData(100, 14, 9, "pool.full")]
    [InlineData(100, 4, 0, "pool.full")]
    [InlineData(100_000, 14_999, 13_975, "pool.full")]
    [InlineData(100_000, 16_000, 14_976, "pool")]
    public void A_file_system_is_left_some_room(int sizeMiB, int freeMiB, int usableMiB, string code)
    {
        var look = DirectoryStore.Look("/srv/portal", new DirectoryListing(ByteSize.FromMiB(sizeMiB), ByteSize.FromMiB(freeMiB), []));

        Assert.Equal((ByteSize.FromMiB(usableMiB), code), (look.Room!.Free, Assert.Single(look.Checks).Code));
        Assert.Equal(usableMiB == 0, look.Checks[0].Level == CheckLevel.Bad);
    }

    [Theory]
    [InlineData("")]
    [InlineData("room 1\n")]
    [InlineData("room 1 x\n")]
    [InlineData("room 1 2\nvolume a 1 2 3 portal\n")]
    [InlineData("room 1 2\nfile a\n")]
    public void What_is_no_listing_is_a_fault(string said) => Assert.Throws<HostFaultException>(() => DirectoryListing.Parse("/srv/portal", said));

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _portalHost.Dispose();
    }

    private static T Value<T>(Result<T> result) => result.TryGet(out var value, out var refusal) ? value : throw new InvalidOperationException(refusal.Message);

    private Task<Result<T>> ActAsync<T>(Func<XenActing, Task<Result<T>>> act) => _host.ActAsync(An.Fence(s_spec), s_spec.Name, act);

    private async Task<Refusal?> MakeAsync(string name, ByteSize size) =>
        (await ActAsync(async act => await _store.MakeAsync(act.DoAsync, name, size, Ct) is { } no ? Result<Done>.Of(no) : default(Done))).Refusal;

    private async Task<Result<StepOutcome>> CloneAsync(StoredVolume template) => await ActAsync(async act => await _store.CloneAsync(act, template, await FindAsync(s_disk), s_spec, Ct));

    private async Task<HostAnswer> RemoveAsync(StoredVolume volume) => Value(await ActAsync(async act => Result<HostAnswer>.Of(await _store.RemoveAsync(act.DoAsync, volume, Ct))));

    private async Task<StoredVolume?> FindAsync(string name) => (await _store.ListAsync(Ct)).FirstOrDefault(v => v.Name == name);

    private async Task<HostFacts> FactsAsync() => HostFacts.Parse(await _host.AskAsync(PortalHostCommands.Facts(), Ct));

    private async Task<StoredVolume> TemplateAsync(byte[] content)
    {
        var name = _host.TemplateOf(TemplateImage.TinyLinux);
        Assert.Null(await _store.MakeAsync(_host.RunAsync, name, new ByteSize(content.Length), Ct));
        await _host.AskAsync(PortalHostCommands.FillPart(_store.PathOf(name), 0, content), Ct);
        await _host.AskAsync(_store.Tag(name, StoredVolume.Whole), Ct);
        return (await FindAsync(name))!;
    }
}
