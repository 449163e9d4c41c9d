using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Portal.Engine.Pools;
using Portal.Kernel;

namespace Portal.Engine.Images.Import;

/// <summary>
/// Fetches an image. Names are resolved here, and the very socket that the answer comes over is connected to an address that <see cref="PublicAddress"/> allows:
/// whatever the DNS says the second time, and wherever a redirect leads, no service of this machine or of a private network is ever asked.
/// </summary>
internal sealed class ImageFetch(TimeProvider clock)
{
    private const int MaxRedirects = 5;
    private static readonly TimeSpan s_connect = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_all = TimeSpan.FromHours(4);
    private static readonly ByteSize s_tell = ByteSize.FromMiB(64);

    /// <summary>Asks for a name's addresses; the machine's resolver unless a test says otherwise.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>The one endpoint that needs not be public, of a test's own server; null in the product.</summary>
    public IPEndPoint? Exempt { get; init; }

    /// <summary>Writes what an address has into a new file.</summary>
    /// <param name="room">Whether the disk has room for more; asked while it comes, for others write there too.</param>
    /// <returns>Null when it is there, else why not.</returns>
    /// <exception cref="IOException">The disk is full, see <see cref="DiskFull.Is"/>.</exception>
    public async Task<Refusal?> RunAsync(ImageImport import, string path, ByteSize most, Func<bool> room, Action<string> heard, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(s_all, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, ct);
        try
        {
            using var handler = new SocketsHttpHandler
            {
                // Each by hand, so that its address is judged as the first one was.
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                ConnectTimeout = s_connect,
                ConnectCallback = ConnectAsync,
                UseCookies = false,
                // A proxy would connect in our place, to wherever it likes.
                UseProxy = false,
                // A server's certificate may name where its issuer's is. That would be fetched by a client that knows nothing of all this.
                SslOptions = { CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck } },
            };
            using var client = new HttpMessageInvoker(handler);
            var address = new Uri(import.Address!);
            for (var step = 0; step <= MaxRedirects; step++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, address);
                request.Headers.UserAgent.ParseAdd("Portal");
                using var response = await SendAsync(client, request, either.Token).ConfigureAwait(false);
                if (response.StatusCode is not (HttpStatusCode.Moved or HttpStatusCode.Redirect or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect))
                {
                    return response.StatusCode == HttpStatusCode.OK
                        ? await TakeAsync(response, import, path, most, room, heard, either.Token).ConfigureAwait(false)
                        : new ImageRefused($"{address.Host} answered {(int)response.StatusCode} instead of the image. Check the address.");
                }

                address = response.Headers.Location is { } next ? new Uri(address, next) : address;
                if (ImageImport.Complaint(address.AbsoluteUri, import.Sha256) is { } complaint)
                {
                    return new ImageRefused($"The address leads on to {Shown(address)}. {complaint.Text}");
                }

                heard($"It leads on to {Shown(address)}\n");
            }

