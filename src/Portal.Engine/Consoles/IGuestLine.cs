namespace Portal.Engine.Consoles;

/// <summary>The way in to a guest's serial line; what comes out is in the console's log.</summary>
internal interface IGuestLine : IAsyncDisposable
{
    /// <summary>Completes when the domain is gone; never fails.</summary>
    Task Gone { get; }

    /// <summary>Sends what was typed. Waits while the guest does not take it.</summary>
    /// <exception cref="HostFaultException">The domain is gone, or another process holds the line.</exception>
    ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken ct);
}
