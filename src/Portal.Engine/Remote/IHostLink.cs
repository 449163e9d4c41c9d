namespace Portal.Engine.Remote;

/// <summary>Bytes to and from `portal-host` on a host, in order.</summary>
internal interface IHostLink : IAsyncDisposable
{
    /// <summary>From now on tells what comes, one piece after the other, and once why nothing comes any more.</summary>
    void Listen(Action<ReadOnlyMemory<byte>> received, Action<string> closed);

    /// <summary>Sends all of it; waits while the host does not take it. One caller at a time.</summary>
    /// <exception cref="HostFaultException">The link is down.</exception>
    Task SendAsync(ReadOnlyMemory<byte> data, CancellationToken ct);
}
