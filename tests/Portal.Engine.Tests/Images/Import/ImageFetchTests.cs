using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Portal.Engine.Images.Import;
using Portal.Kernel;

namespace Portal.Engine.Tests.Images.Import;

public sealed class ImageFetchTests : IAsyncLifetime
{
    private static readonly byte[] s_image = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("an image ", 20_000)));
    private static readonly string s_digest = Convert.ToHexStringLower(SHA256.HashData(s_image));

    private readonly string _directory = An.Pool();
    private readonly Server _server = new();
    private readonly Server _inside = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _inside.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task What_an_address_has_is_written_down_and_its_sum_looked_at()
    {
        _server.Answers["/image"] = Whole(s_image);

        Assert.Null(await FetchAsync("http://images.example/image", s_digest));

        Assert.Equal(s_image, await File.ReadAllBytesAsync(Target, Ct));
        Assert.Contains("the one that was given", (await FetchAsync("http://images.example/image", new string('0', 64)))!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("10.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("fd00::1")]
    public async Task A_name_that_points_inwards_is_not_asked(string address)
    {
        var refusal = await FetchAsync($"http://images.example:{_inside.Port}/image", s_digest, resolve: [IPAddress.Parse(address)]);

        Assert.Contains("private networks", refusal!.Message, StringComparison.Ordinal);
        Assert.Equal(0, _inside.Asked);
    }

    [Fact]
    public async Task A_name_with_one_public_address_and_one_inside_is_not_asked()
    {
        var refusal = await FetchAsync($"http://images.example:{_inside.Port}/image", s_digest, resolve: [IPAddress.Parse("192.0.32.7"), IPAddress.Loopback]);

        Assert.Contains("127.0.0.1", refusal!.Message, StringComparison.Ordinal);
        Assert.Equal(0, _inside.Asked);
    }

    [Fact]
    public async Task A_certificate_that_says_where_its_issuers_is_leads_nobody_there()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var asked = new CertificateRequest("CN=images.example", key, HashAlgorithmName.SHA256);
        asked.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [$"http://127.0.0.1:{_inside.Port}/issuer"]));
        using var issuer = new CertificateRequest("CN=nobody", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        using var bare = asked.Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(key), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100), [1]);
        using var certificate = X509CertificateLoader.LoadPkcs12(bare.CopyWithPrivateKey(key).Export(X509ContentType.Pkcs12), null);
        _server.Certificate = certificate;

        Assert.Contains("cannot be fetched", (await FetchAsync("https://images.example/image", s_digest))!.Message, StringComparison.Ordinal);

        Assert.Equal((1, 0), (_server.Asked, _inside.Asked));
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/image")]
    [InlineData("http://[::1]:{0}/image")]
    [InlineData("http://[::ffff:7f00:1]:{0}/image")]
    [InlineData("http://2130706433:{0}/image")]
    [InlineData("http://0x7f.1:{0}/image")]
    [InlineData("http://localhost:{0}/image")]
    public async Task An_address_that_is_inside_is_not_asked_however_it_is_written(string address)
    {
        var fetch = new ImageFetch(TimeProvider.System);
        var refusal = await fetch.RunAsync(Import(string.Format(null, address, _inside.Port), s_digest), Target, ByteSize.FromMiB(1), () => true, _ => { }, Ct);

        Assert.Contains("private networks", refusal!.Message, StringComparison.Ordinal);
        Assert.Equal(0, _inside.Asked);
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/image")]
    [InlineData("//[::1]:{0}/image")]
    [InlineData("http://inside.example:{0}/image")]
    public async Task A_redirect_inwards_is_not_followed(string to)
    {
        _server.Answers["/image"] = $"HTTP/1.1 302 Found\r\nLocation: {string.Format(null, to, _inside.Port)}\r\nContent-Length: 0\r\n\r\n".Bytes();

        var refusal = await FetchAsync("http://images.example/image", s_digest);

        Assert.Contains("private networks", refusal!.Message, StringComparison.Ordinal);
        Assert.Equal((1, 0), (_server.Asked, _inside.Asked));
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://images.example/image")]
    [InlineData("http://user:secret@images.example/image")]
    public async Task A_redirect_to_what_is_no_plain_web_address_is_not_followed(string to)
    {
        _server.Answers["/image"] = $"HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".Bytes();

        var refusal = await FetchAsync("http://images.example/image", s_digest);

        Assert.IsType<ImageRefused>(refusal);
        Assert.DoesNotContain("secret", refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
    }

    [Fact]
    public async Task A_redirect_to_the_same_server_is_followed_and_a_ring_of_them_is_not()
    {
        _server.Answers["/old"] = "HTTP/1.1 301 Moved\r\nLocation: /image\r\nContent-Length: 0\r\n\r\n".Bytes();
        _server.Answers["/image"] = Whole(s_image);
        _server.Answers["/ring"] = "HTTP/1.1 302 Found\r\nLocation: /ring\r\nContent-Length: 0\r\n\r\n".Bytes();

        Assert.Null(await FetchAsync("http://images.example/old", s_digest));
        Assert.Contains("more than 5 times", (await FetchAsync("http://images.example/ring", s_digest))!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_too_large_is_broken_off_whether_it_says_so_or_not()
    {
        _server.Answers["/said"] = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx".Bytes();
        _server.Answers["/unsaid"] = [.. "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".Bytes(), .. new byte[3 << 20]];

        foreach (var path in new[] { "/said", "/unsaid" })
        {
            Assert.Contains("larger than 1 MiB", (await FetchAsync("http://images.example" + path, s_digest))!.Message, StringComparison.Ordinal);
            File.Delete(Target);
        }
    }

    [Fact]
    public async Task What_ends_early_or_is_no_answer_says_so()
    {
        _server.Answers["/cut"] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf".Bytes();
        _server.Answers["/gone"] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".Bytes();

        Assert.Contains("to its end", (await FetchAsync("http://images.example/cut", s_digest))!.Message, StringComparison.Ordinal);
        File.Delete(Target);
        Assert.Contains("404", (await FetchAsync("http://images.example/gone", s_digest))!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://images.example/image", null)]
    [InlineData("ftp://images.example/image", null)]
    [InlineData("/etc/passwd", null)]
    [InlineData("https://user@images.example/image", null)]
    [InlineData("https://images.example/image", "abc")]
    public void An_address_that_cannot_be_is_said_as_it_is_typed(string address, string? sha256) => Assert.NotNull(ImageImport.Complaint(address, sha256));

    private string Target => Path.Combine(_directory, "source");

    private static ImageImport Import(string address, string digest) => new(ImageFormat.Raw, ImagePacking.None, ImageBoot.Disk, ByteSize.FromGiB(1), address, null, digest);

    private async Task<Refusal?> FetchAsync(string address, string digest, IPAddress[]? resolve = null)
    {
        File.Delete(Target);
        // The name that is ours leads to the test's own server, at whose port nothing else is exempt; all other names lead inwards, too.
        var fetch = new ImageFetch(TimeProvider.System)
        {
            Resolve = (_, _) => Task.FromResult(resolve ?? [IPAddress.Loopback]),
            Exempt = resolve is null ? new IPEndPoint(IPAddress.Loopback, _server.Port) : null,
        };
        return await fetch.RunAsync(Import(address.Replace("images.example/", $"images.example:{_server.Port}/", StringComparison.Ordinal), digest), Target, ByteSize.FromMiB(1), () => true, _ => { }, Ct);
    }

    private static byte[] Whole(byte[] content) => [.. $"HTTP/1.1 200 OK\r\nContent-Length: {content.Length}\r\n\r\n".Bytes(), .. content];

    /// <summary>Answers each request for a path with prepared bytes, and closes.</summary>
    private sealed class Server : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.IPv6Any, 0);
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _run;
        private int _asked;

        public Server()
        {
            _listener.Server.DualMode = true;
            _listener.Start();
            _run = RunAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Asked => Volatile.Read(ref _asked);

        /// <summary>Null where it speaks openly.</summary>
        public X509Certificate2? Certificate { get; set; }

        public Dictionary<string, byte[]> Answers { get; } = [];

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _listener.Stop();
            await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Dispose();
        }

        private async Task RunAsync()
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _asked);
                try
                {
                    await using Stream stream = Certificate is null ? client.GetStream() : new SslStream(client.GetStream());
                    if (stream is SslStream secret)
                    {
                        // A server looks for its issuer as well, unless it is told not to.
                        await secret.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(Certificate!, null, offline: true) }, _stop.Token);
                    }

                    using var reader = new StreamReader(stream, leaveOpen: true);
                    var path = (await reader.ReadLineAsync(_stop.Token))?.Split(' ')[1] ?? "";
                    while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 })
                    {
                    }

                    await stream.WriteAsync(Answers[path], _stop.Token);
                    client.Client.Shutdown(SocketShutdown.Send);
                }
                catch (Exception gone) when (gone is IOException or AuthenticationException)
                {
                    // Who asked has heard enough.
                }
            }
        }
    }
}

file static class Words
{
    public static byte[] Bytes(this string text) => Encoding.ASCII.GetBytes(text);
}
