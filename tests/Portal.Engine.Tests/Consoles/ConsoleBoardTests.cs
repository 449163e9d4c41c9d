using System.Net.Sockets;
using System.Text;
using Portal.Engine.Consoles;
using Portal.Engine.Pools;

namespace Portal.Engine.Tests.Consoles;

/// <summary>A socket and a log that behave as QEMU's do: a byte goes to the client first and to the log then.</summary>
public sealed class ConsoleBoardTests : IAsyncDisposable
{
    private readonly PoolLayout _pool;
    private readonly DomainName _name = An.Spec("deadbeef").Name;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly FileStream _log;
    private readonly ConsoleBoard _board;

    public ConsoleBoardTests()
    {
        _pool = new PoolLayout(An.Pool());
        _pool.Create();
        _log = new FileStream(_pool.ConsoleLog(_name), FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        _listener.Bind(new UnixDomainSocketEndPoint(_pool.ConsoleSocket(_name)));
        _listener.Listen(1);
        _board = Board();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_viewer_gets_every_byte_once_whenever_it_came()
    {
        var viewers = new List<Task<byte[]>>();
        Socket? qemu = null;
        for (var i = 0; i < 200; i++)
        {
            if (i % 50 == 0)
            {
                viewers.Add(ReadAllAsync(_board.Open(_name)));
                qemu ??= await _listener.AcceptAsync(Ct);
            }

            await SayAsync(qemu!, Encoding.ASCII.GetBytes($"line {i}\r\n"));
        }

        qemu!.Dispose();

        var all = Enumerable.Range(0, 200).SelectMany(i => Encoding.ASCII.GetBytes($"line {i}\r\n")).ToArray();
        foreach (var viewer in await Task.WhenAll(viewers))
        {
            Assert.Equal(all, viewer);
        }
    }

    [Fact]
    public async Task What_was_given_back_to_the_disk_is_passed_over_and_what_the_guest_printed_is_not()
    {
        var viewer = ReadAllAsync(_board.Open(_name));
        using var qemu = await _listener.AcceptAsync(Ct);
        // Written by whoever copies a log whose start the host has punched out: its bytes keep their places.
        _log.SetLength((20 << 20) + 100);
        _log.Position = _log.Length;
        await SayAsync(qemu, [0, .. "here it goes on\r\n"u8]);

        qemu.Dispose();

        var heard = await viewer;
        Assert.True(heard.Length < 8 << 10, $"{heard.Length} bytes came.");
        Assert.Equal([0, .. "here it goes on\r\n"u8], heard[^18..]);
    }

    [Fact]
    public async Task A_newcomer_gets_the_last_256_KiB()
    {
        var old = new byte[300 << 10];
        Random.Shared.NextBytes(old);
        await _log.WriteAsync(old, Ct);

        var viewer = ReadAllAsync(_board.Open(_name));
        (await _listener.AcceptAsync(Ct)).Dispose();

        Assert.Equal(old[^(256 << 10)..], await viewer);
    }

    [Fact]
    public async Task What_is_typed_arrives_in_order()
    {
        await using var console = _board.Open(_name);
        var typed = console.WriteAsync("one "u8.ToArray(), Ct);
        using var qemu = await _listener.AcceptAsync(Ct);
        await typed;
        await console.WriteAsync("two"u8.ToArray(), Ct);

        var heard = "";
        var buffer = new byte[64];
        while (heard.Length < 7)
        {
            heard += Encoding.ASCII.GetString(buffer, 0, await qemu.ReceiveAsync(buffer, Ct));
        }

        Assert.Equal("one two", heard);
    }

    [Fact]
    public async Task The_line_is_let_go_with_the_last_viewer_and_taken_up_by_the_next_process()
    {
        await using var other = Board();
        var first = _board.Open(_name);
        using var qemu = await _listener.AcceptAsync(Ct);
        await using var second = other.Open(_name);
        await using var output = second.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        await SayAsync(qemu, "to both"u8.ToArray());
        await output.UntilAsync("to both", new());

        await first.DisposeAsync();
        await ClosedAsync(qemu);
        using var next = await _listener.AcceptAsync(Ct);
        await second.WriteAsync("x"u8.ToArray(), Ct);
        Assert.Equal(1, await next.ReceiveAsync(new byte[1], Ct));
    }

    [Fact]
    public async Task A_log_that_is_turned_over_is_followed()
    {
        await using var console = _board.Open(_name);
        await using var output = console.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        using var qemu = await _listener.AcceptAsync(Ct);
        await SayAsync(qemu, "in the old one"u8.ToArray());
        await output.UntilAsync("in the old one", new());

        File.Move(_pool.ConsoleLog(_name), _pool.ConsoleLog(_name) + ".0");
        await File.WriteAllTextAsync(_pool.ConsoleLog(_name), "in the new", Ct);

        await output.UntilAsync("in the new", new());
    }

    [Fact]
    public async Task Nobody_listening_is_the_end()
    {
        await _log.WriteAsync("last words"u8.ToArray(), Ct);
        _listener.Dispose();

        await using var console = _board.Open(_name);

        Assert.Equal("last words"u8.ToArray(), await ReadAllAsync(console));
        await Assert.ThrowsAsync<HostFaultException>(async () => await console.WriteAsync("x"u8.ToArray(), Ct));
    }

    public async ValueTask DisposeAsync()
    {
        await _board.DisposeAsync();
        _listener.Dispose();
        await _log.DisposeAsync();
        Directory.Delete(_pool.Root, recursive: true);
    }

    private ConsoleBoard Board() => new(_pool, (name, pulse) => new SocketLine(_pool.ConsoleSocket(name), _pool.ConsoleLog(name), pulse, TimeProvider.System), TimeProvider.System);

    private async Task SayAsync(Socket qemu, byte[] text)
    {
        await qemu.SendAsync(text, Ct);
        await _log.WriteAsync(text, Ct);
    }

    // An end with bytes on their way is a reset.
    private static async Task ClosedAsync(Socket qemu)
    {
        try
        {
            Assert.Equal(0, await qemu.ReceiveAsync(new byte[1], Ct));
        }
        catch (SocketException reset)
        {
            Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        }
    }

    private static async Task<byte[]> ReadAllAsync(IGuestConsole console)
    {
        using var all = new MemoryStream();
        await foreach (var part in console.ReadAsync(Ct))
        {
            all.Write(part.Span);
        }

        return all.ToArray();
    }
}