            return new ImageRefused($"The address leads on more than {MaxRedirects} times. Give the one where the image is.");
        }
        catch (NotPublicException no)
        {
            return new ImageRefused(no.Message);
        }
        catch (HttpRequestException failed)
        {
            return failed.InnerException is NotPublicException no
                ? new ImageRefused(no.Message)
                : new ImageRefused($"The image cannot be fetched: {Reason(failed)} Check the address, or upload the file.");
        }
        catch (UriFormatException)
        {
            return new ImageRefused("The server leads on to what is no address. Give the one where the image is.");
        }
        catch (IOException cut) when (!DiskFull.Is(cut))
        {
            return new ImageRefused($"The image did not come to its end: {Reason(cut)} Build again.");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new ImageRefused($"The server said nothing for {s_silence.TotalSeconds:0} s, or the image took more than {s_all.TotalHours:0} hours. Upload the file instead.");
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMessageInvoker client, HttpRequestMessage request, CancellationToken ct)
    {
        using var silence = new CancellationTokenSource(s_connect + s_silence, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, ct);
        return await client.SendAsync(request, either.Token).ConfigureAwait(false);
    }

    private async Task<Refusal?> TakeAsync(HttpResponseMessage response, ImageImport import, string path, ByteSize most, Func<bool> room, Action<string> heard, CancellationToken ct)
    {
        if (response.Content.Headers.ContentLength is { } said && said > most.Bytes)
        {
            return TooLarge(most);
        }

        var content = await response.Content.ReadAsStreamAsync(ct).ConfigureAwait(false);
        await using (content.ConfigureAwait(false))
        {
            var all = response.Content.Headers.ContentLength is { } length ? $" of {new ByteSize(length)}" : "";
            var told = 0L;
            var (size, digest) = await SourceFile.WriteAsync(content, path, most, room, s_silence, clock, Tell, ct).ConfigureAwait(false);
            return size > most.Bytes ? TooLarge(most)
                : import.Sha256 is { } wanted && digest != wanted ? SourceFile.WrongDigest(digest)
                : null;

            void Tell(long now)
            {
                if (now - told >= s_tell.Bytes)
                {
                    told = now;
                    heard(string.Create(CultureInfo.InvariantCulture, $"{new ByteSize(now)}{all}\n"));
                }
            }
        }
    }

    private static ImageRefused TooLarge(ByteSize most) => new($"The image is larger than {most}, which is the most that is fetched.");

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Resolve(host, ct).ConfigureAwait(false);
        // One that is not public among them is no mistake to pass over in silence: it is how a name is made to point inwards.
        foreach (var address in addresses)
        {
            MustBePublic(host, new IPEndPoint(address, port));
        }

        Exception? last = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), ct).ConfigureAwait(false);
                // Once more, of the connection itself: what is judged is what is spoken to.
                MustBePublic(host, (IPEndPoint)socket.RemoteEndPoint!);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException failed)
            {
                last = failed;
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    private void MustBePublic(string host, IPEndPoint end)
    {
        if ((!PublicAddress.Is(end.Address) || PublicAddress.IsOwn(end.Address)) && !end.Equals(Exempt))
        {
            throw new NotPublicException($"{host} is {end.Address}, and nothing is fetched from private networks or from this machine. Upload the file instead.");
        }
    }

    /// <summary>Without what could be a secret: a user, or a signature in the query.</summary>
    public static string Shown(Uri address) => $"{address.Scheme}://{(address.IsDefaultPort ? address.Host : $"{address.Host}:{address.Port}")}{address.AbsolutePath}";

    private static string Reason(Exception failed) => (failed.InnerException?.Message ?? failed.Message).TrimEnd('.') + ".";

    private sealed class NotPublicException(string message) : Exception(message);
}

/// <summary>How what comes from outside becomes a file.</summary>
internal static class SourceFile
{
    /// <summary>Read by a sandbox's own user; the directory lets nobody else in.</summary>
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const long Step = 64 << 20;

    /// <summary>Writes a stream into a new file, and stops one piece behind what is most.</summary>
    /// <param name="room">Whether the disk has room for more.</param>
    /// <param name="silence">How long the stream may say nothing.</param>
    /// <exception cref="IOException">The disk is full, see <see cref="DiskFull.Is"/>.</exception>
    /// <returns>How much was written, more than what is most where it was too much, and its SHA-256.</returns>
    public static async Task<(long Size, string Digest)> WriteAsync(Stream content, string path, ByteSize most, Func<bool> room, TimeSpan silence, TimeProvider clock, Action<long> taken, CancellationToken ct)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = Readable };
        var file = new FileStream(path, options);
        // Whatever the portal's own umask leaves of it.
        File.SetUnixFileMode(path, Readable);
        await using (file.ConfigureAwait(false))
        {
            using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
            var size = 0L;
            try
            {
                int length;
                while ((length = await ReadAsync(content, buffer, silence, clock, ct).ConfigureAwait(false)) > 0)
                {
                    size += length;
                    if (size > most.Bytes)
                    {
                        break;
                    }

                    if (size / Step != (size - length) / Step && !room())
                    {
                        throw new IOException("The disk has no room for more.", DiskFull.Code);
                    }

                    digest.AppendData(buffer, 0, length);
                    await file.WriteAsync(buffer.AsMemory(0, length), ct).ConfigureAwait(false);
                    taken(size);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            return (size, Convert.ToHexStringLower(digest.GetHashAndReset()));
        }
    }

    public static async Task<string> DigestAsync(string path, CancellationToken ct)
    {
        var file = File.OpenRead(path);
        await using (file.ConfigureAwait(false))
        {
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct).ConfigureAwait(false));
        }
    }

    public static ImageRefused WrongDigest(string digest) =>
        new($"The SHA-256 of what came is {digest}, and not the one that was given. Fetch it anew, or find out which of them is wrong.");

    private static async ValueTask<int> ReadAsync(Stream content, byte[] buffer, TimeSpan silence, TimeProvider clock, CancellationToken ct)
    {
        using var quiet = new CancellationTokenSource(silence, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, ct);
        return await content.ReadAsync(buffer, either.Token).ConfigureAwait(false);
    }
}
