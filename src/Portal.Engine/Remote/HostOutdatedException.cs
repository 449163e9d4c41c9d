namespace Portal.Engine.Remote;

/// <summary>The host's administrator has changed what the portal may use there since the channel was made. The command was not begun; a new channel takes it.</summary>
internal sealed class HostOutdatedException()
    : HostFaultException("What the portal may use on the host is being changed. Nothing was done. Try again in a moment.");
