using System.Net.Sockets;
using Portal.Kernel;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Portal.Engine.Remote;

/// <summary>One SSH connection with one channel, on which sshd runs `portal-host` as the forced command of the portal's key.</summary>
internal sealed class SshLink : IHostLink
{
    /// <summary>A dead network is noticed within some of these.</summary>
    private static readonly TimeSpan s_keepAlive = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private readonly SshClient _client;
    private readonly ShellStream _stream;
    private int _disposed;

    private SshLink(SshClient client, ShellStream stream)
    {
        _client = client;
        _stream = stream;
    }

    /// <summary>Connects and signs in.</summary>
    /// <exception cref="HostKeyChangedException">The host is not the one that was pinned.</exception>
    /// <exception cref="HostFaultException">It does not answer, or does not take the portal's key.</exception>
    public static async Task<SshLink> ConnectAsync(SshTarget target, IPrivateKeySource key, CancellationToken ct)
    {
        var info = new ConnectionInfo(target.Address, target.Port, target.User, new PrivateKeyAuthenticationMethod(target.User, key)) { Timeout = s_patience };
        KeepOnly(info, target.Key);
        var client = new SshClient(info) { KeepAliveInterval = s_keepAlive };
        var shown = "";
        // Without this handler the library trusts every host.
        client.HostKeyReceived += (_, offered) =>
        {
            offered.CanTrust = offered.HostKey.AsSpan().SequenceEqual(Blob(target.Key));
            shown = $"SHA256:{offered.FingerPrintSHA256}";
        };
        try
        {
            await client.ConnectAsync(ct).ConfigureAwait(false);
            // Opening the channel waits for the host's answer, and has no asynchronous form.
            var stream = await Task.Run(() => client.CreateShellStreamNoTerminal(64 << 10), ct).ConfigureAwait(false);
            return new SshLink(client, stream);
        }
        catch (Exception failed) when (failed is SshException or SocketException or ProxyException or InvalidOperationException or OperationCanceledException)
        {
            client.Dispose();
            ct.ThrowIfCancellationRequested();
            throw Explain(failed, target, shown);
        }
    }

    public void Listen(Action<ReadOnlyMemory<byte>> received, Action<string> closed)
    {
        var told = 0;
        void Close(string why)
        {
            if (Interlocked.Exchange(ref told, 1) == 0)
            {
                closed(why);
            }
        }

        _stream.DataReceived += (_, data) =>
        {
            // The stream keeps what came for a reader as well; taken here, or it would keep all of it.
            var taken = new byte[data.Data.Length];
            for (var at = 0; at < taken.Length;)
            {
                at += _stream.Read(taken, at, taken.Length - at);
            }

            received(taken);
        };
        _stream.Closed += (_, _) => Close("The host closed the connection.");
        _client.ErrorOccurred += (_, error) => Close($"The connection to the host broke: {error.Exception.Message}");
        if (!_client.IsConnected)
        {
            Close("The host closed the connection.");
        }
    }

    public Task SendAsync(ReadOnlyMemory<byte> data, CancellationToken ct) => Task.Run(
        () =>
        {
            try
            {
                _stream.Write(data.Span);
                _stream.Flush();
            }
            catch (Exception broken) when (broken is SshException or ObjectDisposedException or SocketException)
            {
                throw new HostFaultException($"The connection to the host broke: {broken.Message}", broken);
            }
        },
        ct);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            // Says goodbye to the host, which may be silent.
            await Task.Run(() =>
            {
                _stream.Dispose();
                _client.Dispose();
            }).ConfigureAwait(false);
        }
    }

    // The host may have keys of several types; asked for another type than the pinned one it would rightly show another key.
    internal static void KeepOnly(ConnectionInfo info, SshPublicKey key)
    {
        var type = key.Line.Split(' ')[0];
        foreach (var algorithm in info.HostKeyAlgorithms.Keys.ToList())
        {
            if (algorithm != type && !(type == "ssh-rsa" && algorithm is "rsa-sha2-256" or "rsa-sha2-512"))
            {
                info.HostKeyAlgorithms.Remove(algorithm);
            }
        }
    }

    private static byte[] Blob(SshPublicKey key) => Convert.FromBase64String(key.Line.Split(' ')[1]);

    private static HostFaultException Explain(Exception failed, SshTarget target, string shown) => failed switch
    {
        SshConnectionException when shown.Length > 0 && shown != target.Key.Fingerprint => new HostKeyChangedException(target.ToString(), target.Key.Fingerprint, shown),
        SshAuthenticationException => new HostFaultException($"{target} does not take the portal's key. Run the host's part of the installation again.", failed),
        SshConnectionException => new HostFaultException($"{target} ended the connection: {failed.Message}", failed),
        OperationCanceledException or SshOperationTimeoutException => new HostFaultException($"{target} did not answer within {s_patience.TotalSeconds:0} s.", failed),
        _ => new HostFaultException($"{target} cannot be reached: {failed.Message}", failed),
    };
}
